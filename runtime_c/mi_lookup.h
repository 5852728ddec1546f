/* SPDX-License-Identifier: MIT */

/* int8 to int8 functions of one element, as one table of 256 values.
 *
 *     output = table[input + 128]
 *
 * RELU and its kin, LEAKY_RELU, ELU, HARD_SWISH, LOGISTIC, TANH, ABS, NEG, EXP, LOG, SQRT, RSQRT, and
 * QUANTIZE from int8 to int8. From int16 to int16 it is a table of 513 values, and linear between
 * them: EXP, LOG, RSQRT. The output may be the input.
 * Python twins: microinfer/ops/lookup.py, lookup_s16.py.
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

typedef struct {
    int32_t size;         /* elements */
    const int16_t *table; /* [513], for inputs -32768, -32640, ..., 32640, 32768 */
} mi_lookup_s16_params;

/* The table at an int16 x. */
static inline int32_t mi_table_s16(const int16_t *table, int32_t x)
{
    const int16_t *const at = table + 256 + (x >> 7);
    /* As the runtimes have it, the slope is an int16 and wraps. */
    const int32_t slope = (((at[1] - at[0]) + (1 << 15)) & 0xffff) - (1 << 15);
    return at[0] + ((slope * (x & 127) + 64) >> 7);
}

MI_KERNEL void mi_lookup_s16(const mi_lookup_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    for (int32_t i = 0; i < p->size; i++) {
        output[i] = (int16_t)mi_table_s16(p->table, input[i]);
    }
}

#endif
