/* SPDX-License-Identifier: MIT */

/* LOG_SOFTMAX on int8, along the last axis.
 *
 *     d      = input - max(input);  elements with d too low give the output's minimum
 *     output = round(16 * (input_scale * d - log(sum(exp(input_scale * d))))) + 127
 *
 * input   int8 [rows, depth]
 * output  int8 [rows, depth], scale 1/16, zero point 127; may be the input
 *
 * [TFLM] kernels/internal/reference/log_softmax.h; kernels/internal/common.h,
 * log_x_for_x_greater_than_or_equal_to_1. Python twin: microinfer/ops/log_softmax.py.
 */

#ifndef MI_LOG_SOFTMAX_H
#define MI_LOG_SOFTMAX_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* 1..4095 */
    int32_t input_multiplier;
    int32_t input_shift; /* of d, to Q5.26; never negative */
    int32_t diff_min;    /* lowest d that fits Q5.26 once shifted */
    int32_t reverse_multiplier;
    int32_t reverse_shift; /* of Q5.26, back to steps of the input */
} mi_log_softmax_params;

/* log(x) as Q5.26, for x >= 1 as Q12.19.
 *
 * x is a power of two times r in [sqrt(1/2), 1) or in [1/2, sqrt(1/2)), of whose logarithm about
 * 2^(-1/4) an approximation by a quotient of polynomials is taken. */
static inline int32_t mi_log_of_sum(int32_t x)
{
    const int32_t sum_integer_bits = 12;
    const int32_t unit = INT32_C(1) << 25; /* 1 as Q6.25, one bit more than the result needs */
    const int32_t sqrt_half = 1518500250;
    const int32_t fourth_root_half = 1805811301;

    const int32_t zeros = mi_count_leading_zeros(x);
    const int32_t whole = mi_saturating_shift_left(x, zeros - 1);
    const int32_t first = mi_saturating_shift_left(
        mi_saturating_rounding_doubling_high_mul(whole, sqrt_half), 1);
    const int32_t other_zeros =
        mi_count_leading_zeros(mi_saturating_rounding_doubling_high_mul(x, sqrt_half)) - 1;
    const int32_t second = mi_saturating_shift_left(x, other_zeros);
    const int32_t exponent1 = (sum_integer_bits - zeros) * unit + unit / 4;
    const int32_t exponent2 = (sum_integer_bits - other_zeros) * unit - unit / 4;
    const int32_t exponent = exponent1 > exponent2 ? exponent1 : exponent2;
    const int32_t r = first < second ? first : second;

    const int32_t p = (int32_t)(((int64_t)r + fourth_root_half + 1) >> 1);
    const int32_t q = 2 * (r - fourth_root_half);
    const int32_t square = mi_saturating_rounding_doubling_high_mul(q, q);
    const int32_t cube = mi_saturating_rounding_doubling_high_mul(q, square);
    const int32_t numerator = mi_saturating_rounding_doubling_high_mul(q, r) +
                              mi_saturating_rounding_doubling_high_mul(cube, 117049297);
    const int32_t linear =
        1057819769 + q + mi_saturating_rounding_doubling_high_mul(127690142, square);
    const int32_t denominator = mi_saturating_rounding_doubling_high_mul(p, linear) +
                                mi_saturating_rounding_doubling_high_mul(638450708, q);
    const int32_t share = mi_saturating_rounding_doubling_high_mul(
        mi_rounding_divide_by_pot(numerator, 6), mi_one_over_one_plus_x(denominator));
    const int32_t log_2 = 1488522236;
    return mi_saturating_shift_left(
        mi_saturating_rounding_doubling_high_mul(exponent, log_2) + share, 1);
}

MI_KERNEL void mi_log_softmax_s8(
    const mi_log_softmax_params *p, const int8_t *input, int8_t *output)
{
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
            if (difference >= p->diff_min) {
                const int32_t scaled =
                    mi_requantize(difference, p->input_multiplier, p->input_shift);
                sum += mi_rounding_divide_by_pot(mi_exp_on_negative_values(scaled, 5), 12);
            }
        }

        const int32_t log_sum = mi_log_of_sum(sum);
        const int32_t lowest =
            mi_requantize(log_sum + INT32_MIN, p->reverse_multiplier, p->reverse_shift);
        for (int32_t i = 0; i < depth; i++) {
            const int32_t difference = input[i] - maximum;
            output[i] = INT8_MIN;
            if (difference >= p->diff_min && difference > lowest) {
                const int32_t scaled =
                    mi_requantize(difference, p->input_multiplier, p->input_shift);
                const int32_t steps = mi_rounding_divide_by_pot(scaled - log_sum, 22);
                output[i] = mi_output_s8(steps, INT8_MAX, INT8_MIN, INT8_MAX);
            }
        }
        input += depth;
        output += depth;
    }
}

#endif
