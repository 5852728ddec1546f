"""CUMSUM on int8: running sums along one axis.

    sum[d]    = -input_zero_point + sum of input[k] - input_zero_point over k <= d
    output[d] = clamp8(requantize(sum[d] * 2^19, multiplier, shift) + output_zero_point)

Exclusive: over k < d; reverse: from the other end. The real multiplier is
s_input / (2^19 s_output), below 1. Sums begin at -input_zero_point, not at 0: right only where
that is 0, but what TFLM computes (ARITHMETIC.md). LiteRT has no CUMSUM of int8; both profiles
compute TFLM's.

input, output  int8, seen as [outer, depth, inner]

[TFLM] kernels/internal/reference/cumsum.h. C twin: runtime_c/mi_cumsum.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize, wrap_int32
from .axes import constant_axes
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op

SUM_BITS = 19  # fraction bits of a sum; beyond 4095 steps it wraps, as int32 does


@dataclass(frozen=True)
class CumsumParams:
    outer: int
    depth: int
    inner: int
    exclusive: int
    reverse: int
    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int


def prepare(layer: Layer) -> CumsumParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    layer.int8(source, output)
    layer.settle()
    axes = constant_axes(layer, 1, len(source.shape))
    layer.require(len(axes) == 1, layer.input(1), f"has {len(axes)} axes, expected one")
    layer.shape_is(output, source.shape)
    layer.require(source.size > 0, source, "is empty")
    layer.settle()
    (axis,) = axes
    assert source.quantization is not None
    assert output.quantization is not None
    real = source.quantization.scale / (2**SUM_BITS * output.quantization.scale)
    layer.multiplier_fits(output, real, limit=1.0)
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    return CumsumParams(
        outer=math.prod(source.shape[:axis]),
        depth=source.shape[axis],
        inner=math.prod(source.shape[axis + 1 :]),
        exclusive=int(layer.options["exclusive"]),
        reverse=int(layer.options["reverse"]),
        input_zero_point=source.quantization.zero_point,
        output_zero_point=output.quantization.zero_point,
        multiplier=multiplier,
        shift=shift,
    )


def eval(params: CumsumParams, x: Array) -> Array:
    """int8 [batch, *shape] to int8 of the same size."""
    values = x.reshape(len(x), params.outer, params.depth, params.inner).astype(np.int64)
    values -= params.input_zero_point
    order = slice(None, None, -1 if params.reverse else 1)
    sums = values[:, :, order].cumsum(axis=2)[:, :, order] - params.input_zero_point
    if params.exclusive:
        sums -= values
    scaled = wrap_int32(sums << SUM_BITS)
    outputs = requantize(scaled, params.multiplier, params.shift) + params.output_zero_point
    return np.clip(outputs, INT8_MIN, INT8_MAX).astype(np.int8)


OP = Op("CUMSUM", prepare, eval, in_place=True)
