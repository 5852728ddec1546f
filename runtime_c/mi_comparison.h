/* SPDX-License-Identifier: MIT */

/* EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER and GREATER_EQUAL of int8 or int16, with broadcasting.
 *
 *     a_i    = requantize((input_i - input_i_zero_point) << 8, multiplier_i, shift_i)
 *     output = 0 or 1: when_less, when_equal or when_greater, as a_1 is to a_2
 *
 * The real multipliers are the inputs' scales, below 1. The output may be an input of its own size.
 * [TFLM] kernels/internal/reference/comparisons.h. Python twin: microinfer/ops/comparison.py.
 */

#ifndef MI_COMPARISON_H
#define MI_COMPARISON_H

#include "mi_broadcast.h"
#include "mi_fixedpoint.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t input1_zero_point;
    int32_t input1_multiplier;
    int32_t input1_shift;
    int32_t input2_zero_point;
    int32_t input2_multiplier;
    int32_t input2_shift;
    int32_t when_less; /* the output, 0 or 1, where a_1 < a_2 */
    int32_t when_equal;
    int32_t when_greater;
} mi_comparison_params;

/* One element. */
static inline int32_t mi_comparison_value(const mi_comparison_params *p, int32_t x1, int32_t x2)
{
    const int32_t shifted1 = (x1 - p->input1_zero_point) * (INT32_C(1) << 8);
    const int32_t shifted2 = (x2 - p->input2_zero_point) * (INT32_C(1) << 8);
    const int32_t a1 = mi_requantize(shifted1, p->input1_multiplier, p->input1_shift);
    const int32_t a2 = mi_requantize(shifted2, p->input2_multiplier, p->input2_shift);
    if (a1 == a2) {
        return p->when_equal;
    }
    return a1 < a2 ? p->when_less : p->when_greater;
}

MI_KERNEL void mi_compare_s8(
    const mi_comparison_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_comparison_value);
}

MI_KERNEL void mi_compare_s16(
    const mi_comparison_params *p, const mi_i16 *input1, const mi_i16 *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_comparison_value);
}

#endif
