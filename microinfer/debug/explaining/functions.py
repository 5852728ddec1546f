"""Functions of one element: LOGISTIC and TANH, ELU, EXP, LOG, roots and HARD_SWISH.

Of int8 in the arithmetic that fills the table, of int16 as they run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import INT32_MAX, round_half_away
from ...ops.lookup_s16 import LookupInt16Params
from ...ops.sigmoid_tanh import INTEGER_BITS, SigmoidTanhParams
from ...ops.sqrt_rsqrt import FRACTION_BITS, RsqrtParams
from ...prepare import PreparedLayer
from ...sigmoid_tanh_s16 import TABLE
from ..arithmetic import limits
from .fixedpoint import (
    exp_on_negative_values,
    inverse_square_root,
    one_minus_x_over_one_plus_x,
    one_over_one_plus_x,
    q,
)
from .steps import At, Working, minus

Array = NDArray[Any]


# -- LOGISTIC and TANH ------------------------------------------------------------------------


def sigmoid_tanh(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    tanh = layer.node.op == "TANH"
    if isinstance(layer.params, SigmoidTanhParams):
        p = layer.params
        return by_table(working, x, p.multiplier, p.shift, tanh)
    if layer.numerics.sigmoid_tanh == "table":
        if tanh:
            return _float_table(layer, x, working, "tanh(x)", np.tanh)
        one = np.float32(1)
        return _float_table(
            layer, x, working, "1 / (1 + exp(-x))", lambda real: one / (one + np.exp(-real))
        )
    source = layer.graph.tensors[layer.node.inputs[0]].quantization
    assert source is not None
    fraction, shift = math.frexp(source.scale * 2.0 ** (31 - INTEGER_BITS))
    multiplier = math.floor(fraction * 2**31 + 0.5)
    largest = ((1 << INTEGER_BITS) - 1) << (31 - INTEGER_BITS)
    radius = largest >> shift if shift >= 0 else largest << -shift
    v = x - source.zero_point
    working.step("v", minus(x, source.zero_point), v)
    if abs(v) >= radius:
        value = -128 if v <= -radius else 127
        working.step("beyond the radius", f"; |{v}| >= {radius}, that is 15: an end", value)
        return value
    working.step(
        "factor to Q4.27", f"{multiplier} * 2^({shift} - 31)", multiplier * 2.0 ** (shift - 31)
    )
    real = working.requantize(v, multiplier, min(shift, 31), "Q4.27")
    bits = INTEGER_BITS + tanh
    exponential, lines = exp_on_negative_values(-abs(real), bits)
    of = "exp(-2|x|)" if tanh else "exp(-|x|)"
    working.step(of, f"; x = {q(real, 27)}, as Q0.31", exponential, *lines)
    if tanh:
        fraction_, lines = one_minus_x_over_one_plus_x(exponential)
        sign = (real > 0) - (real < 0)
        signed_ = sign * fraction_
        working.step("(1 - e) / (1 + e)", "; with the sign of x, as Q0.31", signed_, *lines)
        return working.clamp(working.shift_right("to steps of 1/128", signed_, 24), (-128, 127))
    positive, lines = one_over_one_plus_x(exponential)
    value = positive if real > 0 else INT32_MAX - positive
    value = 1 << 30 if real == 0 else value
    less = "" if real > 0 else "1 less that, as x is negative, "
    text = f"; {less}as Q0.31"
    working.step("1 / (1 + e)", text if real else "; one half, as Q0.31", value, *lines)
    steps = working.shift_right("to steps of 1/256", value, 23)
    return working.output(steps, -128, (-128, 127))


def by_table(
    working: Working, x: int, multiplier: int, shift: int, tanh: bool, what: str = ""
) -> int:
    """Sigmoid or tanh of an int16, of 256 points of the sigmoid and lines between them."""
    name = f"{what}: " if what else ""
    c = "mi_tanh" if tanh else "mi_sigmoid"
    argument = (x * multiplier + ((1 << shift) >> 1)) >> shift
    working.step(
        f"{name}argument",
        f"{x} * {multiplier} / 2^{shift} = {x * multiplier / 2**shift:.8g}",
        argument,
        c=c,
    )
    bits = 8 if tanh else 9
    magnitude = abs(argument)
    if magnitude >> bits >= 255:
        positive = (0xFFFF if tanh else 0x7FFF << 1) << bits
        line = f"{magnitude} is beyond the last point"
    else:
        point, rest = magnitude >> bits, magnitude & ((1 << bits) - 1)
        low, high = int(TABLE[point]), int(TABLE[point + 1])
        positive = (low << bits) + rest * (high - low)
        line = (
            f"between points {point} and {point + 1}, {low} and {high}, at {rest} / {1 << bits}:"
            f" {positive / 2**bits:.8g}"
        )
    if tanh:
        positive -= 1 << 23
        value = (positive if argument >= 0 else -positive - 1) + (1 << 7) >> 8
        text = "2 sigmoid(2 x) - 1"
    else:
        half = 1 << 9
        value = (positive + half if argument >= 0 else (1 << 25) - positive + half - 1) >> 10
        text = "of x" if argument >= 0 else "1 less that of -x"
    working.step(f"{name}{'tanh' if tanh else 'sigmoid'}", f"; {text}, in 2^-15", value, line, c=c)
    return value


# -- functions of float32 ---------------------------------------------------------------------


def _float_table(
    layer: PreparedLayer,
    x: int,
    working: Working,
    text: str,
    function: Callable[[Array], Array],
) -> int:
    """A function in float32, rounded, as it fills a table."""
    tensors = layer.graph.tensors
    source = tensors[layer.node.inputs[0]].quantization
    output = tensors[layer.node.outputs[0]].quantization
    assert source is not None
    assert output is not None
    scale, inverse = np.float32(source.scale), np.float32(1) / np.float32(output.scale)
    # All 256 at a time, as the table is filled: one alone may go another way through NumPy.
    reals = scale * (np.arange(-128, 128) - source.zero_point).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        results = function(reals)
        result = results[x + 128]
        product = result * inverse
        steps = float(round_half_away(product)) + output.zero_point
    real = reals[x + 128]
    v = minus(x, source.zero_point)
    working.step("x", f"{scale!s} * {v}; in float32", float(real))
    working.step(text, "; in float32", float(result))
    working.step("in steps", f"{result!s} * {inverse!s}", float(product))
    value = int(min(max(steps, -128), 127))
    text = f"; ties away from zero, {output.zero_point:+d}, the zero point, within -128..127"
    working.step("round", text, value)
    return value


def _exp(real: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.exp(real.astype(np.float64)).astype(np.float32)


def exponential(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    if isinstance(layer.params, LookupInt16Params):
        return _lines(layer.params.table, x, working)
    return _float_table(layer, x, working, "exp(x)", _exp)


def elu(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    def function(real: Array) -> Array:
        return np.where(real < 0, _exp(np.minimum(real, np.float32(0))) - np.float32(1), real)

    return _float_table(layer, x, working, "x, or exp(x) - 1 below 0", function)


def logarithm(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    if isinstance(layer.params, LookupInt16Params):
        return _lines(layer.params.table, x, working)
    output = layer.graph.tensors[layer.node.outputs[0]].quantization
    assert output is not None
    least = np.float32(-128 - output.zero_point) * np.float32(output.scale)

    def function(real: Array) -> Array:
        positive = np.where(real > 0, real, np.float32(1)).astype(np.float64)
        return np.where(real > 0, np.log(positive).astype(np.float32), least)

    return _float_table(layer, x, working, "ln(x), or the least real", function)


def look_up(working: Working, table: Array, x: int, what: str, c: str) -> int:
    """A function of an int16 by 513 values and lines between them."""
    place, rest = 256 + (x >> 7), x & 127
    low, high = int(table[place]), int(table[place + 1])
    slope = (high - low + 2**15) % 2**16 - 2**15
    value = low + ((slope * rest + 64) >> 7)
    working.step(
        what,
        f"{low} + ({slope} * {rest} + 64) / 128",
        value,
        f"table of 513 values: {x} lies at {rest} / 128 between entries {place} and {place + 1},"
        f" {low} and {high}",
        c=c,
    )
    return value


def _lines(table: Array, x: int, working: Working) -> int:
    return look_up(working, table, x, "by table", "mi_table_s16")


# -- roots ------------------------------------------------------------------------------------


def square_root(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    tensors = layer.graph.tensors
    source = tensors[layer.node.inputs[0]].quantization
    output = tensors[layer.node.outputs[0]].quantization
    assert source is not None
    assert output is not None
    v = max(x - source.zero_point, 0)
    working.step("v", f"{minus(x, source.zero_point)}; 0 if negative", v)
    scale = np.float32(source.scale)
    with np.errstate(over="ignore"):
        root = np.sqrt(scale * np.float32(v))
        steps = root / np.float32(output.scale)
    working.step("root", f"sqrt({scale!s} * {v}); in float32", float(root))
    working.step("in steps", f"{root!s} / {np.float32(output.scale)!s}", float(steps))
    whole = float(np.trunc(steps))
    value = int(min(max(whole + output.zero_point, -128), 127))
    text = f"; toward zero, {output.zero_point:+d}, the zero point, within -128..127"
    working.step("cut", text, value)
    return value


def inverse_root(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    if isinstance(layer.params, LookupInt16Params):
        return _lines(layer.params.table, x, working)
    tensors = layer.graph.tensors
    source = tensors[layer.node.inputs[0]].quantization
    output = tensors[layer.node.outputs[0]].quantization
    assert source is not None
    assert output is not None
    low, high = limits(layer)
    v = max(x - source.zero_point, 0)
    working.step("v", f"{minus(x, source.zero_point)}; 0 if negative", v)
    if v == 0:
        working.step("1 / sqrt(0)", "; the highest value", high, c="INT16_MAX")
        return high
    root_multiplier, root_shift = inverse_square_root(working, v)
    root = working.requantize(1, root_multiplier, root_shift + FRACTION_BITS, "root, 20 bits")
    if isinstance(layer.params, RsqrtParams):
        factor = layer.params.multiplier, layer.params.shift
    else:
        real = layer.numerics.elementwise_float
        scale = float(np.sqrt(real(source.scale)) * real(output.scale))
        fraction, shift = math.frexp(1 / scale)
        multiplier = math.floor(fraction * 2**31 + 0.5)
        if multiplier == 2**31:
            multiplier, shift = multiplier // 2, shift + 1
        factor = multiplier, shift - FRACTION_BITS
        if shift < -31:
            factor = 0, -FRACTION_BITS
    text = f"{factor[0]} * 2^({factor[1]} - 31)"
    working.step("1 / (sqrt(s_x) s_y)", text, factor[0] * 2.0 ** (factor[1] - 31))
    steps = working.requantize(root, *factor)
    return working.output(steps, output.zero_point, (low, high))


def hard_swish(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    tensors = layer.graph.tensors
    source = tensors[layer.node.inputs[0]].quantization
    output = tensors[layer.node.outputs[0]].quantization
    assert source is not None
    assert output is not None
    real = layer.numerics.elementwise_float
    fine = real(source.scale) / real(128)
    factors = []
    for quotient in (float(fine / real(output.scale)), float(fine / real(np.float32(3 / 32768)))):
        fraction, shift = math.frexp(quotient)
        multiplier = math.floor(fraction * 2**31 + 0.5)
        if multiplier == 2**31:
            multiplier, shift = multiplier // 2, shift + 1
        if shift < -31:
            multiplier, shift = 0, 0
        narrow = 32767 if multiplier >= 2**31 - 1 - (1 << 15) else (multiplier + (1 << 15)) >> 16
        factors.append((narrow, shift))
    (output_16, output_shift), (relu_16, relu_shift) = factors
    v = (x - source.zero_point) * 128
    working.step("v", f"{minus(x, source.zero_point)} * 128", v)
    at_output = _high_mul_16(v, output_16)
    text = f"({v} * {output_16} + 2^14) >> 15"
    working.step("v at the output's scale", f"{text}; still to shift by {-output_shift}", at_output)
    gate = v
    if relu_shift > 0:
        gate = min(max(gate << (relu_shift - 1), -32768), 32767)
    gate = _high_mul_16(gate, relu_16)
    if relu_shift > 0:
        gate = min(max(gate << 1, -32768), 32767)
    if relu_shift < 0:
        half = (1 << -relu_shift) >> 1
        gate = (abs(gate) + half >> -relu_shift) * (-1 if gate < 0 else 1)
    working.step(
        "x / 3", f"; as Q0.15 within -1..1, factor {relu_16} * 2^({relu_shift} - 15)", gate
    )
    gate = (gate + 32768) >> 1
    working.step(
        "gate", "; (that + 1) / 2 = relu6(x + 3) / 6, as Q0.15", gate, f"stands for {q(gate, 15)}"
    )
    product = gate * at_output
    cut = (abs(product) >> 15) * (-1 if product < 0 else 1)
    working.step("v * gate", f"{at_output} * {gate} / 2^15; cut", cut)
    steps = working.shift_right("shift right", cut, -output_shift)
    return working.output(steps, output.zero_point, (-128, 127))


def _high_mul_16(a: int, b: int) -> int:
    return min((a * b + (1 << 14)) >> 15, 32767)
