"""ABS on int8 or int16, NEG on int8 or float32.

ABS: output = clamp(requantize(|input - input_zero_point|, s_x / s_y) + output_zero_point),
     without a requantize where the two scales are equal
NEG: output = -input as int8, where -128 stays -128. Scales and zero points are not looked at,
     so that only a zero point of 0 makes it the negation of the real. Converters rather write a
     NEG of float32 between a DEQUANTIZE and a QUANTIZE: output = -input.

Profiles differ in the precision of ABS's quotient. NEG on int8 is LiteRT's, in both profiles:
TFLM has it for floats only.
[TFLM] micro/kernels/elementwise.cc; [LITERT] kernels/neg.cc.
C twins: runtime_c/mi_lookup.h, mi_rescale.h, mi_neg.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier
from . import lookup
from .layer import INT8_MIN, Array, Layer, Op
from .lookup import LookupParams, tabulate, unary_quantization
from .rescale import IDENTITY, RescaleParams, eval, rescale


def prepare_abs(layer: Layer) -> LookupParams | RescaleParams:
    source, output = unary_quantization(layer, int16=True)
    real = layer.numerics.elementwise_float
    with np.errstate(over="ignore"):
        quotient = float(real(source.scale) / real(output.scale))
    layer.multiplier_fits(layer.output(), quotient)
    layer.settle()
    equal = source.scale == output.scale
    multiplier, shift = IDENTITY if equal else quantize_multiplier(quotient)
    return rescale(layer, (multiplier, shift), (-multiplier, shift))


@dataclass(frozen=True)
class NegFloatParams:
    size: int


def prepare_neg(layer: Layer) -> LookupParams | NegFloatParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    if source.type == output.type == "FLOAT32":
        layer.shape_is(output, source.shape)
        layer.settle()
        return NegFloatParams(source.size)
    unary_quantization(layer)
    return tabulate(layer, lambda q: np.where(q == INT8_MIN, INT8_MIN, -q))


def eval_neg(params: LookupParams | NegFloatParams, x: Array) -> Array:
    """int8 or float32 [batch, *shape] to the same."""
    return -x if isinstance(params, NegFloatParams) else lookup.eval(params, x)


ABS = Op("ABS", prepare_abs, eval, in_place=True)
NEG = Op("NEG", prepare_neg, eval_neg, in_place=True)
