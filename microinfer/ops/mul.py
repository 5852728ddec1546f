"""MUL on int8 or int16, with broadcasting.

    output = clamp(requantize((input1 - zero_point1) * (input2 - zero_point2), multiplier, shift)
                   + output_zero_point)

The real multiplier is s_1 s_2 / s_output; profiles differ in the precision of that product.
[TFLM] kernels/internal/reference/integer_ops/mul.h. C twin: runtime_c/mi_mul.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .activation import activation_range
from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op


@dataclass(frozen=True)
class MulParams(Broadcast):
    input1_zero_point: int
    input2_zero_point: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int


def prepare(layer: Layer) -> MulParams:
    layer.count(2)
    first, second, output = layer.input(0), layer.input(1), layer.output()
    layer.activations(first, second, output)
    layer.settle()
    loops = broadcast(layer)
    activation_min, activation_max = activation_range(layer, output)
    q1, q2, q = first.quantization, second.quantization, output.quantization
    assert q1 is not None
    assert q2 is not None
    assert q is not None
    precision = layer.numerics.elementwise_float
    with np.errstate(over="ignore"):
        real = float(precision(q1.scale) * precision(q2.scale) / precision(q.scale))
    layer.multiplier_fits(output, real)
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    return MulParams(
        **vars(loops),
        input1_zero_point=q1.zero_point,
        input2_zero_point=q2.zero_point,
        output_zero_point=q.zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=activation_min,
        activation_max=activation_max,
    )


def eval(params: MulParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, or the same of int16, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    products = (x1.astype(np.int32) - params.input1_zero_point) * (
        x2.astype(np.int32) - params.input2_zero_point
    )
    outputs = requantize(products, params.output_multiplier, params.output_shift)
    outputs += params.output_zero_point
    return np.clip(outputs, params.activation_min, params.activation_max).astype(x1.dtype)


OP = Op("MUL", prepare, eval, operands=(0, 1), in_place=True)
