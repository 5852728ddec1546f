"""A layer computed once more, with parts of its arithmetic exchanged.

What goes in (Source) and what is done with the accumulators (Replay) are exchanged apart from each
other, so that two hypotheses about different stages make a third.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import Problem
from ...fixedpoint import Int64Array
from ...graph import Graph, Tensor
from ...numerics import Numerics
from ...ops.layer import Layer, LayerRefused
from ...prepare import PreparedLayer
from .. import weighted
from .forms import FORMS, add_form, weighted_form
from .scaled import Rounding, Scaled, double

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Source:
    """What a layer reads, and the params that it computes with.

    operands  as op.eval takes them, [samples, *shape], or 1 for constants
    state     what the layer remembers, before each sample: [samples, *shape] each
    pad       what stands outside of the image, if not the input's zero point
    inner     how ADD and SUB round their inputs
    seen      which of the results were observed, outputs and then state; None: all
    """

    graph: Graph
    layer: PreparedLayer
    params: Any
    operands: tuple[Array, ...]
    numerics: Numerics
    state: tuple[Array, ...] = ()
    pad: int | None = None
    inner: Rounding = double
    seen: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the layer's first output."""
        return self.graph.tensors[self.layer.node.outputs[0]].shape

    @cached_property
    def scaled(self) -> Scaled | None:
        """The values before they are rounded; None for layers without such a form."""
        op, layer = self.layer.node.op, self.layer
        types = {self.graph.tensors[i].type for i in layer.op.operand_indices(layer.node)}
        types |= {self.graph.tensors[i].type for i in layer.node.outputs}
        if not types <= {"INT8", "INT16"}:
            return None
        if weighted.is_weighted(layer):
            return weighted_form(self.graph, layer, self.params, self.operands, self.pad)
        if op in ("ADD", "SUB"):
            return add_form(self.graph, layer, self.params, self.operands, self.inner)
        form = FORMS.get(op)
        return form(self.graph, layer, self.params, self.operands) if form else None

    @cached_property
    def evaluated(self) -> Int64Array:
        """[samples, values] by the operator's own eval: outputs, one after another, then state."""
        if not self.state:
            return self._run(self.operands, ())
        samples = len(self.state[0])
        rows = []
        for sample in range(samples):
            one = slice(sample, sample + 1)
            operands = tuple(x if len(x) == 1 else x[one] for x in self.operands)
            rows.append(self._run(operands, tuple(own[one] for own in self.state)))
        return np.concatenate(rows)

    def _run(self, operands: tuple[Array, ...], state: tuple[Array, ...]) -> Int64Array:
        computed = self.layer.op.eval(self.params, *operands, *state)
        arrays = computed if isinstance(computed, tuple) else (computed,)
        if self.layer.op.resource:  # a variable's value is no result of the layer
            arrays = arrays[: len(self.layer.node.outputs)]
        if self.seen is not None:
            arrays = tuple(arrays[n] for n in self.seen)
        samples = max((len(x) for x in (*operands, *state)), default=1)
        return joined([np.asarray(array) for array in arrays], samples)

    @property
    def output_limits(self) -> tuple[int, int]:
        """Of the first output's type."""
        limits = np.iinfo(self.graph.tensors[self.layer.node.outputs[0]].dtype)
        return int(limits.min), int(limits.max)

    def prepared(self, tensors: Mapping[int, Tensor]) -> Source | None:
        """With the params that the layer would have with other tensors, by index; or None."""
        own = list(self.graph.tensors)
        for index, tensor in tensors.items():
            own[index] = tensor
        graph = replace(self.graph, tensors=tuple(own))
        problems: list[Problem] = []
        try:
            params = self.layer.op.prepare(Layer(graph, self.layer.index, self.numerics, problems))
        except LayerRefused:
            return None
        return None if problems else replace(self, params=params)


def joined(arrays: list[Array], samples: int) -> Int64Array:
    """Arrays of a layer as int64 [samples, values], floats by their bits."""
    rows = []
    for array in arrays:
        flat = np.ascontiguousarray(array).reshape(samples, -1)
        if flat.dtype.kind == "f":
            flat = flat.view(f"i{flat.itemsize}")
        rows.append(flat.astype(np.int64))
    return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)


@dataclass(frozen=True, eq=False)
class Replay:
    """How a layer computes, under a hypothesis.

    scale       changes to the accumulators and multipliers, before rounding
    rounding    in place of the layer's own
    zero_point  in place of the output's
    clamp       in place of the activation's limits
    store       how the value, clamped, becomes an output; where None, as it is. With ``unclamped``
                it gets the value as it is before the clamp
    after       a change of the whole output [samples, values]
    """

    source: Source
    scale: Callable[[Scaled], Scaled] | None = None
    rounding: Rounding | None = None
    zero_point: int | None = None
    clamp: tuple[int, int] | None = None
    store: Callable[[Int64Array, tuple[int, int]], Int64Array] | None = None
    after: Callable[[Int64Array], Int64Array] | None = None

    def values(self, places: Int64Array | None = None) -> Int64Array:
        """The output, int64 [samples, values]; or those at ``places`` of it, flattened."""
        if self.after is not None:
            whole = self.after(self._stored(None))
            return whole if places is None else whole.reshape(-1)[places]
        return self._stored(places)

    @property
    def has_output_stage(self) -> bool:
        return self.source.scaled is not None

    def _stored(self, places: Int64Array | None) -> Int64Array:
        source, scaled = self.source, self.source.scaled
        if scaled is None:
            values = source.evaluated
            if self.clamp is not None:
                values = np.clip(values, *self.clamp)
            return values if places is None else values.reshape(-1)[places]
        samples = len(scaled.acc)
        if places is not None:
            scaled = self._chosen(places)
        if self.scale is not None:
            scaled = self.scale(scaled)
        params = source.params
        steps = (self.rounding or scaled.own)(scaled)
        zero_point = getattr(params, "output_zero_point", 0)
        values = steps + (zero_point if self.zero_point is None else self.zero_point)
        limits = self.clamp or self.limits
        values = self.store(values, limits) if self.store else np.clip(values, *limits)
        return values if places is not None else values.reshape(samples, -1)

    @property
    def limits(self) -> tuple[int, int]:
        """The activation's, or those of the output's type."""
        low, high = self.source.output_limits
        params = self.source.params
        return getattr(params, "activation_min", low), getattr(params, "activation_max", high)

    def _chosen(self, places: Int64Array) -> Scaled:
        """The scaled values at ``places``, kept for the next hypothesis about the same source."""
        kept = self.source.__dict__.get("_chosen")
        if kept is None or kept[0] is not places:
            assert self.source.scaled is not None
            kept = (places, self.source.scaled.at(places))
            self.source.__dict__["_chosen"] = kept
        return kept[1]


@dataclass(frozen=True, eq=False)
class Variant:
    """One form of a hypothesis: what was computed, said in a sentence, and how to compute it."""

    replay: Replay
    sentence: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is to be explained, for hypotheses that look before they guess.

    observed, correct  int64 [samples, values], what the layer gave and what it should have given
    """

    observed: Int64Array
    correct: Int64Array
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Hypothesis:
    """One way to be wrong.

    ``variants`` gives its forms for a layer, none where it does not apply. Two hypotheses are
    combined if their stages differ, in the order of ``STAGES``.
    """

    name: str
    stage: str
    variants: Callable[[Replay, Evidence], list[Variant]]
    fix: str


# What a layer reads, what it knows, and what it does, in this order.
STAGES = ("input", "weights", "geometry", "zero point", "bias", "scale", "rounding", "offset",
          "limits", "output")  # fmt: skip


def changed(replay: Replay, **params: Any) -> Replay:
    """``replay`` with other fields of the layer's params."""
    source = replay.source
    return replace(replay, source=replace(source, params=replace(source.params, **params)))


def fed(replay: Replay, *operands: Array) -> Replay:
    """``replay`` with other operands."""
    return replace(replay, source=replace(replay.source, operands=operands))
