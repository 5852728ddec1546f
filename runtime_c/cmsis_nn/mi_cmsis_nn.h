/* SPDX-License-Identifier: MIT */

/* What the calls of Arm's CMSIS-NN have in common. The library is yours to add: compile with its
 * Include folder, and link its Source files.
 */

#ifndef MI_CMSIS_NN_H
#define MI_CMSIS_NN_H

#include "arm_nnfunctions.h"
#include "mi_runtime.h"

#if defined(CMSIS_NN_USE_SINGLE_ROUNDING)
#error "CMSIS_NN_USE_SINGLE_ROUNDING gives other bits than TensorFlow Lite Micro: build without it"
#endif

/* The three kinds of core that the library distinguishes; they take different scratch. */
#define MI_CMSIS_NN_PLAIN 1
#define MI_CMSIS_NN_DSP 2
#define MI_CMSIS_NN_MVE 3
#if defined(ARM_MATH_MVEI)
#define MI_CMSIS_NN_CORE MI_CMSIS_NN_MVE
#elif defined(ARM_MATH_DSP)
#define MI_CMSIS_NN_CORE MI_CMSIS_NN_DSP
#else
#define MI_CMSIS_NN_CORE MI_CMSIS_NN_PLAIN
#endif

/* The library asks for scratch by pointer alone. */
static inline cmsis_nn_context mi_cmsis_nn_scratch(mi_i32 *scratch)
{
    cmsis_nn_context context;
    context.buf = scratch;
    context.size = 0;
    return context;
}

/* The shape of a bias. */
static inline cmsis_nn_dims mi_cmsis_nn_bias(int32_t channels)
{
    cmsis_nn_dims bias;
    bias.n = 1;
    bias.h = 1;
    bias.w = 1;
    bias.c = channels;
    return bias;
}

/* It reads multipliers and shifts through pointers that are not const. */
static inline cmsis_nn_per_channel_quant_params mi_cmsis_nn_quant(
    const int32_t *multipliers, const int32_t *shifts)
{
    cmsis_nn_per_channel_quant_params quant;
    quant.multiplier = (int32_t *)multipliers;
    quant.shift = (int32_t *)shifts;
    return quant;
}

#endif
