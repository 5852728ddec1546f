/* SPDX-License-Identifier: MIT */

/* L2_NORMALIZATION on int8, along the last axis.
 *
 *     squares = sum((input - input_zero_point)^2)
 *     output  = clamp8(requantize(input - input_zero_point, 1 / sqrt(squares), 7 bits further left))
 *
 * input   int8 [rows, depth]
 * output  int8 [rows, depth], scale 1/128, zero point 0; may be the input
 *
 * [TFLM] kernels/internal/reference/integer_ops/l2normalization.h; kernels/internal/common.h,
 * GetInvSqrtQuantizedMultiplierExp. Python twins: microinfer/ops/l2_normalization.py and
 * sqrt_rsqrt.py.
 */

#ifndef MI_L2_NORMALIZATION_H
#define MI_L2_NORMALIZATION_H

#include "mi_inverse_square_root.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* at most 33025, so that squares fit int32 */
    int32_t input_zero_point;
} mi_l2_normalization_params;

MI_KERNEL void mi_l2_normalization_s8(
    const mi_l2_normalization_params *p, const int8_t *input, int8_t *output)
{
    const int32_t output_bits = 7; /* its scale is 2^-7 */
    for (int32_t row = 0; row < p->rows; row++) {
        int32_t squares = 0;
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->input_zero_point;
            squares += x * x;
        }
        int32_t shift;
        const int32_t multiplier = mi_inverse_square_root(squares, &shift);
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->input_zero_point;
            const int32_t steps = mi_requantize(x, multiplier, shift + output_bits);
            output[i] = mi_output_s8(steps, 0, INT8_MIN, INT8_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
