/* SPDX-License-Identifier: MIT */

/* FULLY_CONNECTED and BATCH_MATMUL on int8 by CMSIS-NN.
 *
 * What they compute: mi_fully_connected.h, mi_batch_matmul.h. Python twin of the params:
 * microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_FULLY_CONNECTED_H
#define MI_CMSIS_NN_FULLY_CONNECTED_H

#include "mi_cmsis_nn.h"

typedef struct {
    cmsis_nn_dims input;            /* rows, 1, 1, input size */
    cmsis_nn_dims filter;           /* input size, 1, 1, output size */
    cmsis_nn_dims output;           /* rows, 1, 1, output size */
    cmsis_nn_activation activation; /* min, max */
    int32_t input_offset;           /* -zero point */
    int32_t filter_offset;          /* -zero point */
    int32_t output_offset;          /* zero point */
    const int8_t *weights;          /* [output size, input size] */
    const int32_t *bias;            /* or NULL; cores with MVE read kernel_sums instead */
    const int32_t *kernel_sums;     /* bias + input_offset * sum of an output's weights; or NULL */
    const int32_t *multipliers;     /* one, or one per output */
    const int32_t *shifts;
} mi_cmsis_nn_fully_connected_params;

typedef struct {
    cmsis_nn_dims lhs;     /* matrices, 1, rows, depth */
    cmsis_nn_dims rhs;     /* matrices, 1, columns, depth */
    cmsis_nn_dims output;  /* matrices, 1, rows, columns */
    int32_t lhs_offset;    /* -zero point */
    int32_t rhs_offset;    /* -zero point */
    int32_t output_offset; /* zero point */
    int32_t multiplier;
    int32_t shift;
} mi_cmsis_nn_batch_matmul_params;

static inline cmsis_nn_fc_params mi_cmsis_nn_dense(const mi_cmsis_nn_fully_connected_params *p)
{
    cmsis_nn_fc_params dense;
    dense.input_offset = p->input_offset;
    dense.filter_offset = p->filter_offset;
    dense.output_offset = p->output_offset;
    dense.activation = p->activation;
    return dense;
}

/* The library expects sums of weights where others expect scratch. */
static inline cmsis_nn_context mi_cmsis_nn_sums(const int32_t *kernel_sums)
{
    cmsis_nn_context context;
    context.buf = (void *)kernel_sums;
    context.size = 0;
    return context;
}

/* With one multiplier and shift for all outputs. */
MI_KERNEL void mi_cmsis_nn_fully_connected_s8(
    const mi_cmsis_nn_fully_connected_params *p, const int8_t *input, int8_t *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_sums(p->kernel_sums);
    const cmsis_nn_fc_params dense = mi_cmsis_nn_dense(p);
    const cmsis_nn_per_tensor_quant_params quant = {p->multipliers[0], p->shifts[0]};
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_fully_connected_s8(
        &context, &dense, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* With one for each. */
MI_KERNEL void mi_cmsis_nn_fully_connected_per_channel_s8(
    const mi_cmsis_nn_fully_connected_params *p, const int8_t *input, int8_t *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_sums(p->kernel_sums);
    const cmsis_nn_fc_params dense = mi_cmsis_nn_dense(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_fully_connected_per_channel_s8(
        &context, &dense, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* The right side's columns lie one after the other. */
MI_KERNEL void mi_cmsis_nn_batch_matmul_s8(
    const mi_cmsis_nn_batch_matmul_params *p, const int8_t *lhs, const int8_t *rhs, int8_t *output,
    mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_per_tensor_quant_params quant = {p->multiplier, p->shift};
    const cmsis_nn_bmm_params matmul = {
        false, true, {p->lhs_offset, p->rhs_offset, p->output_offset, {INT8_MIN, INT8_MAX}}};
    (void)arm_batch_matmul_s8(
        &context, &matmul, &quant, &p->lhs, lhs, &p->rhs, rhs, &p->output, output);
}

#endif
