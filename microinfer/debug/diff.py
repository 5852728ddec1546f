"""Compare two traces layer by layer. There is one criterion: equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, TraceMismatch
from ..graph import Node
from ..trace import Trace


@dataclass(frozen=True)
class LayerDiff:
    """One layer of both traces.

    elements     values compared, of all outputs and samples
    differing    how many of them differ
    largest      the largest difference, in units of the tensor (steps, for integers)
    first        index of the first differing value in the layer's first differing output, with
                 both values; None if the layer is identical
    inputs_differ  whether a tensor that the layer reads differs already, so that it is not to blame
    """

    index: int
    node: Node
    elements: int
    differing: int
    largest: float
    first: tuple[tuple[int, ...], Any, Any] | None
    inputs_differ: bool

    @property
    def identical(self) -> bool:
        return self.differing == 0


@dataclass(frozen=True)
class Report:
    """All layers of a comparison, in order."""

    layers: list[LayerDiff]

    @property
    def identical(self) -> bool:
        return all(layer.identical for layer in self.layers)

    @property
    def elements(self) -> int:
        """Values compared."""
        return sum(layer.elements for layer in self.layers)

    @property
    def differing(self) -> int:
        """Values that differ."""
        return sum(layer.differing for layer in self.layers)

    @property
    def first(self) -> LayerDiff | None:
        """The first layer that differs."""
        return next((layer for layer in self.layers if not layer.identical), None)

    def __str__(self) -> str:
        """One sentence: how much is identical, or the first layer and element that is not."""
        layer = self.first
        if layer is None:
            return f"identical: {self.elements:,} elements in {len(self.layers)} layers"
        assert layer.first is not None
        where, one, other = layer.first
        return (
            f"different: {self.differing:,} of {self.elements:,} elements; first in layer"
            f" {layer.index} {layer.node.op} at {where}: {one} and {other}"
        )

    def assert_identical(self) -> None:
        """Raise TraceMismatch, naming layer, element and both values, unless all are equal."""
        if not self.identical:
            raise TraceMismatch(str(self))


def diff(one: Trace, other: Trace) -> Report:
    """Compare two traces of the same model and samples.

    Floats are compared by their bits. Raises BadInput where the traces are of different models.
    """
    if [layer.node.outputs for layer in one] != [layer.node.outputs for layer in other]:
        raise BadInput(
            f"the traces are of different models: {len(one)} and {len(other)} layers,"
            " or other tensors"
        )
    differs: set[int] = {
        index
        for index, value in one.inputs.items()
        if index in other.inputs and not _same(value, other.inputs[index])
    }
    layers = []
    for a, b in zip(one, other, strict=True):
        inputs_differ = any(index in differs for index in a.node.inputs)
        layers.append(_layer(a.index, a.node, a.outputs, b.outputs, inputs_differ))
        if not layers[-1].identical:
            differs.update(a.node.outputs)
    return Report(layers)


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """Floats as the integers of their bits, so that NaN equals NaN."""
    if values.dtype.kind != "f":
        return values
    return np.ascontiguousarray(values).view(f"i{values.itemsize}")


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool((_bits(a) == _bits(b)).all())


def _layer(
    index: int,
    node: Node,
    one: list[NDArray[Any]],
    other: list[NDArray[Any]],
    inputs_differ: bool,
) -> LayerDiff:
    elements = differing = 0
    largest = 0.0
    first = None
    for a, b in zip(one, other, strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise BadInput(
                f"layer {index} {node.op}: one trace has {a.dtype} {a.shape}, the other"
                f" {b.dtype} {b.shape}"
            )
        unequal = _bits(a) != _bits(b)
        elements += a.size
        differing += int(unequal.sum())
        if unequal.any():
            gap = np.abs(a[unequal].astype(np.float64) - b[unequal].astype(np.float64))
            largest = max(largest, float(gap.max()))
            if first is None:
                flat = int(np.argmax(unequal))
                where = tuple(int(i) for i in np.unravel_index(flat, a.shape))
                first = (where, a[where].item(), b[where].item())
    return LayerDiff(index, node, elements, differing, largest, first, inputs_differ)
