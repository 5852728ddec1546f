/* SPDX-License-Identifier: MIT */

/* RESIZE_BILINEAR on int8: four neighbours, weighted in 1024ths per axis.
 *
 *     place(i) = clamp(i * scale + offset, 0, (input - 1) * 1024)   where index i lies
 *     output = round(sum of the 2 x 2 pixels around, each times its two weights / 2^20)
 *
 * Rounded half away from zero. Input and output may not overlap.
 * Python twin: microinfer/ops/resize_bilinear.py.
 */

#ifndef MI_RESIZE_BILINEAR_H
#define MI_RESIZE_BILINEAR_H

#include "mi_runtime.h"

typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t output_height;
    int32_t output_width;
    int32_t row_scale; /* 1024ths of a row of the input per row of the output */
    int32_t row_offset;
    int32_t column_scale;
    int32_t column_offset;
} mi_resize_bilinear_params;

/* Where output index i lies along an axis of ``size``, in 1024ths. */
static inline int32_t mi_bilinear_place(int32_t i, int32_t scale, int32_t offset, int32_t size)
{
    const int32_t place = i * scale + offset;
    const int32_t last = (size - 1) * 1024;
    return place < 0 ? 0 : place > last ? last : place;
}

MI_KERNEL void mi_resize_bilinear_s8(
    const mi_resize_bilinear_params *p, const int8_t *input, int8_t *output)
{
    const int32_t half = (int32_t)1 << 19;
    for (int32_t row = 0; row < p->batches * p->output_height; ++row) {
        const int32_t batch = row / p->output_height;
        const int32_t y = mi_bilinear_place(
            row % p->output_height, p->row_scale, p->row_offset, p->input_height);
        const int32_t down = y % 1024;
        const int8_t *top = input + (batch * p->input_height + y / 1024) * p->input_width * p->channels;
        const int8_t *bottom = top + (down ? p->input_width * p->channels : 0);
        for (int32_t column = 0; column < p->output_width; ++column) {
            const int32_t x =
                mi_bilinear_place(column, p->column_scale, p->column_offset, p->input_width);
            const int32_t right = x % 1024;
            const int32_t here = x / 1024 * p->channels;
            const int32_t next = here + (right ? p->channels : 0);
            for (int32_t c = 0; c < p->channels; ++c) {
                /* below 2^17, and their sum below 2^28 */
                const int32_t upper = top[here + c] * (1024 - right) + top[next + c] * right;
                const int32_t lower = bottom[here + c] * (1024 - right) + bottom[next + c] * right;
                const int32_t sum = upper * (1024 - down) + lower * down;
                *output++ = (int8_t)((sum < 0 ? sum - half : sum + half) / (2 * half));
            }
        }
    }
}

#endif
