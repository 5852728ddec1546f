"""The reals of every operator against LiteRT's float kernels, on the case tables' models."""

from __future__ import annotations

import numpy as np
import pytest

import microinfer as mi
from cases import TABLES, Case
from float_models import float_model, reals
from microinfer.debug.accuracy_run import Job, Replay
from microinfer.debug.constants import is_real
from microinfer.debug.float_ops import FORMS, LARGEST
from microinfer.debug.float_replay import RECURRENT
from microinfer.debug.weighted import WEIGHTED
from microinfer.graph import Graph
from microinfer.ops import OPS
from microinfer.passes import runnable
from microinfer.tflite import write
from one_op import Array
from oracles import litert_tensors

# What LiteRT's float kernels cannot judge, and why.
UNJUDGED = {
    "ASSIGN_VARIABLE": "variables have one type in a process: test_accuracy has a model of them",
    "READ_VARIABLE": "the same",
    "VAR_HANDLE": "the same",
    "CALL_ONCE": "the same",
    "QUANTIZE": "in reals there is nothing to do, and no kernel that does it",
    "DEQUANTIZE": "the same",
    "ELU": "is not among the reference kernels",
    "no_bias": "the float CONV_2D has to have one",
    "no_bias_is_as_an_int64_one": "the same",
    "axes_that_are_no_neighbours": "the float REVERSE_V2 does not take them",
    "ellipsis_of_nothing": "the float STRIDED_SLICE has another rank",
    "a_sum_that_float32_cannot_hold": "nor can LiteRT's",
}
CASES = [
    pytest.param(case, id=f"{op}-{case.name}")
    for op, table in TABLES.items()
    for case in table
    if op not in UNJUDGED and case.name not in UNJUDGED
]


STEPS = 1.3


def computed(graph: Graph, *given: Array) -> list[Array]:
    """The outputs in reals, for inputs as reals."""
    replay = Replay(Job.of(graph, "tflm", None))
    replay.reference.begin(dict(zip(graph.inputs, given, strict=True)))
    for step in replay.steps:
        replay.reference.take(step)
    return [replay.reference.values[index] for index in graph.outputs]


def inputs(case: Case, graph: Graph) -> list[Array]:
    samples = zip(graph.inputs, case.samples(), strict=True)
    return [reals(graph.tensors[index], array) for index, array in samples]


@pytest.mark.parametrize("case", CASES)
def test_reals_are_those_of_the_float_kernel(case: Case) -> None:
    graph = runnable(case.graph)
    given = inputs(case, graph)
    expected = litert_tensors(write(float_model(graph)), *given)
    for index, got in zip(graph.outputs, computed(graph, *given), strict=True):
        wanted = expected[index]
        if not is_real(graph.tensors[index]):
            np.testing.assert_array_equal(got, wanted)
            continue
        # Of what has no result, or none that a tensor holds, the operator's file says what it is.
        defined = np.abs(wanted) < LARGEST
        np.testing.assert_allclose(got[defined], wanted[defined], rtol=2e-5, atol=2e-5)
        assert np.isfinite(got).all()


def test_every_operator_has_reals() -> None:
    assert {*FORMS, *RECURRENT, *WEIGHTED} == {*OPS}


def test_what_is_not_judged_is_not_much() -> None:
    assert len(CASES) > 330


# Where the integers are no approximation of the reals: the runtimes' own ways, case by case.
OWN_WAYS = """CUMSUM-sums_begin_at_minus_the_zero_point CUMSUM-sums_wrap LOG-int16_of_nothing
LOG-int16_where_the_slope_wraps LOGISTIC-scale_with_nothing_inside LOGISTIC-scale_beyond_fixed_point
NEG-smallest_stays NEG-quantization_is_not_looked_at RELU6-rescale_or_not RELU6-int16
TANH-scale_with_nothing_inside SVDF-the_accumulator_wraps SVDF-fused_relu_is_not_applied
SVDF-an_int8_feature_wraps_when_its_zero_point_is_added ZEROS_LIKE-is_not_the_zero_point
UNIDIRECTIONAL_SEQUENCE_LSTM-the_recurrent_term_is_limited_before_or_after_the_sum""".split()


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(f"{op}-{case.name}", case, id=f"{op}-{case.name}")
        for op, table in TABLES.items()
        for case in table
        if "INT32" not in (tensor.type for tensor in case.graph.tensors) or op != "QUANTIZE"
    ],
)
def test_integers_are_within_some_steps_of_the_rounded_reals(name: str, case: Case) -> None:
    samples = list(case.samples())
    if name == "QUANTIZE-not_finite":
        with pytest.raises(mi.BadInput, match="not finite"):
            mi.accuracy(case.graph, samples)
        return
    for layer in mi.accuracy(case.graph, samples).layers:
        assert layer.split.arithmetic is not None
        assert (layer.split.arithmetic > STEPS) == (name in OWN_WAYS)


@pytest.mark.parametrize("case", TABLES["ELU"], ids=lambda case: case.name)
def test_elu(case: Case) -> None:
    (x,) = inputs(case, case.graph)
    (got,) = computed(case.graph, x)
    np.testing.assert_allclose(got, [[v if v > 0 else np.exp(v) - 1 for v in x[0]]], rtol=1e-6)


@pytest.mark.parametrize("case", TABLES["QUANTIZE"], ids=lambda case: case.name)
def test_a_quantize_changes_no_real(case: Case) -> None:
    graph = case.graph
    if "INT32" in (tensor.type for tensor in graph.tensors):
        with pytest.raises(mi.BadInput, match="is INT32, whose accuracy is not measured"):
            mi.accuracy(graph, list(case.samples()))
        return
    (x,) = inputs(case, graph)
    np.testing.assert_array_equal(computed(graph, x)[0], x)
