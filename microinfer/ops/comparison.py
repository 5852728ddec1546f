"""EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER and GREATER_EQUAL, with broadcasting.

Both inputs, int8 or int16, are brought to steps of 1/256 of the real unit, and these are compared:

    a_i    = requantize((input_i - input_i_zero_point) << 8, multiplier_i, shift_i)
    output = a_1 < a_2, a_1 == a_2, ...                                        as BOOL, 0 or 1

The real multiplier is the scale s_i itself. Values that differ by less than about 1/256 of the
real unit are equal, then: with small scales all are. Scales of 1 and more are not defined by the
runtimes (TFLM aborts), and refused.

Comparisons of int16 are LiteRT's, in both profiles. It has the same for EQUAL and NOT_EQUAL; the
other four compare raw integers there, so that both inputs have to have one quantization.
[TFLM] kernels/internal/reference/comparisons.h. C twin: runtime_c/mi_comparison.h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op

LEFT_SHIFT = 8


@dataclass(frozen=True)
class ComparisonParams(Broadcast):
    input1_zero_point: int
    input1_multiplier: int
    input1_shift: int
    input2_zero_point: int
    input2_multiplier: int
    input2_shift: int
    when_less: int  # the output, 0 or 1, where a_1 < a_2
    when_equal: int
    when_greater: int


def prepared(when_less: int, when_equal: int, when_greater: int) -> Callable[[Layer], object]:
    """The prepare function of one comparison."""

    def prepare(layer: Layer) -> ComparisonParams:
        layer.count(2)
        first, second, output = layer.input(0), layer.input(1), layer.output()
        layer.activations(first, second)
        layer.type_is(output, "BOOL")
        layer.settle()
        extents = broadcast(layer)
        raw = first.type == "INT16" and when_less != when_greater
        if raw:
            layer.same_quantization(first, second)
            layer.settle()
        factors = []
        for tensor in (first, second):
            assert tensor.quantization is not None
            scale = 2.0**-LEFT_SHIFT if raw else tensor.quantization.scale
            layer.multiplier_fits(tensor, scale, limit=1.0)
            layer.settle()
            multiplier, shift = quantize_multiplier(scale)  # of a float32: no rounding up to 1
            factors.append((tensor.quantization.zero_point, multiplier, shift))
        (zero_point1, multiplier1, shift1), (zero_point2, multiplier2, shift2) = factors
        return ComparisonParams(
            **vars(extents),
            input1_zero_point=zero_point1,
            input1_multiplier=multiplier1,
            input1_shift=shift1,
            input2_zero_point=zero_point2,
            input2_multiplier=multiplier2,
            input2_shift=shift2,
            when_less=when_less,
            when_equal=when_equal,
            when_greater=when_greater,
        )

    return prepare


def eval(params: ComparisonParams, x1: Array, x2: Array) -> Array:
    """int8 and int8, or int16 and int16, to bool, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    shifted1 = (x1.astype(np.int32) - params.input1_zero_point) << LEFT_SHIFT
    shifted2 = (x2.astype(np.int32) - params.input2_zero_point) << LEFT_SHIFT
    a1 = requantize(shifted1, params.input1_multiplier, params.input1_shift)
    a2 = requantize(shifted2, params.input2_multiplier, params.input2_shift)
    outputs = np.array([params.when_less, params.when_equal, params.when_greater], np.bool_)
    chosen: Array = np.take(outputs, np.sign(a1 - a2) + 1)
    return chosen


def _op(name: str, when_less: int, when_equal: int, when_greater: int) -> Op:
    prepare = prepared(when_less, when_equal, when_greater)
    return Op(name, prepare, eval, operands=(0, 1), in_place=True)


EQUAL = _op("EQUAL", 0, 1, 0)
NOT_EQUAL = _op("NOT_EQUAL", 1, 0, 1)
LESS = _op("LESS", 1, 0, 0)
LESS_EQUAL = _op("LESS_EQUAL", 1, 1, 0)
GREATER = _op("GREATER", 0, 0, 1)
GREATER_EQUAL = _op("GREATER_EQUAL", 0, 1, 1)
