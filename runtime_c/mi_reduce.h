/* SPDX-License-Identifier: MIT */

/* Reductions of int8 or int16: MEAN and SUM, REDUCE_MAX and REDUCE_MIN; of int8: ARG_MAX and ARG_MIN.
 *
 *     mean, sum  sum(input) - count * input_zero_point, requantized, then clamped
 *     extreme    max(input) or min(input)
 *     arg        the first index along one axis of the largest or the smallest value
 *
 * The multiplier of a mean holds the division by count.
 *
 * input   [k0, r0, k1, r1, k2, r2]: kept and reduced extents in turn, 1 where there is none
 * output  [k0, k1, k2]
 *
 * [TFLM] kernels/internal/reference/reduce.h and arg_min_max.h.
 * Python twins: microinfer/ops/mean.py, reduce_max_min.py, arg_max_min.py and axes.py.
 */

#ifndef MI_REDUCE_H
#define MI_REDUCE_H

#include "mi_element.h"
#include "mi_fixedpoint.h"
#include "mi_loops.h"

typedef struct {
    int32_t kept_extents[3]; /* [i] lies just outside of reduced_extents[i] */
    int32_t reduced_extents[3];
    int32_t count; /* values per output, below 2^31 / 255; of int16 below 2^16 */
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
    const int32_t reduced[], const int32_t steps[], const void *input, int32_t type, int32_t first,
    int32_t sign)
{
    int32_t result = sign == 0 ? 0 : INT32_MIN;
    for (int32_t r0 = 0; r0 < reduced[0]; r0++) {
        for (int32_t r1 = 0; r1 < reduced[1]; r1++) {
            const int32_t run = first + r0 * steps[0] + r1 * steps[1];
            for (int32_t r2 = 0; r2 < reduced[2]; r2++) {
                const int32_t x = mi_load(input, type, run + r2);
                if (sign == 0) {
                    result += x;
                } else if (sign * x > result) {
                    result = sign * x;
                }
            }
        }
    }
    return result;
}

static inline void mi_mean(
    const mi_mean_params *p, const void *input, void *output, int32_t type, int32_t minimum,
    int32_t maximum)
{
    int32_t kept_steps[3];
    int32_t reduced_steps[3];
    mi_reduce_steps(p->kept_extents, p->reduced_extents, kept_steps, reduced_steps);
    mi_loops at = MI_LOOPS_BEGIN;
    int32_t done = 0;
    do {
        const int32_t sum =
            mi_reduce_window(p->reduced_extents, reduced_steps, input, type, at.offset1, 0) -
            p->count * p->input_zero_point;
        const int32_t steps = mi_requantize(sum, p->multiplier, p->shift);
        mi_store(output, type, done++, mi_output(steps, p->output_zero_point, minimum, maximum));
    } while (mi_loops_next(&at, 3, p->kept_extents, kept_steps, kept_steps));
}

static inline void mi_reduce_extreme(
    const mi_reduce_extreme_params *p, const void *input, void *output, int32_t type)
{
    int32_t kept_steps[3];
    int32_t reduced_steps[3];
    mi_reduce_steps(p->kept_extents, p->reduced_extents, kept_steps, reduced_steps);
    mi_loops at = MI_LOOPS_BEGIN;
    int32_t done = 0;
    do {
        const int32_t extreme = mi_reduce_window(
            p->reduced_extents, reduced_steps, input, type, at.offset1, p->sign);
        mi_store(output, type, done++, p->sign * extreme);
    } while (mi_loops_next(&at, 3, p->kept_extents, kept_steps, kept_steps));
}

MI_KERNEL void mi_mean_s8(const mi_mean_params *p, const int8_t *input, int8_t *output)
{
    mi_mean(p, input, output, MI_TYPE_INT8, INT8_MIN, INT8_MAX);
}

MI_KERNEL void mi_mean_s16(const mi_mean_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_mean(p, input, output, MI_TYPE_INT16, INT16_MIN, INT16_MAX);
}

MI_KERNEL void mi_reduce_extreme_s8(
    const mi_reduce_extreme_params *p, const int8_t *input, int8_t *output)
{
    mi_reduce_extreme(p, input, output, MI_TYPE_INT8);
}

MI_KERNEL void mi_reduce_extreme_s16(
    const mi_reduce_extreme_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_reduce_extreme(p, input, output, MI_TYPE_INT16);
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
