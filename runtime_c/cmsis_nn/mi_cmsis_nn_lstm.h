/* SPDX-License-Identifier: MIT */

/* UNIDIRECTIONAL_SEQUENCE_LSTM on int8, with an int16 cell, by CMSIS-NN.
 *
 * What it computes: mi_lstm.h. Python twin of the params: microinfer/emit/cmsis_nn/params.py.
 */

#ifndef MI_CMSIS_NN_LSTM_H
#define MI_CMSIS_NN_LSTM_H

#include "mi_cmsis_nn.h"

typedef struct {
    int32_t input_multiplier;
    int32_t input_shift;
    int32_t recurrent_multiplier;
    int32_t recurrent_shift;
    const int8_t *input_weights;     /* [units, input size] */
    const int8_t *recurrent_weights; /* [units, units] */
    const int32_t *bias;             /* [units], less input zero point * sum of input weights */
    const int32_t *recurrent_bias;   /* [units], -hidden zero point * sum of recurrent weights */
} mi_cmsis_nn_lstm_gate;

typedef struct {
    int32_t time_major;
    int32_t batches;
    int32_t steps;
    int32_t input_size;
    int32_t units;
    int32_t forget_multiplier; /* forget * cell */
    int32_t forget_shift;
    int32_t input_multiplier; /* input * cell gate */
    int32_t input_shift;
    int32_t cell_clip;         /* 0: none */
    int32_t cell_power;        /* log2 of the cell's scale */
    int32_t hidden_multiplier; /* tanh(cell) * output */
    int32_t hidden_shift;
    int32_t output_offset; /* zero point */
    mi_cmsis_nn_lstm_gate input_gate;
    mi_cmsis_nn_lstm_gate forget_gate;
    mi_cmsis_nn_lstm_gate cell_gate;
    mi_cmsis_nn_lstm_gate output_gate;
} mi_cmsis_nn_lstm_params;

static inline cmsis_nn_lstm_gate mi_cmsis_nn_gate(
    const mi_cmsis_nn_lstm_gate *p, arm_nn_activation_type activation)
{
    cmsis_nn_lstm_gate gate;
    gate.input_multiplier = p->input_multiplier;
    gate.input_shift = p->input_shift;
    gate.input_weights = p->input_weights;
    gate.input_effective_bias = p->bias;
    gate.hidden_multiplier = p->recurrent_multiplier;
    gate.hidden_shift = p->recurrent_shift;
    gate.hidden_weights = p->recurrent_weights;
    gate.hidden_effective_bias = p->recurrent_bias;
    gate.bias = NULL; /* part of the effective one */
    gate.activation_type = activation;
    return gate;
}

/* Scratch: two gates of int16, of all sequences with time_major, else of one. */
MI_KERNEL void mi_cmsis_nn_lstm_s8(
    const mi_cmsis_nn_lstm_params *p, const int8_t *input, int8_t *output, int8_t *hidden,
    mi_i16 *cell, mi_i32 *scratch)
{
    cmsis_nn_lstm_context buffers;
    cmsis_nn_lstm_params lstm;
    buffers.temp1 = scratch;
    buffers.temp2 = (mi_i16 *)scratch + (p->time_major ? p->batches : 1) * p->units;
    buffers.cell_state = cell;
    buffers.hidden_state = hidden;
    lstm.time_major = p->time_major;
    lstm.batch_size = p->batches;
    lstm.time_steps = p->steps;
    lstm.input_size = p->input_size;
    lstm.hidden_size = p->units;
    lstm.input_offset = 0; /* part of the effective biases */
    lstm.forget_to_cell_multiplier = p->forget_multiplier;
    lstm.forget_to_cell_shift = p->forget_shift;
    lstm.input_to_cell_multiplier = p->input_multiplier;
    lstm.input_to_cell_shift = p->input_shift;
    lstm.cell_clip = p->cell_clip;
    lstm.cell_scale_power = p->cell_power;
    lstm.output_multiplier = p->hidden_multiplier;
    lstm.output_shift = p->hidden_shift;
    lstm.output_offset = p->output_offset;
    lstm.forget_gate = mi_cmsis_nn_gate(&p->forget_gate, ARM_SIGMOID);
    lstm.input_gate = mi_cmsis_nn_gate(&p->input_gate, ARM_SIGMOID);
    lstm.cell_gate = mi_cmsis_nn_gate(&p->cell_gate, ARM_TANH);
    lstm.output_gate = mi_cmsis_nn_gate(&p->output_gate, ARM_SIGMOID);
    (void)arm_lstm_unidirectional_s8(input, output, &lstm, &buffers);
}

#endif
