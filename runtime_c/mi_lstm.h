/* SPDX-License-Identifier: MIT */

/* UNIDIRECTIONAL_SEQUENCE_LSTM on int8, with an int16 cell.
 *
 * Per step and batch, for each unit, with x the step's input and h the hidden state:
 *     pre[g]  = saturate(requantize(input_weights[g] . (x - input_zero_point) + bias[g])
 *                        + limit(requantize(recurrent_weights[g] . (h - hidden_zero_point))))
 *     cell    = clamp(sigmoid(pre[forget]) * cell + sigmoid(pre[input]) * tanh(pre[cell]))
 *     h       = tanh(cell) * sigmoid(pre[output])
 *
 * input [batches, steps, input_size] and output [batches, steps, units], or steps first, as the
 * strides say; hidden and cell [batches, units].
 * [TFLM] micro/kernels/lstm_eval.h; [LITERT] kernels/lstm_eval.cc.
 * Python twin: microinfer/ops/lstm.py.
 */

#ifndef MI_LSTM_H
#define MI_LSTM_H

#include "mi_sigmoid_tanh_s16.h"

typedef struct {
    int32_t input_multiplier;
    int32_t input_shift;
    int32_t recurrent_multiplier;
    int32_t recurrent_shift;
    const int8_t *input_weights;     /* [units, input_size] */
    const int8_t *recurrent_weights; /* [units, units] */
    const int32_t *bias;             /* [units] */
} mi_lstm_gate;

typedef struct {
    int32_t batches;
    int32_t steps;
    int32_t input_size;
    int32_t units;
    int32_t batch_stride; /* rows of input and output from one batch to the next */
    int32_t step_stride;
    int32_t input_zero_point;
    int32_t hidden_zero_point;
    int32_t output_zero_point;
    int32_t recurrent_max; /* limit of the recurrent term, below 2^30; -recurrent_max - 1 below */
    int32_t forget_multiplier; /* forget * cell */
    int32_t forget_shift;
    int32_t input_multiplier; /* input * cell gate */
    int32_t input_shift;
    int32_t hidden_multiplier; /* tanh(cell) * output */
    int32_t hidden_shift;
    int32_t cell_min;
    int32_t cell_max;
    int32_t by_polynomial;   /* 1: sigmoid and tanh by polynomial; 0: by table */
    int32_t cell_multiplier; /* tanh(cell) by table */
    int32_t cell_shift;
    int32_t cell_integer_bits; /* tanh(cell) by polynomial */
    mi_lstm_gate input_gate;
    mi_lstm_gate forget_gate;
    mi_lstm_gate cell_gate;
    mi_lstm_gate output_gate;
} mi_lstm_params;

/* weights . (values - zero_point) + bias, requantized. */
static inline int32_t mi_lstm_dot(
    const int8_t *weights, const int8_t *values, int32_t size, int32_t zero_point, int32_t bias,
    int32_t multiplier, int32_t shift)
{
    int32_t acc = bias;
    for (int32_t i = 0; i < size; i++) {
        acc += weights[i] * (values[i] - zero_point);
    }
    return mi_requantize(acc, multiplier, shift);
}

/* What precedes the sigmoid or tanh of a gate for one unit, int16 of scale 2^-12. */
static inline int32_t mi_lstm_pre(
    const mi_lstm_params *p, const mi_lstm_gate *gate, int32_t unit, const int8_t *input,
    const int8_t *hidden)
{
    const int32_t of_input = mi_lstm_dot(
        gate->input_weights + unit * p->input_size, input, p->input_size, p->input_zero_point,
        gate->bias[unit], gate->input_multiplier, gate->input_shift);
    const int32_t recurrent = mi_lstm_dot(
        gate->recurrent_weights + unit * p->units, hidden, p->units, p->hidden_zero_point, 0,
        gate->recurrent_multiplier, gate->recurrent_shift);
    const int32_t limited = mi_clamp(recurrent, -p->recurrent_max - 1, p->recurrent_max);
    return mi_saturate_s16(mi_saturate_s16(of_input) + limited);
}

static inline int32_t mi_lstm_sigmoid(const mi_lstm_params *p, int32_t x)
{
    return p->by_polynomial ? mi_sigmoid_by_polynomial(x) : mi_sigmoid_by_table(x, 3, 0);
}

/* The new cell from the old one and three gates. No product exceeds 2^30. */
static inline int32_t mi_lstm_cell(
    const mi_lstm_params *p, int32_t cell, int32_t pre_input, int32_t pre_forget, int32_t pre_cell)
{
    const int32_t forget = mi_lstm_sigmoid(p, pre_forget);
    const int32_t input = mi_lstm_sigmoid(p, pre_input);
    const int32_t gate =
        p->by_polynomial ? mi_tanh_by_polynomial(pre_cell, 3) : mi_tanh_by_table(pre_cell, 3, 0);
    const int32_t kept = mi_requantize(forget * cell, p->forget_multiplier, p->forget_shift);
    const int32_t added = mi_requantize(input * gate, p->input_multiplier, p->input_shift);
    return mi_clamp(kept + added, p->cell_min, p->cell_max);
}

/* The new hidden state from the new cell and the output gate. */
static inline int8_t mi_lstm_hidden(const mi_lstm_params *p, int32_t cell, int32_t pre_output)
{
    const int32_t shown = p->by_polynomial
                              ? mi_tanh_by_polynomial(cell, p->cell_integer_bits)
                              : mi_tanh_by_table(cell, p->cell_multiplier, p->cell_shift);
    const int32_t product = shown * mi_lstm_sigmoid(p, pre_output);
    const int32_t steps = mi_requantize(product, p->hidden_multiplier, p->hidden_shift);
    return mi_output_s8(steps, p->output_zero_point, INT8_MIN, INT8_MAX);
}

/* A step's hidden state goes to the output first: the old one is read until its last unit. */
MI_KERNEL void mi_lstm_s8(
    const mi_lstm_params *p, const int8_t *input, int8_t *output, int8_t *hidden, mi_i16 *cell)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t step = 0; step < p->steps; step++) {
            const int32_t row = batch * p->batch_stride + step * p->step_stride;
            const int8_t *in = input + row * p->input_size;
            int8_t *out = output + row * p->units;
            for (int32_t unit = 0; unit < p->units; unit++) {
                const int32_t pre_input = mi_lstm_pre(p, &p->input_gate, unit, in, hidden);
                const int32_t pre_forget = mi_lstm_pre(p, &p->forget_gate, unit, in, hidden);
                const int32_t pre_cell = mi_lstm_pre(p, &p->cell_gate, unit, in, hidden);
                const int32_t pre_output = mi_lstm_pre(p, &p->output_gate, unit, in, hidden);
                cell[unit] =
                    (mi_i16)mi_lstm_cell(p, cell[unit], pre_input, pre_forget, pre_cell);
                out[unit] = mi_lstm_hidden(p, cell[unit], pre_output);
            }
            memcpy(hidden, out, (size_t)p->units);
        }
        hidden += p->units;
        cell += p->units;
    }
}

#endif
