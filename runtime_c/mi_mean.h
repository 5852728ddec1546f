/* SPDX-License-Identifier: MIT */

/* MEAN on int8 over any axes.
 *
 *     sum    = sum(input) - count * input_zero_point          count values per output
 *     output = clamp8(requantize(sum, multiplier, shift) + output_zero_point)
 *
 * The multiplier holds the division by count.
 *
 * input   int8 [k0, r0, k1, r1, k2, r2]: kept and reduced extents in turn, 1 where there is none
 * output  int8 [k0, k1, k2]
 *
 * [TFLM] kernels/internal/reference/reduce.h, QuantizedMeanOrSum.
 * Python twins: microinfer/ops/mean.py and axes.py.
 */

#ifndef MI_MEAN_H
#define MI_MEAN_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t kept_extents[3]; /* [i] lies just outside of reduced_extents[i] */
    int32_t reduced_extents[3];
    int32_t count; /* values per output, below 2^31 / 255 */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t multiplier;
    int32_t shift;
} mi_mean_params;

MI_KERNEL void mi_mean_s8(const mi_mean_params *p, const int8_t *input, int8_t *output)
{
    const int32_t *const kept = p->kept_extents;
    const int32_t *const reduced = p->reduced_extents;
    /* Elements per step of the axes r2, k2, r1, k1, r0, k0: 1, then the extents within. */
    const int32_t step_k2 = reduced[2];
    const int32_t step_r1 = kept[2] * step_k2;
    const int32_t step_k1 = reduced[1] * step_r1;
    const int32_t step_r0 = kept[1] * step_k1;
    const int32_t step_k0 = reduced[0] * step_r0;

    for (int32_t k0 = 0; k0 < kept[0]; k0++) {
        for (int32_t k1 = 0; k1 < kept[1]; k1++) {
            for (int32_t k2 = 0; k2 < kept[2]; k2++) {
                const int8_t *window = input + (k0 * step_k0 + k1 * step_k1 + k2 * step_k2);
                int32_t sum = -p->count * p->input_zero_point;
                for (int32_t r0 = 0; r0 < reduced[0]; r0++) {
                    for (int32_t r1 = 0; r1 < reduced[1]; r1++) {
                        const int8_t *run = window + (r0 * step_r0 + r1 * step_r1);
                        for (int32_t r2 = 0; r2 < reduced[2]; r2++) {
                            sum += run[r2];
                        }
                    }
                }
                const int32_t steps = mi_requantize(sum, p->multiplier, p->shift);
                *output++ = mi_output_s8(steps, p->output_zero_point, INT8_MIN, INT8_MAX);
            }
        }
    }
}

#endif
