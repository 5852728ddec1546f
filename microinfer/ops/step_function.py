"""Requantize as a float step function, proved equal to the integers. The interpreter's speed.

requantize-and-clamp maps an accumulator monotonically to at most 256 output values, so it is a
staircase: it is known when its thresholds are (the smallest accumulator that yields each value).
Two monotone staircases are equal on an interval exactly if they agree at each threshold and one
below it. So a form of four float passes

    floor(acc * slope + intercept)                           "floor"
    trunc(u + copysign(half, u)) + zero_point, u = acc * slope    "away"

is used for a layer only after it was evaluated, in that very float arithmetic, at every reachable
threshold of every channel and gave what the integer formula gives. Float multiply, add, floor and
trunc are monotone, so nothing is left to prove. Where no form passes, the integers themselves run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import INT32_MAX, Int64Array

# Integer accumulators (last axis: channels) to clamped outputs; monotone in each accumulator.
Exact = Callable[[Int64Array], Int64Array]
FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Staircase:
    """The integer formula of one layer, and where its accumulators can be.

    Accumulators are counted without ``offset`` (bias, and the input's zero point times the sum
    of the weights): acc = product + offset. All arrays have one entry per channel.

    exact           the formula, from acc
    real            the real multiplier, float64; only a guide, nothing relies on it
    offset          int64, added to each product
    product_low, product_high   the interval of the products, int64, both ends included
    zero_point, output_min, output_max    of the output
    """

    exact: Exact
    real: NDArray[np.float64]
    offset: Int64Array
    product_low: Int64Array
    product_high: Int64Array
    zero_point: int
    output_min: int
    output_max: int

    def values(self) -> Int64Array:
        """The output values that have a threshold, as a column."""
        return np.arange(self.output_min + 1, self.output_max + 1, dtype=np.int64)[:, None]

    def at(self, product: Int64Array) -> Int64Array:
        return self.exact(product + self.offset)

    def thresholds(self) -> Int64Array:
        """Smallest product that yields at least each of ``values()``: (values, channels).

        product_high + 1 where a value is never reached. Bisected with the integer formula, from
        a narrow bracket around value / real where that bracket holds.
        """
        values = self.values()
        low = np.broadcast_to(self.product_low, (len(values), len(self.offset)))
        high = low - low + self.product_high + 1
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            guess = (values - self.zero_point - 0.5) / self.real - self.offset
        guess = np.nan_to_num(guess, nan=0.0, posinf=2.0**40, neginf=-(2.0**40))
        near = np.clip(np.floor(np.clip(guess, -(2.0**40), 2.0**40)).astype(np.int64), low, high)
        first, last = np.maximum(near - 4, low), np.minimum(near + 4, high)
        bracketed = ((first == low) | (self.at(first - 1) < values)) & (
            (last == high) | (self.at(last) >= values)
        )
        first, last = np.where(bracketed, first, low), np.where(bracketed, last, high)
        while (first < last).any():
            middle = (first + last) >> 1
            reached = self.at(middle) >= values
            last = np.where((first < last) & reached, middle, last)
            first = np.where((first < last) & ~reached, middle + 1, first)
        return first


class StepFunction:
    """Maps float products (last axis: channels) to int8 outputs, bit for bit as ``Staircase``.

    ``dtype`` is the float type of the products; they must be exact integers in it. ``form`` is
    "floor", "away" or "integer".
    """

    def __init__(self, staircase: Staircase, dtype: np.dtype[Any]) -> None:
        self.staircase = staircase
        self.dtype = dtype
        self.form = self._choose()

    def __call__(self, products: FloatArray) -> NDArray[np.int8]:
        """int8 outputs; ``products`` is overwritten."""
        if self.form == "integer":
            return self.staircase.at(products.astype(np.int64)).astype(np.int8)
        self._stairs(products)
        np.maximum(products, self._min, out=products)
        np.minimum(products, self._max, out=products)
        return products.astype(np.int8)

    def _stairs(self, products: FloatArray) -> None:
        if self.form == "floor":
            np.multiply(products, self._slope, out=products)
            np.add(products, self._intercept, out=products)
            np.floor(products, out=products)
        else:
            np.add(products, self._offset, out=products)
            np.multiply(products, self._slope, out=products)
            np.add(products, np.copysign(self._half, products), out=products)
            np.trunc(products, out=products)
            np.add(products, self._zero_point, out=products)

    def _choose(self) -> str:
        """The first form that is proved equal, after setting its constants."""
        stairs = self.staircase
        reach = max(
            int(np.abs(stairs.product_low + stairs.offset).max(initial=0)),
            int(np.abs(stairs.product_high + stairs.offset).max(initial=0)),
        )
        # Wrapping left shifts would not be monotone; far accumulators would not be exact floats.
        if reach * max(1.0, float(stairs.real.max(initial=0.0))) > INT32_MAX / 2:
            return "integer"
        at = stairs.thresholds()
        scalar = self.dtype.type
        self._min, self._max = scalar(stairs.output_min), scalar(stairs.output_max)
        self._slope = stairs.real.astype(self.dtype)
        self._zero_point = scalar(stairs.zero_point)
        self._offset = stairs.offset.astype(self.dtype)
        slope = self._slope.astype(np.float64)
        values = stairs.values()
        never, always = at > stairs.product_high, at <= stairs.product_low

        # slope * at + intercept >= value, slope * (at - 1) + intercept < value
        lowest = np.where(never, -np.inf, values - slope * at).max(axis=0, initial=-np.inf)
        highest = np.where(always, np.inf, values - slope * (at - 1)).min(axis=0, initial=np.inf)
        self._intercept = _between(lowest, highest).astype(self.dtype)
        self.form = "floor"
        if self._proved(at):
            return self.form

        # Ties go away from zero: the same half is added above zero and taken away below.
        if (self._offset.astype(np.int64) != stairs.offset).any() or reach >= self._exact_below:
            return "integer"
        steps, acc = values - stairs.zero_point, at + stairs.offset
        above = steps > 0
        least = np.where(above, steps - slope * acc, slope * (acc - 1) - steps + 1)
        most = np.where(above, steps - slope * (acc - 1), slope * acc - steps + 1)
        lowest = np.where(np.where(above, never, always), -np.inf, least)
        highest = np.where(np.where(above, always, never), np.inf, most)
        self._half = _between(
            lowest.max(axis=0, initial=-np.inf), highest.min(axis=0, initial=np.inf)
        ).astype(self.dtype)
        self.form = "away"
        return self.form if (self._half >= 0).all() and self._proved(at) else "integer"

    @property
    def _exact_below(self) -> int:
        return 2 ** (np.finfo(self.dtype).nmant + 1)

    def _proved(self, at: Int64Array) -> bool:
        """Whether the float form equals the integers at, and just below, every threshold."""
        stairs = self.staircase
        for products in (at, at - 1):
            reachable = np.clip(products, stairs.product_low, stairs.product_high)
            got = reachable.astype(self.dtype)
            self._stairs(got)
            clamped = np.clip(got, stairs.output_min, stairs.output_max)
            if (clamped != stairs.at(reachable)).any():
                return False
        return True


def _between(lowest: FloatArray, highest: FloatArray) -> FloatArray:
    """The middle of each interval; of a half-open one, one half inside its end; else zero."""
    middle = (lowest + highest) / 2
    middle = np.where(np.isinf(lowest), highest - 0.5, middle)
    middle = np.where(np.isinf(highest), lowest + 0.5, middle)
    return np.where(np.isinf(lowest) & np.isinf(highest), 0.5, middle)
