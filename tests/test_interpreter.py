"""Batches, traces, refusals, and the float step function against the integers it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from cases import TABLES
from microinfer import BadInput, Graph, Interpreter, Node, Trace, UnsupportedModel
from microinfer.fixedpoint import quantize_multipliers, requantize, round_half_away
from microinfer.interpreter import GROUP_ELEMENTS
from microinfer.one_thread import one_thread
from microinfer.ops.step_function import Staircase, StepFunction
from microinfer.tflite import read_file
from one_op import Array, activation, constant, one_op

DIGITS = Path(__file__).resolve().parent.parent / "models" / "digits_int8.tflite"


@pytest.fixture(scope="module")
def digits() -> Interpreter:
    return Interpreter(read_file(DIGITS))


def noise(*shape: int) -> Array:
    return np.random.default_rng(7).integers(-128, 128, shape).astype(np.int8)


def adder(shape: tuple[int, ...]) -> Interpreter:
    """A model of two inputs, tensors 0 and 1, and one output, tensor 2."""
    x1, x2 = activation(shape, 0.5, 3, "x1"), activation(shape, 0.25, -1, "x2")
    return Interpreter(one_op("ADD", [x1, x2], activation(shape, 1.0, 0, "y")))


# -- batches ----------------------------------------------------------------------------------


def test_one_sample_has_the_tensors_own_shape(digits: Interpreter) -> None:
    (y,) = digits.run(noise(1, 8, 8, 1))
    assert (y.shape, y.dtype) == ((1, 10), np.int8)


def test_a_leading_axis_gives_what_one_by_one_gives(digits: Interpreter) -> None:
    x = noise(5, 1, 8, 8, 1)
    (y,) = digits.run(x)
    trace = digits.trace(x)
    assert y.shape == (5, 1, 10)
    for sample in range(5):
        (own,) = digits.run(x[sample])
        np.testing.assert_array_equal(y[sample], own)
        for batched, single in zip(trace, digits.trace(x[sample]), strict=True):
            np.testing.assert_array_equal(batched.outputs[0][sample], single.outputs[0])


def test_samples_in_place_of_the_batch_of_one(digits: Interpreter) -> None:
    x = noise(5, 8, 8, 1)
    (y,) = digits.run(x)
    (leading,) = digits.run(x[:, None])
    assert y.shape == (5, 10)
    np.testing.assert_array_equal(y, leading[:, 0])
    index = digits.graph.nodes[0].outputs[0]
    expected = digits.trace(x[:, None]).tensor(index)[:, 0]
    np.testing.assert_array_equal(digits.trace(x).tensor(index), expected)


def test_the_trace_ends_with_what_run_returns(digits: Interpreter) -> None:
    x = noise(3, 1, 8, 8, 1)
    trace = digits.trace(x)
    np.testing.assert_array_equal(trace.tensor(digits.graph.outputs[0]), digits.run(x)[0])
    np.testing.assert_array_equal(trace.tensor(digits.graph.inputs[0]), x)


def test_more_samples_than_are_run_at_a_time() -> None:
    shape = (1, GROUP_ELEMENTS // 4)
    interpreter = adder(shape)
    x1, x2 = noise(10, *shape), noise(10, *shape)[::-1]
    (y,) = interpreter.run(x1, x2)
    traced = interpreter.trace(x1, x2).tensor(2)
    for sample in range(10):
        (own,) = interpreter.run(x1[sample], x2[sample])
        np.testing.assert_array_equal(y[sample], own)
        np.testing.assert_array_equal(traced[sample], own)


def test_a_model_of_several_samples_takes_them_behind_the_leading_axis() -> None:
    interpreter = adder((2, 3))
    x = noise(4, 2, 3)
    (y,) = interpreter.run(x, x)
    assert y.shape == (4, 2, 3)
    np.testing.assert_array_equal(y[3], interpreter.run(x[3], x[3])[0])
    with pytest.raises(BadInput, match=r"got shape \(5, 3\)"):
        interpreter.run(noise(5, 3), noise(5, 3))


def test_an_absent_input_is_not_looked_for() -> None:
    x, w = activation((1, 2), 1.0), constant(np.int8([[1, 2]]), 1.0)
    interpreter = Interpreter(one_op("FULLY_CONNECTED", [x, w, None], activation((1, 1), 1.0)))
    assert interpreter.run(np.int8([[3, 4]]))[0].tolist() == [[11]]


def test_inputs_are_left_as_they_are(digits: Interpreter) -> None:
    x = noise(3, 1, 8, 8, 1)
    before = x.copy()
    x.flags.writeable = False
    digits.run(x)
    digits.trace(x)
    np.testing.assert_array_equal(x, before)


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "got 0 arrays, expected 2"),
        ([noise(2, 3)], "got 1 arrays, expected 2"),
        ([noise(2, 3), noise(3, 3)], r'input 1 "x2": got shape \(3, 3\), expected \(2, 3\)'),
        ([noise(4, 2, 3), noise(5, 2, 3)], "disagree on the number of samples: 4, 5"),
        ([noise(4, 2, 3), noise(2, 3)], "disagree"),
        ([noise(0, 2, 3)] * 2, "no samples"),
        ([np.zeros((2, 3), np.float32)] * 2, "float32, expected int8; quantize it first"),
        ([np.zeros((2, 3), np.int64)] * 2, "int64, expected int8$"),
    ],
)
def test_bad_inputs_say_what_they_are(inputs: list[Array], message: str) -> None:
    interpreter = adder((2, 3))
    for call in (interpreter.run, interpreter.trace):
        with pytest.raises(BadInput, match=message):
            call(*inputs)


def test_an_unknown_profile_names_those_that_exist(digits: Interpreter) -> None:
    with pytest.raises(BadInput, match="'exact'; there are 'tflm', 'litert'"):
        Interpreter(digits.graph, "exact")


def test_all_problems_of_a_model_are_listed_at_once() -> None:
    x, a, b, c, y, other = (
        activation((1, 2, 2, 1), 0.5 + place, 0, name)
        for place, name in enumerate(["x", "a", "b", "c", "y", "other"])
    )
    weights = constant(np.int8([[[[1]]]]), 1.0, zero_point=3, name="weights")
    stride = {"stride_h": 1, "stride_w": 1}
    window = one_op("MAX_POOL_2D", [x], x, filter_height=1, filter_width=1, **stride)
    conv = one_op("CONV_2D", [x, weights], a, **stride)
    graph = Graph(
        tensors=(x, a, b, c, y, weights, other),
        nodes=(
            Node("SVDF", (0,), (1,)),
            Node("CONV_2D", (1, 5), (2,), conv.nodes[0].options, location=1),
            Node("RANGE", (2,), (3,), location=2),
            Node("MAX_POOL_2D", (6,), (4,), window.nodes[0].options, location=3),
        ),
        inputs=(0,),
        outputs=(4,),
    )
    with pytest.raises(UnsupportedModel) as caught:
        Interpreter(graph)
    problems = [(problem.layer, problem.op, problem.tensor) for problem in caught.value.problems]
    assert sorted(problems) == [
        (0, "SVDF", ""),
        (1, "CONV_2D", "weights"),
        (2, "RANGE", ""),
        (3, "MAX_POOL_2D", "other"),
        (3, "MAX_POOL_2D", "y"),
    ]
    text = str(caught.value)
    assert text.startswith("cannot run 4 of 4 layers\n")
    assert text.count("docs/OPERATORS.md lists the") == 1
    assert 'layer 1 CONV_2D "weights": has zero point 3' in text
    assert "is read before any layer has computed it" in text


def test_a_graph_without_operators_is_refused() -> None:
    x = activation((1,), 1.0)
    with pytest.raises(UnsupportedModel, match="no operators"):
        Interpreter(Graph((x,), (), (0,), (0,)))


# -- traces -----------------------------------------------------------------------------------


def test_a_saved_trace_is_read_back(digits: Interpreter, tmp_path: Path) -> None:
    trace = Interpreter(digits.graph, "litert").trace(noise(2, 8, 8, 1))
    trace.save(tmp_path / "a.npz")
    again = Trace.load(tmp_path / "a.npz")
    assert again.numerics == "litert"
    assert len(again) == len(trace) == len(digits.graph.nodes)
    for ours, theirs in zip(trace, again, strict=True):
        assert (ours.index, ours.node.op, ours.node.inputs, ours.node.outputs) == (
            theirs.index, theirs.node.op, theirs.node.inputs, theirs.node.outputs
        )  # fmt: skip
        assert theirs.params is None
        assert theirs.outputs[0].dtype == np.int8
        np.testing.assert_array_equal(ours.outputs[0], theirs.outputs[0])
    assert list(again.inputs) == list(digits.graph.inputs)
    np.testing.assert_array_equal(again.tensor(digits.graph.inputs[0]), noise(2, 8, 8, 1))
    with pytest.raises(KeyError):
        again.tensor(len(digits.graph.tensors))


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    other, text = tmp_path / "other.npz", tmp_path / "text.npz"
    np.savez(other, x=np.zeros(3))
    text.write_text("tensor", "utf-8")
    for path in (other, text, DIGITS):
        with pytest.raises(BadInput, match="not a trace"):
            Trace.load(path)
    with pytest.raises(BadInput, match="no such file"):
        Trace.load(tmp_path / "missing.npz")


# -- step functions ---------------------------------------------------------------------------


@st.composite
def staircases(draw: Any, widest: int = 3000) -> Staircase:
    """Of few accumulators, so that each can be asked: TFLM's rounding or LiteRT's float64."""
    channels = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    real = 2.0 ** rng.uniform(draw(st.sampled_from((-14, -4, 0))), 3, channels)
    if draw(st.booleans()):
        real = 2.0 ** np.round(np.log2(real))  # ties
    real *= rng.choice([1.0, 1.0, 1.0, 1e-14], channels)
    zero_point = draw(st.sampled_from((-128, 0, 127)) | st.integers(-128, 127))
    low, high = sorted(draw(st.tuples(*[st.integers(-128, 127)] * 2)))
    multipliers, shifts = (array.astype(np.int64) for array in quantize_multipliers(real))
    twice = draw(st.booleans())

    def exact(acc: Array) -> Array:
        rounded = requantize(acc, multipliers, shifts) if twice else round_half_away(acc * real)
        return np.clip(rounded.astype(np.int64) + zero_point, low, high)

    # A huge offset can make a left shift wrap, which no float form follows.
    offset = rng.integers(-2000, 2000, channels) + draw(st.sampled_from((0, 0, 0, 2**29)))
    ends = np.sort(rng.integers(-widest, widest, (2, channels)), axis=0)
    return Staircase(
        exact=exact,
        real=np.ldexp(multipliers, shifts - 31) if twice else real,
        offset=offset,
        product_low=ends[0],
        product_high=ends[1],
        zero_point=zero_point,
        output_min=low,
        output_max=high,
    )


def every_product(stairs: Staircase) -> Array:
    """(rows, channels): all integers of each channel's interval, its last one repeated."""
    rows = int((stairs.product_high - stairs.product_low).max()) + 1
    return np.minimum(np.arange(rows)[:, None] + stairs.product_low, stairs.product_high)


def test_the_step_function_is_the_integers_at_every_accumulator() -> None:
    forms = set()

    @given(staircases())
    def check(stairs: Staircase) -> None:
        products = every_product(stairs)
        expected = stairs.exact(products + stairs.offset)
        function = StepFunction(stairs)
        for dtype in (np.float32, np.float64):
            outputs = function(products.astype(dtype)).reshape(products.shape)
            np.testing.assert_array_equal(outputs, expected)
        forms.add(function.form)

    check()
    assert forms == {"floor", "away", "integer"}


@given(staircases(), st.integers(1, 700))
def test_the_step_function_takes_any_number_of_rows(stairs: Staircase, rows: int) -> None:
    products = np.resize(every_product(stairs), (rows, len(stairs.offset)))
    expected = stairs.exact(products + stairs.offset)
    function = StepFunction(stairs)
    for asked in (products, products[:1]):
        outputs = function(asked.astype(np.float64)).reshape(asked.shape)
        np.testing.assert_array_equal(outputs, expected[: len(asked)])


def test_thresholds_are_where_the_integers_change() -> None:
    @given(staircases(widest=200))
    def check(stairs: Staircase) -> None:
        products = every_product(stairs)
        outputs = stairs.exact(products + stairs.offset)
        if (np.diff(outputs, axis=0) < 0).any():  # a left shift wrapped
            return
        for value, found in zip(stairs.values()[:, 0], stairs.thresholds(), strict=True):
            for channel, threshold in enumerate(found):
                reached = products[:, channel][outputs[:, channel] >= value]
                beyond = stairs.product_high[channel] + 1
                assert threshold == (reached[0] if len(reached) else beyond)

    check()


def test_blas_has_one_thread_while_the_interpreter_runs_and_as_many_as_before_afterwards() -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info()]

    with threadpool_limits(limits=2):
        before = threads()
        with one_thread():
            with one_thread():
                assert set(threads()) <= {1}
            assert set(threads()) <= {1}  # the inner one has left, the outer has not
        assert threads() == before


def test_arrays_with_gaps_count_like_others() -> None:
    """What a layer or a user hands over may be a view whose elements do not lie side by side."""

    def with_gaps(array: Array) -> Array:
        wide = np.zeros((*array.shape, 2), array.dtype)
        wide[..., 0] = array
        return wide[..., 0]

    for case in (case for cases in TABLES.values() for case in cases):
        interpreter = Interpreter(case.graph)
        for ours, expected in zip(
            interpreter.run(*map(with_gaps, case.samples())), case.outputs("tflm"), strict=True
        ):
            np.testing.assert_array_equal(ours, expected, case.name)
