"""LEAKY_RELU on int8 or int16.

    v >= 0: output = clamp(requantize(v, s_x / s_y) + output_zero_point)
    v < 0:  the same with s_x alpha / s_y, and alpha's sign put on the rounded value

with v = input - input_zero_point. Profiles differ in the precision of the quotients.
[TFLM] kernels/internal/reference/leaky_relu.h. C twins: runtime_c/mi_lookup.h, mi_rescale.h.
"""

from __future__ import annotations

import numpy as np

from ..fixedpoint import quantize_multiplier
from .layer import Layer, Op
from .lookup import LookupParams, unary_quantization
from .rescale import RescaleParams, eval, rescale


def prepare(layer: Layer) -> LookupParams | RescaleParams:
    source, output = unary_quantization(layer, int16=True)
    real = layer.numerics.elementwise_float
    alpha = np.float32(layer.options["alpha"])
    layer.require(bool(np.isfinite(alpha)), None, f"has alpha {alpha}, expected a finite number")
    layer.settle()
    with np.errstate(over="ignore"):
        identity = float(real(source.scale) / real(output.scale))
        slope = float(real(source.scale) * real(alpha) / real(output.scale))
    layer.multiplier_fits(layer.output(), max(identity, abs(slope)))
    layer.settle()
    of_positive, of_negative = quantize_multiplier(identity), quantize_multiplier(abs(slope))
    return rescale(layer, of_positive, of_negative, negative_sign=-1 if slope < 0 else 1)


OP = Op("LEAKY_RELU", prepare, eval, in_place=True)
