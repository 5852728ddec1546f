"""The output stage of single elements: by hand, and of every operator that has one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import explained
import microinfer as mi
from microinfer.debug.arithmetic import arithmetic
from microinfer.debug.operands import operands_of
from one_op import OneOp, activation, constant, int32, one_op
from strategies import MODELS

# Operators without an output stage of accumulator, multiplier and zero point.
WITHOUT = {
    *("ARG_MAX", "ARG_MIN", "ASSIGN_VARIABLE", "AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND"),
    *("BROADCAST_TO", "CALL_ONCE", "CONCATENATION", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU"),
    *("EQUAL", "EXP", "EXPAND_DIMS", "FILL", "GATHER", "GATHER_ND", "GREATER", "GREATER_EQUAL"),
    *("HARD_SWISH", "LESS", "LESS_EQUAL", "LOG", "LOGISTIC", "LOG_SOFTMAX", "MAXIMUM"),
    *("MAX_POOL_2D", "MINIMUM", "MIRROR_PAD", "NEG", "NOT_EQUAL", "PACK", "PAD", "PADV2"),
    *("READ_VARIABLE", "REDUCE_MAX", "REDUCE_MIN", "RESHAPE", "RESIZE_BILINEAR"),
    *("RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "RSQRT", "SELECT", "SELECT_V2", "SLICE", "SOFTMAX"),
    *("SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUEEZE"),
    *("STRIDED_SLICE", "TANH", "TILE", "TRANSPOSE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNPACK"),
    *("VAR_HANDLE", "ZEROS_LIKE"),
}
# Of float32 inputs, QUANTIZE has none.
QUANTIZES_REALS = "QUANTIZE"


def check(interpreter: mi.Interpreter, trace: mi.Trace, count: int, seed: int = 0) -> None:
    for layer, sample, at, value in explained.elements(interpreter, trace, count, seed):
        operands = operands_of(interpreter, trace, layer.index, sample)
        own = arithmetic(layer, operands, at)
        where = (layer.node.op, sample, at)
        if own is None:
            floats = operands and operands[0].dtype.kind == "f"
            assert layer.node.op in WITHOUT or (layer.node.op == QUANTIZES_REALS and floats), where
            continue
        assert layer.node.op not in WITHOUT
        assert own.output == value, (*where, own)
        low, high = own.clamp
        assert own.output == min(max(own.rounded + own.zero_point, low), high)
        reals = own.accumulator * math.ldexp(own.multiplier, own.shift - 31)
        assert math.isclose(abs(own.real), abs(reals), rel_tol=1e-15)
        if own.shift <= 0:  # else it may have wrapped
            # Two roundings, and a multiplier of 16 bits.
            assert abs(own.rounded - own.real) <= 1 + 2**-14 * abs(own.real), where


@pytest.mark.parametrize("numerics", ["tflm", "litert"])
@pytest.mark.parametrize("name", explained.MODELS)
def test_every_layer_of_the_models(name: str, numerics: str) -> None:
    graph = explained.loaded(name)
    interpreter = mi.Interpreter(graph, numerics=numerics)
    check(interpreter, interpreter.trace(*explained.inputs(interpreter.graph)), 6)


@pytest.mark.parametrize("numerics", ["tflm", "litert"])
@pytest.mark.parametrize("op", MODELS)
def test_models_of_one_operator(op: str, numerics: str) -> None:
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(MODELS[op])
    def drawn(model: OneOp) -> None:
        interpreter = mi.Interpreter(model.graph, numerics)
        check(interpreter, interpreter.trace(*model.inputs), 5)

    drawn()


def test_a_fully_connected_layer_by_hand() -> None:
    """3 (2 - 1) - 2 (5 - 1) + 10 = 5; times 0.5 * 0.25 / 0.2 = 0.625, that is 3.125; and -4."""
    graph = one_op(
        "FULLY_CONNECTED",
        [activation((1, 2), 0.5, 1), constant([[3, -2]], 0.25), int32([10], 0.125)],
        activation((1, 1), 0.2, -4, "y"),
    )
    layer = mi.Interpreter(graph).layers[0]
    own = arithmetic(layer, [np.array([[2, 5]], np.int8)], (0, 0))
    assert own is not None
    assert (own.accumulator, own.zero_point, own.clamp) == (5, -4, (-128, 127))
    scale = 0.5 * 0.25 / float(np.float32(0.2))
    assert (own.multiplier, own.shift) == (round(scale * 2**31), 0)
    assert own.real == 5 * own.multiplier / 2**31
    assert (own.output, own.rounding) == (-1, "double")


def test_double_rounding_shows_in_an_element() -> None:
    """3 / 8 is nearer to 0; the doubling high multiply makes it 2 / 4, and that rounds to 1."""
    graph = one_op(
        "FULLY_CONNECTED",
        [activation((1, 1), 0.125), constant([[1]], 1.0), None],
        activation((1, 1), 1.0, 0, "y"),
    )
    layer = mi.Interpreter(graph).layers[0]
    own = arithmetic(layer, [np.array([[3]], np.int8)], (0, 0))
    assert own is not None
    assert (own.multiplier, own.shift) == (1 << 30, -2)
    assert (own.real, own.output) == (0.375, 1)
