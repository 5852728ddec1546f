/* SPDX-License-Identifier: MIT */

/* CONV_2D and DEPTHWISE_CONV_2D on int8 with packed int4 weights by CMSIS-NN.
 *
 * What they compute: mi_conv_2d.h, mi_depthwise_conv_2d.h. Their params are those of int8 weights,
 * but for two weights to a byte.
 */

#ifndef MI_CMSIS_NN_CONV_S4_H
#define MI_CMSIS_NN_CONV_S4_H

#include "mi_cmsis_nn_conv.h"

MI_KERNEL void mi_cmsis_nn_conv_2d_s4(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_conv_params conv = mi_cmsis_nn_conv(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_convolve_wrapper_s4(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

/* The same without the library's short cuts, one of which has limits on cores with MVE. */
MI_KERNEL void mi_cmsis_nn_conv_2d_any_s4(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_conv_params conv = mi_cmsis_nn_conv(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_convolve_s4(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

MI_KERNEL void mi_cmsis_nn_depthwise_conv_2d_s4(
    const mi_cmsis_nn_conv_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_dw_conv_params conv = mi_cmsis_nn_depthwise(p);
    const cmsis_nn_per_channel_quant_params quant = mi_cmsis_nn_quant(p->multipliers, p->shifts);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    (void)arm_depthwise_conv_wrapper_s4(
        &context, &conv, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

#endif
