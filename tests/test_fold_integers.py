"""Arithmetic on shapes against LiteRT, which gets the same integers as inputs of a model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compared import Compared
from microinfer import Interpreter
from microinfer.graph import DTYPES, Graph, Node, Tensor
from microinfer.passes import runnable
from microinfer.passes.fold import values
from microinfer.passes.integers import COMPUTE
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import Array, activation, constant, quantization
from oracles import ORACLES, differing, litert_tensors

RNG = np.random.default_rng(5)
EXTREMES = np.array([2**31 - 1, -(2**31), 65537, 46341, 0, -1])


def _pairs(shape: tuple[int, ...] = (2, 6)) -> tuple[Array, Array]:
    """Values small and large, for products and sums that wrap."""
    return RNG.integers(-50, 50, shape), np.where(RNG.random(shape) < 0.5, 3, EXTREMES[None])


def _case(op: str) -> tuple[list[Array], dict[str, Any], str, tuple[int, ...]]:
    """Inputs, options, and the output's type ("" for the first input's) and shape."""
    a, b = _pairs()
    if op in ("FLOOR_DIV", "FLOOR_MOD", "DIV"):
        return (
            [
                np.concatenate([a, -a]),
                np.where(np.concatenate([b, b]) == 0, -7, np.concatenate([b, b])),
            ],
            {},
            "",
            (4, 6),
        )
    if op in ("LOGICAL_AND", "LOGICAL_OR"):
        return [a > 0, b > 3], {}, "BOOL", (2, 6)
    if op == "LOGICAL_NOT":
        return [a > 0], {}, "BOOL", (2, 6)
    if op in ("ABS", "NEG"):
        return [a], {}, "", (2, 6)
    if op in ("REDUCE_ALL", "REDUCE_ANY"):
        return [a > -40, np.array([1], np.int32)], {"keep_dims": False}, "BOOL", (2,)
    if op.startswith("REDUCE") or op == "SUM":
        return [b, np.array([-1], np.int32)], {"keep_dims": True}, "", (2, 1)
    if op in ("SELECT", "SELECT_V2"):
        return [a > 0, a, b], {}, "", (2, 6)
    if op == "RANGE":
        return [np.array(7), np.array(-4), np.array(-3)], {}, "", (4,)
    if op == "CAST":
        return [a], {"in_data_type": "INT32", "out_data_type": "INT64"}, "INT64", (2, 6)
    if "EQUAL" in op or op in ("LESS", "GREATER"):
        return [np.array([[1, 2, 3], [4, 5, 6]]), np.array([2, 2, 5])], {}, "BOOL", (2, 3)
    return [a, b], {}, "", (2, 6)


VERSIONS = {"REDUCE_MAX": 2, "REDUCE_MIN": 2, "MAXIMUM": 2, "MINIMUM": 2}


# LiteRT has no int64 of the others.
CASES = [
    (op, type_)
    for op in COMPUTE
    for type_ in ("INT32", "INT64")
    if (op, type_) not in (("DIV", "INT64"), ("FLOOR_DIV", "INT64"), ("ABS", "INT64"))
]


@pytest.mark.parametrize(("op", "type_"), CASES)
def test_equals_litert(op: str, type_: str, compared: Compared) -> None:
    arrays, options, made, shape = _case(op)
    typed = [x if x.dtype in (np.bool_, np.int32) else x.astype(DTYPES[type_]) for x in arrays]
    if op == "CAST":
        options, made = {"in_data_type": type_, "out_data_type": "INT64"}, "INT64"
    names = {np.dtype(np.bool_): "BOOL", np.dtype(np.int32): "INT32", np.dtype(np.int64): "INT64"}
    first = next(x for x in typed if x.dtype != np.bool_) if made != "BOOL" else typed[0]
    tensors = [Tensor(f"x{i}", x.shape, names[x.dtype]) for i, x in enumerate(typed)]
    reduces = op in ("SUM", "RANGE") or op.startswith("REDUCE")
    if reduces and op != "RANGE":  # the axes are constant
        tensors[1] = Tensor("axes", typed[1].shape, "INT32", data=typed[1])
    output = Tensor("y", shape, made or names[first.dtype])
    kind = OPERATORS[op]
    node = Node(
        op,
        tuple(range(len(typed))),
        (len(typed),),
        {**(defaults(kind) if kind else {}), **options},
        version=VERSIONS.get(op, 1),
    )
    fed = tuple(i for i, tensor in enumerate(tensors) if tensor.data is None)
    graph = Graph((*tensors, output), (node,), fed, (len(typed),))
    ours = COMPUTE[op](node, *typed)
    assert ours is not None
    theirs = litert_tensors(write(graph), *[typed[i][None] for i in fed])[len(typed)][0]
    count = differing(np.asarray(ours), theirs)
    compared(f"{op} of {type_.lower()}", "litert", "folded", theirs.size, count)
    assert count == 0, (ours, theirs)


@pytest.mark.parametrize(
    ("op", "type_"), [("SHAPE", "INT32"), ("SHAPE", "INT64"), ("RANK", "INT32")]
)
def test_shape_and_rank_equal_litert(op: str, type_: str) -> None:
    x = Tensor("x", (2, 1, 3), "INT8", quantization(0.5))
    y = Tensor("y", (3,) if op == "SHAPE" else (), type_)
    node = Node(op, (0,), (1,), {"out_type": type_} if op == "SHAPE" else {})
    graph = Graph((x, y), (node,), (0,), (1,))
    theirs = litert_tensors(write(graph), np.zeros((1, 2, 1, 3), np.int8))[1][0]
    ours = values(graph, 0)
    assert ours is not None
    assert differing(np.asarray(ours[0]), theirs) == 0


@pytest.mark.parametrize("numerics", ORACLES)
def test_constants_are_quantized_and_back_as_they_would_be_later(numerics: str) -> None:
    reals = constant(np.float32([[-1.25, 0.75, 3.3, 1000]]), name="reals")
    q = Tensor("q", (1, 4), "INT8", quantization(0.5, 3))
    again = Tensor("again", (1, 4), "INT8", quantization(0.3, -7))
    f = Tensor("f", (1, 4), "FLOAT32")
    x, y = (Tensor(name, (1, 4), "INT8", quantization(0.3, -7)) for name in "xy")
    nodes = (
        Node("QUANTIZE", (0,), (1,)),
        Node("DEQUANTIZE", (1,), (2,), version=2, location=1),
        Node("QUANTIZE", (2,), (3,), location=2),
        Node("QUANTIZE", (1,), (6,), version=2, location=3),
        Node("MAXIMUM", (3, 4), (5,), version=2, location=4),
        Node("MAXIMUM", (6, 5), (7,), version=2, location=5),
    )
    also, z = replace(again, name="also"), replace(y, name="z")
    graph = Graph((reals, q, f, again, x, y, also, z), nodes, (4,), (7,))
    assert [node.op for node in runnable(graph).nodes] == ["MAXIMUM"] * 2
    inputs = RNG.integers(-128, 128, (3, 1, 4)).astype(np.int8)
    theirs = ORACLES[numerics](write(graph), inputs)
    for index in (1, 2, 3, 6):
        value = runnable(graph).tensors[index].data
        assert value is not None
        assert differing(np.stack([value] * 3), theirs[index]) == 0
    assert differing(Interpreter(graph, numerics).trace(inputs).tensor(7), theirs[7]) == 0


def test_what_would_divide_by_zero_or_clamp_is_left() -> None:
    one, zero = np.array([1]), np.array([0])
    assert COMPUTE["FLOOR_DIV"](Node("FLOOR_DIV", (), ()), one, zero) is None
    fused = {"fused_activation_function": "RELU"}
    assert COMPUTE["ADD"](Node("ADD", (), (), fused), one, one) is None
    assert COMPUTE["RANGE"](Node("RANGE", (), ()), zero, one, zero) is None


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL", "DIV", "MAXIMUM"])
def test_what_stands_for_reals_is_not_added_as_integers(op: str) -> None:
    """A layer of quantized constants is computed with their scales, as both runtimes do."""
    scales = ((0.5, 3), (0.5, 3)) if op == "MAXIMUM" else ((0.5, 3), (0.25, -7))
    tensors = (
        activation((2,), 0.7, 5, "x"),
        constant(np.array([10, 20], np.int8), *scales[0], name="a"),
        constant(np.array([1, 100], np.int8), *scales[1], name="b"),
        activation((2,), *(scales[0] if op == "MAXIMUM" else (0.7, 5)), name="s"),
        activation((2,), 1.0, 0, "y"),
    )
    nodes = tuple(
        Node(name, inputs, (output,), defaults(OPERATORS[name] or ""), version=2)
        for name, inputs, output in ((op, (1, 2), 3), ("ADD", (0, 3), 4))
    )
    graph = read(write(Graph(tensors, nodes, (0,), (4,))))
    x = np.array([[1, 2], [-100, 100]], np.int8)
    for runtime in ORACLES:
        theirs = ORACLES[runtime](write(graph), x)[4]
        assert differing(Interpreter(graph, runtime).run(x)[0], theirs) == 0
        assert runnable(graph).tensors[3].data is None
