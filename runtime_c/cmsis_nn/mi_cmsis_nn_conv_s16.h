/* SPDX-License-Identifier: MIT */

/* CONV_2D and DEPTHWISE_CONV_2D on int16, all zero points 0, by CMSIS-NN.
 *
 * What they compute: mi_conv_2d_s16.h, mi_depthwise_conv_2d_s16.h. Python twin of the params:
 * microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_CONV_S16_H
#define MI_CMSIS_NN_CONV_S16_H

#include "mi_cmsis_nn.h"

typedef struct {
    cmsis_nn_dims input;   /* batches, height, width, channels */
    cmsis_nn_dims filter;  /* output channels, height, width, channels; depthwise: 1, ... */
    cmsis_nn_dims output;  /* batches, height, width, channels */
    cmsis_nn_tile stride;  /* width, height */
    cmsis_nn_tile padding; /* left, top */
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation; /* min, max */
    int32_t int32_bias; /* 1: bias, or none, rounded twice; 0: wide_bias, or none, rounded once */
    const int8_t *weights;
    const int32_t *bias;        /* or NULL */
    const int64_t *wide_bias;   /* or NULL */
    const int32_t *multipliers; /* one per output channel */
    const int32_t *shifts;
} mi_cmsis_nn_conv_s16_params;

MI_KERNEL void mi_cmsis_nn_conv_2d_s16(
    const mi_cmsis_nn_conv_s16_params *p, const mi_i16 *input, mi_i16 *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims shape = mi_cmsis_nn_bias(p->output.c);
    const cmsis_nn_bias_data bias = {
        p->int32_bias ? (const void *)p->bias : (const void *)p->wide_bias, p->int32_bias != 0};
    cmsis_nn_conv_params conv;
    conv.input_offset = 0;
    conv.output_offset = 0;
    conv.stride = p->stride;
    conv.padding = p->padding;
    conv.dilation = p->dilation;
    conv.activation = p->activation;
    (void)arm_convolve_wrapper_s16(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &shape, &bias,
        &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_depthwise_conv_2d_s16(
    const mi_cmsis_nn_conv_s16_params *p, const mi_i16 *input, mi_i16 *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    cmsis_nn_dw_conv_params conv;
    conv.input_offset = 0;
    conv.output_offset = 0;
    conv.ch_mult = p->output.c / p->input.c;
    conv.stride = p->stride;
    conv.padding = p->padding;
    conv.dilation = p->dilation;
    conv.activation = p->activation;
    (void)arm_depthwise_conv_wrapper_s16(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->wide_bias,
        &p->output, output);
}

#endif
