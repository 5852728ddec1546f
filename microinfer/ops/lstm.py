"""UNIDIRECTIONAL_SEQUENCE_LSTM on int8, with int8 weights and an int16 cell.

For each step, with x the step's input and h the hidden state, in int32 unless said otherwise:

    pre[g]  = clamp16(requantize(input_weights[g] . (x - input_zero_point) + bias[g])
                      + limit(requantize(recurrent_weights[g] . (h - hidden_zero_point))))
    forget, input, output = sigmoid(pre)      cell gate = tanh(pre)      int16 of scale 2^-15
    cell    = clamp(requantize(forget * cell) + requantize(input * cell gate))
    h       = clamp8(requantize(tanh(cell) * output) + output_zero_point)

input    int8 [batches, steps, input_size], or time_major [steps, batches, input_size]
weights  int8, per gate [units, input_size] and [units, units], one scale, zero point 0
bias     int32 [units] per gate
hidden   int8 [batches, units], state; the output repeats its bytes
cell     int16 [batches, units], state, scale a power of two, zero point 0
output   int8 [batches, steps, units], or time_major

What precedes sigmoid and tanh has scale 2^-12. Profile "table": functions by table, the recurrent
term limited to int16 before the sum; "polynomial": gemmlowp's functions, no such limit, single
rounding of both products, multipliers from float32 scales, and the hidden state's quantization of
the fifth intermediate tensor.
[TFLM] micro/kernels/lstm_eval.h, lstm_eval_common.cc
[LITERT] kernels/lstm_eval.cc, EvalInteger8x8_16; kernels/unidirectional_sequence_lstm.cc.
Coupled gates, peepholes, projection and layer normalization, which only LiteRT has, are refused.
C twin: runtime_c/mi_lstm.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import INT32_MAX, Int64Array, quantize_multiplier, requantize
from ..graph import Quantization, Tensor
from ..sigmoid_tanh_s16 import (
    INT16_MAX,
    INT16_MIN,
    sigmoid_by_polynomial,
    sigmoid_by_table,
    tanh_by_polynomial,
    tanh_by_table,
)
from .accumulate import require_int32_accumulator
from .channels import bias_values
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op

GATES = ("input", "forget", "cell", "output")  # in the order of the node's inputs
HIDDEN, CELL = 18, 19  # positions of the states
ABSENT = {9: "peepholes", 10: "peepholes", 11: "peepholes", 16: "a projection", 17: "a projection"}
ABSENT |= dict.fromkeys(range(20, 24), "layer normalization")


@dataclass(frozen=True)
class LstmGate:
    input_multiplier: int
    input_shift: int
    recurrent_multiplier: int
    recurrent_shift: int
    input_weights: NDArray[np.int8]  # [units, input_size]
    recurrent_weights: NDArray[np.int8]  # [units, units]
    bias: NDArray[np.int32]  # [units]


@dataclass(frozen=True)
class LstmParams:
    batches: int
    steps: int
    input_size: int
    units: int
    batch_stride: int  # rows of the input and output from one batch to the next
    step_stride: int
    input_zero_point: int
    hidden_zero_point: int
    output_zero_point: int
    recurrent_max: int  # limit of the recurrent term before it is added; -recurrent_max - 1 below
    forget_multiplier: int  # forget * cell
    forget_shift: int
    input_multiplier: int  # input * cell gate
    input_shift: int
    hidden_multiplier: int  # tanh(cell) * output
    hidden_shift: int
    cell_min: int
    cell_max: int
    by_polynomial: int  # 1: sigmoid and tanh by polynomial; 0: by table
    cell_multiplier: int  # tanh(cell) by table
    cell_shift: int
    cell_integer_bits: int  # tanh(cell) by polynomial
    input_gate: LstmGate
    forget_gate: LstmGate
    cell_gate: LstmGate
    output_gate: LstmGate

    @cached_property
    def gates(self) -> tuple[LstmGate, ...]:
        return (self.input_gate, self.forget_gate, self.cell_gate, self.output_gate)

    @cached_property
    def matrices(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Input and recurrent weights of each gate, [size, units]."""
        return [
            (gate.input_weights.T.astype(np.float64), gate.recurrent_weights.T.astype(np.float64))
            for gate in self.gates
        ]


def prepare(layer: Layer) -> LstmParams:
    layer.count((1, 24))
    _refuse_variants(layer)
    source, output = layer.input(0), layer.output()
    hidden, cell = layer.variable(HIDDEN, "INT8"), layer.variable(CELL, "INT16")
    layer.int8(source, output, hidden)
    layer.rank_is(source, 3)
    layer.rank_is(output, 3)
    layer.settle()
    time_major = bool(layer.options["time_major"])
    steps, batches = source.shape[:2] if time_major else source.shape[1::-1]
    recurrent = layer.input(6).shape  # of the forget gate, which every variant has
    units, input_size = recurrent[0] if recurrent else 0, source.shape[2]
    layer.require(source.size > 0 and units > 0, source, f"has shape {source.shape}")
    layer.shape_is(output, (*source.shape[:2], units))
    for state in (hidden, cell):
        layer.require(
            state.size == batches * units,
            state,
            f"has {state.size} elements, expected {batches} x {units}",
        )
    power = _cell_power(layer, cell)
    cell_clip = _cell_clip(layer, cell)
    layer.settle()
    table = layer.numerics.lstm == "table"
    assert source.quantization is not None
    assert hidden.quantization is not None
    written = hidden.quantization if table else _written_hidden(layer)
    gates = {
        f"{name}_gate": _gate(layer, number, (units, input_size))
        for number, name in enumerate(GATES)
    }
    hidden_real = 2.0**-30 / written.scale
    with np.errstate(all="ignore"):
        hidden_real = float(layer.numerics.recurrent_float(hidden_real))
    layer.multiplier_fits(hidden, hidden_real)
    layer.settle()
    # x * 2^-n rounded once, ties away from zero, is a multiplier next to 1 for |x| < 2^30.
    forget = quantize_multiplier(2.0**-15) if table else (INT32_MAX, -15)
    product = quantize_multiplier(2.0 ** (-30 - power)) if table else (INT32_MAX, -30 - power)
    hidden_pair = quantize_multiplier(hidden_real)
    left = 12 + power  # bits from the cell's scale up to 2^-12
    return LstmParams(
        batches=batches,
        steps=steps,
        input_size=input_size,
        units=units,
        batch_stride=1 if time_major else steps,
        step_stride=batches if time_major else 1,
        input_zero_point=source.quantization.zero_point,
        hidden_zero_point=hidden.quantization.zero_point,
        output_zero_point=written.zero_point,
        recurrent_max=INT16_MAX if table else (1 << 30) - 1,
        forget_multiplier=forget[0],
        forget_shift=forget[1],
        input_multiplier=product[0],
        input_shift=product[1],
        hidden_multiplier=hidden_pair[0],
        hidden_shift=hidden_pair[1],
        cell_min=-cell_clip if cell_clip else INT16_MIN,
        cell_max=cell_clip or INT16_MAX,
        by_polynomial=0 if table else 1,
        cell_multiplier=3 << left if left > 0 else 3,
        cell_shift=max(-left, 0),
        cell_integer_bits=15 + power,
        **gates,
    )


def _refuse_variants(layer: Layer) -> None:
    fix = "export a plain LSTM layer"
    for position, name in ABSENT.items():
        if (tensor := layer.optional_input(position)) is not None:
            layer.refuse(tensor, f"belongs to {name}, which is not supported", fix)
    if any(layer.optional_input(position) is None for position in (1, 5, 12)):
        layer.refuse(None, "couples its input and forget gate, which is not supported", fix)
    for position in (0, 2, 3, 4, 6, 7, 8, 13, 14, 15):
        layer.require(
            layer.optional_input(position) is not None, None, f"input {position} is absent"
        )
    activation = layer.options["fused_activation_function"]
    layer.require(activation == "TANH", None, f"has activation {activation}, expected TANH", fix)
    layer.settle()


def _cell_power(layer: Layer, cell: Tensor) -> int:
    """log2 of the cell's scale, a power of two that leaves 0 to 6 integer bits."""
    layer.per_tensor(cell)
    layer.settle()
    assert cell.quantization is not None
    fraction, exponent = math.frexp(cell.quantization.scale)
    usable = fraction == 0.5 and -15 <= exponent - 1 <= -9 and cell.quantization.zero_point == 0
    layer.require(
        usable,
        cell,
        f"has scale {cell.quantization.scale:g} and zero point {cell.quantization.zero_point},"
        " expected a power of two in 2^-15..2^-9, and 0",
    )
    layer.settle()
    return exponent - 1


def _cell_clip(layer: Layer, cell: Tensor) -> int:
    """The limit of the cell's magnitude in its own steps; 0 for none."""
    assert cell.quantization is not None
    clip = layer.options["cell_clip"]
    steps = clip / cell.quantization.scale
    layer.require(
        steps == 0 or steps >= 1, None, f"has cell_clip {clip:g}, expected 0 or a cell's step"
    )
    layer.settle()
    return int(min(steps, INT16_MAX))


def _written_hidden(layer: Layer) -> Quantization:
    """What LiteRT quantizes the new hidden state with: the fifth intermediate tensor's."""
    places = layer.node.intermediates
    layer.require(
        len(places) == 5,
        None,
        f"has {len(places)} intermediate tensors, LiteRT needs 5",
        "use the numeric profile tflm, or convert again with a current converter",
    )
    layer.settle()
    tensor = layer.graph.tensors[places[4]]
    layer.per_tensor(tensor)
    layer.settle()
    assert tensor.quantization is not None
    return tensor.quantization


def _gate(layer: Layer, number: int, shape: tuple[int, int]) -> LstmGate:
    """Weights, bias and multipliers of one gate."""
    units, input_size = shape
    bias = bias_values(layer, layer.input(12 + number), units)
    assert bias is not None
    weights: list[NDArray[np.int8]] = []
    pairs: list[tuple[int, int]] = []
    activations = layer.input(0), layer.input(HIDDEN)
    for place, source, size in zip((1, 5), activations, (input_size, units), strict=True):
        tensor = layer.input(place + number)
        values = layer.constant(tensor, ["INT8"])
        layer.shape_is(tensor, (units, size))
        layer.per_tensor(tensor)
        layer.settle()
        assert tensor.quantization is not None
        assert source.quantization is not None
        zero_point = tensor.quantization.zero_point
        layer.require(zero_point == 0, tensor, f"has zero point {zero_point}, expected 0")
        real = tensor.quantization.scale * source.quantization.scale  # exact
        with np.errstate(all="ignore"):
            real = float(layer.numerics.recurrent_float(real))
        layer.multiplier_fits(tensor, real * 4096)
        require_int32_accumulator(
            layer, tensor, values.T, bias if place == 1 else None, source.quantization.zero_point
        )
        layer.settle()
        weights.append(values)
        pairs.append(quantize_multiplier(real * 4096))
    return LstmGate(*pairs[0], *pairs[1], weights[0], weights[1], bias)


def eval(params: LstmParams, x: Array, hidden: Array, cell: Array) -> tuple[Array, Array, Array]:
    """int8 [samples, *input], states [1, *] before the first: outputs, and states after each."""
    p = params
    samples = len(x)
    batches = np.arange(p.batches) * p.batch_stride
    rows = (np.arange(p.steps)[:, None] * p.step_stride + batches).reshape(-1)
    ordered = x.reshape(samples, -1, p.input_size)[:, rows]
    centred = ordered.reshape(-1, p.input_size).astype(np.float64) - p.input_zero_point
    # Of every gate what the input adds, [samples * steps, batches, units].
    terms = [
        _saturate(
            requantize(
                (centred @ matrix).astype(np.int64) + gate.bias,
                gate.input_multiplier,
                gate.input_shift,
            )
        ).reshape(-1, p.batches, p.units)
        for gate, (matrix, _) in zip(p.gates, p.matrices, strict=True)
    ]
    h = hidden.reshape(p.batches, p.units).astype(np.int64)
    c = cell.reshape(p.batches, p.units).astype(np.int64)
    hiddens = np.empty(terms[0].shape, np.int8)
    cells = np.empty(terms[0].shape, np.int16)
    for step in range(samples * p.steps):
        h, c = _step(p, [term[step] for term in terms], h, c)
        hiddens[step], cells[step] = h, c
    outputs = np.empty((samples, len(rows), p.units), np.int8)
    outputs[:, rows] = hiddens.reshape(outputs.shape)
    last = slice(p.steps - 1, None, p.steps)
    return outputs, hiddens[last], cells[last]


def _step(
    p: LstmParams, terms: list[Int64Array], h: Int64Array, c: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Hidden and cell state, [batches, units], after one step."""
    sigmoid: Callable[[Any], Int64Array]
    tanh: Callable[[Any], Int64Array]
    if p.by_polynomial:
        sigmoid = sigmoid_by_polynomial
        tanh = lambda x: tanh_by_polynomial(x, 3)  # noqa: E731
    else:
        sigmoid = lambda x: sigmoid_by_table(x, 3, 0)  # noqa: E731
        tanh = lambda x: tanh_by_table(x, 3, 0)  # noqa: E731
    centred = (h - p.hidden_zero_point).astype(np.float64)
    pre = []
    for gate, term, (_, matrix) in zip(p.gates, terms, p.matrices, strict=True):
        acc = (centred @ matrix).astype(np.int64)
        recurrent = requantize(acc, gate.recurrent_multiplier, gate.recurrent_shift)
        pre.append(_saturate(term + np.clip(recurrent, -p.recurrent_max - 1, p.recurrent_max)))
    input_, forget, output = (sigmoid(pre[number]) for number in (0, 1, 3))
    kept = requantize(forget * c, p.forget_multiplier, p.forget_shift)
    new = requantize(input_ * tanh(pre[2]), p.input_multiplier, p.input_shift)
    c = np.clip(kept + new, p.cell_min, p.cell_max)
    if p.by_polynomial:
        shown = tanh_by_polynomial(c, p.cell_integer_bits)
    else:
        shown = tanh_by_table(c, p.cell_multiplier, p.cell_shift)
    steps = requantize(shown * output, p.hidden_multiplier, p.hidden_shift)
    return np.clip(steps + p.output_zero_point, INT8_MIN, INT8_MAX), c


def _saturate(x: Int64Array) -> Int64Array:
    return np.clip(x, INT16_MIN, INT16_MAX)


OP = Op("UNIDIRECTIONAL_SEQUENCE_LSTM", prepare, eval, state=(HIDDEN, CELL))
