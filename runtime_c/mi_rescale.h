/* SPDX-License-Identifier: MIT */

/* From one integer quantization to another, with a slope of its own for negatives.
 *
 *     v >= 0: output = clamp(requantize(v, positive_multiplier, positive_shift)
 *                            + output_zero_point)
 *     v < 0:  the same with negative_sign * requantize(v, negative_multiplier, negative_shift)
 *
 * with v = input - input_zero_point. QUANTIZE, RELU, RELU6, LEAKY_RELU and ABS of int8, int16, int32
 * and uint8, but from int8 to int8, which is mi_lookup.h. The output may be the input, if both
 * types are equally wide.
 * [TFLM] kernels/internal/reference/requantize.h, leaky_relu.h.
 * Python twin: microinfer/ops/rescale.py.
 */

#ifndef MI_RESCALE_H
#define MI_RESCALE_H

#include "mi_element.h"
#include "mi_fixedpoint.h"

typedef struct {
    int32_t size; /* elements */
    int32_t input_type; /* MI_TYPE_... */
    int32_t output_type;
    int32_t input_zero_point;    /* 0 of int32, whose difference could overflow */
    int32_t positive_multiplier; /* negative to turn v around before it is rounded */
    int32_t positive_shift;
    int32_t negative_multiplier;
    int32_t negative_shift;
    int32_t negative_sign; /* 1, or -1 to turn it around after */
    int32_t output_zero_point;
    int32_t activation_min; /* in the range of the output's type */
    int32_t activation_max;
} mi_rescale_params;

MI_KERNEL void mi_rescale(const mi_rescale_params *p, const void *input, void *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        const int32_t v = mi_load(input, p->input_type, i) - p->input_zero_point;
        int32_t steps;
        if (v >= 0) {
            steps = mi_requantize(v, p->positive_multiplier, p->positive_shift);
        } else {
            steps = mi_requantize(v, p->negative_multiplier, p->negative_shift);
            /* Not negated: INT32_MIN has no negative. */
            steps = p->negative_sign < 0 ? (int32_t)(0 - (uint32_t)steps) : steps;
        }
        const int32_t value =
            mi_output(steps, p->output_zero_point, p->activation_min, p->activation_max);
        mi_store(output, p->output_type, i, value);
    }
}

#endif
