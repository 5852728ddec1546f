/* SPDX-License-Identifier: MIT */

/* TRANSPOSE_CONV on int16: a convolution's gradient, which enlarges an image.
 *
 *     acc[y, x, o] = bias[o] + sum of weights[o, ky, kx, i] * input[iy, ix, i]
 *                    over all iy, ky, ix, kx, i with  iy * stride_height - pad_top + ky = y
 *                                                     ix * stride_width - pad_left + kx = x
 *     output       = clamp(requantize(acc[o], multipliers[o], shifts[o]))
 *
 * input   int16 [batches, input_height, input_width, input_channels]
 * output  int16 [batches, output_height, output_width, output_channels]
 *
 * Each output gathers what [TFLM] kernels/internal/reference/integer_ops/transpose_conv.h scatters,
 * and so needs no accumulators in memory. All zero points are 0. acc cannot leave 47 bits for any
 * input, nor int32 with double_rounding: proved when the parameters are made
 * (microinfer/ops/accumulate.py).
 * Python twin: microinfer/ops/transpose_conv.py.
 */

#ifndef MI_TRANSPOSE_CONV_S16_H
#define MI_TRANSPOSE_CONV_S16_H

#include "mi_fixedpoint_s64.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t stride_height;
    int32_t stride_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t activation_min; /* int16 */
    int32_t activation_max;
    int32_t double_rounding;    /* 1: acc is int32 and requantized as of int8; 0: int64 */
    const int8_t *weights;      /* [output_channels, kernel_height, kernel_width, input_channels] */
    const int64_t *bias;        /* [output_channels], or NULL */
    const int32_t *multipliers; /* [output_channels], Q0.31, >= 0 */
    const int8_t *shifts;       /* [output_channels], -31..31, > 0 to the left */
} mi_transpose_conv_s16_params;

/* One row of the output. rows[ky]: the row of the input that vertical tap ky spreads to it, NULL if
 * there is none. */
MI_KERNEL void mi_transpose_conv_s16_row(
    const mi_transpose_conv_s16_params *p, const mi_i16 *const rows[], mi_i16 *output)
{
    const int32_t kernel_width = p->kernel_width;
    const int32_t input_channels = p->input_channels;
    const int32_t stride = p->stride_width;
    const int32_t last = p->input_width - 1;
    const int32_t weights_row = kernel_width * input_channels;

    for (int32_t x = 0; x < p->output_width; x++) {
        /* Taps first, first + stride, ... take from columns column, column - 1, ... >= 0. */
        int32_t column = (x + p->pad_left) / stride;
        int32_t first = (x + p->pad_left) % stride;
        if (column > last) {
            first += (column - last) * stride;
            column = last;
        }
        const int8_t *weights = p->weights;
        for (int32_t o = 0; o < p->output_channels; o++) {
            int64_t acc = p->bias != NULL ? p->bias[o] : 0;
            for (int32_t ky = 0; ky < p->kernel_height; ky++) {
                if (rows[ky] != NULL) {
                    int32_t ix = column;
                    for (int32_t kx = first; kx < kernel_width && ix >= 0; kx += stride) {
                        const mi_i16 *in = rows[ky] + ix * input_channels;
                        const int8_t *w = weights + kx * input_channels;
                        for (int32_t i = 0; i < input_channels; i++) {
                            acc += w[i] * in[i];
                        }
                        ix--;
                    }
                }
                weights += weights_row;
            }
            const int32_t steps = mi_requantize_s16(
                acc, p->multipliers[o], p->shifts[o], p->double_rounding);
            *output++ = mi_output_s16(steps, 0, p->activation_min, p->activation_max);
        }
    }
}

/* All of the output. rows: room for kernel_height pointers, overwritten. */
MI_KERNEL void mi_transpose_conv_s16(
    const mi_transpose_conv_s16_params *p, const mi_i16 *rows[], const mi_i16 *input, mi_i16 *output)
{
    const int32_t input_row = p->input_width * p->input_channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            for (int32_t ky = 0; ky < p->kernel_height; ky++) {
                const int32_t distance = y + p->pad_top - ky;
                const int32_t row = distance / p->stride_height;
                const int32_t meets =
                    distance >= 0 && distance % p->stride_height == 0 && row < p->input_height;
                rows[ky] = meets ? input + row * input_row : NULL;
            }
            mi_transpose_conv_s16_row(p, rows, output);
            output += p->output_width * p->output_channels;
        }
        input += p->input_height * input_row;
    }
}

#endif
