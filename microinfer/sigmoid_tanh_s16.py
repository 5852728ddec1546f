"""Sigmoid and tanh from int16 to int16, in two ways that differ in their last bits.

By table: piecewise linear between 256 values of the sigmoid, 1/24 apart. So compute LOGISTIC and
TANH on int16 in both runtimes, and TFLM's LSTM.
[TFLM] kernels/internal/reference/integer_ops/logistic.h, tanh.h; kernels/internal/common.cc.

By polynomial: gemmlowp's fixed point in 16-bit words. So computes LiteRT's LSTM.
[GEMM] fixedpoint/fixedpoint.h; [LITERT] kernels/internal/reference/portable_tensor_utils.cc.

Results are int64 arrays of int16 values; sigmoid and tanh have scale 2^-15.
C twin: runtime_c/mi_sigmoid_tanh_s16.h.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .fixedpoint import Int64Array, rounding_divide_by_pot

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1

# -- by table -------------------------------------------------------------------------------

POINTS_PER_UNIT = 24  # of the table
TABLE_UNIT = 2.0**-9  # the table's argument has 9 bits of fraction between two points


def _table() -> NDArray[np.int64]:
    """65536 / (1 + exp(-k / 24)) for k = 0..255.

    Each value is raised by half of what the chord to the next one lies below the curve at its
    middle; the last is the largest that 16 bits hold.
    """
    k = np.arange(256)
    at, middle, after = (65536 / (1 + np.exp(-(k + shift) / 24)) for shift in (0, 0.5, 1))
    raised = np.rint(at + (middle - (at + after) / 2) / 2)
    raised[255] = 65535
    return raised.astype(np.int64)


TABLE = _table()


def table_multiplier(scale: float) -> tuple[int, int]:
    """(multiplier, right shift) from an int16 of ``scale`` to the argument of the table functions,
    as LOGISTIC and TANH form them where ``scale`` is not 2^-12 (for TANH, nor 2^-11).

    15 bits, not rounded but cut. A scale of 8/3 and more does not fit; the multiplier is then more
    than 32767.
    """
    multiplier, shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return int(multiplier), shift


def _argument(x: ArrayLike, multiplier: int, shift: int) -> Int64Array:
    """x * multiplier * 2^-shift, ties up."""
    rounding = (1 << shift) >> 1
    scaled: Int64Array = (np.asarray(x, np.int64) * multiplier + rounding) >> shift
    return scaled


def _interpolate(magnitude: Int64Array, fraction_bits: int) -> Int64Array:
    """The table at ``magnitude``, with ``fraction_bits`` between points, and as many in the result.

    Beyond the last point 1, almost: the callers choose its value.
    """
    point = np.minimum(magnitude >> fraction_bits, 254)
    rest = magnitude & ((1 << fraction_bits) - 1)
    low, high = TABLE[point], TABLE[point + 1]
    interpolated: Int64Array = (low << fraction_bits) + rest * (high - low)
    return interpolated


def sigmoid_by_table(x: ArrayLike, multiplier: int, shift: int) -> Int64Array:
    """1 / (1 + exp(-r)), for r = x * multiplier * 2^-shift / 12288.

    multiplier 3 and shift 0 are those of scale 2^-12.
    """
    argument = _argument(x, multiplier, shift)
    magnitude = np.abs(argument)
    beyond = (magnitude >> 9) >= 255
    positive = np.where(beyond, 0x7FFF << 10, _interpolate(magnitude, 9))
    value: Int64Array = np.where(
        argument >= 0, positive + (1 << 9), (1 << 25) - positive + (1 << 9) - 1
    )
    return value >> 10


def tanh_by_table(x: ArrayLike, multiplier: int, shift: int) -> Int64Array:
    """tanh(r), for the same r: 2 * sigmoid(2 r) - 1."""
    argument = _argument(x, multiplier, shift)
    magnitude = np.abs(argument)
    beyond = (magnitude >> 8) >= 255
    positive = np.where(beyond, 0xFFFF << 8, _interpolate(magnitude, 8)) - (1 << 23)
    value: Int64Array = np.where(argument >= 0, positive + (1 << 7), -positive + (1 << 7) - 1)
    return value >> 8


# -- by polynomial --------------------------------------------------------------------------


def _multiply(a: ArrayLike, b: ArrayLike) -> Int64Array:
    """round(a * b / 2^15), ties up; -2^15 * -2^15 saturates. SQRDMULH of 16 bits."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    high: Int64Array = np.minimum((product + (1 << 14)) >> 15, INT16_MAX)
    return high


def _saturate(x: Int64Array) -> Int64Array:
    return np.clip(x, INT16_MIN, INT16_MAX)


def _word(q31: int) -> int:
    """A constant of 32 bits in 16, as gemmlowp rounds it."""
    return min(int(rounding_divide_by_pot(q31, 16)), INT16_MAX)


def _exp(a: Int64Array, integer_bits: int) -> Int64Array:
    """exp(a) as Q0.15, for a <= 0 with ``integer_bits`` integer bits: exp_on_negative_values."""
    fraction_bits = 15 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    a_mod_quarter = (a & (quarter - 1)) - quarter

    x = (a_mod_quarter << integer_bits) + (1 << 12)  # Q0.15, a + 1/8
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    cubic = _multiply(rounding_divide_by_pot(x4, 2) + x3, _word(round(2**31 / 3)))
    tail = rounding_divide_by_pot(cubic + x2, 1)
    exp_minus_eighth = _word(round(2**31 * math.exp(-1 / 8)))
    result = exp_minus_eighth + _multiply(exp_minus_eighth, x + tail)

    remainder = a_mod_quarter - a
    for exponent in range(-2, min(integer_bits, 5)):
        factor = _word(round(2**31 * math.exp(-(2.0**exponent))))
        bit = (remainder >> (fraction_bits + exponent)) & 1
        result = np.where(bit == 1, _multiply(result, factor), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (fraction_bits + 5)), 0, result)
    return np.where(a == 0, INT16_MAX, result)


def _reciprocal(x: Int64Array) -> Int64Array:
    """2 / (1 + x) as Q2.13 for x in [0, 1] as Q0.15: three Newton-Raphson steps."""
    half_denominator = (x + INT16_MAX + 1) >> 1
    first, slope = round(2**29 * 48 / 17), -math.trunc(2**29 * 32 / 17)
    y = _word(first) + _multiply(half_denominator, _word(slope))
    for _ in range(3):
        error = (1 << 13) - _multiply(half_denominator, y)
        y = y + _saturate(_multiply(y, error) << 2)
    return y


def sigmoid_by_polynomial(x: ArrayLike) -> Int64Array:
    """1 / (1 + exp(-x)) for x as Q3.12."""
    x = np.asarray(x, np.int64)
    positive = _saturate(_reciprocal(_exp(-np.abs(x), 3)) << 1)
    value = np.where(x > 0, positive, INT16_MAX - positive)
    return np.where(x == 0, 1 << 14, value)


def tanh_by_polynomial(x: ArrayLike, integer_bits: int) -> Int64Array:
    """tanh(x) for x with ``integer_bits`` integer bits, 0..6."""
    x = np.asarray(x, np.int64)
    exponential = _exp(-np.abs(x), integer_bits + 1)  # the same bits, read as twice the number
    value = _saturate((_reciprocal(exponential) - (1 << 13)) << 2)
    signed: Int64Array = np.sign(x) * value
    return signed
