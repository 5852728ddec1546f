/* SPDX-License-Identifier: MIT */

/* SELECT_V2 and SELECT on int8: output = condition ? input1 : input2, with broadcasting.
 *
 * The condition has one byte per element, 0 or not. The output may be any of the three, if that is
 * of its own size. Python twin: microinfer/ops/select.py.
 */

#ifndef MI_SELECT_H
#define MI_SELECT_H

#include "mi_loops.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t condition_strides[5];
} mi_select_params;

MI_KERNEL void mi_select_s8(
    const mi_select_params *p, const int8_t *condition, const int8_t *input1, const int8_t *input2,
    int8_t *output)
{
    mi_loops at = MI_LOOPS_BEGIN; /* offset1: input 1, offset2: input 2 */
    mi_loops test = MI_LOOPS_BEGIN;
    int32_t done = 0;
    do {
        output[done] = condition[test.offset1] != 0 ? input1[at.offset1] : input2[at.offset2];
        done++;
        (void)mi_loops_next(&test, 5, p->extents, p->condition_strides, p->condition_strides);
    } while (mi_loops_next(&at, 5, p->extents, p->input1_strides, p->input2_strides));
}

#endif
