"""An explanation is right: it ends in the interpreter's value for every operator, and its parts are
what Python's own integers, or a runtime, make of the model."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import explained
import microinfer as mi
from microinfer.debug.c_source import c_lines
from microinfer.debug.explain import Explanation, explain
from microinfer.debug.explaining import EXPLAINERS
from microinfer.ops import OPS
from one_op import OneOp, activation, constant, int32, one_op
from oracles import ORACLES
from strategies import MODELS

PROFILES = ("tflm", "litert")
# Without a terms list: what an element was made from is in the operands.
MOVEMENT = OPS.keys() - EXPLAINERS.keys() - {"ASSIGN_VARIABLE", "CALL_ONCE", "VAR_HANDLE"}


def consistent(own: Explanation) -> None:
    """What holds of every explanation."""
    assert own.steps
    last = own.steps[-1].value
    assert last == own.output or (math.isnan(last) and math.isnan(own.output))
    assert own.formula
    stage = own.arithmetic
    if stage is not None:
        assert stage.output == own.output
        # The steps came to the accumulator on their own way.
        assert stage.accumulator in [step.value for step in own.steps]
        assert stage.rounded in [step.value for step in own.steps]
    for term in own.terms:  # lies in the operand that it says, or is padded there
        shape = own.operands[term.operand].shape
        inside = all(0 <= i < extent for i, extent in zip(term.at, shape, strict=True))
        assert inside != term.padded
    assert json.loads(json.dumps(own.facts(), allow_nan=True))["op"] == own.op
    for step in own.steps:
        _true(step.formula, step.value)


def _true(formula: str, value: float) -> None:
    """A formula of plain integer arithmetic is true: evaluated by Python."""
    text = formula.replace("^", "**")
    plain = re.fullmatch(r"[-+*() \d>]+|min\(max\([-+*() \d]+, [-\d]+\), [-\d]+\)", text)
    if plain and text:
        assert eval(text) == value, (formula, value)


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("name", explained.MODELS)
def test_every_layer_of_the_models(name: str, numerics: str) -> None:
    """In all types, and of models with state in their third invocation, too."""
    interpreter = mi.Interpreter(explained.loaded(name), numerics)
    trace = interpreter.trace(*explained.inputs(interpreter.graph))
    files = mi.generate(interpreter.graph, "m", numerics=numerics)
    found: set[int] = set()  # layers whose lines of C were
    for layer, sample, at, value in explained.elements(interpreter, trace, 4):
        own = explain(interpreter, trace, layer.index, at, sample)
        assert own.output == value
        assert own.at == at
        consistent(own)
        if layer.index in found:
            continue
        found.add(layer.index)
        lines = c_lines(files, "m", layer.index, own.marks)
        for line in lines:  # they are where they say
            written = "".join(files[line.file].split("\n")[line.line - 1 :])
            assert "".join(line.text.split()) in "".join(written.replace("\\", "").split())
        if layer.node.op in EXPLAINERS:
            kernels = [line.text for line in lines if line.file != "m.c"]
            assert all(any(mark in text for text in kernels) for mark in own.marks), own.marks
            assert kernels


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("op", MODELS)
def test_models_of_one_operator(op: str, numerics: str) -> None:
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(MODELS[op])
    def drawn(model: OneOp) -> None:
        interpreter = mi.Interpreter(model.graph, numerics)
        trace = interpreter.trace(*model.inputs)
        for layer, sample, at, value in explained.elements(interpreter, trace, 4):
            own = explain(interpreter, trace, layer.index, at, sample)
            assert own.output == value or (math.isnan(value) and math.isnan(own.output))
            consistent(own)

    drawn()


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("op", [op for op in MODELS if op.split()[0] in EXPLAINERS])
def test_every_step_has_its_line_of_c(op: str, numerics: str) -> None:
    """In the kernels of all types, int4 and int16 among them."""

    @settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
    @given(MODELS[op])
    def drawn(model: OneOp) -> None:
        interpreter = mi.Interpreter(model.graph, numerics)
        trace = interpreter.trace(*model.inputs)
        files = mi.generate(model.graph, "m", numerics=numerics)
        own = explain(interpreter, trace, 0)
        lines = [line.text for line in c_lines(files, "m", 0, own.marks) if line.file != "m.c"]
        assert lines
        assert [mark for mark in own.marks if not any(mark in text for text in lines)] == []

    drawn()


@pytest.mark.parametrize("numerics", ORACLES)
def test_explanations_end_in_the_runtimes_values(numerics: str) -> None:
    """Every layer of a model, by the runtime itself."""
    data = (explained.ROOT / "models" / "digits_int8.tflite").read_bytes()
    samples = np.load(explained.ROOT / "models" / "digits_inputs.npy")[:2].reshape(2, 1, 8, 8, 1)
    theirs = ORACLES[numerics](data, samples)
    interpreter = mi.Interpreter(explained.loaded("digits_int8"), numerics)
    trace = interpreter.trace(samples)
    checked = 0
    for layer, sample, at, _ in explained.elements(interpreter, trace, 12):
        own = explain(interpreter, trace, layer.index, at, sample)
        assert own.steps[-1].value == theirs[layer.node.outputs[0]][(sample, *at)]
        checked += 1
    assert checked == 12 * 11


def test_every_operator_is_explained() -> None:
    assert set(OPS) == EXPLAINERS.keys() | MOVEMENT | {"ASSIGN_VARIABLE", "CALL_ONCE", "VAR_HANDLE"}


# -- by hand ----------------------------------------------------------------------------------


def conv() -> tuple[mi.Interpreter, mi.Trace]:
    """Two channels, 2 x 2 taps, SAME: the last column and row are padded."""
    x = activation((1, 3, 3, 2), 0.5, -3)
    weights = constant(np.arange(-8, 8).reshape(2, 2, 2, 2), [0.25, 0.125], 0, 0)
    bias = int32([40, -7], 0.125)
    y = activation((1, 3, 3, 2), 0.75, 5, "y")
    graph = one_op("CONV_2D", [x, weights, bias], y, padding="SAME", stride_h=1, stride_w=1)
    interpreter = mi.Interpreter(graph)
    values = (np.arange(18).reshape(1, 3, 3, 2) * 7 % 50 - 20).astype(np.int8)
    return interpreter, interpreter.trace(values)


def test_a_convolution_by_hand() -> None:
    """Plain Python, from the file's integers to the output; nothing of microinfer's."""
    interpreter, trace = conv()
    image = [
        [[(y * 6 + x * 2 + c) * 7 % 50 - 20 for c in (0, 1)] for x in range(3)] for y in range(3)
    ]
    weights = [
        [[[o * 8 + ky * 4 + kx * 2 + i - 8 for i in (0, 1)] for kx in (0, 1)] for ky in (0, 1)]
        for o in (0, 1)
    ]
    for y, x, o in np.ndindex(3, 3, 2):
        acc, terms = [40, -7][o], []
        for ky, kx, i in np.ndindex(2, 2, 2):
            inside = y + ky < 3 and x + kx < 3
            q = image[y + ky][x + kx][i] if inside else -3
            terms.append(((0, y + ky, x + kx, i), q, weights[o][ky][kx][i], not inside))
            acc += (q + 3) * weights[o][ky][kx][i]
        # 0.5 * 0.25 / 0.75 = 1/6 and half of that: 2863311531 * 2^-34, and one shift more.
        product = acc * 1431655765
        high = (product + 2**30) // 2**31
        exponent = 2 + o
        half, sign = 2 ** (exponent - 1), -1 if high < 0 else 1
        steps = sign * ((abs(high) + half) // 2**exponent)
        expected = max(-128, min(127, steps + 5))

        own = explain(interpreter, trace, 0, (0, y, x, o))
        assert own.output == expected
        found = [(t.at, t.values["input"], t.values["weight"], t.padded) for t in own.terms]
        assert found == terms
        values = {step.title: step.value for step in own.steps}
        assert values["accumulator"] == acc
        assert values["high multiply"] == high
        assert values["shift right"] == steps
        assert math.isclose(float(values["real multiplier"]), 1 / 6 / (o + 1), rel_tol=1e-6)


def test_double_rounding_is_shown_beside_a_single_one() -> None:
    """3 / 8: the high multiply makes 2 of 1.5, and 2 / 4 rounds to 1; rounded once it is 0."""
    graph = one_op(
        "FULLY_CONNECTED",
        [activation((1, 1), 0.125), constant([[1]], 1.0), None],
        activation((1, 1), 1.0, 0, "y"),
    )
    interpreter = mi.Interpreter(graph)
    own = explain(interpreter, interpreter.trace(np.array([[3]], np.int8)), 0)
    high, right, once = (
        next(step for step in own.steps if step.title == title)
        for title in ("high multiply", "shift right", "rounded once")
    )
    assert (high.value, right.value, once.value, own.output) == (2, 1, 0, 1)
    assert right.formula == "2 / 2^2 = 0.5"
    assert right.detail == (
        "binary 0000|10, half is 10",
        "2 >> 2 = 0, remainder 2, threshold 1: is more: one up",
    )
    assert once.formula == "3 * 1073741824 / 2^33 = 0.375"
    assert "a single one gives 0" in once.detail[0]


def test_a_negative_tie_rounds_away_from_zero() -> None:
    """-2 / 4: remainder 2, and a threshold of 2, as x is negative: -1 is kept."""
    graph = one_op(
        "FULLY_CONNECTED",
        [activation((1, 1), 0.125), constant([[1]], 1.0), None],
        activation((1, 1), 1.0, 0, "y"),
    )
    interpreter = mi.Interpreter(graph)
    own = explain(interpreter, interpreter.trace(np.array([[-4]], np.int8)), 0)
    right = next(step for step in own.steps if step.title == "shift right")
    assert (right.formula, right.value, own.output) == ("-2 / 2^2 = -0.5", -1, -1)
    assert right.detail == (
        "binary ...1111|10, half is 10",
        "-2 >> 2 = -1, remainder 2, threshold 2: is not more: stays",
    )


def test_softmax_shows_the_real_exponentials() -> None:
    """Against math.exp: the shown reals are those of the function, to the bits that Q0.31 has."""
    interpreter = mi.Interpreter(explained.loaded("digits_int8"))
    sample = np.load(explained.ROOT / "models" / "digits_inputs.npy")[4]
    trace = interpreter.trace(sample)
    own = explain(interpreter, trace, 10, (0, 8))
    logits = trace.tensor(interpreter.layers[10].node.inputs[0]).reshape(-1).tolist()
    scale = own.operands[0].scale
    assert scale is not None
    for term, logit in zip(own.terms, logits, strict=True):
        assert term.values["input"] == logit
        d = logit - max(logits)
        assert term.values["d"] == d
        assert abs(float(term.values["exp(d)"]) - math.exp(d * scale)) < 2e-8
    total = sum(math.exp((logit - max(logits)) * scale) for logit in logits)
    assert abs(own.output - (256 * math.exp((logits[8] - max(logits)) * scale) / total - 128)) <= 1


def test_the_formula_is_that_of_the_layer_s_type() -> None:
    for name, layer, text in (
        ("digits_int8", 10, "output = round(256 * e / sum(e)) - 128"),
        ("operators/attention_int16", 9, "output = e * reciprocal(sum(e)), clamped to 0..32767"),
    ):
        graph = explained.loaded(name)
        interpreter = mi.Interpreter(graph)
        own = explain(interpreter, interpreter.trace(*explained.inputs(graph)), layer)
        assert own.op == "SOFTMAX"
        assert text in own.formula


def test_the_gates_of_an_lstm_are_sums_of_its_files_weights() -> None:
    """Of the first step, whose hidden state is its zero point, and of the second."""
    interpreter = mi.Interpreter(explained.loaded("operators/lstm_int8"))
    layer = next(own for own in interpreter.layers if own.op.state)
    trace = interpreter.trace(*explained.inputs(interpreter.graph))
    tensors, inputs = interpreter.graph.tensors, layer.node.inputs
    x = trace.tensor(inputs[0])[1].reshape(tensors[inputs[0]].shape).astype(int)
    z_x, z_h = (tensors[inputs[i]].quantization.zero_point for i in (0, 18))
    after = trace.tensor(layer.node.outputs[0])[1].reshape(25, 12).astype(int)
    for step, unit in ((1, 3), (24, 8)):
        own = explain(interpreter, trace, layer.index, (0, step, unit), sample=1)
        steps = {noted.title: noted.value for noted in own.steps}
        for gate, name in enumerate(("input", "forget", "cell", "output")):
            weights, recurrent, bias = (tensors[inputs[i + gate]].data for i in (1, 5, 12))
            of_input = int((weights[unit].astype(int) * (x[0, step] - z_x)).sum())
            of_hidden = int((recurrent[unit].astype(int) * (after[step - 1] - z_h)).sum())
            assert steps[f"{name} gate: input"] == of_input + int(bias[unit])
            assert steps[f"{name} gate: recurrent"] == of_hidden
            for operand, total in ((0, of_input), (1, of_hidden)):
                terms = [term for term in own.terms if term.operand == operand]
                assert sum(term.values[name] for term in terms) == total
                assert [term.adds for term in terms] == [4] * len(terms)


def test_movement_names_the_origin() -> None:
    """TRANSPOSE and PAD of 300 different places, more than a byte tells apart."""
    x = activation((1, 20, 15), 1.0, 4)
    graph = one_op("TRANSPOSE", [x, int32([0, 2, 1])], activation((1, 15, 20), 1.0, 4, "y"))
    interpreter = mi.Interpreter(graph)
    values = np.random.default_rng(1).integers(-128, 128, (1, 20, 15)).astype(np.int8)
    trace = interpreter.trace(values)
    own = explain(interpreter, trace, 0, (0, 13, 17))
    assert own.operands[0].at == (0, 17, 13)
    assert own.output == values[0, 17, 13]
    graph = one_op(
        "PAD", [x, int32([[0, 0], [1, 2], [0, 0]])], activation((1, 23, 15), 1.0, 4, "y")
    )
    interpreter = mi.Interpreter(graph)
    trace = interpreter.trace(values)
    assert explain(interpreter, trace, 0, (0, 20, 14)).operands[0].at == (0, 19, 14)
    filled = explain(interpreter, trace, 0, (0, 0, 7))
    assert (filled.operands, filled.steps[0].title, filled.output) == ((), "filled", 4)


def test_concatenation_names_the_operand() -> None:
    first, second = activation((1, 2), 1.0, 0, "a"), activation((1, 3), 1.0, 0, "b")
    graph = one_op("CONCATENATION", [first, second], activation((1, 5), 1.0, 0, "y"), axis=1)
    interpreter = mi.Interpreter(graph)
    trace = interpreter.trace(np.array([[1, 2]], np.int8), np.array([[3, 4, 5]], np.int8))
    own = explain(interpreter, trace, 0, (0, 3))
    assert (own.operands[0].name, own.operands[0].at, own.output) == ("b", (0, 1), 4)


# -- which element ----------------------------------------------------------------------------


def test_the_largest_value_is_the_default() -> None:
    interpreter, trace = conv()
    own = explain(interpreter, trace, 0)
    values = trace[0].outputs[0]
    assert own.output == values.max()
    assert own.at == np.unravel_index(values.argmax(), values.shape)


def test_the_batch_may_be_left_out() -> None:
    interpreter, trace = conv()
    assert explain(interpreter, trace, 0, (1, 2, 0)) == explain(interpreter, trace, 0, (0, 1, 2, 0))


@pytest.mark.parametrize(
    ("layer", "at", "sample", "text"),
    [
        (1, (0, 0, 0, 0), 0, "got layer 1, expected 0..0"),
        (
            0,
            (0, 0, 3, 0),
            0,
            r"0,0,3,0 is outside of \(1, 3, 3, 2\): got 3 on axis 2, expected 0\.\.2",
        ),
        (0, (0, -1, 0, 0), 0, "got -1 on axis 1, expected 0..2"),
        (
            0,
            (0, 0),
            0,
            r"got element 0,0; .* shape \(1, 3, 3, 2\), expected 4 indices, or 3 without",
        ),
        (0, (0, 0, 0, 0), 1, "got sample 1, expected 0..0"),
    ],
)
def test_what_is_not_there_is_refused(
    layer: int, at: tuple[int, ...], sample: int, text: str
) -> None:
    interpreter, trace = conv()
    with pytest.raises(mi.BadInput, match=text):
        explain(interpreter, trace, layer, at, sample)


def test_a_trace_that_begins_within_a_sequence_is_refused() -> None:
    interpreter = mi.Interpreter(explained.loaded("operators/lstm_int8"))
    layer = next(own for own in interpreter.layers if own.op.state).index
    inputs = explained.inputs(interpreter.graph)
    interpreter.trace(*inputs)
    trace = interpreter.trace(*inputs)
    for unit in range(12):
        with pytest.raises(mi.BadInput, match="does not begin after a reset"):
            explain(interpreter, trace, layer, (0, 0, unit))


def test_a_handle_has_nothing_to_explain() -> None:
    interpreter = mi.Interpreter(explained.loaded("operators/streaming_int8"))
    trace = interpreter.trace(*explained.inputs(interpreter.graph))
    with pytest.raises(mi.BadInput, match="VAR_HANDLE gives no values"):
        explain(interpreter, trace, 1)


def test_every_output_of_a_split() -> None:
    x = activation((1, 6), 1.0)
    outputs = [activation((1, 3), 1.0, 0, name) for name in ("y", "z")]
    graph = one_op("SPLIT", [int32(1), x], outputs, num_splits=2)
    interpreter = mi.Interpreter(graph)
    trace = interpreter.trace(np.arange(6, dtype=np.int8)[None])
    own = explain(interpreter, trace, 0, (0, 2), output=1)
    assert (own.element.name, own.output, own.operands[0].at) == ("z", 5, (0, 5))
    with pytest.raises(mi.BadInput, match=r"got output 2, expected 0\.\.1"):
        explain(interpreter, trace, 0, (0, 2), output=2)
