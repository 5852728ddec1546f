/* SPDX-License-Identifier: MIT */

/* QUANTIZE and DEQUANTIZE: between reals and int8, int16 or uint8. The only floats of the runtime.
 *
 *     from float:     clamp(round(x / scale) + zero_point), the quotient and its rounding (half
 *                     away from zero) in float. Beyond the range it saturates; NaN counts as 0.
 *     to float:       (float)(scale * (q - zero_point)), the product in double
 *
 * [TFLM] kernels/internal/reference/quantize.h, dequantize.h.
 * Python twin: microinfer/ops/quantize.py. (Between integers it is mi_rescale.h.)
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

/* round(x / scale), at most 2^17 either way, which saturates any of the types from any zero point.
 * Each branch is false for NaN, which leaves 0 steps.
 * Neither quotient + 0.5f nor libm: the largest float below one half would round up to 1. */
static inline int32_t mi_quantize_steps(float x, float scale)
{
    const float limit = 131072.0f;
    const float quotient = x / scale;
    int32_t steps = 0;
    if (quotient >= limit) {
        steps = INT32_C(1) << 17;
    } else if (quotient <= -limit) {
        steps = -(INT32_C(1) << 17);
    } else if (quotient > -limit) {
        steps = (int32_t)quotient;                  /* towards zero */
        const float rest = quotient - (float)steps; /* exact */
        if (rest >= 0.5f) {
            steps++;
        } else if (rest <= -0.5f) {
            steps--;
        }
    }
    return steps;
}

static inline int8_t mi_quantize_value(float x, float scale, int32_t zero_point)
{
    return mi_output_s8(mi_quantize_steps(x, scale), zero_point, INT8_MIN, INT8_MAX);
}

static inline int16_t mi_quantize_value_s16(float x, float scale, int32_t zero_point)
{
    return mi_output_s16(mi_quantize_steps(x, scale), zero_point, INT16_MIN, INT16_MAX);
}

static inline uint8_t mi_quantize_value_u8(float x, float scale, int32_t zero_point)
{
    return (uint8_t)mi_output(mi_quantize_steps(x, scale), zero_point, 0, UINT8_MAX);
}

/* int8, int16 or uint8 q. TFLite forms the product in double and rounds it to float. Of 24 and 17
 * bits it is exact in double, so that this is one rounding: that of the float product. */
static inline float mi_dequantize_value(int32_t q, float scale, int32_t zero_point)
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

MI_KERNEL void mi_quantize_f32_s16(
    const mi_quantize_params *p, const mi_f32 *input, mi_i16 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_quantize_value_s16(input[i], p->scale, p->zero_point);
    }
}

MI_KERNEL void mi_quantize_f32_u8(
    const mi_quantize_params *p, const mi_f32 *input, uint8_t *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_quantize_value_u8(input[i], p->scale, p->zero_point);
    }
}

MI_KERNEL void mi_dequantize_s8_f32(
    const mi_dequantize_params *p, const int8_t *input, mi_f32 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_dequantize_value(input[i], p->scale, p->zero_point);
    }
}

MI_KERNEL void mi_dequantize_s16_f32(
    const mi_dequantize_params *p, const mi_i16 *input, mi_f32 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_dequantize_value(input[i], p->scale, p->zero_point);
    }
}

MI_KERNEL void mi_dequantize_u8_f32(
    const mi_dequantize_params *p, const uint8_t *input, mi_f32 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = mi_dequantize_value(input[i], p->scale, p->zero_point);
    }
}

#endif
