"""LEAKY_RELU on int8.

    v >= 0: output = clamp(requantize(v, s_x / s_y) + output_zero_point)
    v < 0:  the same with s_x alpha / s_y, and alpha's sign put on the rounded value

with v = input - input_zero_point. Profiles differ in the precision of the quotients.
[TFLM] kernels/internal/reference/leaky_relu.h. C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .layer import Layer, Op
from .lookup import LookupParams, eval, tabulate, unary_quantization


def prepare(layer: Layer) -> LookupParams:
    source, output = unary_quantization(layer)
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
    sign = -1 if slope < 0 else 1
    return tabulate(
        layer,
        lambda q: (
            np.where(
                q >= source.zero_point,
                requantize(q - source.zero_point, *of_positive),
                sign * requantize(q - source.zero_point, *of_negative),
            )
            + output.zero_point
        ),
    )


OP = Op("LEAKY_RELU", prepare, eval, in_place=True)
