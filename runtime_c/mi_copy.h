/* SPDX-License-Identifier: MIT */

/* Ops that move elements and compute nothing: strided copies, after an optional fill.
 *
 *     output[output_offset + sum(i_k * output_strides[k])] =
 *         input[input_offset + sum(i_k * input_strides[k])]      for all i_k < extents[k]
 *
 * PAD is a fill and a copy, CONCATENATION a copy per input, SPLIT one per output, TRANSPOSE and
 * RESHAPE one copy. A stride of 0 repeats, a negative one reverses.
 * Input and output may not overlap.
 * Python twin: microinfer/ops/movement.py.
 */

#ifndef MI_COPY_H
#define MI_COPY_H

#include "mi_loops.h"
#include "mi_runtime.h"

typedef struct {
    int32_t extents[5];       /* outermost first */
    int32_t input_strides[5]; /* elements, as are the offsets */
    int32_t output_strides[5];
    int32_t input_offset;
    int32_t output_offset;
    int32_t run; /* elements that are contiguous on both sides */
    int32_t element_bytes;
} mi_copy_params;

typedef struct {
    int32_t count; /* bytes */
    int32_t value; /* of each byte, -128..255 */
} mi_fill_params;

MI_KERNEL void mi_copy(const mi_copy_params *p, const void *input, void *output)
{
    const int32_t element_bytes = p->element_bytes;
    const size_t run_bytes = (size_t)p->run * (size_t)element_bytes;
    const int8_t *from = (const int8_t *)input + p->input_offset * element_bytes;
    int8_t *to = (int8_t *)output + p->output_offset * element_bytes;
    mi_loops at = MI_LOOPS_BEGIN;
    do {
        memcpy(to + at.offset2 * element_bytes, from + at.offset1 * element_bytes, run_bytes);
    } while (mi_loops_next(&at, 5, p->extents, p->input_strides, p->output_strides));
}

MI_KERNEL void mi_fill(const mi_fill_params *p, void *output)
{
    memset(output, (uint8_t)p->value, (size_t)p->count);
}

#endif
