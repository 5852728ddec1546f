/* SPDX-License-Identifier: MIT */

/* int8 to int8 functions of one element, as one table of 256 values.
 *
 *     output = table[input + 128]
 *
 * RELU and its kin, LEAKY_RELU, ELU, HARD_SWISH, LOGISTIC, TANH, ABS, NEG, EXP, LOG, SQRT, RSQRT, and
 * QUANTIZE from int8 to int8. The output may be the input.
 * Python twin: microinfer/ops/lookup.py.
 */

#ifndef MI_LOOKUP_H
#define MI_LOOKUP_H

#include "mi_runtime.h"

typedef struct {
    int32_t size;        /* elements */
    const int8_t *table; /* [256], indexed by input + 128 */
} mi_lookup_params;

MI_KERNEL void mi_lookup_s8(const mi_lookup_params *p, const int8_t *input, int8_t *output)
{
    const int32_t size = p->size;
    const int8_t *table = p->table;
    for (int32_t i = 0; i < size; i++) {
        output[i] = table[input[i] + 128];
    }
}

#endif
