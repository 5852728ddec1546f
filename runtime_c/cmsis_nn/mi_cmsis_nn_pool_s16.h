/* SPDX-License-Identifier: MIT */

/* AVERAGE_POOL_2D and MAX_POOL_2D on int16 by CMSIS-NN, with the params of int8.
 *
 * What they compute: mi_pool_2d_s16.h.
 */

#ifndef MI_CMSIS_NN_POOL_S16_H
#define MI_CMSIS_NN_POOL_S16_H

#include "mi_cmsis_nn_pool.h"

MI_KERNEL void mi_cmsis_nn_average_pool_2d_s16(
    const mi_cmsis_nn_pool_params *p, const mi_i16 *input, mi_i16 *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_pool_params pool = mi_cmsis_nn_pool(p);
    (void)arm_avgpool_s16(&context, &pool, &p->input, input, &p->filter, &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_max_pool_2d_s16(
    const mi_cmsis_nn_pool_params *p, const mi_i16 *input, mi_i16 *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(NULL);
    const cmsis_nn_pool_params pool = mi_cmsis_nn_pool(p);
    (void)arm_max_pool_s16(&context, &pool, &p->input, input, &p->filter, &p->output, output);
}

#endif
