"""RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1 as layers of their own, on int8.

RELU:  output = clamp(requantize(input - input_zero_point) + output_zero_point), at real zero.
RELU6: the same, also at real six; profile "clamp" instead limits the raw input to its own
       quantized 0 and 6 and ignores the output's quantization
       ([TFLM] micro/kernels/activations.cc).
RELU_N1_TO_1, RELU_0_TO_1: the same as RELU, at real -1 or 0, and at 1. They are LiteRT's, in both
       profiles: TFLM does not have them.

Profiles differ in the precision of the scales' quotient: double in TFLM (float32 until 2026),
float32 in LiteRT.
[LITERT] kernels/activations.cc. C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

import numpy as np

from ..fixedpoint import Int64Array, quantize_multiplier, requantize, round_half_away
from .activation import clamp_range
from .layer import Layer, Op
from .lookup import LookupParams, eval, tabulate, unary_quantization


def prepare_relu(layer: Layer) -> LookupParams:
    return _rescaled(layer, 0.0, None, layer.numerics.elementwise_float)


def prepare_relu6(layer: Layer) -> LookupParams:
    source, _ = unary_quantization(layer)
    if layer.numerics.relu6 == "rescale":
        return _rescaled(layer, 0.0, 6.0, layer.numerics.elementwise_float)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = float(round_half_away(np.float32(6) / np.float32(source.scale)))
    six = int(steps) if steps < 255 else 255  # the whole range, of which no scale is too small
    low, high = source.zero_point, min(source.zero_point + six, 127)

    def clamped(q: Int64Array) -> Int64Array:
        limited: Int64Array = np.clip(q, low, high)
        return limited

    return tabulate(layer, clamped)


def prepare_relu_n1_to_1(layer: Layer) -> LookupParams:
    return _rescaled(layer, -1.0, 1.0, np.float32)


def prepare_relu_0_to_1(layer: Layer) -> LookupParams:
    return _rescaled(layer, 0.0, 1.0, np.float32)


def _rescaled(
    layer: Layer, low: float, high: float | None, precision: type[np.float32] | type[np.float64]
) -> LookupParams:
    source, output = unary_quantization(layer)
    with np.errstate(over="ignore"):
        real = float(precision(source.scale) / precision(output.scale))
    layer.multiplier_fits(layer.output(), real)
    minimum, maximum = clamp_range(layer, layer.output(), low, high)
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    return tabulate(
        layer,
        lambda q: np.clip(
            requantize(q - source.zero_point, multiplier, shift) + output.zero_point,
            minimum,
            maximum,
        ),
    )


RELU = Op("RELU", prepare_relu, eval, in_place=True)
RELU6 = Op("RELU6", prepare_relu6, eval, in_place=True)
RELU_N1_TO_1 = Op("RELU_N1_TO_1", prepare_relu_n1_to_1, eval, in_place=True)
RELU_0_TO_1 = Op("RELU_0_TO_1", prepare_relu_0_to_1, eval, in_place=True)
