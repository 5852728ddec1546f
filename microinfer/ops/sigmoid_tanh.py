"""LOGISTIC and TANH on int8.

LOGISTIC: output = 1 / (1 + exp(-x)), scale 1/256, zero point -128
TANH:     output = tanh(x), scale 1/128, zero point 0

Profile "fixed_point": the input is rescaled to Q4.27 and gemmlowp's polynomials give Q0.31
([TFLM] kernels/internal/reference/integer_ops/logistic.h, tanh.h). Profile "table": float32
functions, rounded ([LITERT] kernels/activations.cc). They differ for input scales of 8 and more,
where the first gives an end of the range even for real zero.
C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
from .layer import INT8_MAX, INT8_MIN, Layer, Op
from .lookup import LookupParams, eval, float_table, tabulate, unary_quantization

INTEGER_BITS = 4


def _output_is(layer: Layer, scale: float, zero_point: int) -> Quantization:
    """Require the output's fixed quantization, and an input scale that Q4.27 can tell from 0."""
    source, output = unary_quantization(layer)
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


def prepare_logistic(layer: Layer) -> LookupParams:
    source = _output_is(layer, 1 / 256, -128)
    if layer.numerics.sigmoid_tanh == "fixed_point":
        return tabulate(layer, _saturating(source, _logistic))
    one = np.float32(1)
    output = layer.output().quantization
    assert output is not None
    return tabulate(layer, float_table(lambda x: one / (one + np.exp(-x)), source, output))


def prepare_tanh(layer: Layer) -> LookupParams:
    source = _output_is(layer, 1 / 128, 0)
    if layer.numerics.sigmoid_tanh == "fixed_point":
        return tabulate(layer, _saturating(source, _tanh))
    output = layer.output().quantization
    assert output is not None
    return tabulate(layer, float_table(np.tanh, source, output))


LOGISTIC = Op("LOGISTIC", prepare_logistic, eval, in_place=True)
TANH = Op("TANH", prepare_tanh, eval, in_place=True)
