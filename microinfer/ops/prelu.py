"""PRELU on int8: LEAKY_RELU with a slope of its own for each element, broadcast.

    v >= 0: output = clamp(requantize(v, s_x / s_y) + output_zero_point)
    v < 0:  output = clamp(requantize(v * (alpha - alpha_zero_point), s_x s_alpha / s_y)
                           + output_zero_point)

with v = input - input_zero_point. Profiles differ in the precision of the quotients.
[TFLM] kernels/internal/reference/prelu.h. C twin: runtime_c/mi_prelu.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .broadcast import Broadcast, broadcast, expand
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op


@dataclass(frozen=True)
class PreluParams(Broadcast):
    input_zero_point: int
    alpha_zero_point: int
    output_zero_point: int
    positive_multiplier: int
    positive_shift: int
    negative_multiplier: int
    negative_shift: int


def prepare(layer: Layer) -> PreluParams:
    layer.count(2)
    source, alpha, output = layer.input(0), layer.input(1), layer.output()
    layer.int8(source, alpha, output)
    layer.shape_is(output, source.shape)
    layer.settle()
    extents = broadcast(layer)
    q, qa, qy = source.quantization, alpha.quantization, output.quantization
    assert q is not None
    assert qa is not None
    assert qy is not None
    real = layer.numerics.elementwise_float
    with np.errstate(over="ignore"):
        positive = float(real(q.scale) / real(qy.scale))
        negative = float(real(q.scale) * real(qa.scale) / real(qy.scale))
    layer.multiplier_fits(output, max(positive, negative))
    layer.settle()
    positive_multiplier, positive_shift = quantize_multiplier(positive)
    negative_multiplier, negative_shift = quantize_multiplier(negative)
    return PreluParams(
        **vars(extents),
        input_zero_point=q.zero_point,
        alpha_zero_point=qa.zero_point,
        output_zero_point=qy.zero_point,
        positive_multiplier=positive_multiplier,
        positive_shift=positive_shift,
        negative_multiplier=negative_multiplier,
        negative_shift=negative_shift,
    )


def eval(params: PreluParams, x: Array, alpha: Array) -> Array:
    """int8 and int8 to int8, each [batch, *shape]."""
    x, alpha = expand(params, x, alpha)
    v = x.astype(np.int32) - params.input_zero_point
    slopes = alpha.astype(np.int32) - params.alpha_zero_point
    steps = np.where(
        v >= 0,
        requantize(v, params.positive_multiplier, params.positive_shift),
        requantize(v * slopes, params.negative_multiplier, params.negative_shift),
    )
    outputs: Array = np.clip(steps + params.output_zero_point, INT8_MIN, INT8_MAX)
    return outputs.astype(np.int8)


OP = Op("PRELU", prepare, eval, operands=(0, 1), in_place=True)
