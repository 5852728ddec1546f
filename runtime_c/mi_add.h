/* SPDX-License-Identifier: MIT */

/* ADD and SUB on int8 or int16, with broadcasting.
 *
 *     a_i    = requantize((input_i - input_i_zero_point) << left_shift, multiplier_i, shift_i)
 *     output = clamp(requantize(a_1 + sign * a_2, output_multiplier, output_shift)
 *                    + output_zero_point)
 *
 * left_shift is 20 for int8, 15 for int16. The real multipliers of the inputs are at most 1/2, so that
 * |a_i| <= 2^29 and the sum is at most 2^30. The output may be an input of its own size.
 * [TFLM] kernels/internal/reference/integer_ops/add.h, kernels/internal/reference/sub.h.
 * Python twin: microinfer/ops/add_sub.py.
 */

#ifndef MI_ADD_H
#define MI_ADD_H

#include "mi_broadcast.h"
#include "mi_fixedpoint.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t input2_sign; /* 1 adds, -1 subtracts */
    int32_t input1_zero_point;
    int32_t input1_multiplier;
    int32_t input1_shift;
    int32_t input2_zero_point;
    int32_t input2_multiplier;
    int32_t input2_shift;
    int32_t output_zero_point;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t activation_min; /* in the output's range */
    int32_t activation_max;
} mi_add_params;

/* One element. |x - zero_point| << left_shift is at most 2^30. */
static inline int32_t mi_add_shifted(
    const mi_add_params *p, int32_t x1, int32_t x2, int32_t left_shift)
{
    const int32_t shifted1 = (x1 - p->input1_zero_point) * (INT32_C(1) << left_shift);
    const int32_t shifted2 = (x2 - p->input2_zero_point) * (INT32_C(1) << left_shift);
    const int32_t a1 = mi_requantize(shifted1, p->input1_multiplier, p->input1_shift);
    const int32_t a2 = mi_requantize(shifted2, p->input2_multiplier, p->input2_shift);
    const int32_t sum = p->input2_sign < 0 ? a1 - a2 : a1 + a2;
    const int32_t steps = mi_requantize(sum, p->output_multiplier, p->output_shift);
    return mi_output(steps, p->output_zero_point, p->activation_min, p->activation_max);
}

static inline int32_t mi_add_value_s8(const mi_add_params *p, int32_t x1, int32_t x2)
{
    return mi_add_shifted(p, x1, x2, 20);
}

static inline int32_t mi_add_value_s16(const mi_add_params *p, int32_t x1, int32_t x2)
{
    return mi_add_shifted(p, x1, x2, 15);
}

MI_KERNEL void mi_add_s8(
    const mi_add_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_add_value_s8);
}

MI_KERNEL void mi_add_s16(
    const mi_add_params *p, const mi_i16 *input1, const mi_i16 *input2, mi_i16 *output)
{
    MI_BROADCAST(p, int16_t, input1, input2, output, mi_add_value_s16);
}

#endif
