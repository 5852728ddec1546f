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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import INT32_MAX, INT32_MIN, Int64Array
from .layer import INT8_MIN

# Integer accumulators (last axis: channels) to clamped outputs; monotone in each accumulator.
Exact = Callable[[Int64Array], Int64Array]
FloatArray = NDArray[Any]

# Numbers that the passes of a step function take at a time, so as to find them in the cache.
BLOCK_ELEMENTS = 1 << 14


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


@dataclass(frozen=True)
class _Form:
    """The float parameters, one entry per channel; or those of several rows, one after another."""

    low: FloatArray
    high: FloatArray
    slope: FloatArray
    shift: FloatArray
    half: FloatArray  # "away" only

    def rows(self, count: int) -> _Form:
        return _Form(*(np.tile(array, count) for array in vars(self).values()))

    def first(self, size: int) -> _Form:
        return _Form(*(array[:size] for array in vars(self).values()))


class StepFunction:
    """Maps float products (rows, channels) to int8 outputs, bit for bit as ``Staircase``.

    The products have to be exact integers. ``form`` is "floor", "away" or "integer", and
    ``dtype`` the float type of the scaling.
    """

    def __init__(self, staircase: Staircase) -> None:
        self.staircase = stairs = staircase
        self.form, self.dtype = "integer", np.dtype(np.int64)
        self._zero = float(stairs.zero_point - INT8_MIN)
        ends = np.stack([stairs.product_low, stairs.product_high])
        widest = np.abs(ends).max(initial=0)
        self._products_dtype = np.dtype(np.float32 if widest < 2**24 else np.float64)
        reach = np.abs(ends + stairs.offset).max(axis=0)
        # Multipliers of 1 and more shift left, and a shift that wraps would not be monotone.
        if ((stairs.real < 1) | (reach * stairs.real <= INT32_MAX / 2)).all():
            self._choose()

    def __call__(self, products: FloatArray) -> NDArray[np.int8]:
        """int8 outputs of the products' shape; ``products`` may be overwritten."""
        if self.form == "integer":
            return self.staircase.at(products.astype(np.int64)).astype(np.int8)
        flat = products.reshape(-1)
        tile = self._tile_for(len(products))
        size = len(tile.low)
        outputs = np.empty(flat.size, np.uint8)
        for start in range(0, flat.size, size):
            block = flat[start : start + size]
            form = tile if len(block) == size else tile.first(len(block))
            outputs[start : start + size] = self._stairs(block, form)
        np.bitwise_xor(outputs, 128, out=outputs)  # no longer counted from -128
        return outputs.view(np.int8).reshape(products.shape)

    def _tile_for(self, rows: int) -> _Form:
        """The parameters of a block of rows, as a block is one run of numbers in every array.

        NumPy takes twice as long to repeat a short row itself.
        """
        channels = len(self._form.low)
        rows = min(rows, max(1, BLOCK_ELEMENTS // channels))
        if len(self._tile.low) < rows * channels:
            self._tile = self._form.rows(rows)
        return self._tile

    def _stairs(self, products: FloatArray, form: _Form) -> FloatArray:
        """The float form: its truncation is the outputs, counted from -128."""
        np.maximum(products, form.low, out=products)
        np.minimum(products, form.high, out=products)
        steps = products.astype(self.dtype, copy=False)
        if self.form == "floor":
            np.multiply(steps, form.slope, out=steps)
            np.add(steps, form.shift, out=steps)
        else:
            np.add(steps, form.shift, out=steps)
            np.multiply(steps, form.slope, out=steps)
            np.add(steps, np.copysign(form.half, steps), out=steps)
            np.trunc(steps, out=steps)
            np.add(steps, self._zero, out=steps)
        return steps

    def _choose(self) -> None:
        """Take the first form that is proved equal, cheapest first."""
        at = self.staircase.thresholds()
        for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
            for name in ("floor", "away"):
                self.form, self.dtype = name, dtype
                self._form = self._tile = self._fit(at)
                if self._proved(at):
                    return
        self.form, self.dtype = "integer", np.dtype(np.int64)

    def _fit(self, at: Int64Array) -> _Form:
        """Parameters that put each threshold into its step, and the product below it out of it."""
        stairs, values = self.staircase, self.staircase.values()
        first, last = stairs.at(stairs.product_low), stairs.at(stairs.product_high)
        reached, avoided = values <= last, values > first  # by some product
        moving = reached & avoided
        low = np.where(moving, at - 1, INT32_MAX).min(axis=0, initial=INT32_MAX)
        high = np.where(moving, at, INT32_MIN).max(axis=0, initial=INT32_MIN)
        slope = stairs.real.astype(self.dtype).astype(np.float64)
        offset = stairs.offset if self.form == "away" else 0
        inside = np.where(reached, slope * (np.clip(at, low, high) + offset), np.inf)
        below = np.where(avoided, slope * (np.clip(at - 1, low, high) + offset), -np.inf)
        if self.form == "floor":
            shift = _between(values - inside, values - below) - INT8_MIN
            half, constant = np.zeros_like(shift), first - INT8_MIN + 0.5
        else:
            # Ties away from zero: the same half is added above zero and taken away below.
            steps = values - stairs.zero_point
            least = np.where(steps > 0, steps - inside, below - steps + 1)
            most = np.where(steps > 0, steps - below, inside - steps + 1)
            half = np.abs(_between(least, most))
            shift, constant = stairs.offset.astype(np.float64), first - stairs.zero_point
        # Where the output never changes, any product is taken as 0: 1 * (0 + constant).
        changes = moving.any(axis=0)
        half = np.where(changes, half, 0)
        return _Form(
            np.where(changes, low, 0).astype(self._products_dtype),
            np.where(changes, high, 0).astype(self._products_dtype),
            np.where(changes, slope, 1).astype(self.dtype),
            np.where(changes, shift, constant).astype(self.dtype),
            half.astype(self.dtype),
        )

    def _proved(self, at: Int64Array) -> bool:
        """Whether the float form equals the integers at, and just below, every threshold."""
        stairs = self.staircase
        ends = np.stack([stairs.product_low, stairs.product_high])
        products = np.clip(np.concatenate([at, at - 1, ends]), *ends)
        got = self(products.astype(self._products_dtype))
        return bool((got == stairs.at(products)).all())


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
