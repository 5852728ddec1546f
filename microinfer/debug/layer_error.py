"""Sums over samples from which a layer's error is told, and how two of them make one.

Everything is in steps of the output's scale, without its zero point. ``accuracy_facts.py`` says
what the figures mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Tensor

Array = NDArray[Any]

SATURATED = 0.01  # share of a channel's values that are clipped, above which it counts


def energy(values: Array) -> float:
    """sum v^2, in float64."""
    flat = values.reshape(-1).astype(np.float64, copy=False)
    return float(np.dot(flat, flat))


@dataclass(frozen=True)
class Moments:
    """Of an output q against its reference y: sums of y^2, q^2, y q and (q - y)^2, the largest
    |q - y|, and of each part of q - y its sum of squares."""

    signal: float = 0.0
    output: float = 0.0
    product: float = 0.0
    error: float = 0.0
    largest: float = 0.0
    parts: tuple[float, ...] = ()

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.signal + other.signal,
            self.output + other.output,
            self.product + other.product,
            self.error + other.error,
            max(self.largest, other.largest),
            tuple(a + b for a, b in zip(self.parts, other.parts, strict=True)),
        )

    @property
    def sqnr_db(self) -> float:
        if self.error == 0:
            return math.inf
        return 10 * math.log10(self.signal / self.error) if self.signal else -math.inf

    @property
    def cosine(self) -> float:
        if self.signal == 0 or self.output == 0:
            return 1.0 if self.signal == self.output else 0.0
        return min(1.0, self.product / math.sqrt(self.signal * self.output))


def moments(y: Array, q: Array, *parts: Array | None) -> Moments:
    """Of arrays of one shape; a part that is None is 0 everywhere."""
    error = q - y
    y64, q64 = (v.reshape(-1).astype(np.float64, copy=False) for v in (y, q))
    return Moments(
        float(np.dot(y64, y64)),
        float(np.dot(q64, q64)),
        float(np.dot(y64, q64)),
        energy(error),
        float(np.abs(error).max(initial=0)),
        tuple(0.0 if part is None else energy(part) for part in parts),
    )


def exact(of: Moments) -> Moments:
    """The same signal without an error."""
    return Moments(of.signal, of.signal, of.signal, 0.0, 0.0, (0.0,) * len(of.parts))


@dataclass(frozen=True)
class Tally:
    """One layer over some samples. Arrays have a value per channel, of all outputs in turn.

    below, above     how many values the integers' range cuts off
    lowest, highest  integers seen
    """

    elements: int
    isolated: Moments
    accumulated: Moments
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.elements + other.elements,
            self.isolated + other.isolated,
            self.accumulated + other.accumulated,
            self.below + other.below,
            self.above + other.above,
            np.minimum(self.lowest, other.lowest),
            np.maximum(self.highest, other.highest),
        )

    def joined(self, other: Tally) -> Tally:
        """With another output of the same layer."""
        pairs = ((getattr(self, n), getattr(other, n)) for n in _PER_CHANNEL)
        return Tally(
            self.elements + other.elements,
            self.isolated + other.isolated,
            self.accumulated + other.accumulated,
            *(np.concatenate(pair) for pair in pairs),
        )

    @property
    def dead(self) -> tuple[int, ...] | None:
        """Channels with one value throughout; None where there was only one to see."""
        if self.elements == len(self.lowest):
            return None
        return tuple(int(c) for c in np.flatnonzero(self.lowest == self.highest))

    @property
    def saturated(self) -> tuple[int, ...]:
        share = (self.below + self.above) * len(self.below) / self.elements
        return tuple(int(c) for c in np.flatnonzero(share > SATURATED))


_PER_CHANNEL = ("below", "above", "lowest", "highest")


@dataclass(frozen=True)
class Grid:
    """The integers of a tensor, as reals in steps without zero point: lowest to highest."""

    step: float
    zero_point: int
    lowest: int
    highest: int

    @classmethod
    def of(cls, tensor: Tensor) -> Grid:
        assert tensor.quantization is not None
        limits, zero_point = np.iinfo(tensor.dtype), tensor.quantization.zero_point
        step = tensor.quantization.scale
        return cls(step, zero_point, int(limits.min) - zero_point, int(limits.max) - zero_point)

    def in_steps(self, reals: Array) -> Array:
        values: Array = reals / reals.dtype.type(self.step)
        return values

    def cut(self, steps: Array) -> tuple[Array, Array, Array]:
        """``steps`` with those that round to beyond the range at its ends; which lie below and
        above."""
        below, above = steps < self.lowest - 0.5, steps > self.highest + 0.5
        if not (below.any() or above.any()):
            return steps, below, above
        dtype = steps.dtype.type
        ends = np.where(below, dtype(self.lowest), np.where(above, dtype(self.highest), steps))
        return ends, below, above

    def nearest(self, steps: Array) -> Array:
        rounded: Array = np.clip(np.rint(steps), self.lowest, self.highest)
        return rounded


def per_channel(values: Array, how: np.ufunc) -> NDArray[np.int64]:
    """``values`` [samples, *shape] reduced to one value per index of the last axis."""
    columns = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
    if how is np.add:
        if not values.any():
            return np.zeros(columns.shape[1], np.int64)
        sums: NDArray[np.int64] = columns.sum(axis=0, dtype=np.int64)
        return sums
    reduced: NDArray[np.int64] = how.reduce(columns, axis=0).astype(np.int64)
    return reduced
