/* SPDX-License-Identifier: MIT */

/* The part of CMSIS-NN's public interface that runtime_c/cmsis_nn calls, declared anew so that
 * generated code can be compiled where there is no checkout of it. Nothing here is the library's
 * text; tests/test_cmsis_nn_interface.py holds every declaration against the real header.
 */

#ifndef MI_TEST_ARM_NNFUNCTIONS_H
#define MI_TEST_ARM_NNFUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#define ARM_MATH_DSP 1
#endif
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define ARM_MATH_MVEI 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ARM_CMSIS_NN_SUCCESS = 0 } arm_cmsis_nn_status;

typedef enum { ARM_SIGMOID = 0, ARM_TANH = 1 } arm_nn_activation_type;

typedef struct {
    void *buf;
    int32_t size;
} cmsis_nn_context;

typedef struct {
    const void *data;
    const bool is_int32_bias;
} cmsis_nn_bias_data;

typedef struct {
    int32_t n;
    int32_t h;
    int32_t w;
    int32_t c;
} cmsis_nn_dims;

typedef struct {
    int32_t w;
    int32_t h;
} cmsis_nn_tile;

typedef struct {
    int32_t min;
    int32_t max;
} cmsis_nn_activation;

typedef struct {
    int32_t *multiplier;
    int32_t *shift;
} cmsis_nn_per_channel_quant_params;

typedef struct {
    int32_t multiplier;
    int32_t shift;
} cmsis_nn_per_tensor_quant_params;

typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_conv_params;

typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    int32_t ch_mult;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_dw_conv_params;

typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile padding_offsets;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_transpose_conv_params;

typedef struct {
    const int32_t num_dims;
    const uint32_t *permutations;
} cmsis_nn_transpose_params;

typedef struct {
    int32_t input_offset;
    int32_t filter_offset;
    int32_t output_offset;
    cmsis_nn_activation activation;
} cmsis_nn_fc_params;

typedef struct {
    const bool adj_x;
    const bool adj_y;
    cmsis_nn_fc_params fc_params;
} cmsis_nn_bmm_params;

typedef struct {
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_activation activation;
} cmsis_nn_pool_params;

typedef struct {
    int32_t rank;
    int32_t input_offset;
    int32_t output_offset;
    cmsis_nn_activation input_activation;
    cmsis_nn_activation output_activation;
} cmsis_nn_svdf_params;

typedef struct {
    const int16_t *exp_lut;
    const int16_t *one_by_one_lut;
} cmsis_nn_softmax_lut_s16;

typedef struct {
    int32_t input_multiplier;
    int32_t input_shift;
    const void *input_weights;
    const void *input_effective_bias;
    int32_t hidden_multiplier;
    int32_t hidden_shift;
    const void *hidden_weights;
    const void *hidden_effective_bias;
    const void *bias;
    arm_nn_activation_type activation_type;
} cmsis_nn_lstm_gate;

typedef struct {
    int32_t time_major;
    int32_t batch_size;
    int32_t time_steps;
    int32_t input_size;
    int32_t hidden_size;
    int32_t input_offset;
    int32_t forget_to_cell_multiplier;
    int32_t forget_to_cell_shift;
    int32_t input_to_cell_multiplier;
    int32_t input_to_cell_shift;
    int32_t cell_clip;
    int32_t cell_scale_power;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_offset;
    cmsis_nn_lstm_gate forget_gate;
    cmsis_nn_lstm_gate input_gate;
    cmsis_nn_lstm_gate cell_gate;
    cmsis_nn_lstm_gate output_gate;
} cmsis_nn_lstm_params;

typedef struct {
    void *temp1;
    void *temp2;
    void *cell_state;
    void *hidden_state;
} cmsis_nn_lstm_context;

arm_cmsis_nn_status arm_convolve_1x1_s8_fast(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_convolve_1x1_s8(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_convolve_1_x_n_s8(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_convolve_s8(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *upscale, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(
    const cmsis_nn_context *, const cmsis_nn_dw_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_depthwise_conv_3x3_s8(
    const cmsis_nn_context *, const cmsis_nn_dw_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_depthwise_conv_s8_opt(
    const cmsis_nn_context *, const cmsis_nn_dw_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_depthwise_conv_s8(
    const cmsis_nn_context *, const cmsis_nn_dw_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_transpose_conv_s8(
    const cmsis_nn_context *, const cmsis_nn_context *, const cmsis_nn_transpose_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_batch_matmul_s8(
    const cmsis_nn_context *, const cmsis_nn_bmm_params *,
    const cmsis_nn_per_tensor_quant_params *, const cmsis_nn_dims *lhs, const int8_t *,
    const cmsis_nn_dims *rhs, const int8_t *, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_fully_connected_s8(
    const cmsis_nn_context *, const cmsis_nn_fc_params *,
    const cmsis_nn_per_tensor_quant_params *, const cmsis_nn_dims *input, const int8_t *, const cmsis_nn_dims *filter, const int8_t *,
    const cmsis_nn_dims *bias, const int32_t *, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_fully_connected_per_channel_s8(
    const cmsis_nn_context *, const cmsis_nn_fc_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *, const cmsis_nn_dims *filter, const int8_t *,
    const cmsis_nn_dims *bias, const int32_t *, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_avgpool_s8(
    const cmsis_nn_context *, const cmsis_nn_pool_params *, const cmsis_nn_dims *input,
    const int8_t *, const cmsis_nn_dims *filter, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_max_pool_s8(
    const cmsis_nn_context *, const cmsis_nn_pool_params *, const cmsis_nn_dims *input,
    const int8_t *, const cmsis_nn_dims *filter, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_pad_s8(
    const int8_t *, int8_t *, int8_t value, const cmsis_nn_dims *input,
    const cmsis_nn_dims *before, const cmsis_nn_dims *after);

arm_cmsis_nn_status arm_transpose_s8(
    const int8_t *, int8_t *, const cmsis_nn_dims *input, const cmsis_nn_dims *output,
    const cmsis_nn_transpose_params *);

void arm_softmax_s8(
    const int8_t *, int32_t rows, int32_t depth, int32_t multiplier, int32_t shift,
    int32_t diff_min, int8_t *);

arm_cmsis_nn_status arm_elementwise_add_s8(
    const int8_t *, const int8_t *, int32_t offset_1, int32_t multiplier_1, int32_t shift_1,
    int32_t offset_2, int32_t multiplier_2, int32_t shift_2, int32_t left_shift, int8_t *,
    int32_t offset, int32_t multiplier, int32_t shift, int32_t minimum, int32_t maximum,
    int32_t size);

arm_cmsis_nn_status arm_elementwise_mul_s8(
    const int8_t *, const int8_t *, int32_t offset_1, int32_t offset_2, int8_t *, int32_t offset,
    int32_t multiplier, int32_t shift, int32_t minimum, int32_t maximum, int32_t size);

arm_cmsis_nn_status arm_convolve_wrapper_s4(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_convolve_s4(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_convolve_wrapper_s16(
    const cmsis_nn_context *, const cmsis_nn_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int16_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const cmsis_nn_bias_data *,
    const cmsis_nn_dims *output, int16_t *);

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s4(
    const cmsis_nn_context *, const cmsis_nn_dw_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s16(
    const cmsis_nn_context *, const cmsis_nn_dw_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int16_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int64_t *,
    const cmsis_nn_dims *output, int16_t *);

arm_cmsis_nn_status arm_fully_connected_s4(
    const cmsis_nn_context *, const cmsis_nn_fc_params *, const cmsis_nn_per_tensor_quant_params *,
    const cmsis_nn_dims *input, const int8_t *, const cmsis_nn_dims *filter, const int8_t *,
    const cmsis_nn_dims *bias, const int32_t *, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_fully_connected_s16(
    const cmsis_nn_context *, const cmsis_nn_fc_params *, const cmsis_nn_per_tensor_quant_params *,
    const cmsis_nn_dims *input, const int16_t *, const cmsis_nn_dims *filter, const int8_t *,
    const cmsis_nn_dims *bias, const int64_t *, const cmsis_nn_dims *output, int16_t *);

arm_cmsis_nn_status arm_batch_matmul_s16(
    const cmsis_nn_context *, const cmsis_nn_bmm_params *,
    const cmsis_nn_per_tensor_quant_params *, const cmsis_nn_dims *lhs, const int16_t *,
    const cmsis_nn_dims *rhs, const int16_t *, const cmsis_nn_dims *output, int16_t *);

arm_cmsis_nn_status arm_avgpool_s16(
    const cmsis_nn_context *, const cmsis_nn_pool_params *, const cmsis_nn_dims *input,
    const int16_t *, const cmsis_nn_dims *filter, const cmsis_nn_dims *output, int16_t *);

arm_cmsis_nn_status arm_max_pool_s16(
    const cmsis_nn_context *, const cmsis_nn_pool_params *, const cmsis_nn_dims *input,
    const int16_t *, const cmsis_nn_dims *filter, const cmsis_nn_dims *output, int16_t *);

void arm_softmax_s8_s16(
    const int8_t *, int32_t rows, int32_t depth, int32_t multiplier, int32_t shift,
    int32_t diff_min, int16_t *);

arm_cmsis_nn_status arm_softmax_s16(
    const int16_t *, int32_t rows, int32_t depth, int32_t multiplier, int32_t shift,
    const cmsis_nn_softmax_lut_s16 *, int16_t *);

arm_cmsis_nn_status arm_elementwise_add_s16(
    const int16_t *, const int16_t *, int32_t offset_1, int32_t multiplier_1, int32_t shift_1,
    int32_t offset_2, int32_t multiplier_2, int32_t shift_2, int32_t left_shift, int16_t *,
    int32_t offset, int32_t multiplier, int32_t shift, int32_t minimum, int32_t maximum,
    int32_t size);

arm_cmsis_nn_status arm_elementwise_mul_s16(
    const int16_t *, const int16_t *, int32_t offset_1, int32_t offset_2, int16_t *,
    int32_t offset, int32_t multiplier, int32_t shift, int32_t minimum, int32_t maximum,
    int32_t size);

arm_cmsis_nn_status arm_svdf_s8(
    const cmsis_nn_context *, const cmsis_nn_context *filters, const cmsis_nn_context *units,
    const cmsis_nn_svdf_params *, const cmsis_nn_per_tensor_quant_params *feature,
    const cmsis_nn_per_tensor_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *state, int8_t *, const cmsis_nn_dims *features, const int8_t *,
    const cmsis_nn_dims *time, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_svdf_state_s16_s8(
    const cmsis_nn_context *filters, const cmsis_nn_context *units, const cmsis_nn_svdf_params *,
    const cmsis_nn_per_tensor_quant_params *feature, const cmsis_nn_per_tensor_quant_params *,
    const cmsis_nn_dims *input, const int8_t *, const cmsis_nn_dims *state, int16_t *,
    const cmsis_nn_dims *features, const int8_t *, const cmsis_nn_dims *time, const int16_t *,
    const cmsis_nn_dims *bias, const int32_t *, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_lstm_unidirectional_s8(
    const int8_t *, int8_t *, const cmsis_nn_lstm_params *, cmsis_nn_lstm_context *);

#ifdef __cplusplus
}
#endif

#endif
