"""The integer primitives that every quantized kernel is built from, vectorised over NumPy.

All functions take int32 values held in int64 arrays (or Python ints) and broadcast; results are
int64 arrays whose values fit int32 unless said otherwise. Names and meaning follow gemmlowp and
TFLite, so that a search finds the source; ARITHMETIC.md derives them and defines the tags.

C twin: runtime_c/mi_fixedpoint.h; both are compared with Python's own integers, in
tests/test_fixedpoint.py and tests/test_c_kernels.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Int64Array = NDArray[np.int64]

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1


def wrap_int32(x: ArrayLike) -> Int64Array:
    """x modulo 2^32, as int32: what a two's-complement register keeps of it."""
    return np.asarray(x, np.int64).astype(np.int32).astype(np.int64)


def round_half_away(x: ArrayLike) -> NDArray[Any]:
    """Nearest integer of a float array, ties away from zero, in the array's own precision.

    C's round(). floor(|x| + 0.5) would be wrong for the largest value below one half.
    """
    x = np.asarray(x)
    whole = np.trunc(x)
    one = np.copysign(x.dtype.type(1), x)
    rounded: NDArray[Any] = whole + np.where(np.abs(x - whole) >= 0.5, one, 0)
    return rounded


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A real factor as (multiplier, shift): real ~ multiplier * 2^(shift - 31).

    multiplier is in [2^30, 2^31 - 1] or 0; shift > 0 is a left shift. Factors below 2^-32 become
    (0, 0). Raises ValueError for a negative or non-finite factor, or for one of 2^31 and more.

    [TFLM] kernels/internal/quantization_util.cc, QuantizeMultiplier.
    """
    if not (math.isfinite(real) and real >= 0):
        raise ValueError(f"the real multiplier is {real}, expected a finite number >= 0")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)  # exact: the fraction has 53 bits
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 31:
        raise ValueError(f"the real multiplier is {real}, expected less than 2^31")
    return multiplier, shift


def quantize_multipliers(reals: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """``quantize_multiplier`` of each element: multipliers (int32) and shifts (int8)."""
    pairs = [quantize_multiplier(float(real)) for real in np.ravel(reals)]
    return (
        np.array([multiplier for multiplier, _ in pairs], np.int32),
        np.array([shift for _, shift in pairs], np.int8),
    )


def real_multiplier(multiplier: ArrayLike, shift: ArrayLike) -> NDArray[np.float64]:
    """The real factor that (multiplier, shift) stands for, exactly: multiplier * 2^(shift - 31)."""
    exponent = np.asarray(shift, np.int32) - 31
    real: NDArray[np.float64] = np.ldexp(np.asarray(multiplier, np.float64), exponent)
    return real


def saturating_rounding_doubling_high_mul(a: ArrayLike, b: ArrayLike) -> Int64Array:
    """round(a * b / 2^31), ties to +infinity; INT32_MIN * INT32_MIN saturates to INT32_MAX.

    [GEMM] fixedpoint/fixedpoint.h, SaturatingRoundingDoublingHighMul; Arm SQRDMULH.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)  # |product| <= 2^62
    high: Int64Array = np.minimum((product + (1 << 30)) >> 31, INT32_MAX)
    return high


def rounding_divide_by_pot(x: ArrayLike, exponent: ArrayLike) -> Int64Array:
    """x / 2^exponent to the nearest integer, ties away from zero; exponent in 0..31.

    [GEMM] fixedpoint/fixedpoint.h, RoundingDivideByPOT.
    """
    x = np.asarray(x, np.int64)
    exponent = np.asarray(exponent, np.int64)
    half = (np.int64(1) << exponent) >> 1
    rounded: Int64Array = (x + half - ((x < 0) & (exponent > 0))) >> exponent
    return rounded


def requantize(acc: ArrayLike, multiplier: ArrayLike, shift: ArrayLike) -> Int64Array:
    """acc * multiplier * 2^(shift - 31) by double rounding: what TFLM and CMSIS-NN build.

    Rounded once by the doubling high multiply (ties up) and once by the right shift (ties away
    from zero). The left shift happens in 32 bits and wraps.

    [TFLM] kernels/internal/common.cc, MultiplyByQuantizedMultiplier.
    """
    shift = np.asarray(shift, np.int64)
    shifted = wrap_int32(np.asarray(acc, np.int64) << np.maximum(shift, 0))
    high = saturating_rounding_doubling_high_mul(shifted, multiplier)
    return rounding_divide_by_pot(high, np.maximum(-shift, 0))


def requantize_int64(acc: ArrayLike, multiplier: ArrayLike, shift: ArrayLike) -> Int64Array:
    """acc * multiplier * 2^(shift - 31) of an int64 accumulator: what int16 layers do.

    The multiplier is cut to 16 bits, rounded; one rounding after that, ties up. |acc| < 2^47,
    shift in -31..7. The result is not cut to int32: it has to fit.

    [TFLM] kernels/internal/common.cc, MultiplyByQuantizedMultiplier of an int64_t.
    """
    reduced = np.minimum((np.asarray(multiplier, np.int64) + (1 << 15)) >> 16, 0x7FFF)
    right = 15 - np.asarray(shift, np.int64)
    product = np.asarray(acc, np.int64) * reduced
    scaled: Int64Array = (product + (np.int64(1) << (right - 1))) >> right
    return scaled


def saturating_shift_left(x: ArrayLike, exponent: int) -> Int64Array:
    """x * 2^exponent, clamped to int32."""
    shifted: Int64Array = np.clip(np.asarray(x, np.int64) << exponent, INT32_MIN, INT32_MAX)
    return shifted


def exp_on_negative_values(a: ArrayLike, integer_bits: int) -> Int64Array:
    """exp(a) as Q0.31 for a <= 0 given with ``integer_bits`` integer bits (raw int32).

    A fourth-order Taylor polynomial around -1/8 on [-1/4, 0), then one factor exp(-2^k) for each
    further bit of -a. Every constant is round(2^31 * exp(-2^k)).

    [GEMM] fixedpoint/fixedpoint.h, exp_on_negative_values.
    """
    srdhm = saturating_rounding_doubling_high_mul
    a = np.asarray(a, np.int64)
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    a_mod_quarter = (a & (quarter - 1)) - quarter

    x = (a_mod_quarter << integer_bits) + (1 << 28)  # Q0.31, a + 1/8
    x2 = srdhm(x, x)
    x3 = srdhm(x2, x)
    x4 = srdhm(x2, x2)
    one_third = round(2**31 / 3)
    tail = rounding_divide_by_pot(srdhm(rounding_divide_by_pot(x4, 2) + x3, one_third) + x2, 1)
    exp_minus_eighth = round(2**31 * math.exp(-1 / 8))
    result = exp_minus_eighth + srdhm(exp_minus_eighth, x + tail)

    remainder = a_mod_quarter - a
    for exponent in range(-2, 5):
        if integer_bits > exponent:
            factor = round(2**31 * math.exp(-(2.0**exponent)))
            bit = (remainder >> (fraction_bits + exponent)) & 1
            result = np.where(bit == 1, srdhm(result, factor), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (fraction_bits + 5)), 0, result)
    return np.where(a == 0, INT32_MAX, result)


def _newton_reciprocal(x: Int64Array) -> Int64Array:
    """2 / (1 + x) as Q2.29 for x in [0, 1] as Q0.31: three Newton-Raphson steps."""
    srdhm = saturating_rounding_doubling_high_mul
    half_denominator = (x + INT32_MAX + 1) >> 1  # (1 + x) / 2; the sum is never negative
    y = round(2**29 * 48 / 17) + srdhm(half_denominator, -math.trunc(2**29 * 32 / 17))
    for _ in range(3):
        y = y + saturating_shift_left(srdhm(y, (1 << 29) - srdhm(half_denominator, y)), 2)
    return y


def one_over_one_plus_x(x: ArrayLike) -> Int64Array:
    """1 / (1 + x) as Q0.31 for x in [0, 1] as Q0.31.

    [GEMM] fixedpoint/fixedpoint.h, one_over_one_plus_x_for_x_in_0_1.
    """
    return saturating_shift_left(_newton_reciprocal(np.asarray(x, np.int64)), 1)


def one_minus_x_over_one_plus_x(x: ArrayLike) -> Int64Array:
    """(1 - x) / (1 + x) as Q0.31 for x in [0, 1] as Q0.31.

    [GEMM] fixedpoint/fixedpoint.h, one_minus_x_over_one_plus_x_for_x_in_0_1.
    """
    return saturating_shift_left(_newton_reciprocal(np.asarray(x, np.int64)) - (1 << 29), 2)


def count_leading_zeros(x: ArrayLike) -> Int64Array:
    """Leading zero bits of x as a 32-bit word, for 0 < x < 2^32."""
    _, exponent = np.frexp(np.asarray(x, np.float64))  # exact: 32 bits fit a double
    return 32 - exponent.astype(np.int64)
