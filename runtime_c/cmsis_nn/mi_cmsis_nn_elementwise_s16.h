/* SPDX-License-Identifier: MIT */

/* ADD and MUL on int16, of equal shapes, by CMSIS-NN, with the params of int8; all zero points 0.
 *
 * What they compute: mi_add.h, mi_mul.h.
 */

#ifndef MI_CMSIS_NN_ELEMENTWISE_S16_H
#define MI_CMSIS_NN_ELEMENTWISE_S16_H

#include "mi_cmsis_nn_elementwise.h"

MI_KERNEL void mi_cmsis_nn_add_s16(
    const mi_cmsis_nn_add_params *p, const mi_i16 *input1, const mi_i16 *input2, mi_i16 *output)
{
    (void)arm_elementwise_add_s16(
        input1, input2, 0, p->input1_multiplier, p->input1_shift, 0, p->input2_multiplier,
        p->input2_shift, p->left_shift, output, 0, p->output_multiplier, p->output_shift,
        p->activation.min, p->activation.max, p->size);
}

MI_KERNEL void mi_cmsis_nn_mul_s16(
    const mi_cmsis_nn_mul_params *p, const mi_i16 *input1, const mi_i16 *input2, mi_i16 *output)
{
    (void)arm_elementwise_mul_s16(
        input1, input2, 0, 0, output, 0, p->output_multiplier, p->output_shift, p->activation.min,
        p->activation.max, p->size);
}

#endif
