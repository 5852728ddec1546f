/* SPDX-License-Identifier: MIT */

/* The loops of elementwise binary operators, with broadcasting.
 *
 * MI_BROADCAST(p, type, input1, input2, output, value) sets every element of output, in order, to
 * (type)value(p, x1, x2) of the elements of both inputs that meet there. p has extents[5] of the output,
 * outermost first, and input1_strides[5] and input2_strides[5]: elements per step of each loop, 0
 * where the input is repeated. The output may be an input of its own size.
 * Python twin: microinfer/ops/broadcast.py.
 */

#ifndef MI_BROADCAST_H
#define MI_BROADCAST_H

#include "mi_loops.h"

/* clang-format off */
#define MI_BROADCAST(p, type, input1, input2, output, value)                                       \
    do {                                                                                           \
        const int32_t mi_run = (p)->extents[4];                                                    \
        const int32_t mi_step1 = (p)->input1_strides[4];                                           \
        const int32_t mi_step2 = (p)->input2_strides[4];                                           \
        int32_t mi_done = 0;                                                                       \
        mi_loops mi_at = MI_LOOPS_BEGIN;                                                           \
        do {                                                                                       \
            for (int32_t mi_i = 0; mi_i < mi_run; mi_i++) {                                        \
                (output)[mi_done + mi_i] =                                                         \
                    (type)value((p), (input1)[mi_at.offset1 + mi_i * mi_step1],                    \
                                (input2)[mi_at.offset2 + mi_i * mi_step2]);                        \
            }                                                                                      \
            mi_done += mi_run;                                                                     \
        } while (mi_loops_next(&mi_at, 4, (p)->extents, (p)->input1_strides,                       \
                               (p)->input2_strides));                                              \
    } while (0)
/* clang-format on */

#endif
