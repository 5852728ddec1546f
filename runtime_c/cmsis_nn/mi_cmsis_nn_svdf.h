/* SPDX-License-Identifier: MIT */

/* SVDF on int8, with a state of int16 or int8, by CMSIS-NN.
 *
 * What they compute: mi_svdf.h. Python twin of the params: microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_SVDF_H
#define MI_CMSIS_NN_SVDF_H

#include "mi_cmsis_nn.h"

typedef struct {
    cmsis_nn_dims input;    /* batches, input size, 1, 1 */
    cmsis_nn_dims features; /* filters, input size, 1, 1 */
    cmsis_nn_dims time;     /* filters, memory size, 1, 1 */
    int32_t rank;
    int32_t input_zero_point; /* not negated */
    int32_t output_offset;    /* zero point */
    int32_t feature_multiplier;
    int32_t feature_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    const int8_t *weights_feature; /* [filters, input size] */
    const int16_t *weights_time;   /* [filters, memory size] */
    const int32_t *bias;           /* or NULL */
} mi_cmsis_nn_svdf_params;

/* With an int8 state, of zero point 0. */
typedef struct {
    cmsis_nn_dims input;
    cmsis_nn_dims features;
    cmsis_nn_dims time;
    int32_t rank;
    int32_t input_zero_point;
    int32_t output_offset;
    int32_t feature_multiplier;
    int32_t feature_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    const int8_t *weights_feature;
    const int32_t *kernel_sums; /* -input_zero_point * sum of a filter's weights; or NULL */
    const int8_t *weights_time;
    const int32_t *bias;
} mi_cmsis_nn_svdf_s8_params;

/* Scratch: a sum per filter, then one per unit, for each batch. */
MI_KERNEL void mi_cmsis_nn_svdf_s8_s16(
    const mi_cmsis_nn_svdf_params *p, const int8_t *input, int8_t *output, mi_i16 *state,
    mi_i32 *scratch)
{
    const int32_t units = p->features.n / p->rank;
    const cmsis_nn_context filters = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_context sums = mi_cmsis_nn_scratch(scratch + p->input.n * p->features.n);
    const cmsis_nn_dims state_dims = {p->input.n, p->features.n * p->time.h, 1, 1};
    const cmsis_nn_dims output_dims = {p->input.n, units, 1, 1};
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(units);
    const cmsis_nn_per_tensor_quant_params feature = {p->feature_multiplier, p->feature_shift};
    const cmsis_nn_per_tensor_quant_params final = {p->output_multiplier, p->output_shift};
    const cmsis_nn_svdf_params svdf = {
        p->rank, p->input_zero_point, p->output_offset, {INT16_MIN, INT16_MAX}, {INT8_MIN, INT8_MAX}};
    (void)arm_svdf_state_s16_s8(
        &filters, &sums, &svdf, &feature, &final, &p->input, input, &state_dims, state,
        &p->features, p->weights_feature, &p->time, p->weights_time, &bias, p->bias, &output_dims,
        output);
}

MI_KERNEL void mi_cmsis_nn_svdf_s8(
    const mi_cmsis_nn_svdf_s8_params *p, const int8_t *input, int8_t *output, int8_t *state,
    mi_i32 *scratch)
{
    const int32_t units = p->features.n / p->rank;
    const cmsis_nn_context filters = mi_cmsis_nn_scratch(scratch);
    const cmsis_nn_context sums = mi_cmsis_nn_scratch(scratch + p->input.n * p->features.n);
    const cmsis_nn_context of_weights = {(void *)p->kernel_sums, 0};
    const cmsis_nn_dims state_dims = {p->input.n, p->features.n * p->time.h, 1, 1};
    const cmsis_nn_dims output_dims = {p->input.n, units, 1, 1};
    const cmsis_nn_dims bias = mi_cmsis_nn_bias(units);
    const cmsis_nn_per_tensor_quant_params feature = {p->feature_multiplier, p->feature_shift};
    const cmsis_nn_per_tensor_quant_params final = {p->output_multiplier, p->output_shift};
    const cmsis_nn_svdf_params svdf = {
        p->rank, p->input_zero_point, p->output_offset, {INT8_MIN, INT8_MAX}, {INT8_MIN, INT8_MAX}};
    (void)arm_svdf_s8(
        &of_weights, &filters, &sums, &svdf, &feature, &final, &p->input, input, &state_dims,
        state, &p->features, p->weights_feature, &p->time, p->weights_time, &bias, p->bias,
        &output_dims, output);
}

#endif
