/* SPDX-License-Identifier: MIT */

/* CUMSUM on int8: running sums along one axis.
 *
 *     sum[d]    = -input_zero_point + sum of input[k] - input_zero_point over k <= d
 *     output[d] = clamp8(requantize(sum[d] * 2^19, multiplier, shift) + output_zero_point)
 *
 * Exclusive: over k < d; reverse: from the other end.
 *
 * input   int8 [outer, depth, inner]
 * output  int8 [outer, depth, inner]; may be the input
 *
 * [TFLM] kernels/internal/reference/cumsum.h. Python twin: microinfer/ops/cumsum.py.
 */

#ifndef MI_CUMSUM_H
#define MI_CUMSUM_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t outer;
    int32_t depth;
    int32_t inner;
    int32_t exclusive; /* 0 or 1 */
    int32_t reverse;   /* 0 or 1 */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t multiplier;
    int32_t shift;
} mi_cumsum_params;

MI_KERNEL void mi_cumsum_s8(const mi_cumsum_params *p, const int8_t *input, int8_t *output)
{
    const int32_t sum_bits = 19; /* a sum beyond 4095 wraps, as it does in TFLM */
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            int32_t at = o * p->depth * p->inner + i;
            int32_t step = p->inner;
            if (p->reverse) {
                at += (p->depth - 1) * step;
                step = -step;
            }
            int32_t sum = -p->input_zero_point;
            for (int32_t d = 0; d < p->depth; d++) {
                const int32_t before = sum;
                sum += input[at] - p->input_zero_point;
                const int32_t scaled =
                    mi_wrapping_shift_left(p->exclusive ? before : sum, sum_bits);
                const int32_t steps = mi_requantize(scaled, p->multiplier, p->shift);
                output[at] = mi_output_s8(steps, p->output_zero_point, INT8_MIN, INT8_MAX);
                at += step;
            }
        }
    }
}

#endif
