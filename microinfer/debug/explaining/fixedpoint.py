"""exp, reciprocals and square roots in fixed point, step by step.

Qm.n is an integer with n bits of fraction. The twin of microinfer/fixedpoint.py in Python's
integers.
"""

from __future__ import annotations

import math

from ...fixedpoint import INT32_MAX
from .steps import Working


def high_mul(a: int, b: int) -> int:
    """round(a * b / 2^31), ties up."""
    return min((a * b + (1 << 30)) >> 31, INT32_MAX)


def divide_by_pot(x: int, exponent: int) -> int:
    """x / 2^exponent, ties away from zero."""
    half = (1 << exponent) >> 1
    return (abs(x) + half >> exponent) * (-1 if x < 0 else 1)


def saturating_shift_left(x: int, exponent: int) -> int:
    return min(max(x << exponent, -(2**31)), INT32_MAX)


def q(x: int, fraction_bits: int) -> str:
    """A fixed-point number as a real."""
    return f"{x / 2**fraction_bits:.8g}"


def exp_on_negative_values(a: int, integer_bits: int) -> tuple[int, list[str]]:
    """exp(a) as Q0.31 for a <= 0 with ``integer_bits`` integer bits, and how it came about."""
    if a == 0:
        return INT32_MAX, ["exp(0) = 1, in Q0.31 2^31 - 1, the nearest that there is"]
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    rest = (a & (quarter - 1)) - quarter
    x = (rest << integer_bits) + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4 = high_mul(x2, x2)
    cubic = high_mul(divide_by_pot(x4, 2) + x3, round(2**31 / 3))
    tail = divide_by_pot(cubic + x2, 1)
    eighth = round(2**31 * math.exp(-1 / 8))
    result = eighth + high_mul(eighth, x + tail)
    lines = [
        f"{q(a, fraction_bits)} = -{q(rest - a, fraction_bits)} - {q(-rest, fraction_bits)}:"
        " whole quarters, and a rest in [-1/4, 0)",
        f"x = rest + 1/8 = {q(x, 31)}; exp(-1/8) (1 + x + x^2/2 + x^3/6 + x^4/24)"
        f" = {result} = {q(result, 31)}",
    ]
    for power in range(-2, 5):
        if integer_bits > power and ((rest - a) >> (fraction_bits + power)) & 1:
            result = high_mul(result, round(2**31 * math.exp(-(2.0**power))))
            lines.append(f"times exp(-{2.0**power:g}) = {result} = {q(result, 31)}")
    if integer_bits > 5 and a < -(1 << (fraction_bits + 5)):
        return 0, ["below -32: 0"]
    return result, lines


def _reciprocal(x: int) -> tuple[int, list[str]]:
    """2 / (1 + x) as Q2.29 for x in [0, 1] as Q0.31."""
    half = (x + INT32_MAX + 1) >> 1
    y = round(2**29 * 48 / 17) + high_mul(half, -math.trunc(2**29 * 32 / 17))
    lines = [f"first guess of 2 / (1 + x): 48/17 - 32/17 (1 + x) / 2 = {q(y, 29)}"]
    values = []
    for _ in range(3):
        y += saturating_shift_left(high_mul(y, (1 << 29) - high_mul(half, y)), 2)
        values.append(q(y, 29))
    lines.append(f"Newton, three times y + y (1 - y (1 + x) / 2): {', '.join(values)}")
    return y, lines


def one_over_one_plus_x(x: int) -> tuple[int, list[str]]:
    """1 / (1 + x) as Q0.31 for x in [0, 1] as Q0.31."""
    y, lines = _reciprocal(x)
    return saturating_shift_left(y, 1), lines


def one_minus_x_over_one_plus_x(x: int) -> tuple[int, list[str]]:
    """(1 - x) / (1 + x) as Q0.31 for x in [0, 1] as Q0.31."""
    y, lines = _reciprocal(x)
    return saturating_shift_left(y - (1 << 29), 2), lines


def inverse_square_root(working: Working, value: int) -> tuple[int, int]:
    """1 / sqrt(value) as multiplier and shift."""
    c = "mi_inverse_square_root("
    if value <= 1:
        working.step(
            "1 / sqrt", f"1 / sqrt({value}) = 1", 1, "2^31 - 1 as multiplier, shift 0", c=c
        )
        return INT32_MAX, 0
    right, scaled = 11, value
    while scaled >= 1 << 29:
        scaled //= 4
        right += 1
    pairs = (32 - scaled.bit_length() - 1) // 2 - 1
    right -= pairs
    scaled = (scaled << 2 * pairs) >> 1
    half = divide_by_pot(scaled, 1)
    x = 1 << 28
    guesses = []
    for _ in range(5):
        cube = saturating_shift_left(high_mul(high_mul(x, x), x), 6)
        x = saturating_shift_left(high_mul(3 << 27, x) - high_mul(half, cube), 3)
        guesses.append(q(x, 28))
    multiplier = high_mul(x, round(2**31 * math.sqrt(0.5)))
    shift = -right
    if right < 0:
        multiplier, shift = multiplier << -right, 0
    working.step(
        "1 / sqrt",
        f"{multiplier} * 2^({shift} - 31)",
        multiplier / 2 ** (31 - shift),
        f"of {value}: times a power of four {q(scaled, 28)}, whose inverse root is",
        f"found by five Newton steps from 1: {', '.join(guesses)}",
        "and times sqrt(1/2), as the number was halved",
        c=c,
    )
    return multiplier, shift
