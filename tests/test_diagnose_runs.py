"""diagnose on whole runs: runtimes that do disagree, state, and nothing to be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import microinfer as mi
from diagnosed import (
    DIGITS,
    MODELS,
    SAMPLES,
    differing_layers,
    faulty,
    graph_of,
    inputs_of,
    named,
    run_of,
    traced,
)
from faults import Site
from microinfer.batch import split_batch
from microinfer.errors import BadInput
from microinfer.graph import Graph
from microinfer.tflite import read, write
from microinfer.trace import LayerTrace, Trace
from oracles import litert_tensors
from shared_models import shared_model

Array = NDArray[Any]
OPERATOR_MODELS = sorted((MODELS / "operators").glob("*.tflite"))


# -- runtimes that disagree -----------------------------------------------------------------


def with_all_outputs(graph: Graph) -> bytes:
    """The model with every computed tensor as an output, so that any runtime shows it."""
    outputs = tuple(index for node in graph.nodes for index in node.outputs)
    return write(replace(graph, outputs=outputs, signatures=()))


def litert_by(resolver: str, data: bytes, samples: Array) -> dict[int, Array]:
    """All tensors by LiteRT: "AUTO", which is XNNPACK, or its own optimised kernels."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    kind = getattr(litert.OpResolverType, resolver)
    interpreter = litert.Interpreter(
        model_content=data, num_threads=1, experimental_op_resolver_type=kind
    )
    interpreter.allocate_tensors()
    graph = read(data)
    rows: dict[int, list[Array]] = {index: [] for index in graph.outputs}
    for sample in samples:
        interpreter.set_tensor(graph.inputs[0], sample)
        interpreter.invoke()
        for index in graph.outputs:
            rows[index].append(np.array(interpreter.get_tensor(index)))
    return {index: np.stack(arrays) for index, arrays in rows.items()}


def test_litert_against_tflm() -> None:
    graph = mi.load(shared_model("mlperf_ad_int8"))
    (samples,) = inputs_of(graph, 40)
    interpreter = mi.Interpreter(graph)
    tensors = litert_tensors(write(graph), samples)
    expected, observed = interpreter.trace(samples), traced(graph, tensors, (samples,))
    found = differing_layers(interpreter, expected, observed)
    assert list(found) == list(range(10))
    for causes in found.values():
        assert causes[0].name == "float64 requantize"
        assert causes[0].exact


@pytest.mark.parametrize(
    ("resolver", "name"), [("AUTO", "float32 requantize"), ("BUILTIN", "round half up")]
)
def test_litert_optimised_against_tflm(resolver: str, name: str) -> None:
    graph = mi.load(shared_model("mlperf_ic_int8"))
    (samples,) = inputs_of(graph, 16)
    if resolver == "BUILTIN":
        resolver = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
    tensors = litert_by(resolver, with_all_outputs(graph), samples)
    interpreter = mi.Interpreter(graph)
    expected, observed = interpreter.trace(samples), traced(graph, tensors, (samples,))
    found = differing_layers(interpreter, expected, observed)
    assert len(found) >= 5
    for causes in found.values():
        assert causes[0].name == name
        assert causes[0].exact


def test_tflm_against_litert() -> None:
    """The other way round: LiteRT's float64 is expected, TFLM's two roundings are observed."""
    graph = graph_of("vibration_int8")
    (samples,) = inputs_of(graph, 100)
    interpreter = mi.Interpreter(graph, numerics="litert")
    observed = mi.compile(graph, "tflm").trace(samples)
    found = differing_layers(interpreter, interpreter.trace(samples), observed)
    assert found
    assert {causes[0].name for causes in found.values()} == {"double rounding"}


# -- state ----------------------------------------------------------------------------------


@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize("name", ["operators/lstm_int8", "operators/streaming_int8"])
def test_dropped_state(name: str, with_state: bool) -> None:
    """The C is reset before each sample, the interpreter only before the first.

    Few dumps have the state itself: then the outputs alone have to tell.
    """
    graph = graph_of(name)
    samples = inputs_of(graph)
    interpreter = mi.Interpreter(graph)
    expected = interpreter.trace(*samples)
    native = mi.compile(graph)
    runs = []
    for sample in range(SAMPLES):
        native.reset()
        runs.append(native.trace(*(array[sample : sample + 1] for array in samples)))
    layers = [
        LayerTrace(
            layer.index,
            layer.node,
            [
                np.concatenate(parts)
                for parts in zip(*(r[layer.index].outputs for r in runs), strict=True)
            ],
        )
        for layer in runs[0]
    ]
    observed = Trace(layers, expected.inputs, "device")
    if not with_state:
        own = [i for node in graph.nodes for i in node.outputs if observed.has(i)]
        told = {i: observed.tensor(i) for i in own}
        observed = Trace.from_tensors(graph, split_batch(graph, samples), told, "device")
    found = differing_layers(interpreter, expected, observed)
    stateful = [layer.index for layer in interpreter.layers if layer.op.state]
    assert found
    assert set(found) <= set(stateful)
    for causes in found.values():
        assert causes[0].name == "dropped state"
        assert causes[0].exact


# -- nothing wrong, and nothing known -------------------------------------------------------


@pytest.mark.parametrize("numerics", ["tflm", "litert"])
@pytest.mark.parametrize(
    "name", ["digits_int8", "gesture_int8", "operators/unet_int16", "operators/lstm_int8"]
)
def test_nothing_is_named_where_nothing_differs(name: str, numerics: str) -> None:
    graph = graph_of(name)
    samples = inputs_of(graph)
    interpreter = mi.Interpreter(graph, numerics=numerics)
    expected = interpreter.trace(*samples)
    observed = mi.compile(graph, numerics, flags=("-O1",)).trace(*samples)
    assert differing_layers(interpreter, expected, observed) == {}


def changed(expected: Trace, layer: int, change: Callable[[Array], Array]) -> Trace:
    """The trace with another output of one layer."""
    layers = list(expected)
    own = layers[layer]
    layers[layer] = LayerTrace(own.index, own.node, [change(own.outputs[0])])
    return Trace(layers, expected.inputs, "device")


def test_noise_has_no_cause() -> None:
    interpreter, _, expected = run_of(DIGITS)
    rng = np.random.default_rng(2)
    noisy = changed(expected, 1, lambda y: y ^ (rng.random(y.shape) < 0.05).astype(np.int8))
    assert mi.diagnose(interpreter, expected, noisy, 1) == []


@pytest.mark.full
@pytest.mark.parametrize("path", OPERATOR_MODELS, ids=[path.stem for path in OPERATOR_MODELS])
def test_noise_has_no_cause_in_any_layer(path: Path) -> None:
    interpreter = mi.Interpreter(mi.load(path))
    expected = interpreter.trace(*inputs_of(interpreter.graph, 3))
    rng = np.random.default_rng(0)
    for layer in expected:
        if not layer.outputs:
            continue
        outputs = [array.copy() for array in layer.outputs]
        first = outputs[0].reshape(-1).view(np.uint8)
        first[rng.integers(0, first.size, 1 + first.size // 10)] ^= 1
        layers = list(expected)
        layers[layer.index] = LayerTrace(layer.index, layer.node, outputs)
        noisy = Trace(layers, expected.inputs, "device")
        assert mi.diagnose(interpreter, expected, noisy, layer.index) == []


def test_a_cause_that_leaves_a_few_differences_is_not_exact() -> None:
    interpreter, samples, expected = run_of(DIGITS)
    observed = faulty(named("truncation"), Site(interpreter.graph, 0)).trace(*samples)
    observed[0].outputs[0].reshape(-1)[[7, 700]] ^= 3
    (best, *_) = mi.diagnose(interpreter, expected, observed, 0)
    assert best.name == "truncation"
    assert (best.exact, best.elements - best.matching) == (False, 2)


def test_stale_memory_of_another_layer() -> None:
    interpreter, _, expected = run_of(DIGITS)
    stale = changed(expected, 2, lambda y: expected[0].outputs[0].copy())
    (cause, *_) = mi.diagnose(interpreter, expected, stale, 2)
    assert cause.name == "stale buffer"
    assert "layer 0 CONV_2D" in cause.sentence


def test_inputs_are_those_that_were_observed() -> None:
    """A layer is judged by what it read, also where that was wrong already."""
    interpreter, samples, expected = run_of(DIGITS)
    observed = faulty(named("bias missing"), Site(interpreter.graph, 0)).trace(*samples)
    found = differing_layers(interpreter, expected, observed)
    assert list(found) == [0]


def test_layers_that_are_not_there() -> None:
    interpreter, _, expected = run_of(DIGITS)
    with pytest.raises(BadInput, match=r"there is no layer 11, expected 0\.\.10"):
        mi.diagnose(interpreter, expected, expected, 11)
