"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM: layers that remember."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ops.lstm import CELL, GATES, HIDDEN, LstmGate, LstmParams
from ...prepare import PreparedLayer
from ...sigmoid_tanh_s16 import sigmoid_by_polynomial, tanh_by_polynomial
from ..arithmetic import arithmetic
from .functions import by_table
from .steps import At, Term, Working, signed, wrap
from .weighted import rescale

Array = NDArray[Any]
STATE = 3  # which of the operands, as they are noted
WORD = -(2**15), 2**15 - 1


def explain_svdf(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p, node, tensors = layer.params, layer.node, layer.graph.tensors
    x, state = operands[0].astype(np.int64), operands[1]
    batch, unit = at
    for role, position in (("input", 0), ("feature weights", 1), ("time weights", 2), ("state", 4)):
        working.operand(role, node.inputs[position], tensors[node.inputs[position]])
    memory = state.reshape(p.batches, p.filters, p.memory_size)[batch].astype(np.int64)
    low, high = (int(limit) for limit in (np.iinfo(state.dtype).min, np.iinfo(state.dtype).max))
    state_terms: list[Term] = []
    for f in range(unit * p.rank, (unit + 1) * p.rank):
        sum_ = 0
        for i, v in enumerate(x[batch]):
            w, centred = int(p.weights_feature[f, i]), int(v) - p.input_zero_point
            values = {"input": int(v), "less zero point": centred, "feature weight": w}
            values["product"] = w * centred
            working.terms.append(Term((batch, i), values, (f, i)))
            sum_ += w * centred
        name = f"filter {f}"
        what = f"; {p.input_size} feature weights times the input"
        working.step(f"{name}: sum", what, sum_, c="acc +=")
        steps = working.requantize(sum_, p.feature_multiplier, p.feature_shift, name)
        newest = working.clamp(steps, (low, high), c="mi_clamp")
        whole = newest + p.state_zero_point
        bits = 8 * state.itemsize
        stored = (whole + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
        text = f"{newest} {signed(p.state_zero_point)}"
        if stored != whole:
            text += f" = {whole}; has no room in {bits} bits: it wraps"
        working.step(
            f"{name}: newest in state", text, stored, "the oldest is dropped", c="state)[newest]"
        )
        line = [*memory[f][1:].tolist(), stored]
        for m, value in enumerate(line):
            w = int(p.weights_time[f, m])
            centred = value - p.state_zero_point
            values = {"state": value, "time weight": w, "product": w * centred}
            place = (batch, f * p.memory_size + m)
            state_terms.append(Term(place, values, (f, m), operand=STATE))
    working.terms += state_terms
    total = sum(int(term.value) for term in state_terms)
    working.step(
        "sum of products",
        f"; {p.rank} filters by {p.memory_size} times, oldest first",
        total,
        c="acc +=",
    )
    acc = total
    if p.bias is not None:
        bias = int(p.bias[unit])
        index = node.inputs[3]
        working.operand("bias", index, tensors[index], (unit,), bias)
        text = f"{total} {signed(bias)}"
        acc = working.wrapped("accumulator", text, total + bias, c="acc =")
    elif wrap(total) != total:
        acc = working.wrapped("in 32 bits", "", total, c="acc +=")
    own = arithmetic(layer, operands, at)
    assert own is not None
    return rescale(working, own, acc)


def explain_lstm(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    """One unit of one step; the steps before it are run by the operator itself."""
    p: LstmParams = layer.params
    node, tensors = layer.node, layer.graph.tensors
    x, hidden, cell = operands
    time_major = bool(node.options["time_major"])
    step, batch, unit = at if time_major else (at[1], at[0], at[2])
    for role, position in (("input", 0), ("hidden state", HIDDEN), ("cell state", CELL)):
        working.operand(role, node.inputs[position], tensors[node.inputs[position]])
    h, c = _before(layer, x, hidden, cell, step)
    h_before, c_before = h.reshape(p.batches, p.units)[batch], c.reshape(p.batches, p.units)[batch]
    row = (x[step, batch] if time_major else x[batch, step]).astype(np.int64)
    started = "; after the steps before it" if step else "; the first one"
    working.step("step of the sequence", started, step)
    _gate_terms(p, at[:2], row, (batch, h_before), unit, working)
    before = [
        _gate(p, name, gate, row, h_before, unit, working)
        for name, gate in zip(GATES, p.gates, strict=True)
    ]
    shown = [
        _activation(p, name, value, name == "cell", working)
        for name, value in zip(GATES, before, strict=True)
    ]
    input_, forget, cell_gate, output = shown
    old = int(c_before[unit])
    working.step(
        "forget * cell", f"{forget} * {old}; this unit's cell before", forget * old, c="kept ="
    )
    kept = working.requantize(forget * old, p.forget_multiplier, p.forget_shift, "kept")
    product = input_ * cell_gate
    working.step("input * cell gate", f"{input_} * {cell_gate}", product, c="added =")
    new = working.requantize(product, p.input_multiplier, p.input_shift, "new")
    working.step("new cell", f"{kept} + ({new})", kept + new, c="kept + added")
    limited = working.clamp(kept + new, (p.cell_min, p.cell_max), c="mi_clamp")
    if p.by_polynomial:
        tanh = int(tanh_by_polynomial(limited, p.cell_integer_bits))
        text = f"; of {limited} / 2^{15 - p.cell_integer_bits}, in 2^-15, by polynomial"
        working.step("tanh(cell)", text, tanh, c="shown =")
    else:
        tanh = by_table(working, limited, p.cell_multiplier, p.cell_shift, True, "cell")
    working.step("tanh(cell) * output gate", f"{tanh} * {output}", tanh * output, c="product =")
    steps = working.requantize(tanh * output, p.hidden_multiplier, p.hidden_shift, "output")
    if p.by_polynomial:
        working.coarse = "sigmoid and tanh by polynomial are shown as one step each"
    return working.output(steps, p.output_zero_point, (-128, 127))


def _gate_terms(
    p: LstmParams,
    place: At,
    row: Array,
    hidden: tuple[int, Array],
    unit: int,
    working: Working,
) -> None:
    """The products of input and hidden state with the weights of each gate."""
    batch, values = hidden
    sources = (
        (0, place, row, p.input_zero_point, [gate.input_weights for gate in p.gates]),
        (1, (batch,), values, p.hidden_zero_point, [gate.recurrent_weights for gate in p.gates]),
    )
    for operand, first, elements, zero_point, weights in sources:
        for i, element in enumerate(elements):
            v = int(element) - zero_point
            numbers = {"value": int(element), "less zero point": v}
            for name, own in zip(GATES, weights, strict=True):
                numbers[name] = v * int(own[unit, i])
            term = Term((*first, i), numbers, operand=operand, adds=len(GATES))
            working.terms.append(term)


def _before(
    layer: PreparedLayer, x: Array, hidden: Array, cell: Array, step: int
) -> tuple[Array, Array]:
    """Hidden and cell state before one step of a sequence, by running the steps before it."""
    if step == 0:
        return hidden, cell
    p: LstmParams = layer.params
    # The first steps alone, batch by batch, as a sequence of their own.
    time_major = bool(layer.node.options["time_major"])
    part = x[:step] if time_major else x[:, :step]
    shorter = {
        **vars_of(p),
        "steps": step,
        "batch_stride": 1 if time_major else step,
        "step_stride": p.batches if time_major else 1,
    }
    _, h, c = layer.op.eval(LstmParams(**shorter), part[None], hidden[None], cell[None])
    return h[0], c[0]


def vars_of(p: LstmParams) -> dict[str, Any]:
    """The fields of the params, without what was computed from them."""
    return {name: getattr(p, name) for name in p.__dataclass_fields__}


def _gate(
    p: LstmParams,
    name: str,
    gate: LstmGate,
    row: Array,
    hidden: Array,
    unit: int,
    working: Working,
) -> int:
    """What a gate's function is given: an int16 of scale 2^-12."""
    of_input = sum(
        int(w) * (int(v) - p.input_zero_point)
        for w, v in zip(gate.input_weights[unit], row, strict=True)
    )
    bias = int(gate.bias[unit])
    text = f"{of_input} {signed(bias)}; {p.input_size} inputs by weights, and the bias"
    working.step(f"{name} gate: input", text, of_input + bias, c="acc +=")
    term = working.requantize(
        of_input + bias, gate.input_multiplier, gate.input_shift, f"{name} gate: input"
    )
    if not WORD[0] <= term <= WORD[1]:
        term = working.clamp(term, WORD, c="mi_saturate_s16")
    of_hidden = sum(
        int(w) * (int(v) - p.hidden_zero_point)
        for w, v in zip(gate.recurrent_weights[unit], hidden, strict=True)
    )
    text = f"; {p.units} hidden values by recurrent weights"
    working.step(f"{name} gate: recurrent", text, of_hidden, c="acc +=")
    recurrent = working.requantize(
        of_hidden, gate.recurrent_multiplier, gate.recurrent_shift, f"{name} gate: recurrent"
    )
    limited = recurrent
    if not -p.recurrent_max - 1 <= recurrent <= p.recurrent_max:
        limited = working.clamp(recurrent, (-p.recurrent_max - 1, p.recurrent_max), c="mi_clamp")
    total = min(max(term + limited, WORD[0]), WORD[1])
    text = f"min(max({term} + ({limited}), {WORD[0]}), {WORD[1]}); in steps of 2^-12"
    working.step(
        f"{name} gate: sum", text, total, f"stands for {total / 4096:.6g}", c="mi_saturate_s16"
    )
    return total


def _activation(p: LstmParams, name: str, value: int, tanh: bool, working: Working) -> int:
    if not p.by_polynomial:
        return by_table(working, value, 3, 0, tanh, f"{name} gate")
    function = "tanh" if tanh else "sigmoid"
    result = tanh_by_polynomial(value, 3) if tanh else sigmoid_by_polynomial(value)
    text = f"; {function} of {value} / 2^12, in 2^-15, by polynomial"
    working.step(f"{name} gate: {function}", text, int(result), c=f"mi_{function}_by_polynomial")
    return int(result)
