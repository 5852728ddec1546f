/* SPDX-License-Identifier: MIT */

/* Sigmoid and tanh from int16 to int16 of scale 2^-15, in two ways that differ in the last bits.
 *
 * By table: piecewise linear between 256 values of the sigmoid, 1/24 apart; LOGISTIC and TANH on
 * int16, and TFLM's LSTM. [TFLM] kernels/internal/reference/integer_ops/logistic.h, tanh.h.
 * By polynomial: gemmlowp's fixed point in 16-bit words; LiteRT's LSTM. [GEMM]
 * fixedpoint/fixedpoint.h.
 * Python twin: microinfer/sigmoid_tanh_s16.py.
 */

#ifndef MI_SIGMOID_TANH_S16_H
#define MI_SIGMOID_TANH_S16_H

#include "mi_fixedpoint.h"

/* -- by table ------------------------------------------------------------------------------- */

/* x * multiplier / 2^shift, ties up. |x| <= 2^15, multiplier in 0..65535; in 0..32767 where shift,
 * 0..31, is not 0. So the sum is below 2^31. */
static inline int32_t mi_table_argument(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t rounding = shift > 0 ? INT32_C(1) << (shift - 1) : 0;
    return (x * multiplier + rounding) >> shift;
}

/* 65536 / (1 + exp(-r)) at r = magnitude * 2^-fraction_bits / 24, with fraction_bits fraction bits.
 * magnitude < 255 << fraction_bits; fraction_bits is 8 or 9. */
static inline int32_t mi_sigmoid_table(int32_t magnitude, int32_t fraction_bits)
{
    /* 65536 / (1 + exp(-k / 24)), raised by half of what the chord to the next point lies below
     * the curve at its middle. */
    static const uint16_t table[256] = {
        32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149,
        40794, 41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369,
        47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311, 52745, 53169,
        53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
        57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370,
        60565, 60753, 60935, 61110, 61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302,
        62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186, 63279, 63368, 63454, 63536,
        63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
        64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786,
        64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079,
        65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234, 65246, 65258,
        65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
        65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433,
        65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474,
        65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498,
        65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
        65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522,
        65523, 65523, 65524, 65524, 65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528,
        65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530, 65530, 65530, 65531, 65531,
        65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
        65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
        65534, 65534, 65534, 65535,
    };
    const int32_t point = magnitude >> fraction_bits;
    const int32_t rest = magnitude & ((INT32_C(1) << fraction_bits) - 1);
    const int32_t low = table[point];
    const int32_t high = table[point + 1];
    return (int32_t)((uint32_t)low << fraction_bits) + rest * (high - low);
}

/* sigmoid(r), r = x * multiplier * 2^-shift / 12288; limits as in mi_table_argument.
 * multiplier 3 and shift 0 take an x of scale 2^-12. */
static inline int16_t mi_sigmoid_by_table(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t argument = mi_table_argument(x, multiplier, shift);
    const int32_t magnitude = argument < 0 ? -argument : argument;
    const int32_t saturated = INT32_C(0x7FFF) << 10;
    const int32_t positive =
        magnitude < INT32_C(255) << 9 ? mi_sigmoid_table(magnitude, 9) : saturated;
    const int32_t value = argument >= 0 ? positive + 512 : (INT32_C(1) << 25) - positive + 511;
    return (int16_t)(value >> 10);
}

/* tanh(r) = 2 * sigmoid(2 r) - 1, of the same r. */
static inline int16_t mi_tanh_by_table(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t argument = mi_table_argument(x, multiplier, shift);
    const int32_t magnitude = argument < 0 ? -argument : argument;
    const int32_t saturated = INT32_C(0xFFFF) << 8;
    const int32_t sigmoid =
        magnitude < INT32_C(255) << 8 ? mi_sigmoid_table(magnitude, 8) : saturated;
    const int32_t positive = sigmoid - (INT32_C(1) << 23);
    return (int16_t)((argument >= 0 ? positive + 128 : 127 - positive) >> 8);
}

/* -- by polynomial -------------------------------------------------------------------------- */

/* round(a * b / 2^15), ties up, for int16 a and b; 2^15 saturates to 2^15 - 1. Arm SQRDMULH. */
static inline int32_t mi_high_mul_s16(int32_t a, int32_t b)
{
    const int32_t high = (a * b + (INT32_C(1) << 14)) >> 15;
    return high > INT16_MAX ? INT16_MAX : high;
}

/* x within int16. */
static inline int32_t mi_saturate_s16(int32_t x)
{
    return mi_clamp(x, INT16_MIN, INT16_MAX);
}

/* exp(a) as Q0.15, for an int16 a <= 0 with integer_bits integer bits, 0..7: the 16-bit form of
 * mi_exp_on_negative_values. */
static inline int32_t mi_exp_on_negative_s16(int32_t a, int32_t integer_bits)
{
    /* round(2^15 * exp(-2^k)) for k = -2..4, by way of 31 bits. */
    static const int16_t exp_minus_pot[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t exp_minus_eighth = 28918; /* round(2^15 * exp(-1/8)) */
    const int32_t one_third = 10923;        /* round(2^15 / 3) */
    const int32_t fraction_bits = 15 - integer_bits;
    const int32_t quarter = INT32_C(1) << (fraction_bits - 2);
    const int32_t a_mod_quarter = (a & (quarter - 1)) - quarter; /* in [-1/4, 0) */

    const int32_t x = a_mod_quarter * (INT32_C(1) << integer_bits) + (INT32_C(1) << 12);
    const int32_t x2 = mi_high_mul_s16(x, x);
    const int32_t x3 = mi_high_mul_s16(x2, x);
    const int32_t x4 = mi_high_mul_s16(x2, x2);
    const int32_t cubic = mi_high_mul_s16(mi_rounding_divide_by_pot(x4, 2) + x3, one_third);
    const int32_t tail = mi_rounding_divide_by_pot(cubic + x2, 1);
    int32_t result = exp_minus_eighth + mi_high_mul_s16(exp_minus_eighth, x + tail);

    const int32_t remainder = a_mod_quarter - a; /* >= 0, a multiple of a quarter */
    const int32_t end = integer_bits < 5 ? integer_bits : 5;
    for (int32_t k = -2; k < end; k++) {
        if ((remainder >> (fraction_bits + k)) & 1) {
            result = mi_high_mul_s16(result, exp_minus_pot[k + 2]);
        }
    }
    if (integer_bits > 5 && a < -(INT32_C(1) << (fraction_bits + 5))) {
        return 0; /* below -32 */
    }
    return a == 0 ? INT16_MAX : result;
}

/* 2 / (1 + x) as Q2.13, for x in [0, 1) as Q0.15: three Newton-Raphson steps. */
static inline int32_t mi_two_over_one_plus_s16(int32_t x)
{
    const int32_t half_denominator = (x + (INT32_C(1) << 15)) >> 1; /* (1 + x) / 2 as Q0.15 */
    int32_t y = 23130 + mi_high_mul_s16(half_denominator, -15420);  /* 48/17 - 32/17 * it */
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (INT32_C(1) << 13) - mi_high_mul_s16(half_denominator, y);
        y += mi_saturate_s16(mi_high_mul_s16(y, error) * 4);
    }
    return y;
}

/* sigmoid(x) for x as Q3.12. */
static inline int16_t mi_sigmoid_by_polynomial(int32_t x)
{
    const int32_t exponential = mi_exp_on_negative_s16(x < 0 ? x : -x, 3);
    const int32_t positive = mi_saturate_s16(mi_two_over_one_plus_s16(exponential) * 2);
    if (x == 0) {
        return INT32_C(1) << 14;
    }
    return (int16_t)(x > 0 ? positive : INT16_MAX - positive);
}

/* tanh(x) for x with integer_bits integer bits, 0..6. */
static inline int16_t mi_tanh_by_polynomial(int32_t x, int32_t integer_bits)
{
    /* The same bits with one more integer bit are 2 x; tanh(x) = (1 - e) / (1 + e). */
    const int32_t exponential = mi_exp_on_negative_s16(x < 0 ? x : -x, integer_bits + 1);
    const int32_t above_one = mi_two_over_one_plus_s16(exponential) - (INT32_C(1) << 13);
    const int32_t positive = mi_saturate_s16(above_one * 4);
    return (int16_t)(x == 0 ? 0 : (x > 0 ? positive : -positive));
}

#endif
