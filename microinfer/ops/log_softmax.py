"""LOG_SOFTMAX on int8, along the last axis.

    d      = input - max(input);  elements with d too low give the output's minimum
    output = round(16 * (input_scale * d - log(sum(exp(input_scale * d))))) + 127

input    int8 [..., depth]
output   int8 [..., depth], scale 1/16, zero point 127

All in integers: the sum as in SOFTMAX, its logarithm by a rational approximation.
[TFLM] kernels/internal/reference/log_softmax.h; kernels/internal/common.h,
log_x_for_x_greater_than_or_equal_to_1. C twin: runtime_c/mi_log_softmax.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..fixedpoint import (
    INT32_MIN,
    Int64Array,
    count_leading_zeros,
    exp_on_negative_values,
    one_over_one_plus_x,
    quantize_multiplier,
    requantize,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_shift_left,
)
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op
from .softmax import INPUT_INTEGER_BITS, SUM_INTEGER_BITS

LOG_INTEGER_BITS = INPUT_INTEGER_BITS + 1  # one more than its result, as a reserve
OUTPUT_SHIFT = 31 - INPUT_INTEGER_BITS - 4  # from Q5.26 to steps of 1/16


@dataclass(frozen=True)
class LogSoftmaxParams:
    rows: int
    depth: int
    input_multiplier: int
    input_shift: int  # of d, to Q5.26; never negative
    diff_min: int
    reverse_multiplier: int
    reverse_shift: int  # of Q5.26, back to steps of the input


def prepare(layer: Layer) -> LogSoftmaxParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.int8(source, output)
    layer.require(len(source.shape) >= 1, source, "is a scalar, expected at least one axis")
    layer.shape_is(output, source.shape)
    layer.settle()
    assert source.quantization is not None
    assert output.quantization is not None
    q = output.quantization
    layer.require(
        q.scale == 16 / 256 and q.zero_point == 127,
        output,
        f"has scale {q.scale:g} and zero point {q.zero_point}, expected 1/16 and 127",
    )
    depth = source.shape[-1]
    # One exponential is at most 2^31 >> 12; 4095 of them stay below 2^31.
    layer.require(1 <= depth < 2**SUM_INTEGER_BITS, source, f"has {depth} classes, expected < 4096")
    real = source.quantization.scale * 2 ** (31 - INPUT_INTEGER_BITS)
    layer.require(real > 1, source, f"has scale {source.quantization.scale:g}, which is too small")
    layer.settle()
    multiplier, shift = quantize_multiplier(min(real, 2**31 - 1.0))
    reverse_multiplier, reverse_shift = quantize_multiplier(2 ** (31 - shift) / multiplier)
    largest = ((1 << INPUT_INTEGER_BITS) - 1) << (31 - INPUT_INTEGER_BITS)
    return LogSoftmaxParams(
        rows=source.size // depth,
        depth=depth,
        input_multiplier=multiplier,
        input_shift=shift,
        diff_min=-(largest >> shift),
        reverse_multiplier=reverse_multiplier,
        reverse_shift=reverse_shift,
    )


def logarithm(x: Int64Array) -> Int64Array:
    """log(x) as Q5.26, for x >= 1 as Q12.19.

    x is a power of two times r in [sqrt(1/2), 1) or in [1/2, sqrt(1/2)), of whose logarithm about
    2^(-1/4) an approximation by a quotient of polynomials is taken.
    """
    srdhm = saturating_rounding_doubling_high_mul
    root = 2**0.25
    quarter = 1 << (31 - LOG_INTEGER_BITS - 2)
    sqrt_half, fourth_root = round(2**31 * 0.5**0.5), round(2**31 * 0.5**0.25)

    zeros = count_leading_zeros(x)
    whole = np.minimum(x << (zeros - 1), 2**31 - 1)
    first = saturating_shift_left(srdhm(whole, sqrt_half), 1)
    other_zeros = count_leading_zeros(srdhm(x, sqrt_half)) - 1
    second = np.minimum(x << other_zeros, 2**31 - 1)
    unit = 1 << (31 - LOG_INTEGER_BITS)
    exponent = np.maximum(
        (SUM_INTEGER_BITS - zeros) * unit + quarter,
        (SUM_INTEGER_BITS - other_zeros) * unit - quarter,
    )
    r = np.minimum(first, second)

    p = (r + fourth_root + 1) >> 1
    q = 2 * (r - fourth_root)
    square = srdhm(q, q)
    numerator = srdhm(q, r) + srdhm(srdhm(q, square), round(2**31 * 11 / 240 * root))
    linear = round(2**31 * (2 / root - root)) + q + srdhm(round(2**31 / 20 * root), square)
    denominator = srdhm(p, linear) + srdhm(round(2**31 / 4 * root), q)  # less 1
    share = srdhm(
        rounding_divide_by_pot(numerator, LOG_INTEGER_BITS), one_over_one_plus_x(denominator)
    )
    return saturating_shift_left(srdhm(exponent, round(2**31 * math.log(2))) + share, 1)


def eval(params: LogSoftmaxParams, x: Array) -> Array:
    """int8 [batch, *shape] to int8 of the same size."""
    rows = x.reshape(-1, params.depth).astype(np.int64)
    difference = rows - rows.max(axis=1, keepdims=True)
    counts = difference >= params.diff_min
    scaled = requantize(
        np.where(counts, difference, 0), params.input_multiplier, params.input_shift
    )
    addends = rounding_divide_by_pot(
        exp_on_negative_values(scaled, INPUT_INTEGER_BITS), SUM_INTEGER_BITS
    )
    log_sum = logarithm(np.where(counts, addends, 0).sum(axis=1, keepdims=True))
    lowest = requantize(log_sum + INT32_MIN, params.reverse_multiplier, params.reverse_shift)
    outputs = rounding_divide_by_pot(scaled - log_sum, OUTPUT_SHIFT) + INT8_MAX
    outputs = np.where(counts & (difference > lowest), outputs, INT8_MIN)
    return np.clip(outputs, INT8_MIN, INT8_MAX).astype(np.int8)


OP = Op("LOG_SOFTMAX", prepare, eval, in_place=True)
