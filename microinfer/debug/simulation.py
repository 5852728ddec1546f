"""What a change of one layer would do to the model, measured: it is made in a simulation.

The simulation is the integer model in reals: its own weights, and each output rounded to its grid.
It lacks the fixed-point arithmetic only (``Split.arithmetic``). A Change replaces some layers'
functions and how some outputs, or inputs that are given as reals, are rounded; what comes before is
taken from the unchanged run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..one_thread import one_thread
from .accuracy_run import Group, Job
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
from .given import real, whole
from .judged import is_classes, judged_tensor
from .layer_error import Grid, Moments, energy

Array = NDArray[Any]
Rounding = Callable[[Array], Array]
Place = int  # what may err: a layer by its index, or ~position of an input, which is negative

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
    right: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.signal + other.signal,
            self.error + other.error,
            self.samples + other.samples,
            self.agreeing + other.agreeing,
            self.right + other.right,
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

    @property
    def top1(self) -> float:
        return self.right / self.samples


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
        self._labels: Array | None = None

    @property
    def labelled(self) -> bool:
        return self._labels is not None

    def output(self, place: Place) -> int:
        """The first tensor of a layer that is rounded; an input's."""
        return self._rounded_at(place)[0]

    def _rounded_at(self, place: Place) -> list[int]:
        if place < 0:
            return [self.job.graph.inputs[~place]]
        return [i for i, _ in self.steps[place].outputs if i in self.roundings]

    def float_weights(self, place: Place) -> Change:
        """A layer with the reference's weights and bias."""
        return Change({place: self.exact[place]} if place >= 0 else {})

    def unrounded(self, place: Place) -> Change:
        """A layer whose outputs are neither rounded nor cut off."""
        return Change(roundings=dict.fromkeys(self._rounded_at(place), _as_they_are))

    def uncut(self, place: Place) -> Change:
        """A layer whose outputs are rounded, but not cut off."""
        grid = self.job.grids[self.output(place)]
        wide = replace(grid, lowest=-UNLIMITED, highest=UNLIMITED)
        return Change(roundings={self.output(place): rounding(wide)})

    def begin(self, group: Group) -> None:
        """Run a group, [samples, *shape] per input, without a change."""
        job, (inputs, self._labels) = self.job, group
        given = [
            (i, job.graph.tensors[i], v) for i, v in zip(job.graph.inputs, inputs, strict=True)
        ]
        self._integers = {i: whole(tensor, v) for i, tensor, v in given}
        reals = {i: real(tensor, v, job.dtype) for i, tensor, v in given}
        rounded_reals = {i: to_reals(t, self._integers[i], job.dtype) for i, t, _ in given}
        self._samples = len(inputs[0])
        reference = Chain(self.exact, job.reference.tensors, initial_states(job.graph, job.dtype))
        rounded = Chain(
            self.functions,
            job.own.tensors,
            initial_states(job.graph, job.dtype),
            lambda index, values: self._rounded({}, index, values),
        )
        with one_thread():
            for chain, taken in ((reference, reals), (rounded, rounded_reals)):
                chain.begin(taken)
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
            chain.begin(self._integers)
            for step in self.steps:
                chain.take(step)
        found = to_reals(graph.tensors[self.judged], chain.values[self.judged], self.job.dtype)
        return self._score(found)

    def _score(self, found: Array) -> Score:
        found = found.astype(np.float64)  # of a comparison, a bool
        exact = self.reference[self.judged].astype(np.float64)
        agreeing = right = 0
        if self.classes:
            ours, theirs = (v.reshape(self._samples, -1).argmax(axis=1) for v in (found, exact))
            agreeing = int((ours == theirs).sum())
            right = 0 if self._labels is None else int((ours == self._labels).sum())
        return Score(energy(exact), energy(found - exact), self._samples, agreeing, right)

    def _changed(self, change: Change) -> dict[int, Array]:
        """The tensors that a change touches."""
        roundings = dict(change.roundings)
        values = {
            index: roundings[index](self.reference[index])
            for index in self.job.graph.inputs
            if index in roundings
        }
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


def groups(job: Job, batch: Batch, labels: Array | None, samples: int) -> list[Group]:
    """The first ``samples`` in groups; of a model with state the first group alone."""
    count = min(batch.samples, samples)
    size = job.group if not job.has_state else count
    parts = [slice(first, min(first + size, count)) for first in range(0, count, size)]
    return [
        ([array[part] for array in batch.arrays], None if labels is None else labels[part])
        for part in parts
    ]


def can_simulate(job: Job) -> bool:
    """Not with resource variables: a layer may read what a later one assigned a sample ago."""
    return not any(layer.op.resource for layer in job.layers)
