"""HARD_SWISH on int8: x * relu6(x + 3) / 6, in 16-bit fixed point.

    v      = (input - input_zero_point) * 128
    gate   = 1/2 + clamp(v s_x / (128 * 3), -1, 1) / 2, as Q0.15: relu6(x + 3) / 6
    output = clamp(v gate s_x / (128 s_y) + output_zero_point)

Multipliers have 16 bits. The product is truncated before it is rounded by the last shift.
Profiles differ in the precision of the scales' quotients.
[TFLM] kernels/internal/reference/hard_swish.h. C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

import numpy as np

from ..fixedpoint import Int64Array, quantize_multiplier, rounding_divide_by_pot
from .layer import Layer, Op
from .lookup import LookupParams, eval, tabulate, unary_quantization


def _to_16_bits(multiplier: int) -> int:
    return 32767 if multiplier >= 2**31 - 1 - (1 << 15) else (multiplier + (1 << 15)) >> 16


def _high_mul(a: Int64Array, b: int | Int64Array) -> Int64Array:
    """Saturating rounding doubling high multiply of int16."""
    high: Int64Array = np.minimum((a * b + (1 << 14)) >> 15, 32767)
    return high


def _shift_left(x: Int64Array, exponent: int) -> Int64Array:
    shifted: Int64Array = np.clip(x << exponent, -32768, 32767)
    return shifted


def prepare(layer: Layer) -> LookupParams:
    source, output = unary_quantization(layer)
    real = layer.numerics.elementwise_float
    fine = real(source.scale) / real(128)  # scale of the input times 128
    with np.errstate(over="ignore"):
        real_output = float(fine / real(output.scale))
        real_relu = float(fine / real(np.float32(3 / 32768)))
    layer.multiplier_fits(layer.output(), real_output, limit=1.0)
    layer.multiplier_fits(layer.input(0), real_relu)
    layer.settle()
    output_multiplier, output_shift = quantize_multiplier(real_output)
    relu_multiplier, relu_shift = quantize_multiplier(real_relu)
    layer.require(
        output_shift <= 0, layer.output(), f"needs the real multiplier {real_output:g}, below 1"
    )
    # The runtimes divide in int16, whose powers of two end there.
    layer.require(
        output_shift >= -15,
        layer.input(0),
        f"has scale {source.scale:g}: the runtimes shift by more than 16 bits have",
        "the scales around this layer are out of proportion; check the calibration data",
    )
    layer.settle()
    output_16, relu_16 = _to_16_bits(output_multiplier), _to_16_bits(relu_multiplier)

    def hard_swish(q: Int64Array) -> Int64Array:
        fine_input = (q - source.zero_point) * 128
        at_output_scale = _high_mul(fine_input, output_16)
        relu = fine_input  # becomes relu6(x + 3) / 6 as Q0.15
        if relu_shift > 0:
            relu = _shift_left(relu, relu_shift - 1)
        relu = _high_mul(relu, relu_16)
        if relu_shift > 0:
            relu = _shift_left(relu, 1)
        if relu_shift < 0:
            relu = rounding_divide_by_pot(relu, -relu_shift)
        relu = (relu + 32768) >> 1
        product = relu * at_output_scale
        truncated = np.sign(product) * (np.abs(product) >> 15)
        return rounding_divide_by_pot(truncated, -output_shift) + output.zero_point

    return tabulate(layer, hard_swish)


OP = Op("HARD_SWISH", prepare, eval, in_place=True)
