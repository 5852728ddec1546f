"""ABS and NEG on int8.

ABS: output = clamp(requantize(|input - input_zero_point|, s_x / s_y) + output_zero_point),
     without a requantize where the two scales are equal
NEG: output = -input as int8, where -128 stays -128. Scales and zero points are not looked at,
     so that only a zero point of 0 makes it the negation of the real.

Profiles differ in the precision of ABS's quotient. NEG on int8 is LiteRT's, in both profiles:
TFLM has it for floats only.
[TFLM] micro/kernels/elementwise.cc; [LITERT] kernels/neg.cc. C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .layer import INT8_MIN, Layer, Op
from .lookup import LookupParams, eval, tabulate, unary_quantization


def prepare_abs(layer: Layer) -> LookupParams:
    source, output = unary_quantization(layer)
    if source.scale == output.scale:
        return tabulate(layer, lambda q: np.abs(q - source.zero_point) + output.zero_point)
    real = layer.numerics.elementwise_float
    with np.errstate(over="ignore"):
        quotient = float(real(source.scale) / real(output.scale))
    layer.multiplier_fits(layer.output(), quotient)
    layer.settle()
    factor = quantize_multiplier(quotient)
    return tabulate(
        layer, lambda q: requantize(np.abs(q - source.zero_point), *factor) + output.zero_point
    )


def prepare_neg(layer: Layer) -> LookupParams:
    unary_quantization(layer)
    return tabulate(layer, lambda q: np.where(q == INT8_MIN, INT8_MIN, -q))


ABS = Op("ABS", prepare_abs, eval, in_place=True)
NEG = Op("NEG", prepare_neg, eval, in_place=True)
