/* SPDX-License-Identifier: MIT */

/* Weights of 8 bits, or of 4: two to a byte, the first in the low half, as .tflite files have them.
 *
 * Kernels that take both get weight_bits as a constant, which leaves one of the two loops.
 */

#ifndef MI_WEIGHTS_H
#define MI_WEIGHTS_H

#include "mi_runtime.h"

/* Weight `index` of packed int4, its sign extended. */
static inline int32_t mi_int4(const int8_t *packed, int32_t index)
{
    const int32_t pair = packed[index >> 1];
    return (index & 1) != 0 ? pair >> 4 : ((pair & 15) ^ 8) - 8;
}

/* Weight `index`, of weight_bits 8 or 4. */
static inline int32_t mi_weight(const int8_t *weights, int32_t index, int32_t weight_bits)
{
    return weight_bits == 4 ? mi_int4(weights, index) : weights[index];
}

/* acc + sum of weight[first + i] * (input[i] - zero_point), size elements. acc comes first, since
 * it is with the bias that no partial sum leaves int32. */
static inline int32_t mi_dot_s8(
    int32_t acc, const int8_t *weights, int32_t first, int32_t weight_bits, const int8_t *input,
    int32_t zero_point, int32_t size)
{
    if (weight_bits == 4) {
        for (int32_t i = 0; i < size; i++) {
            acc += mi_int4(weights, first + i) * (input[i] - zero_point);
        }
    } else {
        const int8_t *w = weights + first;
        for (int32_t i = 0; i < size; i++) {
            acc += w[i] * (input[i] - zero_point);
        }
    }
    return acc;
}

/* The same of int16 inputs, whose zero point is 0; |acc| stays below 2^47. */
static inline int64_t mi_dot_s16(
    int64_t acc, const int8_t *weights, int32_t first, int32_t weight_bits, const mi_i16 *input,
    int32_t size)
{
    if (weight_bits == 4) {
        for (int32_t i = 0; i < size; i++) {
            acc += mi_int4(weights, first + i) * input[i];
        }
    } else {
        const int8_t *w = weights + first;
        for (int32_t i = 0; i < size; i++) {
            acc += w[i] * input[i];
        }
    }
    return acc;
}

#endif
