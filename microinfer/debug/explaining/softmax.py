"""SOFTMAX and LOG_SOFTMAX: a row's exponentials, their sum, and its reciprocal or logarithm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from ...fixedpoint import INT32_MAX, INT32_MIN
from ...ops.log_softmax import LOG_INTEGER_BITS, OUTPUT_SHIFT
from ...ops.softmax import INPUT_INTEGER_BITS, SUM_INTEGER_BITS
from ...ops.softmax_s16 import EXP, Softmax16Params
from ...prepare import PreparedLayer
from ..arithmetic import limits
from .fixedpoint import (
    divide_by_pot,
    exp_on_negative_values,
    high_mul,
    one_over_one_plus_x,
    q,
    saturating_shift_left,
)
from .functions import look_up
from .steps import At, Term, Working, wrap

Array = NDArray[Any]


def _row(layer: PreparedLayer, x: Array, at: At, working: Working) -> tuple[list[int], int]:
    """The values of the element's row, and the largest."""
    index = layer.node.inputs[0]
    working.operand("input", index, layer.graph.tensors[index])
    row = [int(value) for value in x[at[:-1]]]
    largest = max(row)
    place = row.index(largest)
    working.step("the largest", f"; of {len(row)} classes, at {place}", largest, c="maximum =")
    return row, largest


def explain(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    if isinstance(layer.params, Softmax16Params):
        return _int16(layer, operands[0], at, working)
    p = layer.params
    low, high = limits(layer)
    row, largest = _row(layer, operands[0], at, working)
    exponentials = []
    for place, value in enumerate(row):
        d = value - largest
        exponential = 0
        if d >= p.diff_min:
            scaled = high_mul(d << p.shift, p.multiplier)
            exponential, _ = exp_on_negative_values(scaled, INPUT_INTEGER_BITS)
        exponentials.append(exponential)
        addend = divide_by_pot(exponential, SUM_INTEGER_BITS)
        reals = exponential / 2**31
        values = {"input": value, "d": d, "exp(d)": reals, "as Q12.19": addend}
        working.terms.append(Term((*at[:-1], place), values))
    total = sum(int(term.value) for term in working.terms)
    mine = row[at[-1]]
    d = mine - largest
    working.step("d", f"{mine} - {largest}; this class less the largest", d, c="difference =")
    if d < p.diff_min:
        working.step("too small", f"; {d} < {p.diff_min}: the lowest value", low, c="diff_min")
        return low
    fraction_bits = 31 - INPUT_INTEGER_BITS
    source = layer.graph.tensors[layer.node.inputs[0]].quantization
    assert source is not None
    beta = layer.node.options["beta"]
    scaled = working.high_multiply("d as Q5.26", d << p.shift, p.multiplier, "scaled =")
    working.step(
        "as a real",
        f"{scaled} / 2^{fraction_bits}",
        scaled / 2**fraction_bits,
        f"d * scale * beta = {d} * {source.scale:.6g} * {beta:g} = {d * source.scale * beta:.8g}",
    )
    exponential, lines = exp_on_negative_values(scaled, INPUT_INTEGER_BITS)
    working.step(
        "exp(d), as Q0.31",
        f"; that is {q(exponential, 31)}",
        exponential,
        *lines,
        c="exponential =",
    )
    working.step(
        "sum over the classes",
        f"; as Q12.19, that is {q(total, 31 - SUM_INTEGER_BITS)}",
        total,
        "each exponential divided by 2^12, rounded: the table above",
        c="sum +=",
    )
    headroom = 32 - total.bit_length()
    fraction = (total << headroom) - (1 << 31)
    working.step(
        "sum as a power of two",
        f"{total} = 2^{31 - headroom} * (1 + f); f as Q0.31",
        fraction,
        f"f = {q(fraction, 31)}",
        c="fraction =",
    )
    reciprocal, lines = one_over_one_plus_x(fraction)
    working.step(
        "1 / (1 + f), as Q0.31",
        f"; that is {q(reciprocal, 31)}",
        reciprocal,
        *lines,
        c="reciprocal =",
    )
    share = working.high_multiply("exp(d) * reciprocal", reciprocal, exponential, "share =")
    bits = (high - low + 1).bit_length() - 1
    exponent = SUM_INTEGER_BITS - headroom + 31 - bits
    steps = working.shift_right(f"to steps of 1/{2**bits}", share, exponent)
    return working.output(steps, low, (low, high))


def _int16(layer: PreparedLayer, x: Array, at: At, working: Working) -> int:
    p = layer.params
    row, largest = _row(layer, x, at, working)

    def argument(value: int) -> int:
        d, shift = value - largest, p.shift
        high = high_mul(wrap(d << max(shift, 0)), p.multiplier)
        return min(max(divide_by_pot(high, max(-shift, 0)) + 32767, -32768), 32767)

    quiet = Working()
    for place, value in enumerate(row):
        e = look_up(quiet, EXP, argument(value), "", "")
        values = {"input": value, "d": value - largest, "exp(d)": e}
        working.terms.append(Term((*at[:-1], place), values))
    total = sum(int(term.value) for term in working.terms)
    mine = row[at[-1]]
    working.step("d", f"{mine} - {largest}; this class less the largest", mine - largest)
    scaled = working.requantize(mine - largest, p.multiplier, p.shift)
    place = working.output(scaled, 32767, (-32768, 32767))
    e = look_up(working, EXP, place, "exp(d)", "mi_exp_table")
    working.step("sum over the classes", f"; of {len(row)} exponentials", total, c="sum +=")
    headroom = 32 - total.bit_length()
    mantissa = ((total << (headroom - 1)) + (1 << 13)) >> 14
    where = min(max(mantissa - (2**15 + 2**16), -32768), 32767)
    working.step(
        "place in the table",
        f"; the sum as 2^{31 - headroom} * (1 + f), f to 16 bits, - 2^15",
        where,
        f"f = {(mantissa - 2**16) / 2**16:.6g}",
    )
    reciprocal = look_up(working, p.reciprocals, where, "1 / (1 + f)", "mi_table_s16")
    product, right = e * reciprocal, 31 - headroom
    value = (product + (1 << (right - 1))) >> right
    working.step(
        "exp(d) * reciprocal",
        f"({e} * {reciprocal} + 2^{right - 1}) >> {right}",
        value,
        f"{product / 2**right:.8g}, ties up",
        c="output[",
    )
    return working.clamp(value, (0, 32767))


def explain_log(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p = layer.params
    low, high = limits(layer)
    row, largest = _row(layer, operands[0], at, working)
    for place, value in enumerate(row):
        d, addend = value - largest, 0
        if d >= p.diff_min:
            scaled = high_mul(wrap(d << p.input_shift), p.input_multiplier)
            exponential, _ = exp_on_negative_values(scaled, INPUT_INTEGER_BITS)
            addend = divide_by_pot(exponential, SUM_INTEGER_BITS)
        real = addend / 2 ** (31 - SUM_INTEGER_BITS)
        values = {"input": value, "d": d, "exp(d)": real, "as Q12.19": addend}
        working.terms.append(Term((*at[:-1], place), values))
    total = sum(int(term.value) for term in working.terms)
    working.step(
        "sum of exponentials",
        f"; as Q12.19, that is {q(total, 31 - SUM_INTEGER_BITS)}",
        total,
        c="sum +=",
    )
    log_sum = _logarithm(total, working)
    mine = row[at[-1]]
    d = mine - largest
    working.step("d", f"{mine} - {largest}; this class less the largest", d, c="difference =")
    lowest = _requantized(wrap(log_sum + INT32_MIN), p.reverse_multiplier, p.reverse_shift)
    if d < p.diff_min or d <= lowest:
        limit = max(p.diff_min - 1, lowest)
        text = f"{d} <= {limit}, beyond what Q5.26 holds"
        working.step("too small", f"; {text}: the lowest value", low, c="lowest")
        return low
    scaled = working.requantize(d, p.input_multiplier, p.input_shift, "d as Q5.26")
    fraction_bits = 31 - INPUT_INTEGER_BITS
    difference = scaled - log_sum
    text = f"{q(scaled, fraction_bits)} - {q(log_sum, fraction_bits)}; as Q5.26"
    working.step("d - log(sum)", text, difference, c="scaled - log_sum")
    steps = working.shift_right("to steps of 1/16", difference, OUTPUT_SHIFT)
    return working.output(steps, 127, (low, high))


def _requantized(acc: int, multiplier: int, shift: int) -> int:
    high = high_mul(wrap(acc << max(shift, 0)), multiplier)
    return divide_by_pot(high, max(-shift, 0))


def _leading_zeros(x: int) -> int:
    return 32 - x.bit_length()


def _logarithm(x: int, working: Working) -> int:
    """log(x) as Q5.26 for x >= 1 as Q12.19, by a quotient of polynomials."""
    root = 2**0.25
    quarter = 1 << (31 - LOG_INTEGER_BITS - 2)
    sqrt_half, fourth_root = round(2**31 * 0.5**0.5), round(2**31 * 0.5**0.25)
    zeros = _leading_zeros(x)
    whole = min(x << (zeros - 1), INT32_MAX)
    first = saturating_shift_left(high_mul(whole, sqrt_half), 1)
    other_zeros = _leading_zeros(high_mul(x, sqrt_half)) - 1
    second = min(x << other_zeros, INT32_MAX)
    unit = 1 << (31 - LOG_INTEGER_BITS)
    exponent = max(
        (SUM_INTEGER_BITS - zeros) * unit + quarter,
        (SUM_INTEGER_BITS - other_zeros) * unit - quarter,
    )
    r = min(first, second)
    p = (r + fourth_root + 1) >> 1
    own = 2 * (r - fourth_root)
    square = high_mul(own, own)
    numerator = high_mul(own, r) + high_mul(high_mul(own, square), round(2**31 * 11 / 240 * root))
    linear = round(2**31 * (2 / root - root)) + own + high_mul(round(2**31 / 20 * root), square)
    denominator = high_mul(p, linear) + high_mul(round(2**31 / 4 * root), own)
    reciprocal, _ = one_over_one_plus_x(denominator)
    share = high_mul(divide_by_pot(numerator, LOG_INTEGER_BITS), reciprocal)
    value = saturating_shift_left(high_mul(exponent, round(2**31 * math.log(2))) + share, 1)
    bits = 31 - INPUT_INTEGER_BITS
    exponent_real = exponent / unit
    working.step(
        "log(sum), as Q5.26",
        f"; that is {q(value, bits)}",
        value,
        f"sum = 2^{exponent_real:g} * r', with r' * 2^(-1/4) = {q(r, 31)} near 2^(-1/4)",
        f"log(sum) = {exponent_real:g} log(2) + log(r'), the latter = {q(2 * share, bits)} by a"
        " quotient of polynomials",
        f"exactly, log({q(x, 31 - SUM_INTEGER_BITS)}) ="
        f" {math.log(x / 2 ** (31 - SUM_INTEGER_BITS)):.8g}",
        c="log_sum =",
    )
    return value
