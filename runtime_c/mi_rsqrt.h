/* SPDX-License-Identifier: MIT */

/* RSQRT on int16.
 *
 *     root   = 1 / sqrt(input), with 20 fractional bits
 *     output = clamp(requantize(root, multiplier, shift)); INT16_MAX for an input of 0 and less
 *
 * The output may be the input.
 * [TFLM] micro/kernels/elementwise.cc. Python twin: microinfer/ops/sqrt_rsqrt.py.
 */

#ifndef MI_RSQRT_H
#define MI_RSQRT_H

#include "mi_inverse_square_root.h"

typedef struct {
    int32_t size; /* elements */
    int32_t multiplier;
    int32_t shift;
} mi_rsqrt_params;

MI_KERNEL void mi_rsqrt_s16(const mi_rsqrt_params *p, const mi_i16 *input, mi_i16 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        int32_t steps = INT16_MAX;
        if (input[i] > 0) {
            int32_t shift;
            const int32_t multiplier = mi_inverse_square_root(input[i], &shift);
            steps = mi_requantize(mi_requantize(1, multiplier, shift + 20), p->multiplier, p->shift);
        }
        output[i] = mi_output_s16(steps, 0, INT16_MIN, INT16_MAX);
    }
}

#endif
