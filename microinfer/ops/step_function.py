"""Requantize as a float step function, proved equal to the integers. The interpreter's speed.

requantize-and-clamp maps an accumulator monotonically to at most 256 output values, so it is a
staircase: it is known when its thresholds are (the smallest accumulator that yields each value).
Two monotone staircases are equal on an interval exactly if they agree at each threshold and one
below it. So a form of a few float passes

    floor(slope * product + shift)                                            "floor"
    trunc(u + copysign(half, u)) + zero_point, u = slope * (product + shift)  "away"

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
    """Maps float products (rows, channels) to int8 outputs, bit for bit as ``Staircase``.

    The products have to be exact integers. ``form`` is "floor", "away" or "integer", and
    ``dtype`` the float type of its passes.
    """

    def __init__(self, staircase: Staircase) -> None:
        self.staircase = staircase
        self.form, self.dtype = self._choose()
        self._tiled: dict[int, tuple[FloatArray, FloatArray, FloatArray]] = {}

    def __call__(self, products: FloatArray) -> NDArray[np.int8]:
        """int8 outputs of the products' shape; ``products`` may be overwritten."""
        if self.form == "integer":
            return self.staircase.at(products.astype(np.int64)).astype(np.int8)
        rows, channels = products.shape
        # Rows are taken several at a time where channels are few: NumPy's inner loop is a row.
        several = 1
        while several * channels < 512 and rows % (2 * several) == 0:
            several *= 2
        if several not in self._tiled:
            self._tiled[several] = (
                np.tile(self._slope, several),
                np.tile(self._shift, several),
                np.tile(self._half, several),
            )
        steps = products.reshape(rows // several, several * channels)
        steps = steps.astype(self.dtype, copy=False)
        self._stairs(steps, *self._tiled[several])
        np.maximum(steps, self._min, out=steps)
        np.minimum(steps, self._max, out=steps)
        return steps.astype(np.int8).reshape(rows, channels)

    def _stairs(
        self, products: FloatArray, slope: FloatArray, shift: FloatArray, half: FloatArray
    ) -> None:
        """The float form, in place, without the clamp."""
        if self.form == "floor":
            np.multiply(products, slope, out=products)
            np.add(products, shift, out=products)
            np.floor(products, out=products)
        else:
            np.add(products, shift, out=products)
            np.multiply(products, slope, out=products)
            np.add(products, np.copysign(half, products), out=products)
            np.trunc(products, out=products)
            np.add(products, self._zero_point, out=products)

    def _choose(self) -> tuple[str, np.dtype[Any]]:
        """The first form that is proved equal, cheapest first."""
        stairs = self.staircase
        ends = np.concatenate([stairs.product_low, stairs.product_high])
        reach = int(np.abs(ends + np.tile(stairs.offset, 2)).max(initial=0))
        # A left shift that wraps would not be monotone.
        if reach * max(1.0, float(stairs.real.max(initial=0.0))) <= INT32_MAX / 2:
            at = stairs.thresholds()
            for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
                exact_below = 2 ** (np.finfo(dtype).nmant + 1)
                if int(np.abs(ends).max(initial=0)) >= exact_below:
                    continue
                self._zero_point = dtype.type(stairs.zero_point)
                self._min = dtype.type(stairs.output_min)
                self._max = dtype.type(stairs.output_max)
                self._slope = stairs.real.astype(dtype)
                self._fit_floor(at)
                self.form = "floor"
                if self._proved(at):
                    return self.form, dtype
                self._fit_away(at)
                self.form = "away"
                if reach < exact_below and self._proved(at):
                    return self.form, dtype
        return "integer", np.dtype(np.int64)

    def _fit_floor(self, at: Int64Array) -> None:
        """floor(slope * product + shift): each threshold in, the product below it out."""
        stairs, slope = self.staircase, self._slope.astype(np.float64)
        values = stairs.values()
        never, always = at > stairs.product_high, at <= stairs.product_low
        least = np.where(never, -np.inf, values - slope * at)
        most = np.where(always, np.inf, values - slope * (at - 1))
        self._shift = _between(least, most).astype(self._slope.dtype)
        self._half = np.zeros_like(self._shift)

    def _fit_away(self, at: Int64Array) -> None:
        """Ties away from zero: the same half is added above zero and taken away below."""
        stairs, slope = self.staircase, self._slope.astype(np.float64)
        never, always = at > stairs.product_high, at <= stairs.product_low
        steps, acc = stairs.values() - stairs.zero_point, at + stairs.offset
        above = steps > 0
        least = np.where(above, steps - slope * acc, slope * (acc - 1) - steps + 1)
        most = np.where(above, steps - slope * (acc - 1), slope * acc - steps + 1)
        least = np.where(np.where(above, never, always), -np.inf, least)
        most = np.where(np.where(above, always, never), np.inf, most)
        self._shift = stairs.offset.astype(self._slope.dtype)
        self._half = np.abs(_between(least, most)).astype(self._slope.dtype)

    def _proved(self, at: Int64Array) -> bool:
        """Whether the float form equals the integers at, and just below, every threshold."""
        stairs = self.staircase
        for products in (at, at - 1):
            reachable = np.clip(products, stairs.product_low, stairs.product_high)
            got = reachable.astype(self._slope.dtype)
            self._stairs(got, self._slope, self._shift, self._half)
            clamped = np.clip(got, stairs.output_min, stairs.output_max)
            if (clamped != stairs.at(reachable)).any():
                return False
        return True


def _between(least: FloatArray, most: FloatArray) -> FloatArray:
    """The middle, per channel, between the largest of ``least`` and the smallest of ``most``.

    Of a half-open interval one half inside its end, of the whole line zero.
    """
    low, high = least.max(axis=0, initial=-np.inf), most.min(axis=0, initial=np.inf)
    with np.errstate(invalid="ignore"):
        middle = (low + high) / 2
    middle = np.where(np.isinf(low), high - 0.5, middle)
    middle = np.where(np.isinf(high), low + 0.5, middle)
    return np.where(np.isinf(low) & np.isinf(high), 0.0, middle)
