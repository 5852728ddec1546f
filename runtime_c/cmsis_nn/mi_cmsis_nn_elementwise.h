/* SPDX-License-Identifier: MIT */

/* ADD and MUL on int8, of equal shapes, by CMSIS-NN.
 *
 * What they compute: mi_add.h, mi_mul.h. Python twin of the params:
 * microinfer/emit/cmsis_nn/params.py. Offsets are -zero point of inputs, zero point of outputs.
 */

#ifndef MI_CMSIS_NN_ELEMENTWISE_H
#define MI_CMSIS_NN_ELEMENTWISE_H

#include "mi_cmsis_nn.h"

typedef struct {
    int32_t size;
    int32_t left_shift; /* of both inputs, before they are rescaled */
    int32_t input1_offset;
    int32_t input1_multiplier;
    int32_t input1_shift;
    int32_t input2_offset;
    int32_t input2_multiplier;
    int32_t input2_shift;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    cmsis_nn_activation activation; /* min, max */
} mi_cmsis_nn_add_params;

typedef struct {
    int32_t size;
    int32_t input1_offset;
    int32_t input2_offset;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    cmsis_nn_activation activation; /* min, max */
} mi_cmsis_nn_mul_params;

MI_KERNEL void mi_cmsis_nn_add_s8(
    const mi_cmsis_nn_add_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    (void)arm_elementwise_add_s8(
        input1, input2, p->input1_offset, p->input1_multiplier, p->input1_shift, p->input2_offset,
        p->input2_multiplier, p->input2_shift, p->left_shift, output, p->output_offset,
        p->output_multiplier, p->output_shift, p->activation.min, p->activation.max, p->size);
}

MI_KERNEL void mi_cmsis_nn_mul_s8(
    const mi_cmsis_nn_mul_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    (void)arm_elementwise_mul_s8(
        input1, input2, p->input1_offset, p->input2_offset, output, p->output_offset,
        p->output_multiplier, p->output_shift, p->activation.min, p->activation.max, p->size);
}

#endif
