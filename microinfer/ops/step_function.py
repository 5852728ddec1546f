"""Requantize as a float step function, proved equal to the integers. The interpreter's speed.

requantize-and-clamp maps an accumulator monotonically to at most 256 output values, so it is a
staircase: it is known when its thresholds are (the smallest accumulator that yields each value).
Two monotone staircases are equal on an interval exactly if they agree at each threshold and one
below it. So a form of a few float passes, with q = clip(product, low, high),

    trunc(slope * q + shift)                                        "floor"
    trunc(u + copysign(half, u)) + zero, u = slope * (q + shift)    "away"

is used for a layer only after it was evaluated, in that very float arithmetic, at every reachable
threshold of every channel and gave what the integer formula gives. Float clip, add, trunc and
multiply by a positive slope are monotone, so nothing is left to prove. Where no form passes, the
integers themselves run.

low and high are where a channel's outputs stop changing, so that the clamp of the outputs is done
before the scaling. Outputs are counted from -128: they are bytes, and trunc is a cast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import INT32_MAX, INT32_MIN, Int64Array
from .layer import INT8_MIN

# Integer accumulators (last axis: channels) to clamped outputs; monotone in each accumulator.
Exact = Callable[[Int64Array], Int64Array]
FloatArray = NDArray[Any]

# Numbers that the passes of a step function take at a time, so as to find them in the cache.
BLOCK_ELEMENTS = 1 << 14
_SIGN_BIT = np.array(128, np.uint8)


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

    def product_dtype(self) -> np.dtype[Any]:
        """The narrowest float type that holds every product."""
        widest = max(np.abs(self.product_low).max(), np.abs(self.product_high).max())
        return np.dtype(np.float32 if widest < 2**24 else np.float64)

    def monotone(self) -> bool:
        """Whether the formula is: multipliers of 1 and more shift left, and that could wrap."""
        reach = np.maximum(
            np.abs(self.product_low + self.offset), np.abs(self.product_high + self.offset)
        )
        return bool(((self.real < 1) | (reach * self.real <= INT32_MAX / 2)).all())

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


class _Row(NamedTuple):
    """Parameters of a float form, one entry per channel; or of several rows, one after another."""

    low: FloatArray
    high: FloatArray
    slope: FloatArray
    shift: FloatArray
    half: FloatArray  # "away" only


class _Form:
    """A float form with its parameters. ``name`` is "floor" or "away"."""

    def __init__(self, name: str, row: _Row, zero: int) -> None:
        self.name = name
        self.row = row
        self.dtype = row.slope.dtype
        self._zero = row.slope.dtype.type(zero)
        self._longest = row
        self._repeated: dict[int, _Row] = {}

    def __call__(self, products: FloatArray) -> NDArray[np.uint8]:
        """Outputs, counted from -128, of whole rows of products one after another.

        Overwrites the products.
        """
        row = self._repeated.get(products.size) or self._repeat(products.size)
        return self.passes(products, row).astype(np.uint8)

    def passes(self, products: FloatArray, row: _Row) -> FloatArray:
        """The same before the truncation."""
        np.maximum(products, row.low, out=products)
        np.minimum(products, row.high, out=products)
        steps = products.astype(self.dtype, copy=False)
        if self.name == "floor":
            np.multiply(steps, row.slope, out=steps)
            np.add(steps, row.shift, out=steps)
        else:
            np.add(steps, row.shift, out=steps)
            np.multiply(steps, row.slope, out=steps)
            np.add(steps, np.copysign(row.half, steps), out=steps)
            np.trunc(steps, out=steps)
            np.add(steps, self._zero, out=steps)
        return steps

    def _repeat(self, size: int) -> _Row:
        """The parameters of ``size`` products.

        One run of numbers in every array takes half the time of the same passes over short rows.
        """
        longest = self._longest
        if size > len(longest.low):
            rows = size // len(self.row.low)
            self._longest = longest = _Row(*(np.tile(array, rows) for array in self.row))
            self._repeated.clear()
        row = self._repeated[size] = _Row(*(array[:size] for array in longest))
        return row


class StepFunction:
    """Maps float products (rows, channels) to int8 outputs, bit for bit as ``Staircase``.

    The products have to be exact integers. ``form`` is "floor", "away" or "integer", and
    ``dtype`` the type of the scaling.
    """

    def __init__(self, staircase: Staircase) -> None:
        self.staircase = staircase
        channels = len(staircase.offset)
        self._block = max(1, BLOCK_ELEMENTS // channels) * channels
        self._float = self._choose()
        self.form = self._float.name if self._float else "integer"
        self.dtype: np.dtype[Any] = self._float.dtype if self._float else np.dtype(np.int64)

    def __call__(self, products: FloatArray) -> NDArray[np.int8]:
        """int8 outputs, one after another; ``products`` may be overwritten."""
        if self._float is None:
            return self.staircase.at(products.astype(np.int64)).astype(np.int8).reshape(-1)
        flat = products.reshape(-1)
        if flat.size <= self._block:
            outputs = self._float(flat)
        else:
            outputs = np.empty(flat.size, np.uint8)
            for start in range(0, flat.size, self._block):
                block = slice(start, start + self._block)
                outputs[block] = self._float(flat[block])
        np.bitwise_xor(outputs, _SIGN_BIT, out=outputs)  # no longer counted from -128
        return outputs.view(np.int8)

    def _choose(self) -> _Form | None:
        """The first float form that is proved equal, cheapest first."""
        stairs = self.staircase
        if not stairs.monotone():
            return None
        at = stairs.thresholds()
        ends = np.stack([stairs.product_low, stairs.product_high])
        products = np.clip(np.concatenate([at, at - 1, ends]), *ends)
        expected = stairs.at(products) - INT8_MIN
        for name in ("floor", "away"):
            for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
                form = _fitted(name, dtype, stairs, at)
                steps = form.passes(products.astype(stairs.product_dtype()), form.row)
                if (np.trunc(steps) == expected).all():
                    return form
        return None


def _fitted(name: str, dtype: np.dtype[Any], stairs: Staircase, at: Int64Array) -> _Form:
    """The form whose shift or half leaves most room on both sides of the thresholds ``at``."""
    values, slope = stairs.values(), stairs.real.astype(dtype).astype(np.float64)
    first, last = stairs.at(stairs.product_low), stairs.at(stairs.product_high)
    reached, avoided = values <= last, values > first  # by some products
    low = np.where(reached & avoided, at - 1, INT32_MAX).min(axis=0, initial=INT32_MAX)
    high = np.where(reached & avoided, at, INT32_MIN).max(axis=0, initial=INT32_MIN)
    offset = np.zeros_like(stairs.offset) if name == "floor" else stairs.offset
    # Scaled, the least product that yields a value, and the one below it.
    inside = np.where(reached, slope * (np.clip(at, low, high) + offset), np.inf)
    below = np.where(avoided, slope * (np.clip(at - 1, low, high) + offset), -np.inf)
    if name == "floor":
        shift, half = _between(values - inside, values - below) - INT8_MIN, np.zeros_like(slope)
        constant = first - INT8_MIN + 0.5
    else:
        # Half is added to what is above zero and taken from what is below.
        steps = values - stairs.zero_point
        least = np.where(steps > 0, steps - inside, below - steps + 1)
        most = np.where(steps > 0, steps - below, inside - steps + 1)
        shift, half = offset.astype(np.float64), np.abs(_between(least, most))
        constant = (first - stairs.zero_point).astype(np.float64)
    # Where the outputs of a channel are all the same, its products are taken as 0: 1 * 0 + it.
    moves = first < last
    row = _Row(
        low=np.where(moves, low, 0).astype(stairs.product_dtype()),
        high=np.where(moves, high, 0).astype(stairs.product_dtype()),
        slope=np.where(moves, slope, 1).astype(dtype),
        shift=np.where(moves, shift, constant).astype(dtype),
        half=np.where(moves, half, 0).astype(dtype),
    )
    return _Form(name, row, stairs.zero_point - INT8_MIN)


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
