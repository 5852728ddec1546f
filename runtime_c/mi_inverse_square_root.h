/* SPDX-License-Identifier: MIT */

/* 1 / sqrt(x) in fixed point.
 *
 * [TFLM] kernels/internal/common.h, GetInvSqrtQuantizedMultiplierExp.
 * Python twin: microinfer/ops/sqrt_rsqrt.py.
 */

#ifndef MI_INVERSE_SQUARE_ROOT_H
#define MI_INVERSE_SQUARE_ROOT_H

#include "mi_fixedpoint.h"

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

#endif
