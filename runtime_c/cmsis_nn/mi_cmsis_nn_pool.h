/* SPDX-License-Identifier: MIT */

/* AVERAGE_POOL_2D and MAX_POOL_2D on int8 by CMSIS-NN.
 *
 * What they compute: mi_pool_2d.h. Python twin of the params: microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_POOL_H
#define MI_CMSIS_NN_POOL_H

#include "mi_cmsis_nn.h"

typedef struct {
    cmsis_nn_dims input;            /* batches, height, width, channels */
    cmsis_nn_dims filter;           /* 1, height, width, 1 */
    cmsis_nn_dims output;           /* batches, height, width, channels */
    cmsis_nn_tile stride;           /* width, height */
    cmsis_nn_tile padding;          /* left, top */
    cmsis_nn_activation activation; /* min, max */
} mi_cmsis_nn_pool_params;

static inline cmsis_nn_pool_params mi_cmsis_nn_pool(const mi_cmsis_nn_pool_params *p)
{
    cmsis_nn_pool_params pool;
    pool.stride = p->stride;
    pool.padding = p->padding;
    pool.activation = p->activation;
    return pool;
}

MI_KERNEL void mi_cmsis_nn_average_pool_2d_s8(
    const mi_cmsis_nn_pool_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_pool_params pool = mi_cmsis_nn_pool(p);
    (void)arm_avgpool_s8(&context, &pool, &p->input, input, &p->filter, &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_max_pool_2d_s8(
    const mi_cmsis_nn_pool_params *p, const int8_t *input, int8_t *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(NULL);
    const cmsis_nn_pool_params pool = mi_cmsis_nn_pool(p);
    (void)arm_max_pool_s8(&context, &pool, &p->input, input, &p->filter, &p->output, output);
}

#endif
