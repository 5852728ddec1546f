/* SPDX-License-Identifier: MIT */

/* FULLY_CONNECTED and BATCH_MATMUL on int16, all zero points 0, by CMSIS-NN.
 *
 * What they compute: mi_fully_connected_s16.h, mi_batch_matmul_s16.h. Python twin of the params:
 * microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_FULLY_CONNECTED_S16_H
#define MI_CMSIS_NN_FULLY_CONNECTED_S16_H

#include "mi_cmsis_nn.h"

typedef struct {
    cmsis_nn_dims input;            /* rows, 1, 1, input size */
    cmsis_nn_dims filter;           /* input size, 1, 1, output size */
    cmsis_nn_dims output;           /* rows, 1, 1, output size */
    cmsis_nn_activation activation; /* min, max */
    int32_t multiplier;
    int32_t shift;
    const int8_t *weights; /* [output size, input size] */
    const int64_t *bias;   /* or NULL */
} mi_cmsis_nn_fully_connected_s16_params;

typedef struct {
    cmsis_nn_dims lhs;    /* matrices, 1, rows, depth */
    cmsis_nn_dims rhs;    /* matrices, 1, columns, depth */
    cmsis_nn_dims output; /* matrices, 1, rows, columns */
    int32_t multiplier;
    int32_t shift;
} mi_cmsis_nn_batch_matmul_s16_params;

MI_KERNEL void mi_cmsis_nn_fully_connected_s16(
    const mi_cmsis_nn_fully_connected_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(NULL);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    const cmsis_nn_per_tensor_quant_params quant = {p->multiplier, p->shift};
    const cmsis_nn_fc_params dense = {0, 0, 0, p->activation};
    (void)arm_fully_connected_s16(
        &context, &dense, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* The right side's columns lie one after the other. */
MI_KERNEL void mi_cmsis_nn_batch_matmul_s16(
    const mi_cmsis_nn_batch_matmul_s16_params *p, const mi_i16 *lhs, const mi_i16 *rhs,
    mi_i16 *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(NULL);
    const cmsis_nn_per_tensor_quant_params quant = {p->multiplier, p->shift};
    const cmsis_nn_bmm_params matmul = {false, true, {0, 0, 0, {INT16_MIN, INT16_MAX}}};
    (void)arm_batch_matmul_s16(
        &context, &matmul, &quant, &p->lhs, lhs, &p->rhs, rhs, &p->output, output);
}

#endif
