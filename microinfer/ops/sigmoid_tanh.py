"""LOGISTIC and TANH on int8 and int16.

LOGISTIC: output = 1 / (1 + exp(-x)), scale 1/256, zero point -128; of int16 1/32768 and 0
TANH:     output = tanh(x), scale 1/128, zero point 0; of int16 1/32768 and 0

On int16 both are read from a table of the sigmoid, in all profiles (sigmoid_tanh_s16.py).
On int8, profile "fixed_point": the input is rescaled to Q4.27 and gemmlowp's polynomials give Q0.31
([TFLM] kernels/internal/reference/integer_ops/logistic.h, tanh.h). Profile "table": float32
functions, rounded ([LITERT] kernels/activations.cc). They differ for input scales of 8 and more,
where the first gives an end of the range even for real zero.
C twins: runtime_c/mi_lookup.h, mi_logistic.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..fixedpoint import (
    INT32_MAX,
    Int64Array,
    exp_on_negative_values,
    one_minus_x_over_one_plus_x,
    one_over_one_plus_x,
    requantize,
    rounding_divide_by_pot,
)
from ..graph import Quantization
from ..sigmoid_tanh_s16 import sigmoid_by_table, table_multiplier, tanh_by_table
from . import lookup
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op
from .lookup import LookupParams, float_table, tabulate, unary_quantization

INTEGER_BITS = 4


@dataclass(frozen=True)
class SigmoidTanhParams:
    size: int
    tanh: int  # 1: TANH, 0: LOGISTIC
    multiplier: int
    shift: int  # to the right


def _int16(layer: Layer, tanh: int) -> SigmoidTanhParams:
    """LOGISTIC or TANH on int16.

    The scales that need no rounding are 2^-12 and, of TANH, 2^-11.
    """
    source = _output_is(layer, 1 / 32768, 0)
    log2 = math.log2(source.scale)
    left_shift = 12 + round(log2)
    if abs(log2 - round(log2)) < 1e-3 and left_shift in range(tanh + 1):
        multiplier, shift = 3 << left_shift, 0
    else:
        multiplier, shift = table_multiplier(source.scale)
    layer.require(
        multiplier <= 32767,
        layer.input(0),
        f"has scale {source.scale:g}, expected less than 8/3",
        "check the calibration data",
    )
    layer.settle()
    return SigmoidTanhParams(layer.output().size, tanh, multiplier, shift)


def eval(params: LookupParams | SigmoidTanhParams, x: Array) -> Array:
    """int8 or int16 [batch, *shape] to the same."""
    if isinstance(params, LookupParams):
        return lookup.eval(params, x)
    function = tanh_by_table if params.tanh else sigmoid_by_table
    return function(x, params.multiplier, params.shift).astype(np.int16)


def _output_is(layer: Layer, scale: float, zero_point: int) -> Quantization:
    """Require the output's fixed quantization, and an input scale that Q4.27 can tell from 0."""
    source, output = unary_quantization(layer, int16=True)
    layer.require(
        output.scale == scale and output.zero_point == zero_point,
        layer.output(),
        f"has scale {output.scale:g} and zero point {output.zero_point}, expected {scale:g} and"
        f" {zero_point}",
    )
    layer.require(
        source.scale >= 2.0**-58, layer.input(0), f"has scale {source.scale:g}, expected >= 2^-58"
    )
    layer.settle()
    return source


def _saturating(
    source: Quantization, function: Callable[[Int64Array], Int64Array]
) -> Callable[[Int64Array], Int64Array]:
    """``function`` of the input as Q4.27; beyond +-15 the output's ends."""
    fraction, shift = math.frexp(source.scale * 2.0 ** (31 - INTEGER_BITS))
    multiplier = math.floor(fraction * 2**31 + 0.5)
    largest = ((1 << INTEGER_BITS) - 1) << (31 - INTEGER_BITS)
    radius = largest >> shift if shift >= 0 else largest << -shift
    shift = min(shift, 31)  # from 31 on the radius is 0, and nothing is inside

    def quantized(q: Int64Array) -> Int64Array:
        centred = q - source.zero_point
        inside = np.abs(centred) < radius
        real = requantize(np.where(inside, centred, 0), multiplier, shift)
        ends = np.where(centred <= -radius, INT8_MIN, INT8_MAX)  # a radius of 0 has no inside
        return np.where(inside, function(real), ends)

    return quantized


def _logistic(x: Int64Array) -> Int64Array:
    """Q4.27 to int8 of scale 1/256, zero point -128."""
    positive = one_over_one_plus_x(exp_on_negative_values(-np.abs(x), INTEGER_BITS))
    value = np.where(x > 0, positive, INT32_MAX - positive)
    value = np.where(x == 0, 1 << 30, value)
    return rounding_divide_by_pot(value, 23) + INT8_MIN


def _tanh(x: Int64Array) -> Int64Array:
    """Q4.27 to int8 of scale 1/128, zero point 0. Read as Q5.26 the same bits are 2x."""
    exponential = exp_on_negative_values(-np.abs(x), INTEGER_BITS + 1)
    value = np.sign(x) * one_minus_x_over_one_plus_x(exponential)
    return rounding_divide_by_pot(value, 24)


def prepare_logistic(layer: Layer) -> LookupParams | SigmoidTanhParams:
    if layer.input(0).type == "INT16":
        return _int16(layer, tanh=0)
    source = _output_is(layer, 1 / 256, -128)
    if layer.numerics.sigmoid_tanh == "fixed_point":
        return tabulate(layer, _saturating(source, _logistic))
    one = np.float32(1)
    output = layer.output().quantization
    assert output is not None
    return tabulate(layer, float_table(lambda x: one / (one + np.exp(-x)), source, output))


def prepare_tanh(layer: Layer) -> LookupParams | SigmoidTanhParams:
    if layer.input(0).type == "INT16":
        return _int16(layer, tanh=1)
    source = _output_is(layer, 1 / 128, 0)
    if layer.numerics.sigmoid_tanh == "fixed_point":
        return tabulate(layer, _saturating(source, _tanh))
    output = layer.output().quantization
    assert output is not None
    return tabulate(layer, float_table(np.tanh, source, output))


LOGISTIC = Op("LOGISTIC", prepare_logistic, eval, in_place=True)
TANH = Op("TANH", prepare_tanh, eval, in_place=True)
