"""Compare two traces layer by layer. There is one criterion: equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, TraceMismatch
from ..graph import Node
from ..ops import results
from ..trace import Trace

Mask = NDArray[np.bool_]  # [samples]

INPUT = "INPUT"  # the op of what stands for one of the model's inputs in a Report


@dataclass(frozen=True)
class LayerDiff:
    """One layer of both traces.

    elements     values compared, of all outputs and samples
    differing    how many of them differ
    largest      the largest difference, in units of the tensor (steps, for integers)
    first        index of the first differing value in the layer's first differing output, with
                 both values; None if the layer is identical. Of a layer that is to blame, in a
                 sample in which it is
    inputs_differ  whether what the layer reads, its state included, differs already wherever the
                 layer does, so that it is not to blame
    tensor       the output that ``first`` is of, else the first output; -1 without one
    histogram    of integers: how often each difference, the other's value - the one's, occurs
    missing      the outputs that only one of the traces has, so that they are not compared
    unseen       layers before this one whose missing outputs it depends on: a difference that
                 shows here may be theirs
    """

    index: int
    node: Node
    elements: int
    differing: int
    largest: float
    first: tuple[tuple[int, ...], Any, Any] | None
    inputs_differ: bool
    tensor: int = -1
    histogram: Mapping[int, int] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    unseen: tuple[int, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether nothing that was compared differs."""
        return self.differing == 0

    @property
    def compared(self) -> bool:
        """Whether all outputs were compared."""
        return not self.missing


@dataclass(frozen=True)
class Report:
    """All layers of a comparison, in order.

    ``inputs``: the model's inputs that are not the same in both traces, with the op INPUT and the
    input's number as index.
    """

    layers: list[LayerDiff]
    inputs: tuple[LayerDiff, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether nothing that was compared differs."""
        return all(layer.identical for layer in (*self.inputs, *self.layers))

    @property
    def elements(self) -> int:
        """Values of layers that were compared."""
        return sum(layer.elements for layer in self.layers)

    @property
    def differing(self) -> int:
        """Values of layers that differ."""
        return sum(layer.differing for layer in self.layers)

    @property
    def first(self) -> LayerDiff | None:
        """The first input or layer that differs though what it reads does not."""
        found = [one for one in (*self.inputs, *self.layers) if not one.identical]
        return next((one for one in found if not one.inputs_differ), found[0] if found else None)

    @property
    def missing(self) -> list[LayerDiff]:
        """The layers of which an output was not compared."""
        return [layer for layer in self.layers if not layer.compared]

    def __str__(self) -> str:
        """One sentence: how much is identical, or the first layer and element that is not."""
        layer = self.first
        compared = sum(layer.compared for layer in self.layers)
        of = f"{compared} of {len(self.layers)}" if self.missing else f"{compared}"
        if layer is None:
            return f"identical: {self.elements:,} elements in {of} layers"
        assert layer.first is not None
        where, one, other = layer.first
        return (
            f"different: {self.differing:,} of {self.elements:,} elements; first in"
            f" {place(layer)} at {where}: {one} and {other}"
        )

    def assert_identical(self) -> None:
        """Raise TraceMismatch, naming layer, element and both values, unless all are equal."""
        if not self.identical:
            raise TraceMismatch(str(self))


def place(layer: LayerDiff) -> str:
    """ "layer 3 CONV_2D", or "input 0"."""
    if layer.node.op == INPUT:
        return f"input {layer.index}"
    return f"layer {layer.index} {layer.node.op}"


def diff(one: Trace, other: Trace) -> Report:
    """Compare two traces of the same model and samples.

    Floats are compared by their bits, arrays whatever form of samples they have. What only one
    trace has is not compared, and listed. Raises BadInput where the traces are of different models
    or have nothing in common.
    """
    report = Comparing().diff(one, other, 1)
    require_some(report)
    return report


def require_some(report: Report) -> None:
    """Raise BadInput if nothing was compared."""
    if not report.inputs and not report.elements:
        raise BadInput("the traces have no layer's output in common: nothing to compare")


class Comparing:
    """Compares runs over more and more samples, each sample judged by itself.

    Keeps which state differed after the last sample, so that a layer is not blamed for what it
    remembers wrongly of an input that was wrong before.
    """

    def __init__(self) -> None:
        self._state: dict[int, bool] = {}

    def diff(self, one: Trace, other: Trace, samples: int) -> Report:
        """Compare two traces of the next ``samples``, which are the first axis if more than 1."""
        if [layer.node.outputs for layer in one] != [layer.node.outputs for layer in other]:
            raise BadInput(
                f"the traces are of different models: {len(one)} and {len(other)} layers,"
                " or other tensors"
            )
        differs: dict[int, Mask] = {}  # by tensor: in which samples
        unseen: dict[int, set[int]] = {}  # by tensor that was not compared
        inputs = []
        for number, (index, value) in enumerate(one.inputs.items()):
            theirs = _like(value, other.inputs.get(index, value))
            found = layer_diff(number, Node(INPUT, (), (index,)), [(index, value, theirs)], samples)
            differs[index] = _mask(value, theirs, samples)
            if not found.identical:
                inputs.append(found)
        for node in (layer.node for layer in one):
            if node.op == "ASSIGN_VARIABLE":
                handle, value_index = node.inputs
                if one.has(value_index) and other.has(value_index):
                    value = one.tensor(value_index)
                    changed = _mask(value, _like(value, other.tensor(value_index)), samples)
                    before = self._before(handle, changed)
                    differs.update(dict.fromkeys(_same_variable(one, handle), before))
        layers = []
        for a in one:
            state = results(a.node)[len(a.node.outputs) :]
            wrong = np.zeros(samples, np.bool_)
            for index in a.node.inputs:
                wrong |= differs.get(index, wrong)
            pairs = [
                (i, one.tensor(i), _like(one.tensor(i), other.tensor(i)))
                for i in results(a.node)
                if one.has(i) and other.has(i)
            ]
            for index, x, y in pairs:
                differs[index] = _mask(x, y, samples)
                if index in state:
                    wrong |= self._before(index, differs[index])
            there = {index for index, _, _ in pairs}
            for index in results(a.node):
                if index not in there and index in state:  # once wrong, it may stay so
                    wrong |= self._before(index, np.logical_or.accumulate(wrong))
            for index in results(a.node):
                differs.setdefault(index, wrong)
            above: set[int] = set().union(*(unseen.get(i, ()) for i in a.node.inputs))
            layer = layer_diff(a.index, a.node, pairs, samples, wrong, tuple(sorted(above)))
            layers.append(layer)
            for index in layer.missing:
                unseen[index] = above | {layer.index}
        return Report(layers, tuple(inputs))

    def _before(self, index: int, after: Mask) -> Mask:
        """In which samples a state differs before the layer, from where it does ``after`` it."""
        before = np.concatenate([[self._state.get(index, False)], after[:-1]])
        self._state[index] = bool(after[-1])
        return before


def joined(one: LayerDiff, more: LayerDiff) -> LayerDiff:
    """A layer's result over the samples of ``one`` and then those of ``more``."""
    differing = [part for part in (one, more) if not part.identical]
    shown = next((part for part in differing if not part.inputs_differ), (differing or [one])[0])
    return replace(
        shown,
        elements=one.elements + more.elements,
        differing=one.differing + more.differing,
        largest=max(one.largest, more.largest),
        inputs_differ=all(part.inputs_differ for part in differing)
        if differing
        else one.inputs_differ or more.inputs_differ,
        histogram=dict(sorted((Counter(one.histogram) + Counter(more.histogram)).items())),
    )


def _same_variable(trace: Trace, handle: int) -> list[int]:
    """All handles of the resource variable that ``handle`` names.

    A trace from a file has no names of variables: then only ``handle``.
    """
    names = {
        layer.node.outputs[0]: (layer.node.options["container"], layer.node.options["shared_name"])
        for layer in trace
        if layer.node.op == "VAR_HANDLE" and layer.node.options
    }
    return [handle, *(index for index, name in names.items() if name == names.get(handle))]


def _like(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """``b`` in the shape of ``a``, where they differ only in extents of 1."""
    same = [n for n in a.shape if n != 1] == [n for n in b.shape if n != 1]
    return b.reshape(a.shape) if same else b


def _mask(a: NDArray[Any], b: NDArray[Any], samples: int) -> Mask:
    """In which samples two arrays differ."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return np.ones(samples, np.bool_)
    unequal: Mask = (bits(a) != bits(b)).reshape(samples, -1).any(1)
    return unequal


def layer_diff(
    index: int,
    node: Node,
    pairs: Sequence[tuple[int, NDArray[Any], NDArray[Any]]],
    samples: int,
    wrong: Mask | None = None,
    unseen: tuple[int, ...] = (),
) -> LayerDiff:
    """Compare one layer's ``pairs``: tensor, the one's and the other's value.

    ``wrong``: the samples in which what it reads differs.
    """
    elements = differing = 0
    largest = 0.0
    histogram: Counter[int] = Counter()
    inherited = np.zeros(samples, np.bool_) if wrong is None else wrong
    found = np.zeros(samples, np.bool_)
    for _, a, b in pairs:
        if a.shape != b.shape or a.dtype != b.dtype:
            raise BadInput(
                f"layer {index} {node.op}: one trace has {a.dtype} {a.shape}, the other"
                f" {b.dtype} {b.shape}"
            )
        unequal = bits(a) != bits(b)
        elements += a.size
        differing += int(unequal.sum())
        found |= unequal.reshape(samples, -1).any(1)
        if unequal.any():
            gaps = _gaps(a[unequal], b[unequal])
            largest = max(largest, float(np.abs(gaps).max()))
            if a.dtype.kind != "f":
                steps, counts = np.unique(gaps, return_counts=True)
                histogram.update(dict(zip(map(int, steps), map(int, counts), strict=True)))
    own = found & ~inherited
    tensor, first = _first(pairs, own if own.any() else found)
    compared = {number for number, _, _ in pairs}
    return LayerDiff(
        index=index,
        node=node,
        elements=elements,
        differing=differing,
        largest=largest,
        first=first,
        inputs_differ=bool(inherited.any()) and not own.any(),
        tensor=tensor if first else next(iter(results(node)), -1),
        histogram=dict(sorted(histogram.items())),
        missing=tuple(i for i in results(node) if i not in compared),
        unseen=unseen,
    )


def _first(
    pairs: Sequence[tuple[int, NDArray[Any], NDArray[Any]]], among: Mask
) -> tuple[int, tuple[tuple[int, ...], Any, Any] | None]:
    """Tensor, place and values of the first difference in the first of the samples ``among``."""
    if not among.any():
        return -1, None
    sample = int(np.argmax(among))
    for number, a, b in pairs:
        rows = (bits(a) != bits(b)).reshape(len(among), -1)
        if rows[sample].any():
            flat = sample * rows.shape[1] + int(np.argmax(rows[sample]))
            where = tuple(int(i) for i in np.unravel_index(flat, a.shape))
            return number, (where, a[where].item(), b[where].item())
    raise AssertionError(sample)


def _gaps(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """b - a without overflow; infinite where only one is a number."""
    if a.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            gaps = b.astype(np.float64) - a.astype(np.float64)
        return np.where(np.isnan(gaps), np.inf, gaps)
    wide = object if a.dtype.itemsize == 8 else np.int64
    wider: NDArray[Any] = b.astype(wide) - a.astype(wide)
    return wider


def bits(values: NDArray[Any]) -> NDArray[Any]:
    """Floats as the integers of their bits, so that NaN equals NaN."""
    if values.dtype.kind != "f":
        return values
    return np.ascontiguousarray(values).view(f"i{values.itemsize}")
