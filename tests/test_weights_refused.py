"""Layers with weights of other types than int8: what is refused, with its reason and a fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import microinfer as mi
from microinfer.graph import Graph, Tensor
from one_op import activation, constant, int4, int32, int64, one_op


def dense(
    type_: str = "INT16",
    zero_point: int = 0,
    weights: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float = 1.0,
    output: str = "",
) -> Graph:
    x = activation((1, 4), 1.0, zero_point, "x", type_)
    filters = weights or constant(np.ones((2, 4), np.int8), 0.5, name="w")
    y = activation((1, 2), scale, 0, "y", output or type_)
    return one_op("FULLY_CONNECTED", [x, filters, bias], y)


def conv(op: str, weights: Tensor, bias: Tensor | None = None, **options: Any) -> Graph:
    x = activation((1, 1, 1, 2), 1.0, 0, "x", "INT16")
    y = activation((1, 1, 1, 2), 1.0, 0, "y", "INT16")
    operands = [x, weights, *([] if bias is None else [bias])]
    if op == "TRANSPOSE_CONV":
        operands = [int32((1, 1, 1, 2)), weights, x, *operands[2:]]
    return one_op(op, operands, y, stride_h=1, stride_w=1, **options)


DEPTH = constant(np.ones((1, 1, 1, 2), np.int8), 0.5, name="w")
PACKED = int4(np.ones((2, 1, 1, 2), np.int8), 0.5, name="w")
FLAT = np.ones((2, 4), np.int8)
LONG = constant(np.full((1, 4), 127, np.int8), 0.5, name="w")


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (dense(zero_point=3), '"x": is INT16 with zero point 3, expected 0'),
        (dense("INT8", bias=int64([0, 0], 0.5)), "has type INT64, expected INT32"),
        (dense(output="INT8"), 'has type INT8, but "x" has INT16'),
        (dense(bias=int64([2**47, 0], 0.5)), "reach 140737488486396, expected less than 2^47"),
        (dense(bias=int64([0, -(2**63)], 0.5)), "of channel 1 reach 1152921504606978048"),
        (dense(bias=int64([2**46, 0], 0.5)), "steps of the output, which leaves int32"),
        (dense(scale=2.0**-10), "needs the real multiplier 512, expected less than 128"),
        (dense(bias=int32([2**31 - 1, 0], 0.5)), "lets the int32 accumulator of channel 0 reach"),
        (dense(weights=constant(FLAT, 0.5, 1)), "has zero point 1; int8 weights of int16 inputs"),
        (dense(weights=constant(FLAT.astype(np.int16), 0.5)), "INT16, expected INT8 or INT4"),
        (conv("DEPTHWISE_CONV_2D", DEPTH, int32([0, 0], 0.5)), "has type INT32, expected INT64"),
        (conv("TRANSPOSE_CONV", PACKED), "has type INT4, expected INT8"),
        (
            conv("DEPTHWISE_CONV_2D", int4(np.ones((1, 1, 1, 2), np.int8), 0.5)),
            "is INT4; with INT16 activations TFLM refuses it",
        ),
    ],
)
def test_refused_with_its_reason(graph: Graph, reason: str) -> None:
    for entry in (mi.Interpreter, mi.plan):
        with pytest.raises(mi.UnsupportedModel) as refusal:
            entry(graph)
        assert reason in str(refusal.value)


def test_an_average_of_so_many_int16_that_int32_overflows() -> None:
    x = activation((1, 256, 256, 1), 1.0, 0, "x", "INT16")
    y = activation((1, 1, 1, 1), 1.0, 0, "y", "INT16")
    window = {"filter_height": 256, "filter_width": 256, "padding": "VALID"}
    graph = one_op("AVERAGE_POOL_2D", [x], y, stride_h=1, stride_w=1, **window)
    with pytest.raises(mi.UnsupportedModel, match="window of 256 x 256 values"):
        mi.Interpreter(graph)
