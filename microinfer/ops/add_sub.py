"""ADD and SUB on int8, with broadcasting.

Both inputs are brought to one finer scale, added, and brought to the output's:

    a_i    = requantize((input_i - input_i_zero_point) << 20, multiplier_i, shift_i)
    output = clamp(requantize(a_1 + sign * a_2, output_multiplier, output_shift)
                   + output_zero_point)

with real multipliers s_i / (2 max(s_1, s_2)) and 2 max(s_1, s_2) / (2^20 s_output), all below 1.
|a_i| <= 255 * 2^20 / 2, so that the sum stays below 2^28.

Profiles differ in the precision of SUB's quotients.
[TFLM] kernels/internal/reference/integer_ops/add.h, kernels/internal/reference/sub.h.
C twin: runtime_c/mi_add.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def prepare_add(layer: Layer) -> AddParams:
    return _prepare(layer, 1, "float64")


def prepare_sub(layer: Layer) -> AddParams:
    return _prepare(layer, -1, layer.numerics.sub_scale)


def _prepare(layer: Layer, sign: int, precision: str) -> AddParams:
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
    real = np.float32 if precision == "float32" else np.float64
    twice_larger = real(2 * max(q1.scale, q2.scale))
    with np.errstate(over="ignore"):
        real1 = float(real(q1.scale) / twice_larger)
        real2 = float(real(q2.scale) / twice_larger)
        real_output = float(twice_larger / (real(2**LEFT_SHIFT) * real(q.scale)))
    layer.multiplier_fits(output, real_output, limit=1.0)
    layer.settle()
    multiplier1, shift1 = quantize_multiplier(real1)
    multiplier2, shift2 = quantize_multiplier(real2)
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


def _common_scale(x: Array, zero_point: int, multiplier: int, shift: int) -> Array:
    """Each int8 value at the inputs' common scale, int32: 256 values computed, then looked up."""
    every = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)
    scaled = requantize((every - zero_point) << LEFT_SHIFT, multiplier, shift)
    return scaled.astype(np.int32)[x.view(np.uint8)]


def eval(params: AddParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    a1 = _common_scale(x1, params.input1_zero_point, params.input1_multiplier, params.input1_shift)
    a2 = _common_scale(x2, params.input2_zero_point, params.input2_multiplier, params.input2_shift)
    total = a1 + a2 if params.input2_sign > 0 else a1 - a2
    outputs = requantize(total, params.output_multiplier, params.output_shift)
    outputs += params.output_zero_point
    return np.clip(outputs, params.activation_min, params.activation_max).astype(np.int8)


ADD = Op("ADD", prepare_add, eval, operands=(0, 1), in_place=True)
SUB = Op("SUB", prepare_sub, eval, operands=(0, 1), in_place=True)
