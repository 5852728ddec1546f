/* SPDX-License-Identifier: MIT */

/* FULLY_CONNECTED on int16, weights of int8 (_s16) or int4 (_s16_s4), quantized per tensor or per
 * output channel.
 *
 *     acc[o]    = bias[o] + sum over i of weights[o, i] * input[i]
 *     output[o] = clamp(round(acc[o] * real_multiplier[o]))
 *
 * input   int16 [rows, input_size]
 * output  int16 [rows, output_size]
 *
 * All zero points are 0. acc cannot leave 47 bits for any input, nor int32 with double_rounding:
 * proved when the parameters are made (microinfer/ops/accumulate.py).
 * Two kernels, for two kinds of round(): in fixed point ([TFLM] micro/kernels/fully_connected.cc)
 * and one float64 product, computed without floats ([LITERT] kernels/fully_connected.cc).
 * Python twin: microinfer/ops/fully_connected.py.
 */

#ifndef MI_FULLY_CONNECTED_S16_H
#define MI_FULLY_CONNECTED_S16_H

#include "mi_fixedpoint_s64.h"
#include "mi_weights.h"

typedef struct {
    int32_t rows;
    int32_t input_size;
    int32_t output_size;
    int32_t activation_min; /* int16 */
    int32_t activation_max;
    int32_t per_channel;        /* 1: one multiplier and shift per output; 0: one for all */
    const int8_t *weights;      /* [output_size, input_size] */
    const int64_t *bias;        /* [output_size], or NULL */
    int32_t double_rounding;    /* 1: acc is int32 and requantized as of int8; 0: int64 */
    const int32_t *multipliers; /* [output_size] or [1], Q0.31, >= 0 */
    const int8_t *shifts;       /* as many, -31..31, > 0 to the left */
} mi_fully_connected_s16_params;

typedef struct {
    int32_t rows;
    int32_t input_size;
    int32_t output_size;
    int32_t activation_min; /* int16 */
    int32_t activation_max;
    int32_t per_channel;      /* 1: one mantissa and shift per output; 0: one for all */
    const int8_t *weights;    /* [output_size, input_size] */
    const int64_t *bias;      /* [output_size], or NULL */
    const int64_t *mantissas; /* [output_size] or [1], 2^52 <= mantissa < 2^53 */
    const int16_t *shifts;    /* as many; real multiplier = mantissa * 2^-shift */
} mi_fully_connected_f64_s16_params;

static inline void mi_fully_connected_wide(
    const mi_fully_connected_s16_params *p, const mi_i16 *input, mi_i16 *output,
    int32_t weight_bits)
{
    const int32_t input_size = p->input_size;
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t o = 0; o < p->output_size; o++) {
            const int32_t channel = p->per_channel ? o : 0;
            const int64_t bias = p->bias != NULL ? p->bias[o] : 0;
            const int64_t acc =
                mi_dot_s16(bias, p->weights, o * input_size, weight_bits, input, input_size);
            const int32_t steps = mi_requantize_s16(
                acc, p->multipliers[channel], p->shifts[channel], p->double_rounding);
            *output++ = mi_output_s16(steps, 0, p->activation_min, p->activation_max);
        }
        input += input_size;
    }
}

static inline void mi_fully_connected_wide_f64(
    const mi_fully_connected_f64_s16_params *p, const mi_i16 *input, mi_i16 *output,
    int32_t weight_bits)
{
    const int32_t input_size = p->input_size;
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t o = 0; o < p->output_size; o++) {
            const int32_t channel = p->per_channel ? o : 0;
            const int64_t bias = p->bias != NULL ? p->bias[o] : 0;
            const int64_t acc =
                mi_dot_s16(bias, p->weights, o * input_size, weight_bits, input, input_size);
            const int32_t steps =
                mi_round_f64_product_s64(acc, p->mantissas[channel], p->shifts[channel]);
            *output++ = mi_output_s16(steps, 0, p->activation_min, p->activation_max);
        }
        input += input_size;
    }
}

MI_KERNEL void mi_fully_connected_s16(
    const mi_fully_connected_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_fully_connected_wide(p, input, output, 8);
}

MI_KERNEL void mi_fully_connected_s16_s4(
    const mi_fully_connected_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_fully_connected_wide(p, input, output, 4);
}

MI_KERNEL void mi_fully_connected_f64_s16(
    const mi_fully_connected_f64_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_fully_connected_wide_f64(p, input, output, 8);
}

MI_KERNEL void mi_fully_connected_f64_s16_s4(
    const mi_fully_connected_f64_s16_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_fully_connected_wide_f64(p, input, output, 4);
}

#endif
