/* SPDX-License-Identifier: MIT */

/* FULLY_CONNECTED on int8, weights of int8 (_s8) or int4 (_s4), quantized per tensor or per output
 * channel.
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
#include "mi_weights.h"

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

/* acc + sum of (weights[first + i] - weights_zero_point) * (input[i] - input_zero_point), size
 * elements; weights_zero_point is 0 of int4. acc comes first, since it is with the bias that no
 * partial sum leaves int32. */
static inline int32_t mi_accumulate_s8(
    int32_t acc, const int8_t *weights, int32_t first, int32_t weight_bits,
    int32_t weights_zero_point, const int8_t *input, int32_t input_zero_point, int32_t size)
{
    if (weight_bits == 4) {
        return mi_dot_s8(acc, weights, first, weight_bits, input, input_zero_point, size);
    }
    weights += first;
    for (int32_t i = 0; i < size; i++) {
        acc += (weights[i] - weights_zero_point) * (input[i] - input_zero_point);
    }
    return acc;
}

static inline void mi_fully_connected(
    const mi_fully_connected_params *p, const int8_t *input, int8_t *output, int32_t weight_bits)
{
    const int32_t input_size = p->input_size;
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t o = 0; o < p->output_size; o++) {
            const int32_t channel = p->per_channel ? o : 0;
            const int32_t bias = p->bias != NULL ? p->bias[o] : 0;
            const int32_t acc = mi_accumulate_s8(
                bias, p->weights, o * input_size, weight_bits, p->weights_zero_point, input,
                p->input_zero_point, input_size);
            const int32_t steps = mi_requantize(acc, p->multipliers[channel], p->shifts[channel]);
            *output++ = mi_output_s8(
                steps, p->output_zero_point, p->activation_min, p->activation_max);
        }
        input += input_size;
    }
}

static inline void mi_fully_connected_f64(
    const mi_fully_connected_f64_params *p, const int8_t *input, int8_t *output,
    int32_t weight_bits)
{
    const int32_t input_size = p->input_size;
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t o = 0; o < p->output_size; o++) {
            const int32_t channel = p->per_channel ? o : 0;
            const int32_t bias = p->bias != NULL ? p->bias[o] : 0;
            const int32_t acc = mi_accumulate_s8(
                bias, p->weights, o * input_size, weight_bits, p->weights_zero_point, input,
                p->input_zero_point, input_size);
            const int32_t steps =
                mi_round_f64_product(acc, p->mantissas[channel], p->shifts[channel]);
            *output++ = mi_output_s8(
                steps, p->output_zero_point, p->activation_min, p->activation_max);
        }
        input += input_size;
    }
}

MI_KERNEL void mi_fully_connected_s8(
    const mi_fully_connected_params *p, const int8_t *input, int8_t *output)
{
    mi_fully_connected(p, input, output, 8);
}

MI_KERNEL void mi_fully_connected_s4(
    const mi_fully_connected_params *p, const int8_t *input, int8_t *output)
{
    mi_fully_connected(p, input, output, 4);
}

MI_KERNEL void mi_fully_connected_f64_s8(
    const mi_fully_connected_f64_params *p, const int8_t *input, int8_t *output)
{
    mi_fully_connected_f64(p, input, output, 8);
}

MI_KERNEL void mi_fully_connected_f64_s4(
    const mi_fully_connected_f64_params *p, const int8_t *input, int8_t *output)
{
    mi_fully_connected_f64(p, input, output, 4);
}

#endif
