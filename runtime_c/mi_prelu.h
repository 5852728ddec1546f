/* SPDX-License-Identifier: MIT */

/* PRELU on int8: a slope of its own for each element, broadcast.
 *
 *     v >= 0: output = clamp8(requantize(v, positive) + output_zero_point)
 *     v < 0:  output = clamp8(requantize(v * (alpha - alpha_zero_point), negative)
 *                             + output_zero_point)
 *
 * with v = input - input_zero_point; input 1 is the input, input 2 alpha. The output may be an input
 * of its own size.
 * [TFLM] kernels/internal/reference/prelu.h. Python twin: microinfer/ops/prelu.py.
 */

#ifndef MI_PRELU_H
#define MI_PRELU_H

#include "mi_broadcast.h"
#include "mi_fixedpoint.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t input_zero_point;
    int32_t alpha_zero_point;
    int32_t output_zero_point;
    int32_t positive_multiplier;
    int32_t positive_shift;
    int32_t negative_multiplier;
    int32_t negative_shift;
} mi_prelu_params;

/* One element. The product is at most 255 * 255. */
static inline int32_t mi_prelu_value(const mi_prelu_params *p, int32_t x, int32_t alpha)
{
    const int32_t v = x - p->input_zero_point;
    const int32_t product = v * (alpha - p->alpha_zero_point);
    const int32_t steps =
        v >= 0 ? mi_requantize(v, p->positive_multiplier, p->positive_shift)
               : mi_requantize(product, p->negative_multiplier, p->negative_shift);
    return mi_output(steps, p->output_zero_point, INT8_MIN, INT8_MAX);
}

MI_KERNEL void mi_prelu_s8(
    const mi_prelu_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_prelu_value);
}

#endif
