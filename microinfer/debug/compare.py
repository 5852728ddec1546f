"""Two sides, run over the same samples and compared: all layers, and the first difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from numpy.typing import NDArray

from ..batch import Batch, split_batch
from ..graph import Graph
from ..interpreter import Interpreter
from ..ops import results
from ..state import states
from ..trace import Trace
from .arithmetic import Arithmetic, arithmetic
from .diagnose import Cause, diagnose
from .diff import INPUT, Comparing, LayerDiff, Report, joined, require_some
from .isolate import Isolating
from .operands import operands_of

Array = NDArray[Any]

AT_ONCE = 1 << 21  # elements of all layers that are compared at one time
AT_LEAST = 8  # samples, of a model with state: what goes wrong after the first shows among them


class Side(Protocol):
    """What runs samples: an Interpreter, a Native, a Device, or a file that recorded a run."""

    def trace(self, *inputs: Array) -> Trace:
        """The next samples, [samples, *shape] per input."""


@dataclass(frozen=True)
class Comparison:
    """What came of all samples.

    report    every layer, over all samples; ``first`` has the sample's number in front
    expected  with ``observed``, the traces [samples, *shape] of the group of samples from ``start``
              on in which the first difference is; None if there is none
    isolated  whether ``expected`` has each layer as it follows from ``observed``
    """

    report: Report
    expected: Trace | None = None
    observed: Trace | None = None
    start: int = 0
    isolated: bool = False


@dataclass(frozen=True)
class First:
    """The first difference: where, both values, and how the expected one came about.

    ``tensor`` and ``element`` are its place, ``arithmetic`` the layer's output stage; None for a
    layer that has none.
    """

    layer: LayerDiff
    sample: int
    element: tuple[int, ...]
    expected: Any
    observed: Any
    arithmetic: Arithmetic | None


def compare(
    interpreter: Interpreter,
    other: Side,
    batch: Batch,
    advance: Callable[[int], None] = lambda samples: None,
    *,
    isolated: bool = False,
) -> Comparison:
    """Run ``batch`` on both sides, in groups that fit into memory, and compare.

    ``isolated``: each layer is judged alone, as by ``isolate``. ``advance`` is told of samples
    that are done. Raises BadInput if the other side has nothing that can be compared.
    """
    together, alone = Comparing(), Isolating(interpreter)
    whole: Report | None = None
    kept = Comparison(Report([]))
    for start, group in _groups(interpreter.graph, batch):
        observed = other.trace(*group.arrays)
        if isolated:
            report, expected = alone.judge(observed, _inputs(interpreter.graph, observed))
        else:
            expected = interpreter.trace(*group.arrays)
            report = together.diff(expected, observed, group.samples)
        report = _shifted(report, start)
        whole = report if whole is None else _joined(whole, report)
        if whole.first is not None and _is_of(whole.first, start, group.samples):
            kept = Comparison(whole, expected, observed, start, isolated)
        advance(group.samples)
    assert whole is not None
    require_some(whole)
    return replace(kept, report=whole)


def first_difference(interpreter: Interpreter, comparison: Comparison) -> First | None:
    """The first difference of a comparison, with its arithmetic."""
    layer = comparison.report.first
    if layer is None:
        return None
    assert layer.first is not None
    assert comparison.expected is not None
    (sample, *element), expected, observed = layer.first
    at = tuple(element)
    stage = None
    if layer.node.op != INPUT and layer.tensor in layer.node.outputs[:1]:
        stage = _arithmetic(interpreter, comparison, layer, sample - comparison.start, at)
    return First(layer, sample, at, expected, observed, stage)


def likely_causes(interpreter: Interpreter, comparison: Comparison) -> list[Cause]:
    """What explains the first layer that differs, best first; [] if nothing known does."""
    layer = comparison.report.first
    if layer is None or layer.node.op == INPUT or layer.inputs_differ:
        return []
    if interpreter.layers[layer.index].op.state and comparison.start:
        return []  # the state before the group is not there any more
    assert comparison.expected is not None
    assert comparison.observed is not None
    return diagnose(interpreter, comparison.expected, comparison.observed, layer.index)


def _arithmetic(
    interpreter: Interpreter,
    comparison: Comparison,
    layer: LayerDiff,
    row: int,
    at: tuple[int, ...],
) -> Arithmetic | None:
    """The output stage of element ``at`` of sample ``row`` of the group that was kept."""
    prepared = interpreter.layers[layer.index]
    if prepared.op.state and comparison.start:
        return None  # the state before the group is not there any more
    read = comparison.observed if comparison.isolated else comparison.expected
    assert read is not None
    try:
        operands = operands_of(interpreter, read, layer.index, row)
    except KeyError:  # an isolated layer whose state the other side does not tell
        return None
    return arithmetic(prepared, operands, at)


def _inputs(graph: Graph, trace: Trace) -> Batch:
    return split_batch(graph, [trace.tensor(index) for index in graph.inputs])


def _groups(graph: Graph, batch: Batch) -> Iterator[tuple[int, Batch]]:
    """The samples in groups, so that traces of many fit into memory: first sample and inputs."""
    elements = sum(graph.tensors[index].size for node in graph.nodes for index in results(node))
    size = max(AT_LEAST if states(graph) else 1, AT_ONCE // max(1, elements))
    for start in range(0, batch.samples, size):
        arrays = [array[start : start + size] for array in batch.arrays]
        yield start, Batch(arrays, len(arrays[0]), "leading")


def _shifted(report: Report, start: int) -> Report:
    """A group's report with the sample's number among all samples."""
    layers = [_moved(layer, start) for layer in report.layers]
    return Report(layers, tuple(_moved(one, start) for one in report.inputs))


def _moved(layer: LayerDiff, start: int) -> LayerDiff:
    if layer.first is None:
        return layer
    (sample, *element), one, other = layer.first
    return replace(layer, first=((sample + start, *element), one, other))


def _joined(whole: Report, more: Report) -> Report:
    layers = [joined(a, b) for a, b in zip(whole.layers, more.layers, strict=True)]
    inputs = {one.index: one for one in whole.inputs}
    for one in more.inputs:
        inputs[one.index] = joined(inputs[one.index], one) if one.index in inputs else one
    return Report(layers, tuple(inputs[index] for index in sorted(inputs)))


def _is_of(layer: LayerDiff, start: int, samples: int) -> bool:
    """Whether the layer's first difference is in this group of samples."""
    assert layer.first is not None
    return start <= layer.first[0][0] < start + samples
