/* SPDX-License-Identifier: MIT */

/* CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV on int8 by CMSIS-NN.
 *
 * What they compute: mi_conv_2d.h, mi_depthwise_conv_2d.h, mi_transpose_conv.h. Python twin of the
 * params: microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_CONV_H
#define MI_CMSIS_NN_CONV_H

#include "mi_cmsis_nn.h"

typedef struct {
    cmsis_nn_dims input;   /* batches, height, width, channels */
    cmsis_nn_dims filter;  /* output channels, height, width, channels; depthwise: 1, ... */
    cmsis_nn_dims output;  /* batches, height, width, channels */
    cmsis_nn_tile stride;  /* width, height */
    cmsis_nn_tile padding; /* left, top */
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation; /* min, max */
    int32_t input_offset;           /* -zero point */
    int32_t output_offset;          /* zero point */
    const int8_t *weights;
    const int32_t *bias;        /* or NULL */
    const int32_t *multipliers; /* one per output channel */
    const int32_t *shifts;
} mi_cmsis_nn_conv_params;

typedef struct {
    cmsis_nn_dims input;            /* batches, height, width, channels */
    cmsis_nn_dims filter;           /* output channels, height, width, channels */
    cmsis_nn_dims output;           /* batches, height, width, channels */
    cmsis_nn_tile stride;           /* width, height */
    cmsis_nn_tile padding;          /* left, top */
    cmsis_nn_activation activation; /* min, max */
    int32_t input_offset;           /* -zero point */
    int32_t output_offset;          /* zero point */
    const int8_t *weights;
    const int32_t *bias;        /* or NULL */
    const int32_t *multipliers; /* one per output channel */
    const int32_t *shifts;
} mi_cmsis_nn_transpose_conv_params;

static inline cmsis_nn_conv_params mi_cmsis_nn_conv(const mi_cmsis_nn_conv_params *p)
{
    cmsis_nn_conv_params conv;
    conv.input_offset = p->input_offset;
    conv.output_offset = p->output_offset;
    conv.stride = p->stride;
    conv.padding = p->padding;
    conv.dilation = p->dilation;
    conv.activation = p->activation;
    return conv;
}

static inline cmsis_nn_dw_conv_params mi_cmsis_nn_depthwise(const mi_cmsis_nn_conv_params *p)
{
    cmsis_nn_dw_conv_params conv;
    conv.input_offset = p->input_offset;
    conv.output_offset = p->output_offset;
    conv.ch_mult = p->output.c / p->input.c;
    conv.stride = p->stride;
    conv.padding = p->padding;
    conv.dilation = p->dilation;
    conv.activation = p->activation;
    return conv;
}

/* The short cuts of arm_convolve_wrapper_s8, of which the layer's shape takes one: a program that
 * calls the wrapper has all of them in its flash. Kernels of 1x1, without and with a stride: */
MI_KERNEL void mi_cmsis_nn_conv_2d_1x1_fast_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_conv_params conv = mi_cmsis_nn_conv(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_convolve_1x1_s8_fast(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_conv_2d_1x1_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_conv_params conv = mi_cmsis_nn_conv(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_convolve_1x1_s8(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* Images of one row, on cores with MVE: */
MI_KERNEL void mi_cmsis_nn_conv_2d_row_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_conv_params conv = mi_cmsis_nn_conv(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_convolve_1_x_n_s8(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* All others. */
MI_KERNEL void mi_cmsis_nn_conv_2d_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_conv_params conv = mi_cmsis_nn_conv(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_convolve_s8(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias, NULL,
        &p->output, output);
}

/* Which short cut the wrapper takes depends on the core, too: it is called in code for any core, and
 * for a single input channel with MVE. */
MI_KERNEL void mi_cmsis_nn_depthwise_conv_2d_wrapper_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_dw_conv_params conv = mi_cmsis_nn_depthwise(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_depthwise_conv_wrapper_s8(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* As many outputs as inputs: */
MI_KERNEL void mi_cmsis_nn_depthwise_conv_2d_3x3_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_dw_conv_params conv = mi_cmsis_nn_depthwise(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_depthwise_conv_3x3_s8(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_depthwise_conv_2d_opt_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_dw_conv_params conv = mi_cmsis_nn_depthwise(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_depthwise_conv_s8_opt(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* All others. */
MI_KERNEL void mi_cmsis_nn_depthwise_conv_2d_s8(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_dw_conv_params conv = mi_cmsis_nn_depthwise(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_depthwise_conv_s8(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_transpose_conv_s8(
    const mi_cmsis_nn_transpose_conv_params *p, const int8_t *input, int8_t *output,
    mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_context unused = mi_cmsis_nn_scratch(NULL);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    cmsis_nn_transpose_conv_params conv;
    conv.input_offset = p->input_offset;
    conv.output_offset = p->output_offset;
    conv.stride = p->stride;
    conv.padding = p->padding;
    conv.padding_offsets.w = 0;
    conv.padding_offsets.h = 0;
    conv.dilation.w = 1;
    conv.dilation.h = 1;
    conv.activation = p->activation;
    (void)arm_transpose_conv_s8(
        &context, &unused, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* The same as a convolution of the input with zeros between its elements; strides are 1 or 2,
 * weights reversed along height and width. */
MI_KERNEL void mi_cmsis_nn_transpose_conv_reversed_s8(
    const mi_cmsis_nn_transpose_conv_params *p, const int8_t *input, int8_t *output,
    mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    cmsis_nn_dims enlarged = p->input;
    cmsis_nn_dims enlargement;
    cmsis_nn_conv_params conv;
    enlarged.h *= p->stride.h;
    enlarged.w *= p->stride.w;
    enlargement.n = 0;
    enlargement.h = p->stride.h;
    enlargement.w = p->stride.w;
    enlargement.c = 0;
    conv.input_offset = p->input_offset;
    conv.output_offset = p->output_offset;
    conv.stride.w = 1;
    conv.stride.h = 1;
    conv.padding.w = p->filter.w - 1 - p->padding.w;
    conv.padding.h = p->filter.h - 1 - p->padding.h;
    conv.dilation.w = 1;
    conv.dilation.h = 1;
    conv.activation = p->activation;
    (void)arm_convolve_s8(
        &context, &conv, &quant, &enlarged, input, &p->filter, p->weights, &bias, p->bias,
        &enlargement, &p->output, output);
}

#endif
