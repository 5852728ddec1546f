"""SQUARED_DIFFERENCE on int8 or int16, with broadcasting.

Both inputs are brought to one finer scale, as in ADD, and subtracted:

    a_i    = requantize((input_i - input_i_zero_point) << left_shift, multiplier_i, shift_i)
    output = clamp(requantize((a_1 - a_2)^2, output_multiplier, output_shift) + output_zero_point)

with real multipliers s_i / (2 max(s_1, s_2)) and (2 max(s_1, s_2))^2 / (2^(2 left_shift) s_output),
all below 1 and formed in double; left_shift is 7 for int8, 0 for int16. |a_1 - a_2| <= 2^15, so
that its square is at most 2^30. On int16 it is TFLM's alone.
[LITERT] kernels/squared_difference.cc; [TFLM] micro/kernels/squared_difference.cc.
C twin: runtime_c/mi_squared_difference.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op

LEFT_SHIFT = {"int8": 7, "int16": 0}


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
    layer.activations(first, second, output)
    layer.settle()
    extents = broadcast(layer)
    q1, q2, q = first.quantization, second.quantization, output.quantization
    assert q1 is not None
    assert q2 is not None
    assert q is not None
    twice_larger = 2 * max(q1.scale, q2.scale)
    real_output = twice_larger * twice_larger / (2 ** (2 * LEFT_SHIFT[output.dtype.name]) * q.scale)
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
    """int8 and int8 to int8, or the same of int16, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    left_shift, limits = LEFT_SHIFT[x1.dtype.name], np.iinfo(x1.dtype)
    shifted1 = (x1.astype(np.int32) - params.input1_zero_point) << left_shift
    shifted2 = (x2.astype(np.int32) - params.input2_zero_point) << left_shift
    difference = requantize(shifted1, params.input1_multiplier, params.input1_shift) - requantize(
        shifted2, params.input2_multiplier, params.input2_shift
    )
    steps = requantize(difference * difference, params.output_multiplier, params.output_shift)
    outputs = np.clip(steps + params.output_zero_point, limits.min, limits.max)
    return outputs.astype(x1.dtype)


OP = Op("SQUARED_DIFFERENCE", prepare, eval, operands=(0, 1), in_place=True)
