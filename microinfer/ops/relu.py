"""RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1 as layers of their own.

On int8; RELU and RELU6 also on int16.

RELU:  output = clamp(requantize(input - input_zero_point) + output_zero_point), at real zero.
RELU6: the same, also at real six; profile "clamp" instead limits the raw input to its own
       quantized 0 and 6 and ignores the output's quantization
       ([TFLM] micro/kernels/activations.cc).
RELU_N1_TO_1, RELU_0_TO_1: the same as RELU, at real -1 or 0, and at 1. They are LiteRT's, in both
       profiles: TFLM does not have them.

Profiles differ in the precision of the scales' quotient: double in TFLM (float32 until 2026),
float32 in LiteRT.
[LITERT] kernels/activations.cc. C twins: runtime_c/mi_lookup.h, mi_rescale.h.
"""

from __future__ import annotations

import numpy as np

from ..fixedpoint import quantize_multiplier, round_half_away
from ..graph import Quantization
from .activation import clamp_range
from .layer import Layer, Op
from .lookup import LookupParams, unary_quantization
from .rescale import IDENTITY, RescaleParams, eval, rescale

Params = LookupParams | RescaleParams


def prepare_relu(layer: Layer) -> Params:
    source, output = unary_quantization(layer, int16=True)
    return _rescaled(layer, source, output, 0.0, None, layer.numerics.elementwise_float)


def prepare_relu6(layer: Layer) -> Params:
    source, output = unary_quantization(layer, int16=True)
    if layer.numerics.relu6 == "rescale":
        return _rescaled(layer, source, output, 0.0, 6.0, layer.numerics.elementwise_float)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = float(round_half_away(np.float32(6) / np.float32(source.scale)))
    whole = float(np.iinfo(layer.output().dtype).max)
    six = int(min(steps, 2 * whole + 1))  # the whole range, of which no scale is too small
    limits = (source.zero_point, int(min(source.zero_point + six, whole)))
    return rescale(layer, IDENTITY, IDENTITY, limits, output_zero_point=source.zero_point)


def prepare_relu_n1_to_1(layer: Layer) -> Params:
    source, output = unary_quantization(layer)
    return _rescaled(layer, source, output, -1.0, 1.0, np.float32)


def prepare_relu_0_to_1(layer: Layer) -> Params:
    source, output = unary_quantization(layer)
    return _rescaled(layer, source, output, 0.0, 1.0, np.float32)


def _rescaled(
    layer: Layer,
    source: Quantization,
    output: Quantization,
    low: float,
    high: float | None,
    precision: type[np.float32] | type[np.float64],
) -> Params:
    with np.errstate(over="ignore"):
        real = float(precision(source.scale) / precision(output.scale))
    layer.multiplier_fits(layer.output(), real)
    limits = clamp_range(layer, layer.output(), low, high)
    layer.settle()
    factor = quantize_multiplier(real)
    return rescale(layer, factor, factor, limits)


RELU = Op("RELU", prepare_relu, eval, in_place=True)
RELU6 = Op("RELU6", prepare_relu6, eval, in_place=True)
RELU_N1_TO_1 = Op("RELU_N1_TO_1", prepare_relu_n1_to_1, eval, in_place=True)
RELU_0_TO_1 = Op("RELU_0_TO_1", prepare_relu_0_to_1, eval, in_place=True)
