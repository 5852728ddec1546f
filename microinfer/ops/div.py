"""DIV on int8, with broadcasting.

    v_1, v_2 = input_i - input_i_zero_point, both negated if v_2 < 0
    inverse  = 1 / v_2 as a fraction in (1/2, 1] with 31 bits; v_2 has ``bits`` bits
    quotient = high_mul(v_1 << headroom, inverse), headroom being v_1's redundant sign bits
    output   = clamp(high_mul(quotient, multiplier) / 2^(headroom + bits - 1 - shift)
                     + output_zero_point)

The real multiplier is s_1 / (s_2 s_output); profiles differ in its precision. The last division
rounds ties away from zero. Beyond a shift of 31 it gives 0, where the runtimes' is undefined and
comes out wrong (ARITHMETIC.md). What is divided by zero saturates by its sign, and 0 / 0 is 0:
LiteRT stops with an error there, TFLM goes on with any value.
[TFLM] kernels/internal/reference/div.h. C twin: runtime_c/mi_div.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import (
    Int64Array,
    count_leading_zeros,
    one_over_one_plus_x,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)
from .activation import activation_range
from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op

MAX_SHIFT = 22  # v_1 has 22 redundant sign bits at least


@dataclass(frozen=True)
class DivParams(Broadcast):
    input1_zero_point: int
    input2_zero_point: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int

    @cached_property
    def table(self) -> NDArray[np.int8]:
        """The outputs of all 65536 pairs, at byte 1 * 256 + byte 2 of the inputs."""
        every = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)
        v2 = (every - self.input2_zero_point)[None, :]
        v1 = (every - self.input1_zero_point)[:, None] * np.where(v2 < 0, -1, 1)
        steps = np.where(v2 == 0, np.sign(v1) * (1 << 20), self._quotient(v1, np.abs(v2)))
        outputs = steps + self.output_zero_point
        limited: Int64Array = np.clip(outputs, self.activation_min, self.activation_max)
        return limited.astype(np.int8).reshape(-1)

    def _quotient(self, v1: Int64Array, v2: Int64Array) -> Int64Array:
        zeros = count_leading_zeros(np.maximum(v2, 1))
        inverse = one_over_one_plus_x((np.maximum(v2, 1) << zeros) - 2**31)
        bits = np.where(v1 < 0, ~v1, v1)
        headroom = np.where(bits == 0, 32, count_leading_zeros(np.maximum(bits, 1))) - 1
        quotient = saturating_rounding_doubling_high_mul(wrap_int32(v1 << headroom), inverse)
        right = headroom + (31 - zeros) - self.output_shift
        high = saturating_rounding_doubling_high_mul(quotient, self.output_multiplier)
        return np.where(right > 31, 0, rounding_divide_by_pot(high, np.minimum(right, 31)))


def prepare(layer: Layer) -> DivParams:
    layer.count(2)
    first, second, output = layer.input(0), layer.input(1), layer.output()
    layer.int8(first, second, output)
    layer.settle()
    extents = broadcast(layer)
    activation_min, activation_max = activation_range(layer, output)
    q1, q2, q = first.quantization, second.quantization, output.quantization
    assert q1 is not None
    assert q2 is not None
    assert q is not None
    real = layer.numerics.elementwise_float
    with np.errstate(over="ignore", divide="ignore"):
        quotient = float(real(q1.scale) / (real(q2.scale) * real(q.scale)))
    layer.multiplier_fits(output, quotient, limit=2.0 ** (MAX_SHIFT - 1))
    layer.settle()
    multiplier, shift = quantize_multiplier(quotient)
    return DivParams(
        **vars(extents),
        input1_zero_point=q1.zero_point,
        input2_zero_point=q2.zero_point,
        output_zero_point=q.zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=activation_min,
        activation_max=activation_max,
    )


def eval(params: DivParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    pairs = x1.view(np.uint8).astype(np.uint16) << 8 | x2.view(np.uint8)
    return np.take(params.table, pairs)


OP = Op("DIV", prepare, eval, operands=(0, 1), in_place=True)
