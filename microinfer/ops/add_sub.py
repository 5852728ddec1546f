"""ADD and SUB on int8 or int16, with broadcasting.

Both inputs are brought to one finer scale, added, and brought to the output's:

    a_i    = requantize((input_i - input_i_zero_point) << left_shift, multiplier_i, shift_i)
    output = clamp(requantize(a_1 + sign * a_2, output_multiplier, output_shift)
                   + output_zero_point)

with real multipliers s_i / (2 max(s_1, s_2)) and 2 max(s_1, s_2) / (2^left_shift s_output), all
below 1; left_shift is 20 for int8, 15 for int16. |a_i| <= 2^29, so that the sum is at most 2^30.

The quotients are formed in double. (In TFLM's SUB they were float32 until 2026.)
[TFLM] kernels/internal/reference/integer_ops/add.h, kernels/internal/reference/sub.h.
C twin: runtime_c/mi_add.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import quantize_multiplier, requantize
from .activation import activation_range
from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op

LEFT_SHIFT = {"int8": 20, "int16": 15}


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
        every = np.arange(256, dtype=np.uint8).view(np.int8)
        return self.computed(every[:, None], every).reshape(-1)

    def computed(self, x1: Array, x2: Array) -> Array:
        """The outputs of inputs of one type and of shapes that broadcast."""
        left_shift = LEFT_SHIFT[x1.dtype.name]
        a1 = requantize(
            (x1.astype(np.int64) - self.input1_zero_point) << left_shift,
            self.input1_multiplier,
            self.input1_shift,
        )
        a2 = requantize(
            (x2.astype(np.int64) - self.input2_zero_point) << left_shift,
            self.input2_multiplier,
            self.input2_shift,
        )
        total = a1 + self.input2_sign * a2
        outputs = requantize(total, self.output_multiplier, self.output_shift)
        outputs += self.output_zero_point
        return np.clip(outputs, self.activation_min, self.activation_max).astype(x1.dtype)


def prepare_add(layer: Layer) -> AddParams:
    return _prepare(layer, 1)


def prepare_sub(layer: Layer) -> AddParams:
    return _prepare(layer, -1)


def _prepare(layer: Layer, sign: int) -> AddParams:
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
    if output.type == "INT16":
        _require_general_scales(layer, [q1.scale, q2.scale, q.scale])
    twice_larger = 2 * max(q1.scale, q2.scale)
    real_output = twice_larger / (2 ** LEFT_SHIFT[output.dtype.name] * q.scale)
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


def _require_general_scales(layer: Layer, scales: list[float]) -> None:
    """Refuse the powers of two that LiteRT computes by another rounding.

    With three equal scales there is nothing to round, and both ways are the same.
    [LITERT] kernels/add.cc, CheckedLog2.
    """
    shifts = layer.numerics.add_int16 == "shifts" and layer.options["pot_scale_int16"]
    logs = [math.log2(scale) for scale in scales]
    layer.require(
        not shifts or len(set(scales)) == 1 or any(abs(log - round(log)) >= 1e-3 for log in logs),
        layer.output(),
        "is int16 with scales that are powers of two, which LiteRT adds by shifts",
        "convert again with a current converter, which sets pot_scale_int16 to false",
    )
    layer.settle()


def eval(params: AddParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, or the same of int16, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    if x1.dtype == np.int16:
        return params.computed(x1, x2)
    pairs = x1.view(np.uint8).astype(np.uint16) << 8 | x2.view(np.uint8)
    return np.take(params.table, pairs)


ADD = Op("ADD", prepare_add, eval, operands=(0, 1), in_place=True)
SUB = Op("SUB", prepare_sub, eval, operands=(0, 1), in_place=True)
