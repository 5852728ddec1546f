"""One layer of two runs, as hypotheses see it: operands, state, outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...fixedpoint import Int64Array
from ...graph import Graph
from ...interpreter import Interpreter
from ...ops import results
from ...state import states
from ...trace import Trace
from .memory import Scene, bytes_of
from .replay import Evidence, Replay, Source, joined

Array = NDArray[Any]

# First a few whole samples with about so many values are judged, those that differ most.
FIRST_VALUES = 1 << 16


@dataclass(frozen=True, eq=False)
class Case:
    """One layer of two runs, on some samples."""

    replay: Replay
    evidence: Evidence

    @property
    def observed(self) -> Int64Array:
        return self.evidence.observed


def tensor_of(graph: Graph, index: int, *traces: Trace) -> Array | None:
    """[samples, *shape] of the first trace that has it, [1, *shape] of a constant."""
    tensor = graph.tensors[index]
    if tensor.data is not None:
        return tensor.data[None]
    for trace in traces:
        try:
            return trace.tensor(index).reshape(-1, *tensor.shape)
        except KeyError:
            continue
    return None


def case_of(interpreter: Interpreter, expected: Trace, observed: Trace, place: int) -> Case | None:
    """None where there is nothing to compare: handles, and layers whose first output was not
    observed."""
    graph, layer = interpreter.graph, interpreter.layers[place]
    whole = [index for index in results(layer.node) if index >= 0]
    seen = [n for n, index in enumerate(whole) if tensor_of(graph, index, observed) is not None]
    own = [whole[n] for n in seen]  # few dumps have state, or every output
    outputs = [tensor_of(graph, index, observed) for index in own]
    right = [tensor_of(graph, index, expected) for index in own]
    operands = [
        tensor_of(graph, i, observed, expected) for i in layer.op.operand_indices(layer.node)
    ]
    if not own or seen[0] > 0 or any(array is None for array in (*right, *operands)):
        return None
    got, wanted = [a for a in outputs if a is not None], [a for a in right if a is not None]
    samples = len(got[0])
    if len(wanted[0]) != samples:
        raise BadInput(f"the traces have {len(wanted[0])} and {samples} samples")
    source = Source(
        graph,
        layer,
        layer.params,
        tuple(array for array in operands if array is not None),
        interpreter.numerics,
        _states(interpreter, expected, observed, place, samples),
        seen=None if len(seen) == len(whole) else tuple(seen),
    )
    replay = Replay(source)
    resource = layer.op.resource
    correct = joined(wanted, samples) if resource else replay.values()
    shape = graph.tensors[own[0]].shape
    correct = np.broadcast_to(correct, (samples, correct.shape[1]))
    return Case(replay, Evidence(joined(got, samples), correct, shape))


def _states(
    interpreter: Interpreter, expected: Trace, observed: Trace, place: int, samples: int
) -> tuple[Array, ...]:
    """What the layer remembers before each sample: the first values, then those it left."""
    layer = interpreter.layers[place]
    known = states(interpreter.graph)
    found = []
    for index in layer.op.state_indices(layer.node):
        first = known[index].initial[None]
        after = (
            None if layer.op.resource else tensor_of(interpreter.graph, index, observed, expected)
        )
        if after is None:
            found.append(np.repeat(first, samples, axis=0))
        else:
            found.append(np.concatenate([first, after])[:samples])
    return tuple(found)


def first_samples(evidence: Evidence) -> Int64Array:
    """The samples that differ most, as many as FIRST_VALUES allows."""
    return worst(evidence, max(1, FIRST_VALUES // evidence.observed.shape[1]))


def worst(evidence: Evidence, count: int) -> Int64Array:
    """The ``count`` samples that differ most, in their order."""
    wrong = (evidence.observed != evidence.correct).sum(axis=1)
    order: Int64Array = np.argsort(-wrong, kind="stable")[:count]
    return np.sort(order)


def part(case: Case, samples: Int64Array) -> Case:
    """The case on some of its samples."""
    evidence, source = case.evidence, case.replay.source
    if len(samples) == len(evidence.observed):
        return case

    def chosen(array: Array) -> Array:
        return array if len(array) == 1 else array[samples]

    source = replace(
        source,
        operands=tuple(chosen(x) for x in source.operands),
        state=tuple(chosen(x) for x in source.state),
    )
    return Case(
        Replay(source),
        replace(evidence, observed=chosen(evidence.observed), correct=chosen(evidence.correct)),
    )


def scene_of(
    interpreter: Interpreter, expected: Trace, observed: Trace, place: int, case: Case
) -> Scene:
    """The layer's output among all tensors of the run."""
    graph, layer = interpreter.graph, interpreter.layers[place]
    samples = len(case.observed)
    index = results(layer.node)[0]
    outputs, right = tensor_of(graph, index, observed), tensor_of(graph, index, expected)
    assert outputs is not None
    assert right is not None
    own = graph.tensors[index]
    if own.dtype.kind != "f":
        right = case.evidence.correct[:, : own.size].astype(own.dtype)
    tensors, makers = {}, {}
    for other, what in _makers(interpreter).items():
        array = tensor_of(graph, other, observed, expected)
        if other == index or array is None or len(array) != samples:
            continue
        tensors[other], makers[other] = bytes_of(array, samples), what
    return Scene(
        outputs=bytes_of(outputs, samples),
        correct=bytes_of(right, samples),
        itemsize=own.dtype.itemsize,
        tensors=tensors,
        earlier=[i for i in tensors if i in _earlier(interpreter, place)],
        makers=makers,
    )


def _earlier(interpreter: Interpreter, place: int) -> set[int]:
    """The tensors that are computed before layer ``place``."""
    before = {index for layer in interpreter.layers[:place] for index in results(layer.node)}
    return before | set(interpreter.graph.inputs)


def _makers(interpreter: Interpreter) -> dict[int, str]:
    """What each computed tensor is called."""
    found = dict.fromkeys(interpreter.graph.inputs, "the model's input")
    for layer in interpreter.layers:
        for index in results(layer.node):
            found[index] = f"layer {layer.index} {layer.node.op}"
    return found
