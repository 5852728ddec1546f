/* SPDX-License-Identifier: MIT */

/* SOFTMAX on int8, along the last axis.
 *
 *     d      = input - max(input);  elements with d < diff_min give the output's minimum
 *     e      = exp(beta * input_scale * d) as Q0.31
 *     output = round(256 * e / sum(e)) - 128
 *
 * input   int8 [rows, depth]
 * output  int8 [rows, depth], scale 1/256, zero point -128; may be the input. Or int16, scale
 *         1/65536, zero point -32768: the same with 65536 for 256
 *
 * [TFLM] kernels/internal/reference/softmax.h. Python twin: microinfer/ops/softmax.py.
 */

#ifndef MI_SOFTMAX_H
#define MI_SOFTMAX_H

#include "mi_element.h"
#include "mi_fixedpoint.h"

typedef struct {
    int32_t rows;
    int32_t depth;      /* 1..4095 */
    int32_t multiplier; /* of d, to Q5.26 */
    int32_t shift;      /* never negative */
    int32_t diff_min;   /* lowest d that fits Q5.26 once shifted: -(31 * 2^26 >> shift) */
} mi_softmax_params;

/* scratch: room for the exponentials of one row, depth of them. */
static inline void mi_softmax(
    const mi_softmax_params *p, const int8_t *input, void *output, int32_t type, int32_t bits,
    mi_i32 *scratch)
{
    const int32_t lowest = -(INT32_C(1) << (bits - 1));
    int32_t done = 0;
    const int32_t input_integer_bits = 5; /* differences are rescaled to Q5.26 */
    const int32_t sum_integer_bits = 12;  /* exponentials are summed as Q12.19 */
    const int32_t depth = p->depth;
    for (int32_t row = 0; row < p->rows; row++) {
        int32_t maximum = input[0];
        for (int32_t i = 1; i < depth; i++) {
            maximum = input[i] > maximum ? input[i] : maximum;
        }

        /* 2^19 from the maximum itself, at most 2^19 from each element: 2^19..4095 * 2^19. */
        int32_t sum = 0;
        for (int32_t i = 0; i < depth; i++) {
            const int32_t difference = input[i] - maximum;
            scratch[i] = 0;
            if (difference >= p->diff_min) {
                const int32_t shifted = mi_wrapping_shift_left(difference, p->shift);
                const int32_t scaled =
                    mi_saturating_rounding_doubling_high_mul(shifted, p->multiplier);
                const int32_t exponential = mi_exp_on_negative_values(scaled, input_integer_bits);
                sum += mi_rounding_divide_by_pot(exponential, sum_integer_bits);
                scratch[i] = exponential;
            }
        }

        /* sum = (1 + fraction) * 2^(31 - headroom), headroom in 1..12. */
        const int32_t headroom = mi_count_leading_zeros(sum);
        const int32_t fraction = (int32_t)(((uint32_t)sum << headroom) - (UINT32_C(1) << 31));
        const int32_t reciprocal = mi_one_over_one_plus_x(fraction);
        const int32_t exponent = sum_integer_bits - headroom + 31 - bits;
        for (int32_t i = 0; i < depth; i++) {
            /* Beyond 31 the sum is at least 2^28, that is 512 whole exponentials: no share of
             * it is more than half of 1/256, and all round to 0. */
            int32_t steps = 0;
            if (exponent <= 31) {
                const int32_t share =
                    mi_saturating_rounding_doubling_high_mul(reciprocal, scratch[i]);
                steps = mi_rounding_divide_by_pot(share, exponent);
            }
            mi_store(output, type, done++, mi_output(steps, lowest, lowest, -lowest - 1));
        }
        input += depth;
    }
}

MI_KERNEL void mi_softmax_s8(
    const mi_softmax_params *p, const int8_t *input, int8_t *output, mi_i32 *scratch)
{
    mi_softmax(p, input, output, MI_TYPE_INT8, 8, scratch);
}

MI_KERNEL void mi_softmax_s8_s16(
    const mi_softmax_params *p, const int8_t *input, mi_i16 *output, mi_i32 *scratch)
{
    mi_softmax(p, input, output, MI_TYPE_INT16, 16, scratch);
}

#endif
