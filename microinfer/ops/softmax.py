"""SOFTMAX along the last axis: of int8, and (softmax_s16.py) of int16.

    d      = input - max(input);  elements with d < diff_min give the output's minimum
    e      = exp(beta * input_scale * d) as Q0.31
    output = round(256 * e / sum(e)) - 128

input    int8 [..., depth]
output   int8 [..., depth], scale 1/256, zero point -128; or int16, scale 1/65536, zero point
         -32768: the same with 65536 for 256

All in integers: exp is gemmlowp's polynomial, the sum is Q12.19, its reciprocal three Newton steps.
[TFLM] kernels/internal/reference/softmax.h; [GEMM] fixedpoint/fixedpoint.h.
C twin: runtime_c/mi_softmax.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from ..fixedpoint import (
    Int64Array,
    count_leading_zeros,
    exp_on_negative_values,
    one_over_one_plus_x,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from . import softmax_s16
from .layer import Array, Layer, Op
from .softmax_s16 import Softmax16Params

INPUT_INTEGER_BITS = 5  # differences are rescaled to Q5.26
SUM_INTEGER_BITS = 12  # exponentials are summed as Q12.19


# Scale and zero point of the output, by the types of input and output.
# The scale is part of the arithmetic; what stands in the file may differ a little of int16.
NEAR = 0.001
OUTPUTS = {
    ("INT8", "INT8"): (1 / 256, -128),
    ("INT8", "INT16"): (1 / 65536, -32768),
    ("INT16", "INT16"): (1 / 32768, 0),
}


@dataclass(frozen=True)
class SoftmaxParams:
    rows: int
    depth: int
    multiplier: int
    shift: int  # of d, to Q5.26; never negative
    diff_min: int
    dtype: ClassVar[DTypeLike] = np.int8  # of the output

    @cached_property
    def exponentials(self) -> Int64Array:
        """exp(-d * scale) as Q0.31 for d = max - input in 0..255; 0 beyond -diff_min."""
        difference = -np.arange(256, dtype=np.int64)
        counts = difference >= self.diff_min
        shifted = np.where(counts, difference, 0) << self.shift
        scaled = saturating_rounding_doubling_high_mul(shifted, self.multiplier)
        return np.where(counts, exp_on_negative_values(scaled, INPUT_INTEGER_BITS), 0)

    @cached_property
    def addends(self) -> Int64Array:
        """The same as Q12.19, as they are summed."""
        return rounding_divide_by_pot(self.exponentials, SUM_INTEGER_BITS)


class SoftmaxToInt16Params(SoftmaxParams):
    dtype = np.int16


def prepare(layer: Layer) -> SoftmaxParams | Softmax16Params:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.type_is(source, "INT8", "INT16")
    layer.type_is(output, *(["INT16"] if source.type == "INT16" else ["INT8", "INT16"]))
    layer.settle()
    layer.per_tensor(source)
    layer.per_tensor(output)
    if source.type == "INT16":
        layer.symmetric(source)
    layer.require(len(source.shape) >= 1, source, "is a scalar, expected at least one axis")
    layer.shape_is(output, source.shape)
    layer.settle()
    assert source.quantization is not None
    assert output.quantization is not None
    scale, zero_point = OUTPUTS[source.type, output.type]
    tolerance = 0.0 if output.type == "INT8" else NEAR * scale
    layer.require(
        abs(output.quantization.scale - scale) <= tolerance
        and output.quantization.zero_point == zero_point,
        output,
        f"has scale {output.quantization.scale:g} and zero point"
        f" {output.quantization.zero_point}, expected 1/{1 / scale:g} and {zero_point}",
    )
    if source.type == "INT16":
        return softmax_s16.prepare(layer)
    depth = source.shape[-1]
    # One exponential is at most 2^31 >> 12; 4095 of them stay below 2^31.
    layer.require(1 <= depth < 2**SUM_INTEGER_BITS, source, f"has {depth} classes, expected < 4096")
    beta = layer.options["beta"]
    real = beta * source.quantization.scale * 2 ** (31 - INPUT_INTEGER_BITS)
    layer.require(
        math.isfinite(real) and real > 1,
        source,
        f"has scale {source.quantization.scale:g}, too small for beta {beta:g}",
    )
    layer.settle()
    multiplier, shift = quantize_multiplier(min(real, 2**31 - 1.0))
    largest = ((1 << INPUT_INTEGER_BITS) - 1) << (31 - INPUT_INTEGER_BITS)
    return (SoftmaxParams if output.type == "INT8" else SoftmaxToInt16Params)(
        rows=source.size // depth,
        depth=depth,
        multiplier=multiplier,
        shift=shift,
        diff_min=-(largest >> shift),
    )


def eval(params: SoftmaxParams | Softmax16Params, x: Array) -> Array:
    """[batch, *shape] to the output's type, of the same size."""
    if isinstance(params, Softmax16Params):
        return softmax_s16.eval(params, x)
    limits = np.iinfo(params.dtype)
    rows = x.reshape(-1, params.depth).astype(np.int64)
    difference = rows.max(axis=1, keepdims=True) - rows
    # Elements below diff_min are zeros in both tables: they add nothing, and give the minimum.
    total = params.addends[difference].sum(axis=1, keepdims=True)
    headroom = count_leading_zeros(total)
    reciprocal = one_over_one_plus_x((total << headroom) - (1 << 31))
    scaled = saturating_rounding_doubling_high_mul(reciprocal, params.exponentials[difference])
    bits_over_unit = SUM_INTEGER_BITS - headroom
    outputs = rounding_divide_by_pot(scaled, bits_over_unit + 31 - limits.bits) + limits.min
    limited: Array = np.minimum(outputs, limits.max).astype(params.dtype)
    return limited


OP = Op("SOFTMAX", prepare, eval, in_place=True)
