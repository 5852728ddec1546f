/* SPDX-License-Identifier: MIT */

/* L2_NORMALIZATION on int8, along the last axis.
 *
 *     squares = sum((input - input_zero_point)^2)
 *     output  = clamp8(requantize(input - input_zero_point, 1 / sqrt(squares), 7 bits further left))
 *
 * input   int8 [rows, depth]
 * output  int8 [rows, depth], scale 1/128, zero point 0; may be the input
 *
 * [TFLM] kernels/internal/reference/integer_ops/l2normalization.h; kernels/internal/common.h,
 * GetInvSqrtQuantizedMultiplierExp. Python twins: microinfer/ops/l2_normalization.py and
 * sqrt_rsqrt.py.
 */

#ifndef MI_L2_NORMALIZATION_H
#define MI_L2_NORMALIZATION_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* at most 33025, so that squares fit int32 */
    int32_t input_zero_point;
} mi_l2_normalization_params;

/* 1 / sqrt(value) = the result * 2^(shift - 31), by five Newton-Raphson steps. value >= 0; of 0 as
 * of 1. */
static inline int32_t mi_inverse_square_root(int32_t value, int32_t *shift)
{
    const int32_t three_halves = INT32_C(3) << 27; /* Q3.28 */
    const int32_t sqrt_half = 1518500250;          /* sqrt(1/2) as Q0.31 */
    int32_t right = 11;
    *shift = 0;
    if (value <= 1) {
        return INT32_MAX;
    }
    while (value >= INT32_C(1) << 29) {
        value /= 4;
        right++;
    }
    const int32_t pairs = (mi_count_leading_zeros(value) - 1) / 2 - 1;
    right -= pairs;
    const int32_t scaled = (value << (2 * pairs)) >> 1; /* Q3.28 */
    const int32_t half = mi_rounding_divide_by_pot(scaled, 1);
    int32_t x = INT32_C(1) << 28;
    for (int32_t i = 0; i < 5; i++) {
        const int32_t square = mi_saturating_rounding_doubling_high_mul(x, x);
        const int32_t cube =
            mi_saturating_shift_left(mi_saturating_rounding_doubling_high_mul(square, x), 6);
        x = mi_saturating_shift_left(
            mi_saturating_rounding_doubling_high_mul(three_halves, x) -
                mi_saturating_rounding_doubling_high_mul(half, cube),
            3);
    }
    x = mi_saturating_rounding_doubling_high_mul(x, sqrt_half);
    if (right < 0) {
        return mi_wrapping_shift_left(x, -right);
    }
    *shift = -right;
    return x;
}

MI_KERNEL void mi_l2_normalization_s8(
    const mi_l2_normalization_params *p, const int8_t *input, int8_t *output)
{
    const int32_t output_bits = 7; /* its scale is 2^-7 */
    for (int32_t row = 0; row < p->rows; row++) {
        int32_t squares = 0;
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->input_zero_point;
            squares += x * x;
        }
        int32_t shift;
        const int32_t multiplier = mi_inverse_square_root(squares, &shift);
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->input_zero_point;
            const int32_t steps = mi_requantize(x, multiplier, shift + output_bits);
            output[i] = mi_output_s8(steps, 0, INT8_MIN, INT8_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
