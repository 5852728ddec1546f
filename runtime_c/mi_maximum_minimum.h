/* SPDX-License-Identifier: MIT */

/* MAXIMUM and MINIMUM on int8 or int16, with broadcasting, of raw integers.
 *
 * The output may be an input of its own size.
 * [TFLM] kernels/internal/reference/maximum_minimum.h.
 * Python twin: microinfer/ops/maximum_minimum.py.
 */

#ifndef MI_MAXIMUM_MINIMUM_H
#define MI_MAXIMUM_MINIMUM_H

#include "mi_broadcast.h"

typedef struct {
    int32_t extents[5];        /* of the output, outermost first */
    int32_t input1_strides[5]; /* elements per step of each loop; 0: repeated */
    int32_t input2_strides[5];
    int32_t larger; /* 1: the larger of the two, 0: the smaller */
} mi_maximum_minimum_params;

/* One element. */
static inline int32_t mi_maximum_minimum_value(
    const mi_maximum_minimum_params *p, int32_t x1, int32_t x2)
{
    return (x1 > x2) == (p->larger != 0) ? x1 : x2;
}

MI_KERNEL void mi_maximum_minimum_s8(
    const mi_maximum_minimum_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    MI_BROADCAST(p, int8_t, input1, input2, output, mi_maximum_minimum_value);
}

MI_KERNEL void mi_maximum_minimum_s16(
    const mi_maximum_minimum_params *p, const mi_i16 *input1, const mi_i16 *input2, mi_i16 *output)
{
    MI_BROADCAST(p, int16_t, input1, input2, output, mi_maximum_minimum_value);
}

#endif
