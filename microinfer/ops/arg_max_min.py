"""ARG_MAX and ARG_MIN of int8: where along one axis the largest or the smallest value is.

    output[o, i] = the first d with input[o, d, i] = max(input[o, :, i]), or min

input   int8, seen as [outer, depth, inner]
output  int32 or int64 [outer, inner]; TFLM itself has int32 only

[TFLM] kernels/internal/reference/arg_min_max.h. C twin: runtime_c/mi_reduce.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from .axes import constant_axes
from .layer import Array, Layer, Op


@dataclass(frozen=True)
class ArgExtremeParams:
    outer: int
    depth: int
    inner: int
    sign: int  # 1: maximum, -1: minimum
    index_bytes: int  # of an output element: 4, int32, or 8, int64


def prepare(layer: Layer, sign: int) -> ArgExtremeParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    layer.type_is(source, "INT8")
    layer.type_is(output, "INT32", "INT64")
    layer.settle()
    axes = constant_axes(layer, 1, len(source.shape))
    layer.require(len(axes) == 1, layer.input(1), f"has {len(axes)} axes, expected one")
    layer.settle()
    (axis,) = axes
    before, after = source.shape[:axis], source.shape[axis + 1 :]
    layer.shape_is(output, before + after)
    layer.require(source.size > 0, source, "is empty")
    layer.settle()
    return ArgExtremeParams(
        outer=math.prod(before),
        depth=source.shape[axis],
        inner=math.prod(after),
        sign=sign,
        index_bytes=output.dtype.itemsize,
    )


def eval(params: ArgExtremeParams, x: Array) -> Array:
    """int8 [batch, *input shape] to int32 or int64 [batch, outer, inner]."""
    values = x.reshape(len(x), params.outer, params.depth, params.inner)
    first: Array = (values.argmax if params.sign > 0 else values.argmin)(axis=2)
    return first.astype(np.int32 if params.index_bytes == 4 else np.int64)


MAXIMUM = Op("ARG_MAX", partial(prepare, sign=1), eval)
MINIMUM = Op("ARG_MIN", partial(prepare, sign=-1), eval)
