/* SPDX-License-Identifier: MIT */

/* LOGISTIC and TANH on int16, by table.
 *
 *     output = 1 / (1 + exp(-r)), or tanh(r);   r = input * multiplier * 2^-shift / 12288
 *
 * Outputs have scale 2^-15 and zero point 0, inputs zero point 0. The output may be the input.
 * [TFLM] kernels/internal/reference/integer_ops/logistic.h, tanh.h.
 * Python twin: microinfer/ops/sigmoid_tanh.py. (On int8 they are mi_lookup.h.)
 */

#ifndef MI_LOGISTIC_H
#define MI_LOGISTIC_H

#include "mi_sigmoid_tanh_s16.h"

typedef struct {
    int32_t size;       /* elements */
    int32_t tanh;       /* 1: TANH, 0: LOGISTIC */
    int32_t multiplier; /* 0..32767 */
    int32_t shift;      /* to the right, 0..31 */
} mi_sigmoid_tanh_params;

MI_KERNEL void mi_sigmoid_tanh_s16(
    const mi_sigmoid_tanh_params *p, const mi_i16 *input, mi_i16 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = p->tanh ? mi_tanh_by_table(input[i], p->multiplier, p->shift)
                            : mi_sigmoid_by_table(input[i], p->multiplier, p->shift);
    }
}

#endif
