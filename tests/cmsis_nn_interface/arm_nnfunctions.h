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

typedef struct {
    void *buf;
    int32_t size;
} cmsis_nn_context;

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
    int32_t *multiplier;
    int32_t *shift;
    int32_t is_per_channel;
} cmsis_nn_quant_params;

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

arm_cmsis_nn_status arm_convolve_wrapper_s8(
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

arm_cmsis_nn_status arm_transpose_conv_s8(
    const cmsis_nn_context *, const cmsis_nn_context *, const cmsis_nn_transpose_conv_params *,
    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *input, const int8_t *,
    const cmsis_nn_dims *filter, const int8_t *, const cmsis_nn_dims *bias, const int32_t *,
    const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_batch_matmul_s8(
    const cmsis_nn_context *, const cmsis_nn_bmm_params *,
    const cmsis_nn_per_tensor_quant_params *, const cmsis_nn_dims *lhs, const int8_t *,
    const cmsis_nn_dims *rhs, const int8_t *, const cmsis_nn_dims *output, int8_t *);

arm_cmsis_nn_status arm_fully_connected_wrapper_s8(
    const cmsis_nn_context *, const cmsis_nn_fc_params *, const cmsis_nn_quant_params *,
    const cmsis_nn_dims *input, const int8_t *, const cmsis_nn_dims *filter, const int8_t *,
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

#ifdef __cplusplus
}
#endif

#endif
