/* SPDX-License-Identifier: MIT */

/* GATHER, GATHER_ND and RESIZE_NEAREST_NEIGHBOR: runs of elements by their places.
 *
 *     mi_gather     output[o, r, c, :] = input[o * outer_stride + rows[r] + columns[c], :]
 *     mi_gather_at  output[b, o, i, :] = input[b, o, indices[b, i], :]
 *
 * Everything counts runs of ``run_bytes``. Input and output may not overlap. Indices that come
 * from outside are checked before the model runs.
 * Python twins: microinfer/ops/movement.py, microinfer/ops/gather.py.
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

typedef struct {
    int32_t batches;
    int32_t outer;
    int32_t extent; /* of the axis that is indexed */
    int32_t count;  /* indices of a batch */
    int32_t run_bytes;
} mi_gather_at_params;

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

/* Whether all indices are 0 .. limit - 1. */
MI_KERNEL int mi_indices_within(const void *indices, int32_t count, int32_t limit)
{
    const mi_i32 *places = (const mi_i32 *)indices;
    for (int32_t i = 0; i < count; ++i) {
        if (places[i] < 0 || places[i] >= limit) {
            return 0;
        }
    }
    return 1;
}

MI_KERNEL void mi_gather_at(
    const mi_gather_at_params *p, const void *input, const void *indices, void *output)
{
    const int8_t *from = (const int8_t *)input;
    const mi_i32 *places = (const mi_i32 *)indices;
    int8_t *to = (int8_t *)output;
    for (int32_t batch = 0; batch < p->batches; ++batch) {
        for (int32_t outer = 0; outer < p->outer; ++outer) {
            for (int32_t i = 0; i < p->count; ++i) {
                memcpy(to, from + places[i] * p->run_bytes, (size_t)p->run_bytes);
                to += p->run_bytes;
            }
            from += p->extent * p->run_bytes;
        }
        places += p->count;
    }
}

#endif
