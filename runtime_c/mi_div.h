/* SPDX-License-Identifier: MIT */

/* DIV on int8, with broadcasting.
 *
 *     v_1, v_2 = input_i - input_i_zero_point, both negated if v_2 < 0
 *     inverse  = 1 / v_2 as a fraction in (1/2, 1] with 31 bits; v_2 has `bits` bits
 *     quotient = high_mul(v_1 << headroom, inverse), headroom being v_1's redundant sign bits
 *     output   = clamp(high_mul(quotient, multiplier) / 2^(headroom + bits - 1 - shift)
 *                      + output_zero_point)
 *
 * The last division gives 0 beyond 2^31. What is divided by zero saturates by its sign; 0 / 0 is 0.
 * output_shift is at most 22. The output may be an input of its own size.
 * [TFLM] kernels/internal/reference/div.h. Python twin: microinfer/ops/div.py.
 */

#ifndef MI_DIV_H
#define MI_DIV_H

#include "mi_broadcast.h"
#include "mi_fixedpoint.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t input1_zero_point;
    int32_t input2_zero_point;
    int32_t output_zero_point;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t activation_min; /* int8 */
    int32_t activation_max;
} mi_div_params;

/* round(v1 / v2 * 2^(output_shift - 31) * output_multiplier), v2 > 0. */
static inline int32_t mi_div_steps(const mi_div_params *p, int32_t v1, int32_t v2)
{
    const int32_t zeros = mi_count_leading_zeros(v2);
    const int32_t fraction = (int32_t)(((uint32_t)v2 << zeros) - (UINT32_C(1) << 31));
    const int32_t inverse = mi_one_over_one_plus_x(fraction);
    const int32_t bits = v1 < 0 ? -1 - v1 : v1;
    const int32_t headroom = bits == 0 ? 31 : mi_count_leading_zeros(bits) - 1;
    const int32_t quotient = mi_saturating_rounding_doubling_high_mul(
        mi_wrapping_shift_left(v1, headroom), inverse);
    const int32_t right = headroom + (31 - zeros) - p->output_shift; /* at least 0 */
    const int32_t high =
        mi_saturating_rounding_doubling_high_mul(quotient, p->output_multiplier);
    return right > 31 ? 0 : mi_rounding_divide_by_pot(high, right);
}

/* One element. */
static inline int32_t mi_div_value(const mi_div_params *p, int32_t x1, int32_t x2)
{
    const int32_t v1 = x1 - p->input1_zero_point;
    const int32_t v2 = x2 - p->input2_zero_point;
    int32_t steps = v1 * (INT32_C(1) << 20);
    if (v2 != 0) {
        steps = v2 < 0 ? mi_div_steps(p, -v1, -v2) : mi_div_steps(p, v1, v2);
    }
    return mi_output(steps, p->output_zero_point, p->activation_min, p->activation_max);
}

MI_KERNEL void mi_div_s8(
    const mi_div_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_div_value);
}

#endif
