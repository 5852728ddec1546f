/* SPDX-License-Identifier: MIT */

/* DEPTHWISE_CONV_2D on int8: each input channel has filters of its own; weights of int8 (_s8) or
 * int4 (_s4).
 *
 *     acc[c]    = bias[c] + sum over the window of
 *                 weights[ky, kx, c] * (input[c / depth_multiplier] - zero_point)
 *     output[c] = clamp(requantize(acc[c], multipliers[c], shifts[c]) + output_zero_point)
 *
 * input   int8 [batches, input_height, input_width, input_channels]
 * output  int8 [batches, output_height, output_width, output_channels],
 *         output_channels = input_channels * depth_multiplier
 *
 * Outside the image the input counts as its zero point and adds nothing.
 * acc cannot leave int32 for any input: proved when the parameters are made, partial sums
 * included (microinfer/ops/accumulate.py, require_int32_accumulator).
 * [TFLM] kernels/internal/reference/integer_ops/depthwise_conv.h.
 * Python twin: microinfer/ops/depthwise_conv_2d.py.
 */

#ifndef MI_DEPTHWISE_CONV_2D_H
#define MI_DEPTHWISE_CONV_2D_H

#include "mi_fixedpoint.h"
#include "mi_weights.h"
#include "mi_window.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t depth_multiplier;
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min; /* int8 */
    int32_t activation_max;
    const int8_t *weights;      /* [1, kernel_height, kernel_width, output_channels] */
    const int32_t *bias;        /* [output_channels], or NULL */
    const int32_t *multipliers; /* [output_channels], Q0.31, >= 0 */
    const int8_t *shifts;       /* [output_channels], -31..31, > 0 to the left */
} mi_depthwise_conv_2d_params;

/* One row of the output from kernel_height rows of the input; NULL: outside the image. */
static inline void mi_depthwise_conv_2d_row(
    const mi_depthwise_conv_2d_params *p, const int8_t *const rows[], int8_t *output,
    int32_t weight_bits)
{
    const int32_t zero_point = p->input_zero_point;
    const int32_t kernel_height = p->kernel_height;
    const int32_t input_channels = p->input_channels;
    const int32_t output_channels = p->output_channels;
    const int32_t depth_multiplier = p->depth_multiplier;
    /* Neighbouring outputs have neighbouring inputs; or all the same one, within a block. */
    const int32_t channel_step = depth_multiplier == 1 ? 1 : 0;

    for (int32_t x = 0; x < p->output_width; x++) {
        const int32_t origin = x * p->stride_width - p->pad_left;
        const int32_t first = mi_first_tap(origin, p->dilation_width);
        const int32_t end = mi_end_tap(origin, p->dilation_width, p->kernel_width, p->input_width);
        int32_t block = 0; /* channels of this block */

        for (int32_t channel = 0; channel < output_channels; channel += block) {
            const int32_t left = depth_multiplier == 1
                                     ? output_channels - channel
                                     : depth_multiplier - channel % depth_multiplier;
            block = left < MI_CHANNEL_BLOCK ? left : MI_CHANNEL_BLOCK;
            int32_t acc[MI_CHANNEL_BLOCK];
            for (int32_t c = 0; c < block; c++) {
                acc[c] = p->bias != NULL ? p->bias[channel + c] : 0;
            }
            for (int32_t ky = 0; ky < kernel_height; ky++) {
                if (rows[ky] == NULL) {
                    continue;
                }
                for (int32_t kx = first; kx < end; kx++) {
                    const int32_t in_x = origin + kx * p->dilation_width;
                    const int8_t *in =
                        rows[ky] + (in_x * input_channels + channel / depth_multiplier);
                    const int32_t w = (ky * p->kernel_width + kx) * output_channels + channel;
                    for (int32_t c = 0; c < block; c++) {
                        acc[c] += mi_weight(p->weights, w + c, weight_bits) * (*in - zero_point);
                        in += channel_step;
                    }
                }
            }
            for (int32_t c = 0; c < block; c++) {
                const int32_t steps =
                    mi_requantize(acc[c], p->multipliers[channel + c], p->shifts[channel + c]);
                *output++ = mi_output_s8(
                    steps, p->output_zero_point, p->activation_min, p->activation_max);
            }
        }
    }
}

/* All of the output. rows: room for kernel_height pointers, overwritten. */
static inline void mi_depthwise_conv_2d(
    const mi_depthwise_conv_2d_params *p, const int8_t *rows[], const int8_t *input,
    int8_t *output,
    int32_t weight_bits)
{
    const int32_t input_row = p->input_width * p->input_channels;
    const int32_t output_row = p->output_width * p->output_channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            const int32_t origin = y * p->stride_height - p->pad_top;
            mi_window_rows(
                rows, p->kernel_height, input, p->input_height, input_row, origin,
                p->dilation_height);
            mi_depthwise_conv_2d_row(p, rows, output, weight_bits);
            output += output_row;
        }
        input += p->input_height * input_row;
    }
}

MI_KERNEL void mi_depthwise_conv_2d_s8_row(
    const mi_depthwise_conv_2d_params *p, const int8_t *const rows[], int8_t *output)
{
    mi_depthwise_conv_2d_row(p, rows, output, 8);
}

MI_KERNEL void mi_depthwise_conv_2d_s8(
    const mi_depthwise_conv_2d_params *p, const int8_t *rows[], const int8_t *input,
    int8_t *output)
{
    mi_depthwise_conv_2d(p, rows, input, output, 8);
}

MI_KERNEL void mi_depthwise_conv_2d_s4_row(
    const mi_depthwise_conv_2d_params *p, const int8_t *const rows[], int8_t *output)
{
    mi_depthwise_conv_2d_row(p, rows, output, 4);
}

MI_KERNEL void mi_depthwise_conv_2d_s4(
    const mi_depthwise_conv_2d_params *p, const int8_t *rows[], const int8_t *input,
    int8_t *output)
{
    mi_depthwise_conv_2d(p, rows, input, output, 4);
}

#endif
