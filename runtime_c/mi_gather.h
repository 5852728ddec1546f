/* SPDX-License-Identifier: MIT */

/* GATHER, GATHER_ND and RESIZE_NEAREST_NEIGHBOR: runs of elements by tables of their places.
 *
 *     output[o, r, c, :] = input[o * outer_stride + rows[r] + columns[c], :]
 *
 * Everything counts runs of ``run_bytes``. Input and output may not overlap.
 * Python twin: microinfer/ops/movement.py.
 */

#ifndef MI_GATHER_H
#define MI_GATHER_H

#include "mi_runtime.h"

typedef struct {
    int32_t outer;
    int32_t outer_stride; /* runs of the input, as are rows and columns */
    int32_t row_count;
    int32_t column_count;
    int32_t run_bytes;
    const int32_t *rows;
    const int32_t *columns;
} mi_gather_params;

MI_KERNEL void mi_gather(const mi_gather_params *p, const void *input, void *output)
{
    const int8_t *from = (const int8_t *)input;
    int8_t *to = (int8_t *)output;
    for (int32_t outer = 0; outer < p->outer; ++outer) {
        for (int32_t row = 0; row < p->row_count; ++row) {
            for (int32_t column = 0; column < p->column_count; ++column) {
                const int32_t place = outer * p->outer_stride + p->rows[row] + p->columns[column];
                memcpy(to, from + place * p->run_bytes, (size_t)p->run_bytes);
                to += p->run_bytes;
            }
        }
    }
}

#endif
