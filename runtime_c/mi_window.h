/* SPDX-License-Identifier: MIT */

/* Sliding windows over int8 or int16 images [height, width, channels]: which taps lie inside the image.
 *
 * Tap k of a window whose first tap is at origin lies at origin + k * dilation, along one axis.
 * Vertically, a window is given by one pointer per tap to a row of the image, NULL outside of it;
 * horizontally, by the range of taps inside. So no kernel tests a single tap.
 * Python twins: microinfer/ops/padding.py and accumulate.py.
 */

#ifndef MI_WINDOW_H
#define MI_WINDOW_H

#include "mi_runtime.h"

/* Channels that are accumulated side by side, in so many int32 on the stack. */
#define MI_CHANNEL_BLOCK 16

/* First tap inside the image: the smallest k >= 0 with origin + k * dilation >= 0. */
static inline int32_t mi_first_tap(int32_t origin, int32_t dilation)
{
    return origin < 0 ? (dilation - 1 - origin) / dilation : 0;
}

/* One past the last tap inside: the smallest k with origin + k * dilation >= size, or kernel.
 * origin < size. Not above mi_first_tap() where all taps miss the image, as dilated ones can. */
static inline int32_t mi_end_tap(int32_t origin, int32_t dilation, int32_t kernel, int32_t size)
{
    const int32_t taps = (size - origin + dilation - 1) / dilation;
    return taps < kernel ? taps : kernel;
}

/* rows[k] = the image's row under vertical tap k, for kernel taps; NULL outside the image.
 * row_size is in elements. */
static inline void mi_window_rows(
    const int8_t *rows[], int32_t kernel, const int8_t *image, int32_t height, int32_t row_size,
    int32_t origin, int32_t dilation)
{
    int32_t y = origin;
    for (int32_t k = 0; k < kernel; k++) {
        rows[k] = 0 <= y && y < height ? image + y * row_size : NULL;
        y += dilation;
    }
}

/* The same of int16. */
static inline void mi_window_rows_s16(
    const mi_i16 *rows[], int32_t kernel, const mi_i16 *image, int32_t height, int32_t row_size,
    int32_t origin, int32_t dilation)
{
    int32_t y = origin;
    for (int32_t k = 0; k < kernel; k++) {
        rows[k] = 0 <= y && y < height ? image + y * row_size : NULL;
        y += dilation;
    }
}

#endif
