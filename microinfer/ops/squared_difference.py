"""SQUARED_DIFFERENCE on int8, with broadcasting.

Both inputs are brought to one finer scale, as in ADD, and subtracted:

    a_i    = requantize((input_i - input_i_zero_point) << 7, multiplier_i, shift_i)
    output = clamp8(requantize((a_1 - a_2)^2, output_multiplier, output_shift) + output_zero_point)

with real multipliers s_i / (2 max(s_1, s_2)) and (2 max(s_1, s_2))^2 / (2^14 s_output), all below
1 and formed in double. |a_1 - a_2| <= 255 * 2^7, so that its square stays below 2^30.
[LITERT] kernels/squared_difference.cc; [TFLM] micro/kernels/squared_difference.cc.
C twin: runtime_c/mi_squared_difference.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .broadcast import Broadcast, broadcast, expand
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op

LEFT_SHIFT = 7


@dataclass(frozen=True)
class SquaredDifferenceParams(Broadcast):
    input1_zero_point: int
    input1_multiplier: int
    input1_shift: int
    input2_zero_point: int
    input2_multiplier: int
    input2_shift: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int


def prepare(layer: Layer) -> SquaredDifferenceParams:
    layer.count(2)
    first, second, output = layer.input(0), layer.input(1), layer.output()
    layer.int8(first, second, output)
    layer.settle()
    extents = broadcast(layer)
    q1, q2, q = first.quantization, second.quantization, output.quantization
    assert q1 is not None
    assert q2 is not None
    assert q is not None
    twice_larger = 2 * max(q1.scale, q2.scale)
    real_output = twice_larger * twice_larger / (2 ** (2 * LEFT_SHIFT) * q.scale)
    layer.multiplier_fits(output, real_output, limit=1.0)
    layer.settle()
    multiplier1, shift1 = quantize_multiplier(q1.scale / twice_larger)
    multiplier2, shift2 = quantize_multiplier(q2.scale / twice_larger)
    output_multiplier, output_shift = quantize_multiplier(real_output)
    return SquaredDifferenceParams(
        **vars(extents),
        input1_zero_point=q1.zero_point,
        input1_multiplier=multiplier1,
        input1_shift=shift1,
        input2_zero_point=q2.zero_point,
        input2_multiplier=multiplier2,
        input2_shift=shift2,
        output_zero_point=q.zero_point,
        output_multiplier=output_multiplier,
        output_shift=output_shift,
    )


def eval(params: SquaredDifferenceParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    shifted1 = (x1.astype(np.int32) - params.input1_zero_point) << LEFT_SHIFT
    shifted2 = (x2.astype(np.int32) - params.input2_zero_point) << LEFT_SHIFT
    difference = requantize(shifted1, params.input1_multiplier, params.input1_shift) - requantize(
        shifted2, params.input2_multiplier, params.input2_shift
    )
    steps = requantize(difference * difference, params.output_multiplier, params.output_shift)
    return np.clip(steps + params.output_zero_point, INT8_MIN, INT8_MAX).astype(np.int8)


OP = Op("SQUARED_DIFFERENCE", prepare, eval, operands=(0, 1), in_place=True)
