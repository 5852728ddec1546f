"""int4 weights: the same bits as the same weights stored as int8, in half the flash."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import microinfer as mi
from compared import Compared
from microinfer.graph import Graph
from microinfer.tflite import write
from one_op import OneOp, activation, constant, int4, int32, one_op
from oracles import ORACLES, differing
from strategies_weights import TWINS


def with_int8(graph: Graph) -> Graph:
    """The same model with its int4 weights stored as int8."""
    tensors = tuple(replace(t, type="INT8") if t.type == "INT4" else t for t in graph.tensors)
    return replace(graph, tensors=tensors)


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("name", TWINS)
def test_int4_equals_the_runtime_on_int8(name: str, numerics: str, compared: Compared) -> None:
    models = elements = wrong = 0

    @settings(deadline=None)
    @given(TWINS[name])
    def check(model: OneOp) -> None:
        nonlocal models, elements, wrong
        (index,) = model.graph.outputs
        theirs = ORACLES[numerics](write(with_int8(model.graph)), *model.inputs)[index]
        (ours,) = mi.Interpreter(model.graph, numerics).run(*model.inputs)
        models, elements = models + 1, elements + theirs.size
        wrong += differing(ours, theirs)
        assert not differing(ours, theirs)

    try:
        check()
    finally:
        compared(f"{name}, as int8", numerics, f"{models} models", elements, wrong)


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("name", TWINS)
def test_c_equals_numpy(name: str, numerics: str) -> None:
    @settings(deadline=None, max_examples=5)
    @given(TWINS[name])
    def check(model: OneOp) -> None:
        expected = mi.Interpreter(model.graph, numerics).trace(*model.inputs)
        native = mi.compile(model.graph, numerics, flags=["-O1"])
        mi.diff(expected, native.trace(*model.inputs)).assert_identical()

    check()


def conv(weights: str) -> Graph:
    """Three channels of 1 x 3 weights: 9, an odd number."""
    values = np.array([[[[-8], [7], [-1]]], [[[1], [0], [-2]]], [[[3], [-4], [5]]]])
    make = int4 if weights == "INT4" else constant
    x = activation((1, 1, 3, 1))
    y = activation((1, 1, 3, 3), 4.0, name="y")
    filters = make(values, [1.0, 0.5, 0.25], name="w")
    return one_op("CONV_2D", [x, filters, int32([0, 0, 0], 1.0)], y, stride_h=1, stride_w=1)


def test_int4_takes_half_the_flash() -> None:
    packed, whole = (mi.plan(conv(weights)).constant_bytes for weights in ("INT4", "INT8"))
    assert whole - packed == 9 - 5
    source = mi.generate(conv("INT4"), "m")["m.c"]
    assert 'weights: "w" [3, 1, 3, 1], int4 two to a byte' in source
    assert "m_layer_0_weights[5] = {" in source
    assert "mi_conv_2d_s4(&m_layer_0_params" in source
