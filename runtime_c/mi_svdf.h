/* SPDX-License-Identifier: MIT */

/* SVDF on int8, with a state of int16 or int8: per filter a dot product over the input, then one
 * over the last memory_size of these.
 *
 * acc[u] = bias[u] + sum over the rank filters f of unit u, and over m, of
 *          weights_time[f, m] * (state[f, m] - state_zero_point)
 * output[u] = clamp(acc[u] * multiplier) + output_zero_point
 *
 * input [batches, input_size], state [batches, filters * memory_size], the newest of a filter last,
 * output [batches, filters / rank].
 * [TFLM] micro/kernels/svdf_common.cc. Python twin: microinfer/ops/svdf.py.
 */

#ifndef MI_SVDF_H
#define MI_SVDF_H

#include "mi_fixedpoint.h"

typedef struct {
    int32_t batches;
    int32_t input_size;
    int32_t filters;
    int32_t rank;
    int32_t memory_size;
    int32_t input_zero_point;
    int32_t state_zero_point;
    int32_t output_zero_point;
    int32_t feature_multiplier;
    int32_t feature_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    const int8_t *weights_feature; /* [filters, input_size] */
    const int16_t *weights_time;   /* [filters, memory_size] */
    const int32_t *bias;           /* [filters / rank], or NULL */
} mi_svdf_params;

/* The same, but for the type of weights_time. */
typedef struct {
    int32_t batches;
    int32_t input_size;
    int32_t filters;
    int32_t rank;
    int32_t memory_size;
    int32_t input_zero_point;
    int32_t state_zero_point;
    int32_t output_zero_point;
    int32_t feature_multiplier;
    int32_t feature_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    const int8_t *weights_feature;
    const int8_t *weights_time;
    const int32_t *bias;
} mi_svdf_s8_params;

/* The dot product of a filter, in steps of the state above its zero point; not yet limited. */
static inline int32_t mi_svdf_feature(
    const int8_t *weights, const int8_t *input, int32_t input_size, int32_t input_zero_point,
    int32_t multiplier, int32_t shift)
{
    int32_t acc = 0;
    for (int32_t i = 0; i < input_size; i++) {
        acc += weights[i] * (input[i] - input_zero_point);
    }
    return mi_requantize(acc, multiplier, shift);
}

/* The loops of both kernels. acc wraps, as the runtimes' does: it is kept unsigned. The feature of
 * an int8 state may wrap when the zero point is added to it. */
#define MI_SVDF(p, input, output, state, element, limit)                                           \
    for (int32_t batch = 0; batch < (p)->batches; batch++) {                                       \
        const int8_t *weights_feature = (p)->weights_feature;                                      \
        const element *weights_time = (p)->weights_time;                                           \
        for (int32_t unit = 0; unit < (p)->filters / (p)->rank; unit++) {                          \
            uint32_t acc = (p)->bias != NULL ? (uint32_t)(p)->bias[unit] : 0;                      \
            for (int32_t r = 0; r < (p)->rank; r++) {                                              \
                const int32_t newest = (p)->memory_size - 1;                                       \
                const int32_t feature = mi_svdf_feature(                                           \
                    weights_feature, (input), (p)->input_size, (p)->input_zero_point,              \
                    (p)->feature_multiplier, (p)->feature_shift);                                  \
                for (int32_t m = 0; m < newest; m++) {                                             \
                    (state)[m] = (state)[m + 1];                                                   \
                }                                                                                  \
                (state)[newest] =                                                                  \
                    (element)(mi_clamp(feature, -(limit) - 1, (limit)) + (p)->state_zero_point);   \
                for (int32_t m = 0; m <= newest; m++) {                                            \
                    acc += (uint32_t)(weights_time[m] * ((state)[m] - (p)->state_zero_point));     \
                }                                                                                  \
                weights_feature += (p)->input_size;                                                \
                weights_time += (p)->memory_size;                                                  \
                (state) += (p)->memory_size;                                                       \
            }                                                                                      \
            const int32_t steps =                                                                  \
                mi_requantize((int32_t)acc, (p)->output_multiplier, (p)->output_shift);            \
            *(output)++ = mi_output_s8(steps, (p)->output_zero_point, INT8_MIN, INT8_MAX);         \
        }                                                                                          \
        (input) += (p)->input_size;                                                                \
    }

/* With an int16 state, whose zero point is 0. */
MI_KERNEL void mi_svdf_s8_s16(
    const mi_svdf_params *p, const int8_t *input, int8_t *output, mi_i16 *state)
{
    MI_SVDF(p, input, output, state, int16_t, INT16_MAX)
}

/* With an int8 state. */
MI_KERNEL void mi_svdf_s8(
    const mi_svdf_s8_params *p, const int8_t *input, int8_t *output, int8_t *state)
{
    MI_SVDF(p, input, output, state, int8_t, INT8_MAX)
}

#endif
