/* SPDX-License-Identifier: MIT */

/* CONV_2D on int16, with groups and dilation; weights of int8 (_s16) or int4 (_s16_s4).
 *
 *     acc[o]    = bias[o] + sum over the window of weights[o, ky, kx, i] * input
 *     output[o] = clamp(requantize(acc[o], multipliers[o], shifts[o]))
 *
 * input   int16 [batches, input_height, input_width, input_channels]
 * output  int16 [batches, output_height, output_width, output_channels]
 *
 * All zero points are 0. acc cannot leave 47 bits for any input, nor int32 with double_rounding:
 * proved when the parameters are made (microinfer/ops/accumulate.py).
 * [TFLM] kernels/internal/reference/integer_ops/conv.h. Python twin: microinfer/ops/conv_2d.py.
 */

#ifndef MI_CONV_2D_S16_H
#define MI_CONV_2D_S16_H

#include "mi_fixedpoint_s64.h"
#include "mi_weights.h"
#include "mi_window.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t group_channels; /* input channels that one output channel sees */
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t activation_min; /* int16 */
    int32_t activation_max;
    int32_t double_rounding;    /* 1: acc is int32 and requantized as of int8; 0: int64 */
    const int8_t *weights;      /* [output_channels, kernel_height, kernel_width, group_channels] */
    const int64_t *bias;        /* [output_channels], or NULL */
    const int32_t *multipliers; /* [output_channels], Q0.31, >= 0 */
    const int8_t *shifts;       /* [output_channels], -31..31, > 0 to the left */
} mi_conv_2d_s16_params;

/* One row of the output from kernel_height rows of the input; NULL: outside the image. */
static inline void mi_conv_2d_wide_row(
    const mi_conv_2d_s16_params *p, const mi_i16 *const rows[], mi_i16 *output, int32_t weight_bits)
{
    const int32_t kernel_height = p->kernel_height;
    const int32_t kernel_width = p->kernel_width;
    const int32_t input_channels = p->input_channels;
    const int32_t group_channels = p->group_channels;
    const int32_t output_channels = p->output_channels;
    const int32_t tap_step = p->dilation_width * input_channels;
    const int32_t weights_row = kernel_width * group_channels;
    const int32_t group_outputs = output_channels / (input_channels / group_channels);
    /* Taps that lie side by side in the input are one run, as they are in the weights. */
    const int32_t taps_touch = tap_step == group_channels;

    for (int32_t x = 0; x < p->output_width; x++) {
        const int32_t origin = x * p->stride_width - p->pad_left;
        const int32_t first = mi_first_tap(origin, p->dilation_width);
        const int32_t end = mi_end_tap(origin, p->dilation_width, kernel_width, p->input_width);
        const int32_t run = taps_touch ? (end - first) * group_channels : group_channels;
        const int32_t run_taps = taps_touch ? kernel_width : 1;
        int32_t weights = 0;     /* index of the first weight of this channel and kernel row */
        int32_t group_start = 0; /* the group's first input channel */
        int32_t group_left = group_outputs;

        for (int32_t o = 0; o < output_channels; o++) {
            int64_t acc = p->bias != NULL ? p->bias[o] : 0;
            for (int32_t ky = 0; ky < kernel_height; ky++) {
                if (rows[ky] != NULL) {
                    for (int32_t kx = first; kx < end; kx += run_taps) {
                        const mi_i16 *in =
                            rows[ky] + (origin * input_channels + kx * tap_step + group_start);
                        acc = mi_dot_s16(
                            acc, p->weights, weights + kx * group_channels, weight_bits, in, run);
                    }
                }
                weights += weights_row;
            }
            const int32_t steps = mi_requantize_s16(
                acc, p->multipliers[o], p->shifts[o], p->double_rounding);
            *output++ = mi_output_s16(steps, 0, p->activation_min, p->activation_max);
            if (--group_left == 0) {
                group_left = group_outputs;
                group_start += group_channels;
            }
        }
    }
}

/* All of the output. rows: room for kernel_height pointers, overwritten. */
static inline void mi_conv_2d_wide(
    const mi_conv_2d_s16_params *p, const mi_i16 *rows[], const mi_i16 *input, mi_i16 *output,
    int32_t weight_bits)
{
    const int32_t input_row = p->input_width * p->input_channels;
    const int32_t output_row = p->output_width * p->output_channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            const int32_t origin = y * p->stride_height - p->pad_top;
            mi_window_rows_s16(
                rows, p->kernel_height, input, p->input_height, input_row, origin,
                p->dilation_height);
            mi_conv_2d_wide_row(p, rows, output, weight_bits);
            output += output_row;
        }
        input += p->input_height * input_row;
    }
}

MI_KERNEL void mi_conv_2d_s16_row(
    const mi_conv_2d_s16_params *p, const mi_i16 *const rows[], mi_i16 *output)
{
    mi_conv_2d_wide_row(p, rows, output, 8);
}

MI_KERNEL void mi_conv_2d_s16(
    const mi_conv_2d_s16_params *p, const mi_i16 *rows[], const mi_i16 *input, mi_i16 *output)
{
    mi_conv_2d_wide(p, rows, input, output, 8);
}

MI_KERNEL void mi_conv_2d_s16_s4_row(
    const mi_conv_2d_s16_params *p, const mi_i16 *const rows[], mi_i16 *output)
{
    mi_conv_2d_wide_row(p, rows, output, 4);
}

MI_KERNEL void mi_conv_2d_s16_s4(
    const mi_conv_2d_s16_params *p, const mi_i16 *rows[], const mi_i16 *input, mi_i16 *output)
{
    mi_conv_2d_wide(p, rows, input, output, 4);
}

#endif
