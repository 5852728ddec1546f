/* SPDX-License-Identifier: MIT */

/* SELECT_V2 and SELECT on int8 or int16: output = condition ? input1 : input2, with broadcasting.
 *
 * The condition has one byte per element, 0 or not. The output may be any of the three, if that is
 * of its own size. Python twin: microinfer/ops/select.py.
 */

#ifndef MI_SELECT_H
#define MI_SELECT_H

#include "mi_element.h"
#include "mi_loops.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t condition_strides[5];
} mi_select_params;

static inline void mi_select(
    const mi_select_params *p, const int8_t *condition, const void *input1, const void *input2,
    void *output, int32_t type)
{
    mi_loops at = MI_LOOPS_BEGIN; /* offset1: input 1, offset2: input 2 */
    mi_loops test = MI_LOOPS_BEGIN;
    int32_t done = 0;
    do {
        const int32_t chosen = condition[test.offset1] != 0 ? mi_load(input1, type, at.offset1)
                                                            : mi_load(input2, type, at.offset2);
        mi_store(output, type, done, chosen);
        done++;
        (void)mi_loops_next(&test, 5, p->extents, p->condition_strides, p->condition_strides);
    } while (mi_loops_next(&at, 5, p->extents, p->input1_strides, p->input2_strides));
}

MI_KERNEL void mi_select_s8(
    const mi_select_params *p, const int8_t *condition, const int8_t *input1, const int8_t *input2,
    int8_t *output)
{
    mi_select(p, condition, input1, input2, output, MI_TYPE_INT8);
}

MI_KERNEL void mi_select_s16(
    const mi_select_params *p, const int8_t *condition, const mi_i16 *input1, const mi_i16 *input2,
    mi_i16 *output)
{
    mi_select(p, condition, input1, input2, output, MI_TYPE_INT16);
}

#endif
