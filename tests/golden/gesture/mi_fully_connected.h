/* SPDX-License-Identifier: MIT */

/* FULLY_CONNECTED on int8, weights quantized per tensor or per output channel.
 *
 *     acc[o]    = bias[o] + sum over i of
 *                 (weights[o, i] - weights_zero_point) * (input[i] - input_zero_point)
 *     output[o] = clamp(round(acc[o] * real_multiplier[o]) + output_zero_point)
 *
 * input   int8 [rows, input_size]
 * output  int8 [rows, output_size]
 *
 * Two kernels, for two kinds of round(): double rounding ([TFLM] micro/kernels/fully_connected.cc)
 * and one float64 product, computed without floats ([LITERT] kernels/fully_connected.cc).
 * acc cannot leave int32 for any input: proved when the parameters are made, partial sums
 * included (microinfer/ops/accumulate.py, require_int32_accumulator).
 * Python twin: microinfer/ops/fully_connected.py.
 */

#ifndef MI_FULLY_CONNECTED_H
#define MI_FULLY_CONNECTED_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t rows;
    int32_t input_size;
    int32_t output_size;
    int32_t input_zero_point;
    int32_t weights_zero_point;
    int32_t output_zero_point;
    int32_t activation_min; /* int8 */
    int32_t activation_max;
    int32_t per_channel;        /* 1: one multiplier and shift per output; 0: one for all */
    const int8_t *weights;      /* [output_size, input_size] */
    const int32_t *bias;        /* [output_size], or NULL */
    const int32_t *multipliers; /* [output_size] or [1], Q0.31, >= 0 */
    const int8_t *shifts;       /* as many, -31..31, > 0 to the left */
} mi_fully_connected_params;

typedef struct {
    int32_t rows;
    int32_t input_size;
    int32_t output_size;
    int32_t input_zero_point;
    int32_t weights_zero_point;
    int32_t output_zero_point;
    int32_t activation_min; /* int8 */
    int32_t activation_max;
    int32_t per_channel;      /* 1: one mantissa and shift per output; 0: one for all */
    const int8_t *weights;    /* [output_size, input_size] */
    const int32_t *bias;      /* [output_size], or NULL */
    const int64_t *mantissas; /* [output_size] or [1], 2^52 <= mantissa < 2^53 */
    const int16_t *shifts;    /* as many; real multiplier = mantissa * 2^-shift */
} mi_fully_connected_f64_params;

/* acc + sum of (weights[i] - weights_zero_point) * (input[i] - input_zero_point), size elements.
 * acc comes first, since it is with the bias that no partial sum leaves int32. */
static inline int32_t mi_accumulate_s8(
    int32_t acc, const int8_t *weights, int32_t weights_zero_point, const int8_t *input,
    int32_t input_zero_point, int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        acc += (weights[i] - weights_zero_point) * (input[i] - input_zero_point);
    }
    return acc;
}

MI_KERNEL void mi_fully_connected_s8(
    const mi_fully_connected_params *p, const int8_t *input, int8_t *output)
{
    const int32_t input_size = p->input_size;
    for (int32_t row = 0; row < p->rows; row++) {
        const int8_t *weights = p->weights;
        for (int32_t o = 0; o < p->output_size; o++) {
            const int32_t channel = p->per_channel ? o : 0;
            const int32_t bias = p->bias != NULL ? p->bias[o] : 0;
            const int32_t acc = mi_accumulate_s8(
                bias, weights, p->weights_zero_point, input, p->input_zero_point, input_size);
            const int32_t steps = mi_requantize(acc, p->multipliers[channel], p->shifts[channel]);
            *output++ = mi_output_s8(
                steps, p->output_zero_point, p->activation_min, p->activation_max);
            weights += input_size;
        }
        input += input_size;
    }
}

MI_KERNEL void mi_fully_connected_f64_s8(
    const mi_fully_connected_f64_params *p, const int8_t *input, int8_t *output)
{
    const int32_t input_size = p->input_size;
    for (int32_t row = 0; row < p->rows; row++) {
        const int8_t *weights = p->weights;
        for (int32_t o = 0; o < p->output_size; o++) {
            const int32_t channel = p->per_channel ? o : 0;
            const int32_t bias = p->bias != NULL ? p->bias[o] : 0;
            const int32_t acc = mi_accumulate_s8(
                bias, weights, p->weights_zero_point, input, p->input_zero_point, input_size);
            const int32_t steps =
                mi_round_f64_product(acc, p->mantissas[channel], p->shifts[channel]);
            *output++ = mi_output_s8(
                steps, p->output_zero_point, p->activation_min, p->activation_max);
            weights += input_size;
        }
        input += input_size;
    }
}

#endif
