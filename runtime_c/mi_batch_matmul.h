/* SPDX-License-Identifier: MIT */

/* BATCH_MATMUL on int8: matrices times matrices, batch axes broadcast.
 *
 *     acc[i, j]    = sum over k of (lhs[i, k] - lhs_zero_point) * (rhs[k, j] - rhs_zero_point)
 *     output[i, j] = clamp8(requantize(acc, multiplier, shift) + output_zero_point)
 *
 * lhs     int8 [..., rows, depth], or its last two axes exchanged
 * rhs     int8 [..., depth, columns], or its last two axes exchanged
 * output  int8 [..., rows, columns]
 *
 * depth is so small that no acc can leave int32.
 * [TFLM] kernels/internal/reference/batch_matmul.h. Python twin: microinfer/ops/batch_matmul.py.
 */

#ifndef MI_BATCH_MATMUL_H
#define MI_BATCH_MATMUL_H

#include "mi_fixedpoint.h"
#include "mi_loops.h"

typedef struct {
    int32_t extents[3];     /* batch axes, outermost first */
    int32_t lhs_strides[3]; /* elements per step of each; 0: one matrix serves all */
    int32_t rhs_strides[3];
    int32_t rows;
    int32_t depth;
    int32_t columns;
    int32_t lhs_row_stride; /* elements, within a matrix */
    int32_t lhs_depth_stride;
    int32_t rhs_depth_stride;
    int32_t rhs_column_stride;
    int32_t lhs_zero_point;
    int32_t rhs_zero_point;
    int32_t output_zero_point;
    int32_t multiplier;
    int32_t shift;
} mi_batch_matmul_params;

MI_KERNEL void mi_batch_matmul_s8(
    const mi_batch_matmul_params *p, const int8_t *lhs, const int8_t *rhs, int8_t *output)
{
    const int32_t depth = p->depth;
    const int32_t lhs_step = p->lhs_depth_stride;
    const int32_t rhs_step = p->rhs_depth_stride;
    mi_loops at = MI_LOOPS_BEGIN;
    do {
        for (int32_t i = 0; i < p->rows; i++) {
            const int8_t *row = lhs + (at.offset1 + i * p->lhs_row_stride);
            for (int32_t j = 0; j < p->columns; j++) {
                const int8_t *column = rhs + (at.offset2 + j * p->rhs_column_stride);
                int32_t acc = 0;
                for (int32_t k = 0; k < depth; k++) {
                    acc += (row[k * lhs_step] - p->lhs_zero_point) *
                           (column[k * rhs_step] - p->rhs_zero_point);
                }
                const int32_t steps = mi_requantize(acc, p->multiplier, p->shift);
                *output++ = mi_output_s8(steps, p->output_zero_point, INT8_MIN, INT8_MAX);
            }
        }
    } while (mi_loops_next(&at, 3, p->extents, p->lhs_strides, p->rhs_strides));
}

#endif
