/* SPDX-License-Identifier: MIT */

/* NEG on float32: output = -input. The output may be the input.
 *
 * Converters write it between a DEQUANTIZE and a QUANTIZE. Python twin: microinfer/ops/abs_neg.py.
 */

#ifndef MI_NEG_H
#define MI_NEG_H

#include "mi_runtime.h"

typedef struct {
    int32_t size; /* elements */
} mi_neg_params;

MI_KERNEL void mi_neg_f32(const mi_neg_params *p, const mi_f32 *input, mi_f32 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = -input[i];
    }
}

#endif
