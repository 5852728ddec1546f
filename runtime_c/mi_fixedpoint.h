/* SPDX-License-Identifier: MIT */

/* The integer primitives that every quantized kernel is built from.
 *
 * Names and meaning follow gemmlowp and TFLite, so that a search finds the source:
 * [GEMM] fixedpoint/fixedpoint.h, [TFLM] kernels/internal/common.cc.
 * Qm.n is an int32 with n fractional bits: the integer x stands for x / 2^n.
 * Python twin: microinfer/fixedpoint.py, kept equal by tests/test_c_kernels.py.
 */

#ifndef MI_FIXEDPOINT_H
#define MI_FIXEDPOINT_H

#include "mi_runtime.h"

/* PORTABILITY: two things that C99 leaves to the implementation are relied on throughout, and are
 * what every known compiler for two's-complement machines does: >> of a negative number copies
 * the sign, and uint32_t to int32_t keeps the bits. An array of size -1 stops any other one. */
typedef char mi_shift_right_copies_the_sign[(-3 >> 1) == -2 ? 1 : -1];
typedef char mi_conversion_keeps_the_bits[(int32_t)UINT32_C(0xFFFFFFFE) == -2 ? 1 : -1];

/* x within minimum..maximum. */
static inline int32_t mi_clamp(int32_t x, int32_t minimum, int32_t maximum)
{
    return x < minimum ? minimum : (x > maximum ? maximum : x);
}

/* steps + zero_point within activation_min..activation_max (all three in the range of the output's
 * type). Clamped before the sum, which could overflow: steps may be any int32. */
static inline int32_t mi_output(
    int32_t steps, int32_t zero_point, int32_t activation_min, int32_t activation_max)
{
    const int32_t low = activation_min - zero_point;
    const int32_t high = activation_max - zero_point;
    return mi_clamp(steps, low, high) + zero_point;
}

/* The same as int8. Written out: through mi_output gcc inlines less, and convolutions take a quarter
 * more time. */
static inline int8_t mi_output_s8(
    int32_t steps, int32_t zero_point, int32_t activation_min, int32_t activation_max)
{
    const int32_t low = activation_min - zero_point;
    const int32_t high = activation_max - zero_point;
    return (int8_t)(mi_clamp(steps, low, high) + zero_point);
}

/* The same as int16. */
static inline int16_t mi_output_s16(
    int32_t steps, int32_t zero_point, int32_t activation_min, int32_t activation_max)
{
    return (int16_t)mi_output(steps, zero_point, activation_min, activation_max);
}

/* x * 2^exponent modulo 2^32, exponent in 0..31: what a two's-complement register keeps. */
static inline int32_t mi_wrapping_shift_left(int32_t x, int32_t exponent)
{
    return (int32_t)((uint32_t)x << exponent);
}

/* x * 2^exponent clamped to int32, exponent in 0..31. */
static inline int32_t mi_saturating_shift_left(int32_t x, int32_t exponent)
{
    const int32_t limit = INT32_MAX >> exponent;
    if (x > limit) {
        return INT32_MAX;
    }
    if (x < -limit - 1) {
        return INT32_MIN;
    }
    return mi_wrapping_shift_left(x, exponent);
}

/* round(a * b / 2^31), ties to +infinity; INT32_MIN * INT32_MIN saturates to INT32_MAX.
 * [GEMM] SaturatingRoundingDoublingHighMul; Arm SQRDMULH. */
static inline int32_t mi_saturating_rounding_doubling_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    /* Else |a * b| <= 2^62 - 2^31, and the quotient is within +-(2^31 - 1). */
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent to the nearest integer, ties away from zero; exponent in 0..31.
 * [GEMM] RoundingDivideByPOT. */
static inline int32_t mi_rounding_divide_by_pot(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1);
    const int32_t remainder = x & mask; /* of the division rounded down, in 0..mask */
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/* acc * multiplier * 2^(shift - 31) by double rounding; shift in -31..31, > 0 to the left.
 * Rounded once by the doubling high multiply (ties up) and once by the right shift (ties away
 * from zero). The left shift happens in 32 bits and wraps: keeping acc small enough is up to the
 * scales of the model. [TFLM] MultiplyByQuantizedMultiplier. */
static inline int32_t mi_requantize(int32_t acc, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int32_t shifted = mi_wrapping_shift_left(acc, left);
    const int32_t high = mi_saturating_rounding_doubling_high_mul(shifted, multiplier);
    return mi_rounding_divide_by_pot(high, right);
}

/* Leading zero bits of x as a 32-bit word; x > 0. */
static inline int32_t mi_count_leading_zeros(int32_t x)
{
    int32_t count = 0;
    while (x < INT32_C(1) << 30) {
        x += x;
        count++;
    }
    return count + 1; /* the sign bit */
}

/* exp(a) as Q0.31, for a <= 0 with integer_bits integer bits: Q5.26 for 5; integer_bits in 0..5.
 * A fourth-order Taylor polynomial around -1/8 on [-1/4, 0), then one factor exp(-2^k) for each
 * further bit k of -a. [GEMM] exp_on_negative_values. */
static inline int32_t mi_exp_on_negative_values(int32_t a, int32_t integer_bits)
{
    static const int32_t exp_minus_pot[] = {
        1672461947, /* round(2^31 * exp(-1/4)) */
        1302514674, /* round(2^31 * exp(-1/2)) */
        790015084,  /* round(2^31 * exp(-1)) */
        290630308,  /* round(2^31 * exp(-2)) */
        39332535,   /* round(2^31 * exp(-4)) */
        720401,     /* round(2^31 * exp(-8)) */
        242,        /* round(2^31 * exp(-16)) */
    };
    const int32_t exp_minus_eighth = 1895147668; /* round(2^31 * exp(-1/8)) */
    const int32_t one_third = 715827883;         /* round(2^31 / 3) */
    const int32_t fraction_bits = 31 - integer_bits;
    const int32_t quarter = INT32_C(1) << (fraction_bits - 2);
    const int32_t a_mod_quarter = (a & (quarter - 1)) - quarter; /* in [-1/4, 0) */

    /* x = a_mod_quarter + 1/8 as Q0.31, in [-1/8, 1/8). The sum at the end is exp() of a number
     * below zero, and stays below 2^31 for each of the 2^29 values of a_mod_quarter (tried). */
    const int32_t x = mi_wrapping_shift_left(a_mod_quarter, integer_bits) + (INT32_C(1) << 28);
    const int32_t x2 = mi_saturating_rounding_doubling_high_mul(x, x);
    const int32_t x3 = mi_saturating_rounding_doubling_high_mul(x2, x);
    const int32_t x4 = mi_saturating_rounding_doubling_high_mul(x2, x2);
    const int32_t cubic = mi_saturating_rounding_doubling_high_mul(
        mi_rounding_divide_by_pot(x4, 2) + x3, one_third);
    const int32_t tail = mi_rounding_divide_by_pot(cubic + x2, 1);
    int32_t result = exp_minus_eighth +
                     mi_saturating_rounding_doubling_high_mul(exp_minus_eighth, x + tail);

    const int32_t remainder = a_mod_quarter - a; /* >= 0, a multiple of a quarter */
    for (int32_t k = -2; k < integer_bits; k++) {
        if ((remainder >> (fraction_bits + k)) & 1) {
            result = mi_saturating_rounding_doubling_high_mul(result, exp_minus_pot[k + 2]);
        }
    }
    return a == 0 ? INT32_MAX : result;
}

/* 1 / (1 + x) as Q0.31, for x in [0, 1) as Q0.31: three Newton-Raphson steps.
 * [GEMM] one_over_one_plus_x_for_x_in_0_1. */
static inline int32_t mi_one_over_one_plus_x(int32_t x)
{
    const int32_t q29_48_over_17 = 1515870810;                      /* round(2^29 * 48/17) */
    const int32_t q29_minus_32_over_17 = -1010580540;               /* -trunc(2^29 * 32/17) */
    const int32_t half_denominator = (x >> 1) + (INT32_C(1) << 30); /* (1 + x) / 2 as Q0.31 */
    /* y approaches 2 / (1 + x), in (1, 2], as Q2.29. */
    int32_t y = q29_48_over_17 +
                mi_saturating_rounding_doubling_high_mul(half_denominator, q29_minus_32_over_17);
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error =
            (INT32_C(1) << 29) - mi_saturating_rounding_doubling_high_mul(half_denominator, y);
        const int32_t correction = mi_saturating_rounding_doubling_high_mul(y, error);
        y += mi_saturating_shift_left(correction, 2);
    }
    return mi_saturating_shift_left(y, 1);
}

/* Limit of mi_round_f64_product: far beyond int8, and a zero point can still be added. */
#define MI_ROUND_LIMIT (INT32_C(1) << 30)

/* What round((double)acc * real) gives in IEEE double arithmetic, without any float:
 * real = mantissa * 2^-shift with 2^52 <= mantissa < 2^53, or 0 with mantissa 0.
 * The product is rounded to 53 bits (ties to even), then to an integer (ties away from zero), and
 * limited to +-MI_ROUND_LIMIT. Exact as long as the double is neither subnormal nor infinite:
 * shift in -900..1000. [LITERT] kernels/fully_connected.cc, BUILTIN_REF. */
static inline int32_t mi_round_f64_product(int32_t acc, int64_t mantissa, int32_t shift)
{
    if (acc == 0 || mantissa == 0) {
        return 0;
    }
    /* product = magnitude * mantissa = high * 2^32 + low. With 1 <= magnitude <= 2^31 it lies in
     * [2^52, 2^84), so that 2^20 <= high < 2^52. Neither line overflows: the first term is below
     * 2^63, the second sum below 2^52. */
    const uint32_t magnitude = acc < 0 ? UINT32_C(0) - (uint32_t)acc : (uint32_t)acc;
    const uint64_t carrying = (uint64_t)magnitude * ((uint64_t)mantissa & UINT32_MAX);
    const uint64_t high = magnitude * ((uint64_t)mantissa >> 32) + (carrying >> 32);
    const uint32_t low = (uint32_t)(carrying & UINT32_MAX);

    /* To 53 bits: product ~ kept * 2^drop. high has 21 to 52 bits, the product 32 more, so that
     * drop is in 0..31 and all that is dropped comes from low. */
    int32_t drop = 0;
    while ((high >> drop) >= (UINT64_C(1) << 21)) {
        drop++;
    }
    const uint32_t unit = UINT32_C(1) << drop;
    const uint32_t twice_dropped = 2 * (low & (unit - 1)); /* below 2 * unit <= 2^32 */
    uint64_t kept = (high << (32 - drop)) | (low >> drop); /* in [2^52, 2^53) */
    if (twice_dropped > unit || (twice_dropped == unit && (kept & 1) != 0)) {
        kept++; /* 2^53 needs no more care: it is a multiple of 2, and stays exact */
    }

    /* To an integer: kept / 2^right. */
    const int32_t right = shift - drop;
    if (right > 62) {
        return 0; /* kept / 2^right <= 2^53 / 2^63 */
    }
    uint64_t rounded = MI_ROUND_LIMIT;
    if (right > 0) {
        rounded = (kept + (UINT64_C(1) << (right - 1))) >> right; /* the sum is below 2^62 */
    }
    const int32_t limited = rounded < MI_ROUND_LIMIT ? (int32_t)rounded : MI_ROUND_LIMIT;
    return acc < 0 ? -limited : limited;
}

#endif
