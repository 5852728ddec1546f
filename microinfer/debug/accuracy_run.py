"""The runs behind ``accuracy``: groups of samples, each through all chains, to sums.

    int          the integer model
    reference    reals, the reference's weights and biases
    weights      the same with the integer model's weights, then
    biases       with its biases too, then
    clipped      with each layer's outputs cut off where its integers end

Where samples are reals, the chains of reals get them as they are, ``clipped`` cut off where the
input's integers end, and the integer model gets them quantized.

Without a float model the first three of reals are one. Which samples make a group does not depend
on who computes it, nor does the order in which groups are added up.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph
from ..numerics import profile
from ..one_thread import one_thread
from ..prepare import PreparedLayer, prepare
from .constants import Constants, dequantized, is_real
from .float_replay import (
    Chain,
    Step,
    float_functions,
    initial_states,
    integer_functions,
    shaped,
    steps,
    to_reals,
    to_steps,
)
from .float_weighted import FloatWeighted
from .given import are_reals, real, whole
from .layer_error import Grid, Moments, Tally, exact, moments, per_channel

Array = NDArray[Any]
Group = tuple[list[Array], Array | None]  # samples of each input, their labels

GROUP_ELEMENTS = 1 << 18  # of the largest tensor: then a group's arrays stay in the caches
EXACT = 2.0**-10  # of a step: what the reals' own rounding can make, and no integer layer


@dataclass(frozen=True)
class OutputTally:
    """Of the model's first output, in its own unit: moments, and of ``samples`` how many have
    their largest value where the reference has it, where the label says, and both of these."""

    moments: Moments
    samples: int
    agreeing: int
    right: int
    float_right: int

    def __add__(self, other: OutputTally) -> OutputTally:
        return OutputTally(
            self.moments + other.moments,
            self.samples + other.samples,
            self.agreeing + other.agreeing,
            self.right + other.right,
            self.float_right + other.float_right,
        )


@dataclass(frozen=True)
class GroupTally:
    """Inputs of integers that were given reals, by position, all layers with quantized outputs, by
    index, and the model's output."""

    inputs: dict[int, Tally]
    layers: dict[int, Tally]
    output: OutputTally

    def __add__(self, other: GroupTally) -> GroupTally:
        inputs = {place: tally + other.inputs[place] for place, tally in self.inputs.items()}
        layers = {index: tally + other.layers[index] for index, tally in self.layers.items()}
        return GroupTally(inputs, layers, self.output + other.output)


@dataclass(frozen=True)
class Job:
    """What a worker needs: the runnable graph, the profile's name, the reference's constants as
    far as they differ from the graph's own, and a name by which a process knows the job again."""

    graph: Graph
    numerics: str
    given: Constants | None
    token: str

    @classmethod
    def of(cls, graph: Graph, numerics: str, given: Constants | None) -> Job:
        return cls(graph, numerics, given, uuid4().hex)

    def __reduce__(self) -> tuple[Any, ...]:
        """Without what is made of the fields: a worker makes it again."""
        return Job, (self.graph, self.numerics, self.given, self.token)

    @cached_property
    def layers(self) -> tuple[PreparedLayer, ...]:
        return prepare(self.graph, profile(self.numerics))

    @cached_property
    def dtype(self) -> type:
        """float32 resolves steps of int8, but not all of int16."""
        wide = any(t.type == "INT16" and t.data is None for t in self.graph.tensors)
        return np.float64 if wide else np.float32

    @cached_property
    def own(self) -> Constants:
        """The graph's constants as reals."""
        return dequantized(self.graph, self.layers, self.dtype)

    @cached_property
    def reference(self) -> Constants:
        if self.given is None:
            return self.own
        tensors: dict[int, Array] = {i: v.astype(self.dtype) for i, v in self.given.tensors.items()}
        biases: dict[tuple[int, int], Array] = {
            i: v.astype(self.dtype) for i, v in self.given.biases.items()
        }
        return Constants({**self.own.tensors, **tensors}, {**self.own.biases, **biases})

    @cached_property
    def group(self) -> int:
        """Samples at a time."""
        if any(layer.op.resource for layer in self.layers):
            return 1  # a layer may read what a later one assigned a sample ago
        largest = max(tensor.size for tensor in self.graph.tensors if tensor.data is None)
        return max(1, GROUP_ELEMENTS // largest)

    @cached_property
    def has_state(self) -> bool:
        return any(layer.op.state for layer in self.layers)

    @cached_property
    def grids(self) -> dict[int, Grid]:
        """Of computed tensors whose integers are reals'."""
        return {
            index: Grid.of(tensor)
            for index, tensor in enumerate(self.graph.tensors)
            if tensor.data is None and is_real(tensor) and tensor.quantization is not None
        }


class Replay:
    """Runs groups of samples of one job. Keeps states from group to group."""

    def __init__(self, job: Job) -> None:
        self.job = job
        graph, own, reference = job.graph, job.own, job.reference
        self.steps = steps(graph, job.layers)

        def chain(constants: Constants, **treatment: Any) -> Chain:
            functions = float_functions(graph, job.layers, constants)
            memory = initial_states(graph, job.dtype)
            return Chain(functions, constants.tensors, memory, **treatment)

        raw = {i: t.data for i, t in enumerate(graph.tensors) if t.data is not None}
        self.integers = Chain(integer_functions(job.layers), raw, initial_states(graph, None))
        self.reference = chain(reference)
        self.weights = self.biases = self.reference
        if job.given is not None:
            self.weights = chain(Constants(own.tensors, reference.biases))
            self.biases = chain(own)
        self.clipped = chain(own, treatment=self._cut)
        self._weighted = {  # layers whose constants may differ from the reference's
            layer.index
            for layer in job.layers
            if job.given is not None
            and any(i in own.tensors and is_real(graph.tensors[i]) for i in layer.node.inputs)
        }

    @property
    def chains(self) -> list[Chain]:
        every = (self.integers, self.reference, self.weights, self.biases, self.clipped)
        return list(dict.fromkeys(every))

    def _cut(self, index: int, values: Array) -> Array:
        grid = self.job.grids.get(index)
        if grid is None:
            return values
        inside, below, above = grid.cut(grid.in_steps(values))
        changed = below | above
        return np.where(changed, inside * values.dtype.type(grid.step), values)

    def measure(self, inputs: Sequence[Array], labels: Array | None) -> GroupTally:
        """One group: inputs [samples, *shape] in the model's order, integers or reals."""
        layers: dict[int, Tally] = {}
        with one_thread():
            tallies = self._begin(inputs)
            for step in self.steps:
                if any(i in self.job.grids for i, _ in step.outputs[: step.measured]):
                    parts = self._isolated(step)
                    for chain in self.chains:
                        chain.take(step)
                    layers[step.layer.index] = self._tally(step, parts)
                else:
                    for chain in self.chains:
                        chain.take(step)
                for chain in self.chains:
                    chain.expire(step)
            output = self._output(labels)
        return GroupTally(tallies, layers, output)

    def _begin(self, inputs: Sequence[Array]) -> dict[int, Tally]:
        """Give all chains their inputs; what the quantization of reals does to these."""
        graph, dtype = self.job.graph, self.job.dtype
        given = [(i, graph.tensors[i], v) for i, v in zip(graph.inputs, inputs, strict=True)]
        integers = {i: whole(tensor, v) for i, tensor, v in given}
        reals = {i: real(tensor, v, dtype) for i, tensor, v in given}
        cut = {i: self._cut(i, reals[i]) if are_reals(t, v) else reals[i] for i, t, v in given}
        for chain in self.chains:
            chain.begin(reals)
        self.clipped.begin(cut)
        self.integers.begin(integers)
        self._integers = integers
        return {
            place: self._of_input(i, reals[i], integers[i])
            for place, (i, tensor, v) in enumerate(given)
            if are_reals(tensor, v)
        }

    def _of_input(self, index: int, reals: Array, integers: Array) -> Tally:
        """One input: all there is so far of errors is its own."""
        grid = self.job.grids[index]
        y, q = grid.in_steps(reals), self._without_zero_point(grid, integers)
        inside, below, above = grid.cut(y)
        clipping = None if inside is y else inside - y
        error = moments(y, q, None, None, clipping, q - inside, None)
        if error.largest < EXACT:
            error = exact(error)
        return Tally(
            q.size,
            error,
            error,
            per_channel(below, np.add),
            per_channel(above, np.add),
            per_channel(integers, np.minimum),
            per_channel(integers, np.maximum),
        )

    def _without_zero_point(self, grid: Grid, integers: Array) -> Array:
        dtype = self.job.dtype
        steps: Array = integers.astype(dtype) - dtype(grid.zero_point)
        return steps

    def _isolated(self, step: Step) -> list[tuple[Array, ...]]:
        """Per output of the node: the float layer with the reference's weights and bias, then with
        the integer model's weights, then with its bias too; and the integer layer."""
        job, index, samples = self.job, step.layer.index, self.reference.samples
        places = (*step.operands, *step.state)
        values = self.reference.operands(step)
        integers = [
            self._integers[i] if i in self._integers else to_steps(tensor, v)
            for i, tensor, v in zip(places, step.tensors, values, strict=True)
        ]
        exact = [to_reals(t, v, job.dtype) for t, v in zip(step.tensors, integers, strict=True)]

        def given(chain: Chain, rounded: Sequence[Array]) -> list[Array]:
            """Constants are each side's own, and no activations that are rounded."""
            pairs = zip(places, rounded, strict=True)
            return [chain.constants.get(i, value) for i, value in pairs]

        q = self.integers.compute(step, given(self.integers, integers))[: step.measured]
        x = given(self.biases, exact)
        own, reference = self.biases.functions[index], self.reference.functions[index]
        if index not in self._weighted:
            y = shaped(step, own(*x), samples)
            return [(y2, y2, y2, q5) for y2, q5 in zip(y, q, strict=False)]
        if isinstance(own, FloatWeighted) and isinstance(reference, FloatWeighted):
            products = own.products(*x)
            ways: list[Any] = [
                reference(*x),
                own.finish(products, reference.bias),
                own.finish(products, own.bias),
            ]
        else:
            between = self.weights.functions[index]
            ways = [reference(*given(self.reference, exact)), between(*x), own(*x)]
        return list(zip(*(shaped(step, way, samples) for way in ways), q, strict=False))

    def _tally(self, step: Step, isolated: list[tuple[Array, ...]]) -> Tally:
        """All outputs of a layer, after all chains computed it."""
        tally: Tally | None = None
        for (index, _), (y0, y1, y2, q) in zip(step.outputs, isolated, strict=False):
            grid = self.job.grids.get(index)
            if grid is None:
                continue
            one = self._of_output(index, grid, (y0, y1, y2), q)
            tally = one if tally is None else tally.joined(one)
        assert tally is not None
        return tally

    def _of_output(self, index: int, grid: Grid, ways: tuple[Array, ...], q: Array) -> Tally:
        """One output, of the isolated layer and of all chains."""
        once = {id(way): grid.in_steps(way) for way in ways}
        y0, y1, y2 = (once[id(way)] for way in ways)
        y3, below, above = grid.cut(y2)
        y4, y5 = grid.nearest(y3), self._without_zero_point(grid, q)
        isolated = moments(
            y0,
            y5,
            None if y1 is y0 else y1 - y0,
            None if y2 is y1 else y2 - y1,
            None if y3 is y2 else y3 - y2,
            y4 - y3,
            y5 - y4,
        )
        if isolated.largest < EXACT:
            isolated = exact(isolated)
        ran = self.integers.values[index]
        reference, weights, biases, clipped = (
            grid.in_steps(chain.values[index])
            for chain in (self.reference, self.weights, self.biases, self.clipped)
        )
        own = self._without_zero_point(grid, ran)
        single = self.weights is self.reference
        accumulated = moments(
            reference,
            own,
            None if single else weights - reference,
            None if single else biases - weights,
            clipped - biases,
            own - clipped,
            None,
        )
        return Tally(
            ran.size,
            isolated,
            accumulated,
            per_channel(below, np.add),
            per_channel(above, np.add),
            per_channel(ran, np.minimum),
            per_channel(ran, np.maximum),
        )

    def _output(self, labels: Array | None) -> OutputTally:
        index = self.job.graph.outputs[0]
        tensor, dtype = self.job.graph.tensors[index], self.job.dtype
        samples = self.integers.samples
        q = to_reals(tensor, self.integers.values[index], dtype).reshape(samples, -1)
        y = self.reference.values[index].reshape(samples, -1)
        found, expected = q.argmax(axis=1), y.argmax(axis=1)
        return OutputTally(
            moments(y.astype(np.float64), q.astype(np.float64)),
            samples,
            int((found == expected).sum()),
            0 if labels is None else int((found == labels).sum()),
            0 if labels is None else int((expected == labels).sum()),
        )


_own = threading.local()  # chains are one thread's


def measure_groups(job: Job, groups: Sequence[Group]) -> list[GroupTally]:
    """Groups of a model without state, in a worker. A thread prepares a job once."""
    if getattr(_own, "token", None) != job.token:
        _own.token, _own.replay = job.token, Replay(job)
    return [_own.replay.measure(inputs, labels) for inputs, labels in groups]
