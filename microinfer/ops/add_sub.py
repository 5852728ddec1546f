"""ADD and SUB on int8, with broadcasting.

Both inputs are brought to one finer scale, added, and brought to the output's:

    a_i    = requantize((input_i - input_i_zero_point) << 20, multiplier_i, shift_i)
    output = clamp(requantize(a_1 + sign * a_2, output_multiplier, output_shift)
                   + output_zero_point)

with real multipliers s_i / (2 max(s_1, s_2)) and 2 max(s_1, s_2) / (2^20 s_output), all below 1.
|a_i| <= 255 * 2^20 / 2, so that the sum stays below 2^28.

The quotients are formed in double. (In TFLM's SUB they were float32 until 2026.)
[TFLM] kernels/internal/reference/integer_ops/add.h, kernels/internal/reference/sub.h.
C twin: runtime_c/mi_add.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import quantize_multiplier, requantize
from .activation import activation_range
from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op

LEFT_SHIFT = 20


@dataclass(frozen=True)
class AddParams(Broadcast):
    input2_sign: int  # 1 adds, -1 subtracts
    input1_zero_point: int
    input1_multiplier: int
    input1_shift: int
    input2_zero_point: int
    input2_multiplier: int
    input2_shift: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int

    @cached_property
    def table(self) -> NDArray[np.int8]:
        """The outputs of all 65536 pairs, at byte 1 * 256 + byte 2 of the inputs."""
        every = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)
        a1 = requantize(
            (every - self.input1_zero_point) << LEFT_SHIFT,
            self.input1_multiplier,
            self.input1_shift,
        )
        a2 = requantize(
            (every - self.input2_zero_point) << LEFT_SHIFT,
            self.input2_multiplier,
            self.input2_shift,
        )
        total = a1[:, None] + self.input2_sign * a2
        outputs = requantize(total, self.output_multiplier, self.output_shift)
        outputs += self.output_zero_point
        limited = np.clip(outputs, self.activation_min, self.activation_max)
        return limited.astype(np.int8).reshape(-1)


def prepare_add(layer: Layer) -> AddParams:
    return _prepare(layer, 1)


def prepare_sub(layer: Layer) -> AddParams:
    return _prepare(layer, -1)


def _prepare(layer: Layer, sign: int) -> AddParams:
    layer.count(2)
    first, second, output = layer.input(0), layer.input(1), layer.output()
    layer.int8(first, second, output)
    layer.settle()
    loops = broadcast(layer)
    activation_min, activation_max = activation_range(layer, output)
    q1, q2, q = first.quantization, second.quantization, output.quantization
    assert q1 is not None
    assert q2 is not None
    assert q is not None
    twice_larger = 2 * max(q1.scale, q2.scale)
    real_output = twice_larger / (2**LEFT_SHIFT * q.scale)
    layer.multiplier_fits(output, real_output, limit=1.0)
    layer.settle()
    multiplier1, shift1 = quantize_multiplier(q1.scale / twice_larger)
    multiplier2, shift2 = quantize_multiplier(q2.scale / twice_larger)
    output_multiplier, output_shift = quantize_multiplier(real_output)
    layer.require(output_shift <= 0, output, f"needs the real multiplier {real_output:g}, below 1")
    layer.settle()
    return AddParams(
        **vars(loops),
        input2_sign=sign,
        input1_zero_point=q1.zero_point,
        input1_multiplier=multiplier1,
        input1_shift=shift1,
        input2_zero_point=q2.zero_point,
        input2_multiplier=multiplier2,
        input2_shift=shift2,
        output_zero_point=q.zero_point,
        output_multiplier=output_multiplier,
        output_shift=output_shift,
        activation_min=activation_min,
        activation_max=activation_max,
    )


def eval(params: AddParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    pairs = x1.view(np.uint8).astype(np.uint16) << 8 | x2.view(np.uint8)
    return np.take(params.table, pairs)


ADD = Op("ADD", prepare_add, eval, operands=(0, 1), in_place=True)
SUB = Op("SUB", prepare_sub, eval, operands=(0, 1), in_place=True)
