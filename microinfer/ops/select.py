"""SELECT_V2 and SELECT on int8 or int16: input1 where the condition holds, else input2.

    output = condition ? input1 : input2

All three broadcast; bytes are moved, so that all scales are equal. SELECT, the older one, is not
in TFLM; its inputs have the output's shape, and the condition too, unless it is a scalar.
[LITERT] kernels/select.cc; [TFLM] micro/kernels/select.cc. C twin: runtime_c/mi_select.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .broadcast import Broadcast, loops, view
from .layer import Array, Layer, Op


@dataclass(frozen=True)
class SelectParams(Broadcast):
    condition_strides: tuple[int, ...]


def prepare(layer: Layer) -> SelectParams:
    layer.count(3)
    condition, first, second = (layer.input(position) for position in range(3))
    output = layer.output()
    layer.type_is(condition, "BOOL")
    layer.activations(first, second, output)
    layer.settle()
    layer.same_quantization(first, output)
    layer.same_quantization(second, output)
    if layer.node.op == "SELECT":
        layer.expect(output, first.shape)
        layer.shape_is(first, output.shape)
        layer.shape_is(second, output.shape)
        layer.require(
            condition.shape in ((), output.shape),
            condition,
            f"has shape {condition.shape}, expected {output.shape} or a scalar",
            "use SELECT_V2, which broadcasts",
        )
    layer.settle()
    extents, *strides = loops(layer, condition.shape, first.shape, second.shape)
    return SelectParams(extents, strides[1], strides[2], condition_strides=strides[0])


def eval(params: SelectParams, condition: Array, x1: Array, x2: Array) -> Array:
    """bool, int8 and int8 to int8, or the same of int16, each [batch, *shape]."""
    return np.where(
        view(params.extents, params.condition_strides, condition),
        view(params.extents, params.input1_strides, x1),
        view(params.extents, params.input2_strides, x2),
    )


SELECT = Op("SELECT", prepare, eval, operands=(0, 1, 2), in_place=True)
SELECT_V2 = Op("SELECT_V2", prepare, eval, operands=(0, 1, 2), in_place=True)
