"""Where two runs part: counts, blame by sample and by state, layers judged alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import microinfer as mi
from microinfer.batch import split_batch
from microinfer.debug import compare as comparing
from microinfer.debug.compare import Side, compare
from microinfer.debug.diff import Report
from microinfer.debug.isolate import isolate
from microinfer.errors import BadInput
from microinfer.graph import Graph
from microinfer.ops import results
from one_op import activation, one_op
from recurrent import everything, queue
from sides import noise, two_relus, wrong_layers


def told(graph: Graph, *inputs: Any, **tensors: Any) -> mi.Trace:
    """A trace with only ``tensors``, t3=... by index."""
    own = {int(name[1:]): np.asarray(array, np.int8) for name, array in tensors.items()}
    batch = split_batch(graph, inputs)
    shaped = {i: array.reshape(-1, *graph.tensors[i].shape) for i, array in own.items()}
    return mi.Trace.from_tensors(graph, batch, shaped, "by hand")


class Told:
    """A side that says what it was told to."""

    def __init__(self, trace: mi.Trace) -> None:
        self._trace = trace

    def trace(self, *inputs: Any) -> mi.Trace:
        return self._trace


def report_of(graph: Graph, x: Any, **tensors: Any) -> Report:
    """The interpreter against ``tensors``, sample by sample."""
    samples = np.asarray(x, np.int8).reshape(-1, *graph.tensors[graph.inputs[0]].shape)
    side = Told(told(graph, samples, **tensors))
    return compare(mi.Interpreter(graph), side, split_batch(graph, [samples])).report


def test_what_is_counted() -> None:
    report = report_of(two_relus(), [1, 2, -3, 4], t1=[1, 5, 0, 3], t2=[1, 5, 0, 127])
    first, second = report.layers
    assert (first.elements, first.differing, first.largest) == (4, 2, 3.0)
    assert first.histogram == {-1: 1, 3: 1}
    assert first.first == ((0, 0, 1), 2, 5)
    assert (second.differing, second.largest, second.histogram) == (2, 123.0, {3: 1, 123: 1})
    assert (first.inputs_differ, second.inputs_differ) == (False, True)
    assert report.first is first
    assert str(report) == (
        "different: 4 of 8 elements; first in layer 0 RELU at (0, 0, 1): 2 and 5"
    )


def test_blame_is_by_sample() -> None:
    """Layer 1 is wrong by itself in sample 0; in sample 1 it only passes on layer 0's mistake."""
    x = [[1, 2, 3, 4], [5, 6, 7, 8]]
    wrong = [[1, 2, 3, 4], [5, 6, 7, 9]]
    report = report_of(two_relus(), x, t1=wrong, t2=[[1, 2, 0, 4], [5, 6, 7, 9]])
    assert [layer.inputs_differ for layer in report.layers] == [False, False]
    assert [layer.first for layer in report.layers] == [((1, 0, 3), 8, 9), ((0, 0, 2), 3, 0)]
    report = report_of(two_relus(), x, t1=wrong, t2=wrong)
    assert [layer.inputs_differ for layer in report.layers] == [False, True]


def test_other_inputs_are_what_is_blamed() -> None:
    report = report_of(two_relus(), [1, 2, 3, 4], t0=[1, 2, 3, 5], t1=[1, 2, 3, 5], t2=[1, 2, 3, 5])
    assert report.first is report.inputs[0]
    assert (report.first.node.op, report.first.index) == ("INPUT", 0)
    assert [layer.inputs_differ for layer in report.layers] == [True, True]
    assert not report.identical


def test_what_is_not_compared_is_told() -> None:
    report = report_of(two_relus(), [1, 2, 3, 4], t2=[1, 2, 3, 5])
    first, second = report.layers
    assert (first.missing, first.elements, first.compared) == ((1,), 0, False)
    assert (second.unseen, second.inputs_differ, second.differing) == ((0,), False, 1)
    assert report.missing == [first]
    report = report_of(two_relus(), [1, 2, 3, 4], t1=[1, 2, 3, 4])
    assert str(report) == "identical: 4 elements in 1 of 2 layers"
    with pytest.raises(BadInput, match="nothing to compare"):
        report_of(two_relus(), [1, 2, 3, 4])


def test_a_partial_trace_is_saved_and_read_back(tmp_path: Any) -> None:
    graph = two_relus()
    trace = told(graph, np.zeros((1, 4), np.int8), t2=[1, 2, 3, 4])
    trace.save(tmp_path / "a.npz")
    again = mi.Trace.load(tmp_path / "a.npz")
    assert [len(layer.outputs) for layer in again] == [0, 1]
    assert not again.has(1)
    assert again.tensor(2).tolist() == [[1, 2, 3, 4]]


def test_floats_differ_by_bits() -> None:
    graph = one_op("DEQUANTIZE", [activation([1, 4], 0.5, 0, "x")], activation([1, 4], None))
    x = np.array([[1, 2, 3, 4]], np.int8)
    good = mi.Interpreter(graph).trace(x)
    y = good.tensor(1).copy()
    y[0, 1], y[0, 3] = np.nan, np.nextafter(y[0, 3], np.float32(9))
    bad = mi.Trace.from_tensors(graph, split_batch(graph, [x]), {1: y[None]}, "by hand")
    (layer,) = mi.diff(good, bad).layers
    assert (layer.differing, layer.largest, layer.histogram) == (2, np.inf, {})


# -- state ------------------------------------------------------------------------------------


class Faulty:
    """The interpreter, with one tensor's value changed as it is computed, and all that follows."""

    def __init__(self, graph: Graph, change: Any) -> None:
        self.interpreter = mi.Interpreter(graph)
        self._change = change
        self._sample = 0

    def trace(self, *inputs: Any) -> mi.Trace:
        """Sample by sample, so that what is changed is remembered."""
        graph, parts = self.interpreter.graph, []
        for sample in zip(*inputs, strict=True):
            self._change(self.interpreter, self._sample)
            parts.append(self.interpreter.trace(*sample))
            self._sample += 1
        tensors = {
            i: np.stack([part.tensor(i) for part in parts])
            for layer in parts[0]
            for i in results(layer.node)
        }
        return mi.Trace.from_tensors(graph, split_batch(graph, inputs), tensors, "faulty")


def judged(graph: Graph, side: Side, samples: int, isolated: bool = False) -> Report:
    batch = split_batch(graph, [noise(graph, samples)])
    return compare(mi.Interpreter(graph), side, batch, isolated=isolated).report


@pytest.mark.parametrize("at_once", [1, comparing.AT_ONCE])
def test_state_that_is_dropped_is_its_layers_fault(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(comparing, "AT_ONCE", at_once)
    monkeypatch.setattr(comparing, "AT_LEAST", 1)
    graph = mi.Interpreter(everything()).graph
    side = Faulty(graph, lambda interpreter, sample: interpreter.reset())
    batch = split_batch(graph, [noise(graph, 6)])
    report = compare(mi.Interpreter(graph), side, batch).report
    assert wrong_layers(report)[0] == "READ_VARIABLE"
    assert report.first is not None
    assert report.first.first is not None
    assert report.first.first[0][0] == 1  # the second sample is the first to remember
    alone = Faulty(graph, lambda interpreter, sample: interpreter.reset())
    assert wrong_layers(judged(graph, alone, 6, isolated=True)) == [
        *("READ_VARIABLE", "SVDF", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")
    ]


@pytest.mark.parametrize("handles", [1, 2])
def test_a_variable_that_was_assigned_wrongly_is_not_the_readers_fault(handles: int) -> None:
    """From the second sample on, READ_VARIABLE gives what was wrongly assigned before."""
    graph = mi.Interpreter(queue(4, 2, handles=handles)).graph
    trace = mi.Interpreter(graph).trace(noise(graph, 5))
    ops = [layer.node.op for layer in trace]
    value = trace[ops.index("STRIDED_SLICE")].node.outputs[0]
    read = trace[ops.index("READ_VARIABLE")].node.outputs[0]
    tensors = {
        i: trace.tensor(i).reshape(5, *graph.tensors[i].shape).copy()
        for layer in trace
        for i in results(layer.node)
    }
    joined = trace[ops.index("CONCATENATION")].node.outputs[0]
    tensors[value][1, 0, 0] ^= 1  # in sample 1 ...
    tensors[read][2, 0, 0] ^= 1  # ... is read in sample 2
    tensors[joined][2, 0, 0] ^= 1
    x = noise(graph, 5)
    other = mi.Trace.from_tensors(graph, split_batch(graph, [x]), tensors, "by hand")
    report = judged(graph, Told(other), 5)
    assert wrong_layers(report) == ["STRIDED_SLICE"]
    assert report.first is not None
    assert report.first.node.op == "STRIDED_SLICE"
    assert wrong_layers(isolate(mi.Interpreter(graph), other)) == ["STRIDED_SLICE"]


def test_what_a_layer_remembers_of_wrong_inputs_is_not_its_fault() -> None:
    """The first layer is wrong in sample 0 alone; SVDF and LSTM are so for longer."""
    graph = mi.Interpreter(everything()).graph
    right = noise(graph, 6)
    x = right.copy()
    x[0] ^= 5
    other = mi.Interpreter(graph).trace(x)
    tensors = {
        i: other.tensor(i).reshape(6, *graph.tensors[i].shape)
        for layer in other
        for i in results(layer.node)
    }
    trace = mi.Trace.from_tensors(graph, split_batch(graph, [right]), tensors, "by hand")
    report = judged(graph, Told(trace), 6)
    inherited = {layer.node.op for layer in report.layers if layer.inputs_differ}
    assert inherited >= {"READ_VARIABLE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"}
    assert wrong_layers(report) == ["CONCATENATION"]


def test_isolated_layers_with_unknown_state_are_not_judged() -> None:
    graph = mi.Interpreter(everything()).graph
    x = noise(graph, 3)
    trace = mi.Interpreter(graph).trace(x)
    outputs = {i: trace.tensor(i) for layer in trace for i in layer.node.outputs if trace.has(i)}
    for samples, missing in ((1, []), (3, ["SVDF", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"])):
        own = {
            i: array.reshape(3, *graph.tensors[i].shape)[:samples] for i, array in outputs.items()
        }
        batch = split_batch(graph, [x[:samples]])
        report = isolate(mi.Interpreter(graph), mi.Trace.from_tensors(graph, batch, own, "part"))
        assert report.identical
        assert [one.node.op for one in report.layers if not one.elements and one.missing] == missing
