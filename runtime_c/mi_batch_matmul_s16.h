/* SPDX-License-Identifier: MIT */

/* BATCH_MATMUL on int16: mi_batch_matmul.h with zero points of 0 and an int64 accumulator, a
 * multiplier of 16 bits and one rounding.
 *
 * depth is so small that no acc leaves 47 bits.
 * [TFLM] kernels/internal/reference/batch_matmul.h. Python twin: microinfer/ops/batch_matmul.py.
 */

#ifndef MI_BATCH_MATMUL_S16_H
#define MI_BATCH_MATMUL_S16_H

#include "mi_batch_matmul.h"
#include "mi_fixedpoint_s64.h"

MI_KERNEL void mi_batch_matmul_s16(
    const mi_batch_matmul_params *p, const mi_i16 *lhs, const mi_i16 *rhs, mi_i16 *output)
{
    const int32_t depth = p->depth;
    const int32_t lhs_step = p->lhs_depth_stride;
    const int32_t rhs_step = p->rhs_depth_stride;
    mi_loops at = MI_LOOPS_BEGIN;
    do {
        for (int32_t i = 0; i < p->rows; i++) {
            const mi_i16 *row = lhs + (at.offset1 + i * p->lhs_row_stride);
            for (int32_t j = 0; j < p->columns; j++) {
                const mi_i16 *column = rhs + (at.offset2 + j * p->rhs_column_stride);
                int64_t acc = 0;
                for (int32_t k = 0; k < depth; k++) {
                    acc += (int32_t)row[k * lhs_step] * column[k * rhs_step];
                }
                const int32_t steps = mi_requantize_s64(acc, p->multiplier, p->shift);
                *output++ = mi_output_s16(steps, 0, INT16_MIN, INT16_MAX);
            }
        }
    } while (mi_loops_next(&at, 3, p->extents, p->lhs_strides, p->rhs_strides));
}

#endif
