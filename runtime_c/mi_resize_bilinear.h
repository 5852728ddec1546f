/* SPDX-License-Identifier: MIT */

/* RESIZE_BILINEAR on int8 or int16: four neighbours, weighted in 1024ths per axis.
 *
 *     place(i) = clamp(i * scale + offset, 0, (input - 1) * 1024)   where index i lies
 *     output = round(sum of the 2 x 2 pixels around, each times its two weights / 2^20)
 *
 * Rounded half away from zero. Input and output may not overlap.
 * Python twin: microinfer/ops/resize_bilinear.py.
 */

#ifndef MI_RESIZE_BILINEAR_H
#define MI_RESIZE_BILINEAR_H

#include "mi_element.h"

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

static inline void mi_resize_bilinear(
    const mi_resize_bilinear_params *p, const void *input, void *output, int32_t type)
{
    const int64_t half = INT64_C(1) << 19;
    const int32_t line = p->input_width * p->channels;
    int32_t done = 0;
    for (int32_t row = 0; row < p->batches * p->output_height; ++row) {
        const int32_t batch = row / p->output_height;
        const int32_t y = mi_bilinear_place(
            row % p->output_height, p->row_scale, p->row_offset, p->input_height);
        const int32_t down = y % 1024;
        const int32_t top = (batch * p->input_height + y / 1024) * line;
        const int32_t bottom = top + (down ? line : 0);
        for (int32_t column = 0; column < p->output_width; ++column) {
            const int32_t x =
                mi_bilinear_place(column, p->column_scale, p->column_offset, p->input_width);
            const int32_t right = x % 1024;
            const int32_t here = x / 1024 * p->channels;
            const int32_t next = here + (right ? p->channels : 0);
            for (int32_t c = 0; c < p->channels; ++c) {
                const int32_t upper = mi_load(input, type, top + here + c) * (1024 - right) +
                                      mi_load(input, type, top + next + c) * right;
                const int32_t lower = mi_load(input, type, bottom + here + c) * (1024 - right) +
                                      mi_load(input, type, bottom + next + c) * right;
                /* below 2^25, and their sum below 2^35 */
                const int64_t sum = (int64_t)upper * (1024 - down) + (int64_t)lower * down;
                const int64_t rounded = (sum < 0 ? sum - half : sum + half) / (2 * half);
                mi_store(output, type, done++, (int32_t)rounded);
            }
        }
    }
}

MI_KERNEL void mi_resize_bilinear_s8(
    const mi_resize_bilinear_params *p, const int8_t *input, int8_t *output)
{
    mi_resize_bilinear(p, input, output, MI_TYPE_INT8);
}

MI_KERNEL void mi_resize_bilinear_s16(
    const mi_resize_bilinear_params *p, const mi_i16 *input, mi_i16 *output)
{
    mi_resize_bilinear(p, input, output, MI_TYPE_INT16);
}

#endif
