"""The interpreter against other runtimes and against C with a fault in it."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from c_build import need
from command_line import DIGITS, DIGITS_INPUTS, MODELS
from microinfer import native
from microinfer.batch import split_batch
from microinfer.debug import compare as comparing
from microinfer.debug import oracles
from microinfer.debug.compare import compare, first_difference, likely_causes
from microinfer.debug.oracle_process import Job
from microinfer.debug.oracles import Oracle, oracle
from microinfer.errors import BadInput, ToolchainError
from microinfer.tflite import write
from oracles import differing, tflm_tensors
from shared_models import shared_model
from sides import noise, two_relus, wrong_layers


def against(name: str, model: str, samples: int, isolated: bool = False) -> comparing.Comparison:
    pytest.importorskip(oracles.ORACLES[name][0])
    path = shared_model(model)
    graph = mi.load(path)
    interpreter = mi.Interpreter(graph)
    x = noise(interpreter.graph, samples)
    with oracle(name, graph, path.read_bytes()) as other:
        batch = split_batch(interpreter.graph, [x])
        return compare(interpreter, other, batch, isolated=isolated)


@pytest.mark.parametrize(
    ("name", "model"), [("xnnpack", "mlperf_ic_int8"), ("litert", "mlperf_ad_int8")]
)
def test_each_layer_alone_as_tflm_computes_it(name: str, model: str) -> None:
    """Every layer as a model of its own, run by TFLM on what the other runtime fed to it."""
    comparison = against(name, model, 2, isolated=True)
    assert comparison.observed is not None
    graph = mi.load(shared_model(model))
    counts = []
    for node in graph.nodes:
        fed = [i for i in node.inputs if i >= 0 and graph.tensors[i].data is None]
        cut = replace(graph, nodes=(node,), inputs=tuple(fed), outputs=node.outputs, signatures=())
        tensors = comparison.observed
        given = [tensors.tensor(i).reshape(2, *graph.tensors[i].shape) for i in fed]
        theirs = tflm_tensors(write(cut), *given)[node.outputs[0]]
        shape = (2, *graph.tensors[node.outputs[0]].shape)
        counts.append(differing(theirs, tensors.tensor(node.outputs[0]).reshape(shape)))
    assert [layer.differing for layer in comparison.report.layers] == counts
    assert sum(map(bool, counts)) > 4


def test_xnnpack_parts_in_the_first_layer_by_one_rounding() -> None:
    comparison = against("xnnpack", "mlperf_ic_int8", 3)
    interpreter = mi.Interpreter(mi.load(shared_model("mlperf_ic_int8")))
    first = first_difference(interpreter, comparison)
    assert first is not None
    assert (first.layer.index, first.layer.node.op) == (0, "CONV_2D")
    assert set(first.layer.histogram) <= {-1, 1}
    stage = first.arithmetic
    assert stage is not None
    assert stage.output == first.expected
    exact = stage.accumulator * stage.multiplier / 2 ** (31 - stage.shift)
    assert stage.real == exact
    assert round(exact) + stage.zero_point == first.observed  # once, from the exact product
    causes = likely_causes(interpreter, comparison)
    assert causes
    assert causes[0].exact


@pytest.mark.parametrize("name", oracles.ORACLES)
def test_a_runtime_that_agrees(name: str) -> None:
    """SUB of equal scales: exact in every runtime."""
    pytest.importorskip(oracles.ORACLES[name][0])
    graph = two_relus()
    x = noise(graph, 3)
    with oracle(name, graph, write(graph)) as other:
        trace = other.trace(x)
        again = other.trace(x[:1])
    np.testing.assert_array_equal(trace.tensor(2), np.maximum(x, 0))
    np.testing.assert_array_equal(again.tensor(2), np.maximum(x[:1], 0))


def test_a_runtime_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracles.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(
            ToolchainError, match="tflm needs the package tflite-micro: pip install --pre"
        ),
        oracle("tflm", two_relus(), b""),
    ):
        pass


@pytest.mark.parametrize("name", ["tflm", "litert"])
def test_a_runtime_that_refuses_or_dies_is_an_error(name: str) -> None:
    """TFLM and LiteRT abort on a file that is none."""
    pytest.importorskip(oracles.ORACLES[name][0])
    graph = two_relus()
    with (
        pytest.raises(BadInput, match=f"{name} (broke down|does not run this model): ."),
        oracle(name, graph, b"\0\0\0\0TFL3" + bytes(64)) as other,
    ):
        other.trace(noise(graph, 1))


def test_outputs_that_fusing_changes_are_counted(tmp_path: Any) -> None:
    """A runtime that gives each tensor, and another value of the output as it comes."""
    graph = two_relus()
    y = np.array([[[1, 2, 3, 4]]], np.int8)
    told = {1: y, 2: y, -3: y + np.array([0, 1, 0, 1], np.int8)}
    process: Any = SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO(pickle.dumps(told)))
    job = Job("xnnpack", b"", (0,), (2,), (1, 2), 0)
    runtime = Oracle("xnnpack", graph, job, process, tmp_path / "log")
    trace = runtime.trace(np.zeros((1, 4), np.int8))
    assert runtime.fused_differ == 2
    assert trace.tensor(2).tolist() == [[1, 2, 3, 4]]


def test_a_weight_that_is_wrong_in_the_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """One weight of layer 4: of tap (0, 0), channel 0."""
    need("cc")
    generate = native.generate

    def edited(*arguments: Any, **options: Any) -> dict[str, str]:
        files = generate(*arguments, **options)
        head = "layer_4_weights[216] = {\n     -16,"
        assert files["model.c"].count(head) == 1
        files["model.c"] = files["model.c"].replace(head, head.replace("-16", " 55"))
        return files

    monkeypatch.setattr(native, "generate", edited)
    interpreter = mi.Interpreter(mi.load(DIGITS))
    batch = split_batch(interpreter.graph, [np.load(DIGITS_INPUTS)[:20]])
    for isolated in (False, True):
        other = native.compile(interpreter.graph)
        comparison = compare(interpreter, other, batch, isolated=isolated)
        report = comparison.report
        assert wrong_layers(report) == ["DEPTHWISE_CONV_2D"]
        assert report.first is not None
        assert report.first.index == 4
        first = first_difference(interpreter, comparison)
        assert first is not None
        assert first.element[-1] == 0
        assert first.arithmetic is not None
        assert first.arithmetic.output == first.expected
        later = [layer.index for layer in report.layers if layer.inputs_differ]
        assert bool(later) is not isolated
        assert all(layer.identical for layer in report.layers[:4])


def test_many_samples_in_groups_are_as_together(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = mi.load(MODELS / "digits_int8.tflite")
    ends = np.broadcast_to(np.array([-128, 127], np.int8).reshape(2, 1, 1, 1, 1), (2, 1, 8, 8, 1))
    batch = split_batch(graph, [np.concatenate([noise(graph, 98), ends])])
    whole = compare(mi.Interpreter(graph), mi.Interpreter(graph, "litert"), batch)
    assert not whole.report.identical
    monkeypatch.setattr(comparing, "AT_ONCE", 7 * 8900)
    done: list[int] = []
    parts = compare(mi.Interpreter(graph), mi.Interpreter(graph, "litert"), batch, done.append)
    assert done == [7] * 14 + [2]
    assert parts.report == whole.report
    one, other = (first_difference(mi.Interpreter(graph), own) for own in (whole, parts))
    assert one == other
