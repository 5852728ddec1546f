/* SPDX-License-Identifier: MIT */

/* AVERAGE_POOL_2D and MAX_POOL_2D on int8: a window over raw values, no rescale.
 *
 *     average: round(sum / count), ties away from zero of the raw integer, zero points untouched
 *     maximum: max
 *
 * both over the taps inside the image only, then clamped to the fused activation.
 *
 * input   int8 [batches, input_height, input_width, channels]
 * output  int8 [batches, output_height, output_width, channels], of the same quantization
 *
 * Every window has a tap inside the image: the padding is less than the kernel.
 * [TFLM] kernels/internal/reference/integer_ops/pooling.h. Python twin: microinfer/ops/pool_2d.py.
 */

#ifndef MI_POOL_2D_H
#define MI_POOL_2D_H

#include "mi_fixedpoint.h"
#include "mi_window.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t kernel_height; /* kernel_height * kernel_width <= 2^23, of int16 2^15 */
    int32_t kernel_width;
    int32_t output_height;
    int32_t output_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t activation_min; /* of the outputs' type */
    int32_t activation_max;
} mi_pool_2d_params;

/* One row of the output from kernel_height rows of the input; NULL: outside the image. */
MI_KERNEL void mi_average_pool_2d_s8_row(
    const mi_pool_2d_params *p, const int8_t *const rows[], int8_t *output)
{
    const int32_t kernel_height = p->kernel_height;
    const int32_t channels = p->channels;
    int32_t rows_inside = 0;
    for (int32_t ky = 0; ky < kernel_height; ky++) {
        rows_inside += rows[ky] != NULL ? 1 : 0;
    }

    for (int32_t x = 0; x < p->output_width; x++) {
        const int32_t origin = x * p->stride_width - p->pad_left;
        const int32_t first = mi_first_tap(origin, 1);
        const int32_t end = mi_end_tap(origin, 1, p->kernel_width, p->input_width);
        const int32_t count = rows_inside * (end - first);
        int32_t block = 0; /* channels of this block */

        for (int32_t channel = 0; channel < channels; channel += block) {
            const int32_t left = channels - channel;
            block = left < MI_CHANNEL_BLOCK ? left : MI_CHANNEL_BLOCK;
            int32_t sums[MI_CHANNEL_BLOCK]; /* |sum| <= 128 * 2^23 */
            for (int32_t c = 0; c < block; c++) {
                sums[c] = 0;
            }
            for (int32_t ky = 0; ky < kernel_height; ky++) {
                if (rows[ky] == NULL) {
                    continue;
                }
                for (int32_t kx = first; kx < end; kx++) {
                    const int8_t *in = rows[ky] + ((origin + kx) * channels + channel);
                    for (int32_t c = 0; c < block; c++) {
                        sums[c] += in[c];
                    }
                }
            }
            for (int32_t c = 0; c < block; c++) {
                const int32_t half = sums[c] < 0 ? -(count / 2) : count / 2;
                const int32_t mean = (sums[c] + half) / count; /* C's division truncates */
                *output++ = (int8_t)mi_clamp(mean, p->activation_min, p->activation_max);
            }
        }
    }
}

/* One row of the output from kernel_height rows of the input; NULL: outside the image. */
MI_KERNEL void mi_max_pool_2d_s8_row(
    const mi_pool_2d_params *p, const int8_t *const rows[], int8_t *output)
{
    const int32_t channels = p->channels;
    for (int32_t x = 0; x < p->output_width; x++) {
        const int32_t origin = x * p->stride_width - p->pad_left;
        const int32_t first = mi_first_tap(origin, 1);
        const int32_t end = mi_end_tap(origin, 1, p->kernel_width, p->input_width);

        memset(output, INT8_MIN, (size_t)channels);
        for (int32_t ky = 0; ky < p->kernel_height; ky++) {
            if (rows[ky] == NULL) {
                continue;
            }
            for (int32_t kx = first; kx < end; kx++) {
                const int8_t *in = rows[ky] + (origin + kx) * channels;
                for (int32_t c = 0; c < channels; c++) {
                    output[c] = in[c] > output[c] ? in[c] : output[c];
                }
            }
        }
        for (int32_t c = 0; c < channels; c++) {
            output[c] = (int8_t)mi_clamp(output[c], p->activation_min, p->activation_max);
        }
        output += channels;
    }
}

/* All of the output. rows: room for kernel_height pointers, overwritten. */
MI_KERNEL void mi_average_pool_2d_s8(
    const mi_pool_2d_params *p, const int8_t *rows[], const int8_t *input, int8_t *output)
{
    const int32_t input_row = p->input_width * p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            const int32_t origin = y * p->stride_height - p->pad_top;
            mi_window_rows(
                rows, p->kernel_height, input, p->input_height, input_row, origin, 1);
            mi_average_pool_2d_s8_row(p, rows, output);
            output += p->output_width * p->channels;
        }
        input += p->input_height * input_row;
    }
}

/* All of the output. rows: room for kernel_height pointers, overwritten. */
MI_KERNEL void mi_max_pool_2d_s8(
    const mi_pool_2d_params *p, const int8_t *rows[], const int8_t *input, int8_t *output)
{
    const int32_t input_row = p->input_width * p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            const int32_t origin = y * p->stride_height - p->pad_top;
            mi_window_rows(
                rows, p->kernel_height, input, p->input_height, input_row, origin, 1);
            mi_max_pool_2d_s8_row(p, rows, output);
            output += p->output_width * p->channels;
        }
        input += p->input_height * input_row;
    }
}

#endif
