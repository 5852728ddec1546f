"""What a change of one layer would do to the model, measured: it is made in a simulation.

The simulation is the integer model in reals: its own weights, and each output rounded to its grid.
It lacks the fixed-point arithmetic only (``Split.arithmetic``). A Change replaces some layers'
functions and how some outputs are rounded; what comes before is taken from the unchanged run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..one_thread import one_thread
from .accuracy_run import Job
from .float_ops import MOVING, Form
from .float_replay import (
    Chain,
    Step,
    float_functions,
    initial_states,
    integer_functions,
    shaped,
    steps,
    to_reals,
)
from .judged import is_classes, judged_tensor
from .layer_error import Grid, Moments, energy

Array = NDArray[Any]
Rounding = Callable[[Array], Array]

UNLIMITED = 1 << 40  # steps


@dataclass(frozen=True)
class Change:
    """Other functions, by layer; other roundings, by tensor. What layers only move, in the same
    quantization, is not rounded again; means of a window are, in the new way."""

    functions: Mapping[int, Form] = field(default_factory=dict)
    roundings: Mapping[int, Rounding] = field(default_factory=dict)

    def __or__(self, other: Change) -> Change:
        """Both; where they disagree, ``other``."""
        return Change({**self.functions, **other.functions}, {**self.roundings, **other.roundings})


@dataclass(frozen=True)
class Score:
    """Of the judged tensor against the reference, over samples."""

    signal: float = 0.0
    error: float = 0.0
    samples: int = 0
    agreeing: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.signal + other.signal,
            self.error + other.error,
            self.samples + other.samples,
            self.agreeing + other.agreeing,
        )

    def gain_db(self, before: Score) -> float:
        """How much higher the SQNR is than ``before``."""
        if self.error == before.error:
            return 0.0
        if self.error == 0:
            return math.inf
        return 10 * math.log10(before.error / self.error) if before.error else -math.inf

    @property
    def sqnr_db(self) -> float:
        return Moments(signal=self.signal, error=self.error).sqnr_db

    @property
    def agreement(self) -> float:
        return self.agreeing / self.samples


def rounding(grid: Grid) -> Rounding:
    """To the grid's nearest, cut off at its ends."""

    def to_grid(values: Array) -> Array:
        rounded: Array = grid.nearest(grid.in_steps(values)) * values.dtype.type(grid.step)
        return rounded

    return to_grid


class Simulation:
    """The unchanged run of some samples, and changed ones of the same."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.steps = steps(job.graph, job.layers)
        self.functions = float_functions(job.graph, job.layers, job.own)
        self.exact = float_functions(job.graph, job.layers, job.reference)
        self.roundings = {index: rounding(grid) for index, grid in job.grids.items()}
        self.judged = judged_tensor(job.graph)
        self.classes = is_classes(job.graph)
        self.reference: dict[int, Array] = {}
        self.values: dict[int, Array] = {}
        self._samples = 0

    def output(self, layer: int) -> int:
        """The first tensor of a layer that is rounded."""
        return next(i for i, _ in self.steps[layer].outputs if i in self.roundings)

    def float_weights(self, layer: int) -> Change:
        """A layer with the reference's weights and bias."""
        return Change({layer: self.exact[layer]})

    def unrounded(self, layer: int) -> Change:
        """A layer whose outputs are neither rounded nor cut off."""
        outputs = [i for i, _ in self.steps[layer].outputs if i in self.roundings]
        return Change(roundings=dict.fromkeys(outputs, _as_they_are))

    def uncut(self, layer: int) -> Change:
        """A layer whose outputs are rounded, but not cut off."""
        grid = self.job.grids[self.output(layer)]
        wide = replace(grid, lowest=-UNLIMITED, highest=UNLIMITED)
        return Change(roundings={self.output(layer): rounding(wide)})

    def begin(self, inputs: Sequence[Array]) -> None:
        """Run a group, [samples, *shape] per input, without a change."""
        job = self.job
        reals = {
            index: to_reals(job.graph.tensors[index], array, job.dtype)
            for index, array in zip(job.graph.inputs, inputs, strict=True)
        }
        self._inputs = dict(zip(job.graph.inputs, inputs, strict=True))
        self._samples = len(inputs[0])
        reference = Chain(self.exact, job.reference.tensors, initial_states(job.graph, job.dtype))
        rounded = Chain(
            self.functions,
            job.own.tensors,
            initial_states(job.graph, job.dtype),
            lambda index, values: self._rounded({}, index, values),
        )
        with one_thread():
            for chain in (reference, rounded):
                chain.begin(reals)
                for step in self.steps:
                    chain.take(step)
        self.reference, self.values = reference.values, rounded.values
        self._memory = initial_states(job.graph, job.dtype)

    def _rounded(self, roundings: Mapping[int, Rounding], index: int, values: Array) -> Array:
        way = roundings.get(index) or self.roundings.get(index)
        return values if way is None else way(values)

    def score(self, change: Change | None = None) -> Score:
        """Of the group's judged tensor, with a change or without."""
        found = self.values[self.judged]
        if change is not None:
            found = self._changed(change).get(self.judged, found)
        return self._score(found)

    def score_of_integers(self) -> Score:
        """Of the group's judged tensor in the integer model itself."""
        graph, layers = self.job.graph, self.job.layers
        raw = {i: t.data for i, t in enumerate(graph.tensors) if t.data is not None}
        chain = Chain(integer_functions(layers), raw, initial_states(graph, None))
        with one_thread():
            chain.begin(self._inputs)
            for step in self.steps:
                chain.take(step)
        found = to_reals(graph.tensors[self.judged], chain.values[self.judged], self.job.dtype)
        return self._score(found)

    def _score(self, found: Array) -> Score:
        found = found.astype(np.float64)  # of a comparison, a bool
        exact = self.reference[self.judged].astype(np.float64)
        agreeing = 0
        if self.classes:
            ours, theirs = (v.reshape(self._samples, -1).argmax(axis=1) for v in (found, exact))
            agreeing = int((ours == theirs).sum())
        return Score(energy(exact), energy(found - exact), self._samples, agreeing)

    def _changed(self, change: Change) -> dict[int, Array]:
        """The tensors that a change touches."""
        values: dict[int, Array] = {}
        roundings = dict(change.roundings)
        with one_thread():
            for step in self.steps:
                place = step.layer.index
                touched = values.keys() & {*step.operands}
                own = change.roundings.keys() & {index for index, _ in step.outputs}
                if not (touched or own or place in change.functions):
                    continue
                self._pass_on(step, roundings)
                function = change.functions.get(place, self.functions[place])
                operands = [values.get(i, self.values[i]) for i in step.operands]
                if step.state:
                    operands = [np.broadcast_to(o, (self._samples, *o.shape[1:])) for o in operands]
                operands += [self._memory[i] for i in step.state]
                for (index, _), result in zip(
                    step.outputs, shaped(step, function(*operands), self._samples), strict=True
                ):
                    values[index] = self._rounded(roundings, index, result)
        return values

    def _pass_on(self, step: Step, roundings: dict[int, Rounding]) -> None:
        """Rounding of what has a changed grid's values in it: not the tensor's own."""
        grids, op = self.job.grids, step.layer.node.op
        for source in step.operands:
            for index, _ in step.outputs[: step.measured]:
                if source in roundings and grids.get(source) == grids.get(index):
                    if op in MOVING:
                        roundings.setdefault(index, _as_they_are)
                    elif op == "AVERAGE_POOL_2D":
                        roundings.setdefault(index, roundings[source])


def _as_they_are(values: Array) -> Array:
    return values


def groups(job: Job, batch: Batch, samples: int) -> list[list[Array]]:
    """The first ``samples`` in groups; of a model with state the first group alone."""
    count = min(batch.samples, samples)
    size = job.group if not job.has_state else count
    return [
        [array[first : min(first + size, count)] for array in batch.arrays]
        for first in range(0, count, size)
    ]


def can_simulate(job: Job) -> bool:
    """Not with resource variables: a layer may read what a later one assigned a sample ago."""
    return not any(layer.op.resource for layer in job.layers)
