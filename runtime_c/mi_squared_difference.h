/* SPDX-License-Identifier: MIT */

/* SQUARED_DIFFERENCE on int8 or int16, with broadcasting.
 *
 *     a_i    = requantize((input_i - input_i_zero_point) << left_shift, multiplier_i, shift_i)
 *     output = clamp(requantize((a_1 - a_2)^2, output_multiplier, output_shift)
 *                     + output_zero_point)
 *
 * left_shift is 7 for int8, 0 for int16. The real multipliers of the inputs are at most 1/2, so that
 * |a_1 - a_2| <= 2^15 and its square is at most 2^30. The output may be an input of its own size.
 * [LITERT] kernels/squared_difference.cc. Python twin: microinfer/ops/squared_difference.py.
 */

#ifndef MI_SQUARED_DIFFERENCE_H
#define MI_SQUARED_DIFFERENCE_H

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
    int32_t output_zero_point;
    int32_t output_multiplier;
    int32_t output_shift;
} mi_squared_difference_params;

/* One element; left_shift is 7 for int8, 0 for int16. */
static inline int32_t mi_squared_difference_shifted(
    const mi_squared_difference_params *p, int32_t x1, int32_t x2, int32_t left_shift,
    int32_t minimum, int32_t maximum)
{
    const int32_t shifted1 = (x1 - p->input1_zero_point) * (INT32_C(1) << left_shift);
    const int32_t shifted2 = (x2 - p->input2_zero_point) * (INT32_C(1) << left_shift);
    const int32_t difference = mi_requantize(shifted1, p->input1_multiplier, p->input1_shift) -
                               mi_requantize(shifted2, p->input2_multiplier, p->input2_shift);
    const int32_t steps =
        mi_requantize(difference * difference, p->output_multiplier, p->output_shift);
    return mi_output(steps, p->output_zero_point, minimum, maximum);
}

static inline int32_t mi_squared_difference_value_s8(
    const mi_squared_difference_params *p, int32_t x1, int32_t x2)
{
    return mi_squared_difference_shifted(p, x1, x2, 7, INT8_MIN, INT8_MAX);
}

static inline int32_t mi_squared_difference_value_s16(
    const mi_squared_difference_params *p, int32_t x1, int32_t x2)
{
    return mi_squared_difference_shifted(p, x1, x2, 0, INT16_MIN, INT16_MAX);
}

MI_KERNEL void mi_squared_difference_s8(
    const mi_squared_difference_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_squared_difference_value_s8);
}

MI_KERNEL void mi_squared_difference_s16(
    const mi_squared_difference_params *p, const mi_i16 *input1, const mi_i16 *input2, mi_i16 *output)
{
    MI_BROADCAST(p, int16_t, input1, input2, output, mi_squared_difference_value_s16);
}

#endif
