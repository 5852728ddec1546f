/* SPDX-License-Identifier: MIT */

/* SOFTMAX to int16, of int8 and of int16, by CMSIS-NN.
 *
 * What they compute: mi_softmax.h, mi_softmax_s16.h. Python twin of the params:
 * microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_SOFTMAX_S16_H
#define MI_CMSIS_NN_SOFTMAX_S16_H

#include "mi_cmsis_nn_softmax.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t multiplier;
    int32_t shift;
    const int16_t *exponentials; /* [513] */
    const int16_t *reciprocals;  /* [513] */
} mi_cmsis_nn_softmax_s16_params;

MI_KERNEL void mi_cmsis_nn_softmax_s8_s16(
    const mi_cmsis_nn_softmax_params *p, const int8_t *input, mi_i16 *output)
{
    arm_softmax_s8_s16(input, p->rows, p->depth, p->multiplier, p->shift, p->diff_min, output);
}

MI_KERNEL void mi_cmsis_nn_softmax_s16(
    const mi_cmsis_nn_softmax_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    const cmsis_nn_softmax_lut_s16 tables = {p->exponentials, p->reciprocals};
    (void)arm_softmax_s16(input, p->rows, p->depth, p->multiplier, p->shift, &tables, output);
}

#endif
