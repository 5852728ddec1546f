/* SPDX-License-Identifier: MIT */

/* Reductions of int8: MEAN and SUM, REDUCE_MAX and REDUCE_MIN, ARG_MAX and ARG_MIN.
 *
 *     mean, sum  sum(input) - count * input_zero_point, requantized, then clamp8
 *     extreme    max(input) or min(input)
 *     arg        the first index along one axis of the largest or the smallest value
 *
 * The multiplier of a mean holds the division by count.
 *
 * input   int8 [k0, r0, k1, r1, k2, r2]: kept and reduced extents in turn, 1 where there is none
 * output  int8 [k0, k1, k2]
 *
 * [TFLM] kernels/internal/reference/reduce.h and arg_min_max.h.
 * Python twins: microinfer/ops/mean.py, reduce_max_min.py, arg_max_min.py and axes.py.
 */

#ifndef MI_REDUCE_H
#define MI_REDUCE_H

#include "mi_fixedpoint.h"
#include "mi_loops.h"

typedef struct {
    int32_t kept_extents[3]; /* [i] lies just outside of reduced_extents[i] */
    int32_t reduced_extents[3];
    int32_t count; /* values per output, below 2^31 / 255 */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t multiplier;
    int32_t shift;
} mi_mean_params;

typedef struct {
    int32_t kept_extents[3];
    int32_t reduced_extents[3];
    int32_t sign; /* 1: maximum, -1: minimum */
} mi_reduce_extreme_params;

typedef struct {
    int32_t outer; /* input [outer, depth, inner], output [outer, inner] */
    int32_t depth;
    int32_t inner;
    int32_t sign;        /* 1: maximum, -1: minimum */
    int32_t index_bytes; /* of an output element: 4, int32, or 8, int64 */
} mi_arg_extreme_params;

/* Elements per step of the kept and of the reduced axes. */
static inline void mi_reduce_steps(
    const int32_t kept[], const int32_t reduced[], int32_t kept_steps[], int32_t reduced_steps[])
{
    int32_t step = 1;
    for (int32_t i = 2; i >= 0; i--) {
        reduced_steps[i] = step;
        step *= reduced[i];
        kept_steps[i] = step;
        step *= kept[i];
    }
}

/* The sum of a window's elements x if sign is 0; else the largest sign * x. */
static inline int32_t mi_reduce_window(
    const int32_t reduced[], const int32_t steps[], const int8_t *window, int32_t sign)
{
    int32_t result = sign == 0 ? 0 : INT8_MIN;
    for (int32_t r0 = 0; r0 < reduced[0]; r0++) {
        for (int32_t r1 = 0; r1 < reduced[1]; r1++) {
            const int8_t *run = window + (r0 * steps[0] + r1 * steps[1]);
            for (int32_t r2 = 0; r2 < reduced[2]; r2++) {
                if (sign == 0) {
                    result += run[r2];
                } else if (sign * run[r2] > result) {
                    result = sign * run[r2];
                }
            }
        }
    }
    return result;
}

MI_KERNEL void mi_mean_s8(const mi_mean_params *p, const int8_t *input, int8_t *output)
{
    int32_t kept_steps[3];
    int32_t reduced_steps[3];
    mi_reduce_steps(p->kept_extents, p->reduced_extents, kept_steps, reduced_steps);
    mi_loops at = MI_LOOPS_BEGIN;
    do {
        const int32_t sum =
            mi_reduce_window(p->reduced_extents, reduced_steps, input + at.offset1, 0) -
            p->count * p->input_zero_point;
        const int32_t steps = mi_requantize(sum, p->multiplier, p->shift);
        *output++ = mi_output_s8(steps, p->output_zero_point, INT8_MIN, INT8_MAX);
    } while (mi_loops_next(&at, 3, p->kept_extents, kept_steps, kept_steps));
}

MI_KERNEL void mi_reduce_extreme_s8(
    const mi_reduce_extreme_params *p, const int8_t *input, int8_t *output)
{
    int32_t kept_steps[3];
    int32_t reduced_steps[3];
    mi_reduce_steps(p->kept_extents, p->reduced_extents, kept_steps, reduced_steps);
    mi_loops at = MI_LOOPS_BEGIN;
    do {
        const int32_t extreme =
            mi_reduce_window(p->reduced_extents, reduced_steps, input + at.offset1, p->sign);
        *output++ = (int8_t)(p->sign * extreme);
    } while (mi_loops_next(&at, 3, p->kept_extents, kept_steps, kept_steps));
}

/* output: int32 or int64, at any address. */
MI_KERNEL void mi_arg_extreme_s8(
    const mi_arg_extreme_params *p, const int8_t *input, void *output)
{
    int8_t *bytes = (int8_t *)output;
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            const int8_t *values = input + (o * p->depth * p->inner + i);
            int32_t best = 0;
            for (int32_t d = 1; d < p->depth; d++) {
                if (p->sign * values[d * p->inner] > p->sign * values[best * p->inner]) {
                    best = d;
                }
            }
            const int64_t wide = best;
            if (p->index_bytes == 8) {
                memcpy(bytes, &wide, 8);
            } else {
                memcpy(bytes, &best, 4);
            }
            bytes += p->index_bytes;
        }
    }
}

#endif
