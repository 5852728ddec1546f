/* SPDX-License-Identifier: MIT */

/* MUL on int8 or int16, with broadcasting.
 *
 *     output = clamp(requantize((input1 - zero_point1) * (input2 - zero_point2), multiplier, shift)
 *                    + output_zero_point)
 *
 * The output may be an input of its own size.
 * [TFLM] kernels/internal/reference/integer_ops/mul.h. Python twin: microinfer/ops/mul.py.
 */

#ifndef MI_MUL_H
#define MI_MUL_H

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
    int32_t activation_min; /* in the output's range */
    int32_t activation_max;
} mi_mul_params;

/* One element. The product is at most 255 * 255. */
static inline int32_t mi_mul_value(const mi_mul_params *p, int32_t x1, int32_t x2)
{
    const int32_t product = (x1 - p->input1_zero_point) * (x2 - p->input2_zero_point);
    const int32_t steps = mi_requantize(product, p->output_multiplier, p->output_shift);
    return mi_output(steps, p->output_zero_point, p->activation_min, p->activation_max);
}

MI_KERNEL void mi_mul_s8(
    const mi_mul_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_mul_value);
}

MI_KERNEL void mi_mul_s16(
    const mi_mul_params *p, const mi_i16 *input1, const mi_i16 *input2, mi_i16 *output)
{
    MI_BROADCAST(p, int16_t, input1, input2, output, mi_mul_value);
}

#endif
