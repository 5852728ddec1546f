/* SPDX-License-Identifier: MIT */

/* FULLY_CONNECTED on int8 with packed int4 weights, quantized per tensor, by CMSIS-NN.
 *
 * What it computes: mi_fully_connected.h. Its params are those of int8 weights, but for two weights
 * to a byte, filter_offset 0 and no kernel_sums.
 */

#ifndef MI_CMSIS_NN_FULLY_CONNECTED_S4_H
#define MI_CMSIS_NN_FULLY_CONNECTED_S4_H

#include "mi_cmsis_nn_fully_connected.h"

MI_KERNEL void mi_cmsis_nn_fully_connected_s4(
    const mi_cmsis_nn_fully_connected_params *p, const int8_t *input, int8_t *output)
{
    const cmsis_nn_context context = mi_cmsis_nn_scratch(NULL);
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(p->output.c);
    const cmsis_nn_per_tensor_quant_params quant = {p->multipliers[0], p->shifts[0]};
    const cmsis_nn_fc_params dense = mi_cmsis_nn_dense(p);
    (void)arm_fully_connected_s4(
        &context, &dense, &quant, &p->input, input, &p->filter, p->weights, &bias, p->bias,
        &p->output, output);
}

#endif
