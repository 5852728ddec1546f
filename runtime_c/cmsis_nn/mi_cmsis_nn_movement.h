/* SPDX-License-Identifier: MIT */

/* PAD and TRANSPOSE on int8 of up to four axes by CMSIS-NN.
 *
 * What they compute: microinfer/ops/pad.py, transpose.py. Python twin of the params:
 * microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_MOVEMENT_H
#define MI_CMSIS_NN_MOVEMENT_H

#include "mi_cmsis_nn.h"

typedef struct {
    int32_t value;       /* of the padding */
    cmsis_nn_dims input; /* leading axes that a tensor lacks are 1 */
    cmsis_nn_dims before;
    cmsis_nn_dims after;
} mi_cmsis_nn_pad_params;

typedef struct {
    cmsis_nn_dims input;
    cmsis_nn_dims output;
    uint32_t permutation[4]; /* the input's axis for each of the output's */
} mi_cmsis_nn_transpose_params;

MI_KERNEL void mi_cmsis_nn_pad_s8(
    const mi_cmsis_nn_pad_params *p, const int8_t *input, int8_t *output)
{
    (void)arm_pad_s8(input, output, (int8_t)p->value, &p->input, &p->before, &p->after);
}

MI_KERNEL void mi_cmsis_nn_transpose_s8(
    const mi_cmsis_nn_transpose_params *p, const int8_t *input, int8_t *output)
{
    const cmsis_nn_transpose_params axes = {4, p->permutation};
    (void)arm_transpose_s8(input, output, &p->input, &p->output, &axes);
}

#endif
