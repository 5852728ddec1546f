/* SPDX-License-Identifier: MIT */

/* QUANTIZE and DEQUANTIZE: between reals and int8. The only floats of the runtime.
 *
 *     float to int8:  clamp(round(x / scale) + zero_point), the quotient and its rounding (half
 *                     away from zero) in float. Beyond the range it saturates; NaN counts as 0.
 *     int8 to float:  (float)(scale * (q - zero_point)), the product in double
 *
 * [TFLM] kernels/internal/reference/quantize.h, dequantize.h.
 * Python twin: microinfer/ops/quantize.py. (int8 to int8 is mi_lookup.h.)
 */

#ifndef MI_QUANTIZE_H
#define MI_QUANTIZE_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t size; /* elements */
    float scale;  /* positive and finite */
    int32_t zero_point;
} mi_quantize_params;

typedef struct {
    int32_t size; /* elements */
    float scale;
    int32_t zero_point;
} mi_dequantize_params;

/* Each branch is false for NaN, which leaves 0 steps. 256 steps saturate from any zero point.
 * Neither quotient + 0.5f nor libm: the largest float below one half would round up to 1. */
static inline int8_t mi_quantize_value(float x, float scale, int32_t zero_point)
{
    const float quotient = x / scale;
    int32_t steps = 0;
    if (quotient >= 256.0f) {
        steps = 256;
    } else if (quotient <= -256.0f) {
        steps = -256;
    } else if (quotient > -256.0f) {
        steps = (int32_t)quotient;                  /* towards zero */
        const float rest = quotient - (float)steps; /* exact */
        if (rest >= 0.5f) {
            steps++;
        } else if (rest <= -0.5f) {
            steps--;
        }
    }
    return mi_output_s8(steps, zero_point, INT8_MIN, INT8_MAX);
}

/* TFLite forms the product in double and rounds it to float. Of 24 and 9 bits it is exact in
 * double, so that this is one rounding: the same as that of the float product. */
static inline float mi_dequantize_value(int8_t q, float scale, int32_t zero_point)
{
    return scale * (float)(q - zero_point);
}

MI_KERNEL void mi_quantize_f32_s8(
    const mi_quantize_params *p, const mi_f32 *input, int8_t *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_quantize_value(input[i], p->scale, p->zero_point);
    }
}

MI_KERNEL void mi_dequantize_s8_f32(
    const mi_dequantize_params *p, const int8_t *input, mi_f32 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_dequantize_value(input[i], p->scale, p->zero_point);
    }
}

#endif
