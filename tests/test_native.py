"""The generated C, built by the host's compiler, against the NumPy trace, in both profiles."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microinfer as mi
from compared import Compared
from microinfer.graph import Graph
from shared_models import INT8_MODELS, shared_model
from strategies import MODELS

PROFILES = ("tflm", "litert")
OWN_MODELS = ("digits", "gesture", "vibration")


def extremes_and_noise(graph: Graph, samples: int) -> list[np.ndarray]:
    """Per input [samples, *shape]: all minimum, all maximum, then seeded noise."""
    rng = np.random.default_rng(20)
    arrays = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        limits = np.iinfo(tensor.dtype)
        array = rng.integers(limits.min, limits.max, (samples, *tensor.shape), tensor.dtype, True)
        array[0], array[1] = limits.min, limits.max
        arrays.append(array)
    return arrays


@pytest.mark.parametrize("numerics", PROFILES)
@pytest.mark.parametrize("name", [*INT8_MODELS, *OWN_MODELS])
def test_every_layer_equals_numpy(name: str, numerics: str) -> None:
    path = f"models/{name}_int8.tflite" if name in OWN_MODELS else shared_model(name)
    graph = mi.load(path)
    inputs = extremes_and_noise(graph, 6)
    expected = mi.Interpreter(graph, numerics).trace(*inputs)
    native = mi.compile(graph, numerics)
    report = mi.diff(expected, native.trace(*inputs))
    report.assert_identical()
    assert report.elements == sum(out.size for layer in expected for out in layer.outputs)
    for ours, theirs in zip(
        native.run(*inputs), mi.Interpreter(graph, numerics).run(*inputs), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


EXAMPLES = 40 if os.environ.get("MICROINFER_FULL") == "1" else 8


@pytest.mark.parametrize("op", MODELS)
def test_one_op_models_equal_numpy(op: str, compared: Compared) -> None:
    seen = dict.fromkeys(PROFILES, 0)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        model = data.draw(MODELS[op])
        for numerics in PROFILES:
            expected = mi.Interpreter(model.graph, numerics).trace(*model.inputs)
            native = mi.compile(model.graph, numerics, flags=["-O1"])
            report = mi.diff(expected, native.trace(*model.inputs))
            report.assert_identical()
            seen[numerics] += report.elements

    check()
    for numerics, elements in seen.items():
        name, runs = f"C of {op} in {numerics}", f"{EXAMPLES} models"
        compared(name, "numpy", runs, elements, 0, op.split()[0], numerics, "c")


def test_a_compiler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(mi.ToolchainError, match=r"no-such-cc.*apt install gcc"):
        mi.compile(mi.load("models/gesture_int8.tflite"))


def test_a_compiler_that_fails_says_what_it_said() -> None:
    with pytest.raises(mi.ToolchainError, match="no-such-option"):
        mi.compile(mi.load("models/gesture_int8.tflite"), flags=["-fno-such-option"])


def test_native_takes_samples_as_the_interpreter_does() -> None:
    graph = mi.load("models/gesture_int8.tflite")
    samples = np.load("models/gesture_inputs.npy")[:3]
    native, interpreter = mi.compile(graph), mi.Interpreter(graph)
    for given_form in (samples, samples[:1], samples[:, None]):
        (ours,), (theirs,) = native.run(given_form), interpreter.run(given_form)
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(mi.BadInput, match="expected int8"):
        native.run(samples.astype(np.float32))
