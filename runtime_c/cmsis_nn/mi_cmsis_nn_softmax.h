/* SPDX-License-Identifier: MIT */

/* SOFTMAX on int8 by CMSIS-NN.
 *
 * What it computes: mi_softmax.h. Python twin of the params: microinfer/ops/softmax.py.
 */

#ifndef MI_CMSIS_NN_SOFTMAX_H
#define MI_CMSIS_NN_SOFTMAX_H

#include "mi_cmsis_nn.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t multiplier;
    int32_t shift;
    int32_t diff_min;
} mi_cmsis_nn_softmax_params;

MI_KERNEL void mi_cmsis_nn_softmax_s8(
    const mi_cmsis_nn_softmax_params *p, const int8_t *input, int8_t *output)
{
    arm_softmax_s8(input, p->rows, p->depth, p->multiplier, p->shift, p->diff_min, output);
}

#endif
