"""SQRT on int8, RSQRT on int8 and int16.

SQRT:  output = clamp(trunc(sqrt(s_x v) / s_y) + output_zero_point), in float32: truncated, not
       rounded, toward zero
RSQRT: output = clamp(requantize(1 / sqrt(v), 1 / (sqrt(s_x) s_y)) + output_zero_point), the root
       as a fixed-point number with 20 fractional bits; the type's highest for v = 0

with v = input - input_zero_point. Both runtimes stop with an error at a negative v; here it counts
as 0, which is what a calibrated input means by it. Profiles differ in the precision of RSQRT's
sqrt(s_x) s_y. On int16, profile "table" has lines between 513 values of the function instead, which
is far from it where it is steep. SQRT on int8 is LiteRT's, in both profiles: TFLM has it for floats
only.
[LITERT] kernels/elementwise.cc; [TFLM] micro/kernels/elementwise.cc.
C twins: runtime_c/mi_lookup.h, mi_rsqrt.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..fixedpoint import (
    INT32_MAX,
    Int64Array,
    quantize_multiplier,
    requantize,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_shift_left,
)
from . import lookup, lookup_s16
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op
from .lookup import LookupParams, tabulate, unary_quantization
from .lookup_s16 import LookupInt16Params, Reals

FRACTION_BITS = 20


def prepare_sqrt(layer: Layer) -> LookupParams:
    source, output = unary_quantization(layer)
    input_scale, output_scale = np.float32(source.scale), np.float32(output.scale)

    def square_root(q: Int64Array) -> Int64Array:
        positive = np.maximum(q - source.zero_point, 0).astype(np.float32)
        with np.errstate(over="ignore"):
            steps = np.trunc(np.sqrt(input_scale * positive) / output_scale)
        outputs: Int64Array = np.clip(
            steps.astype(np.float64) + output.zero_point, INT8_MIN, INT8_MAX
        ).astype(np.int64)
        return outputs

    return tabulate(layer, square_root)


def inverse_square_root(value: int) -> tuple[int, int]:
    """1 / sqrt(value) as (multiplier, shift), for a value of at least 1.

    Five Newton-Raphson steps on value scaled by a power of four.
    [TFLM] kernels/internal/common.h, GetInvSqrtQuantizedMultiplierExp.
    """
    if value <= 1:
        return INT32_MAX, 0
    right = 11
    while value >= 1 << 29:
        value //= 4
        right += 1
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    right -= pairs
    scaled = (value << 2 * pairs) >> 1  # Q3.28
    half = rounding_divide_by_pot(scaled, 1)
    srdhm = saturating_rounding_doubling_high_mul
    x: Int64Array = np.asarray(1 << 28, np.int64)
    for _ in range(5):
        cube = saturating_shift_left(srdhm(srdhm(x, x), x), 6)
        x = saturating_shift_left(srdhm(3 << 27, x) - srdhm(half, cube), 3)
    multiplier = int(srdhm(x, round(2**31 * math.sqrt(0.5))))
    if right < 0:
        return multiplier << -right, 0
    return multiplier, -right


@dataclass(frozen=True)
class RsqrtParams:
    size: int
    multiplier: int
    shift: int  # of a root with 20 fractional bits


def _table_int16(layer: Layer) -> LookupInt16Params:
    """RSQRT on int16 by table; at 0 and below the highest real of the output."""
    output = layer.output().quantization
    assert output is not None
    highest = np.float32(32767) * np.float32(output.scale)

    def reciprocal_root(x: Reals) -> Reals:
        positive = x > 0
        root: Reals = np.sqrt(np.where(positive, x, np.float32(1)))
        inverse: Reals = np.where(positive, np.float32(1) / root, highest)
        return inverse

    params = lookup_s16.tabulate(layer, reciprocal_root)
    params.table[:256] = params.table[256]
    return params


def prepare_rsqrt(layer: Layer) -> LookupParams | LookupInt16Params | RsqrtParams:
    source, output = unary_quantization(layer, int16=True)
    if layer.output().type == "INT16" and layer.numerics.rsqrt_int16 == "table":
        return _table_int16(layer)
    real_type = layer.numerics.elementwise_float
    with np.errstate(over="ignore"):
        root = float(np.sqrt(real_type(source.scale)) * real_type(output.scale))
    layer.require(root > 0, layer.output(), f"has scale {output.scale:g}, which is too small")
    layer.settle()
    # A root is at most 2^20, which leaves ten bits for a shift to the left.
    layer.multiplier_fits(layer.output(), 1 / root, limit=2.0 ** (FRACTION_BITS + 10))
    layer.settle()
    multiplier, shift = quantize_multiplier(1 / root)
    if layer.output().type == "INT16":
        layer.require(
            shift >= FRACTION_BITS - 31, layer.output(), f"needs the real multiplier {1 / root:g}"
        )
        layer.settle()
        return RsqrtParams(layer.output().size, multiplier, shift - FRACTION_BITS)
    factors = np.array([inverse_square_root(v) for v in range(256)])
    roots = requantize(1, factors[:, 0], factors[:, 1] + FRACTION_BITS)

    def reciprocal_root(q: Int64Array) -> Int64Array:
        v = np.maximum(q - source.zero_point, 0)
        steps = requantize(roots[v], multiplier, shift - FRACTION_BITS) + output.zero_point
        return np.where(v == 0, INT8_MAX, steps)

    return tabulate(layer, reciprocal_root)


def eval(params: LookupParams | LookupInt16Params | RsqrtParams, x: Array) -> Array:
    """int8 or int16 [batch, *shape] to the same."""
    if isinstance(params, LookupParams):
        return lookup.eval(params, x)
    if isinstance(params, LookupInt16Params):
        return lookup_s16.eval(params, x)
    values, place = np.unique(np.maximum(x, 0), return_inverse=True)
    factors = np.array([inverse_square_root(int(v)) for v in values])
    roots = requantize(1, factors[:, 0], factors[:, 1] + FRACTION_BITS)
    steps = np.clip(requantize(roots, params.multiplier, params.shift), -32768, 32767)
    steps[values == 0] = 32767
    return steps.astype(np.int16)[place].reshape(x.shape)


SQRT = Op("SQRT", prepare_sqrt, eval, in_place=True)
RSQRT = Op("RSQRT", prepare_rsqrt, eval, in_place=True)
