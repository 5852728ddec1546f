/* SPDX-License-Identifier: MIT */

/* Requantization of int64 accumulators, as layers on int16 activations have them.
 *
 * Python twin: microinfer/fixedpoint.py, kept equal by tests/test_requantize_s64.py.
 */

#ifndef MI_FIXEDPOINT_S64_H
#define MI_FIXEDPOINT_S64_H

#include "mi_fixedpoint.h"

/* acc * multiplier * 2^(shift - 31), |acc| < 2^47, shift in -31..7, > 0 to the left.
 * The multiplier is cut to 16 bits, rounded; one rounding after that, ties up. That the result
 * fits int32 was proved when the parameters were made.
 * [TFLM] kernels/internal/common.cc, MultiplyByQuantizedMultiplier of an int64_t. */
static inline int32_t mi_requantize_s64(int64_t acc, int32_t multiplier, int32_t shift)
{
    const int32_t reduced =
        multiplier < 0x7FFF0000 ? (multiplier + (INT32_C(1) << 15)) >> 16 : 0x7FFF;
    const int32_t right = 15 - shift; /* 8..46; the sum is below 2^62 + 2^45 */
    return (int32_t)((acc * reduced + (INT64_C(1) << (right - 1))) >> right);
}

/* What an int16 layer with an int64 bias (mi_requantize_s64) or, with double_rounding, an int32 one
 * (mi_requantize; acc fits int32) does. */
static inline int32_t mi_requantize_s16(
    int64_t acc, int32_t multiplier, int32_t shift, int32_t double_rounding)
{
    return double_rounding ? mi_requantize((int32_t)acc, multiplier, shift)
                           : mi_requantize_s64(acc, multiplier, shift);
}

/* mi_round_f64_product of an int64 accumulator, |acc| < 2^47: what round((double)acc * real) gives
 * in IEEE double arithmetic, real = mantissa * 2^-shift, limited to +-MI_ROUND_LIMIT. */
static inline int32_t mi_round_f64_product_s64(int64_t acc, int64_t mantissa, int32_t shift)
{
    if (acc == 0 || mantissa == 0) {
        return 0;
    }
    /* product = magnitude * mantissa = top * 2^64 + below, in [2^52, 2^100), by four partial
     * products. No line overflows: the sums of the second stay below 2^53 + 2^47 + 2^32. */
    const uint64_t magnitude = acc < 0 ? UINT64_C(0) - (uint64_t)acc : (uint64_t)acc;
    const uint64_t acc_low = magnitude & UINT32_MAX;
    const uint64_t acc_high = magnitude >> 32; /* below 2^15 */
    const uint64_t mantissa_low = (uint64_t)mantissa & UINT32_MAX;
    const uint64_t mantissa_high = (uint64_t)mantissa >> 32; /* below 2^21 */
    const uint64_t lowest = acc_low * mantissa_low;
    const uint64_t middle = acc_low * mantissa_high + acc_high * mantissa_low + (lowest >> 32);
    const uint64_t top = acc_high * mantissa_high + (middle >> 32); /* below 2^36 */
    const uint64_t below = (middle << 32) | (lowest & UINT32_MAX);

    /* To 53 bits: product ~ kept * 2^drop, drop in 0..47. */
    int32_t drop = top != 0 ? 11 : 0;
    while (top != 0 ? (top >> (drop - 11)) != 0 : (below >> drop) >> 53 != 0) {
        drop++;
    }
    uint64_t kept = below;
    if (drop > 0) {
        const uint64_t unit = UINT64_C(1) << drop;
        const uint64_t twice_dropped = 2 * (below & (unit - 1));
        kept = (top << (64 - drop)) | (below >> drop);
        if (twice_dropped > unit || (twice_dropped == unit && (kept & 1) != 0)) {
            kept++; /* 2^53 needs no more care: it is a multiple of 2, and stays exact */
        }
    }

    /* To an integer: kept / 2^right. */
    const int32_t right = shift - drop;
    if (right > 62) {
        return 0; /* kept / 2^right <= 2^53 / 2^63 */
    }
    uint64_t rounded = MI_ROUND_LIMIT;
    if (right > 0) {
        rounded = (kept + (UINT64_C(1) << (right - 1))) >> right; /* the sum is below 2^62 */
    }
    const int32_t limited = rounded < MI_ROUND_LIMIT ? (int32_t)rounded : MI_ROUND_LIMIT;
    return acc < 0 ? -limited : limited;
}

#endif
