/* SPDX-License-Identifier: MIT */

/* Nested loops over two strided arrays, as one loop.
 *
 *     mi_loops at = MI_LOOPS_BEGIN;
 *     do {
 *         ... first[at.offset1] ... second[at.offset2] ...
 *     } while (mi_loops_next(&at, loops, extents, strides1, strides2));
 *
 * Python twins: microinfer/ops/broadcast.py and movement.py.
 */

#ifndef MI_LOOPS_H
#define MI_LOOPS_H

#include "mi_runtime.h"

#define MI_LOOPS_MAX 5

typedef struct {
    int32_t index[MI_LOOPS_MAX];
    int32_t offset1; /* sum of index[k] * strides1[k], in elements */
    int32_t offset2;
} mi_loops;

#define MI_LOOPS_BEGIN {{0, 0, 0, 0, 0}, 0, 0}

/* Step to the next element of the outer ``loops`` loops, the last of them fastest; 0 at the end.
 * Extents are at least 1. */
static inline int mi_loops_next(
    mi_loops *at, int32_t loops, const int32_t extents[], const int32_t strides1[],
    const int32_t strides2[])
{
    for (int32_t k = loops - 1; k >= 0; --k) {
        at->offset1 += strides1[k];
        at->offset2 += strides2[k];
        if (++at->index[k] < extents[k]) {
            return 1;
        }
        at->offset1 -= extents[k] * strides1[k];
        at->offset2 -= extents[k] * strides2[k];
        at->index[k] = 0;
    }
    return 0;
}

#endif
