"""What a layer holds before it rounds, and the ways to round that.

    output = clamp(rounded(acc * real) + zero_point)

Roundings are functions of a Scaled: the layer's own, and those that hypotheses put in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import (
    Int64Array,
    requantize,
    requantize_int64,
    round_half_away,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)

Array = NDArray[Any]


@dataclass(frozen=True)
class Scaled:
    """Values of a layer before they are rounded, in the order of its output.

    Every array broadcasts against ``acc``: [samples, ..., channels], or one axis of chosen values.

    acc           int64 accumulators, bias included
    bias          what of ``acc`` is bias
    reals         the real multipliers, float64, from the file's scales
    reals32       the same, formed in float32
    multipliers, shifts   the same in fixed point, int64
    own           the layer's own rounding
    divisor       of AVERAGE_POOL_2D: what ``acc`` is divided by, 1 / ``reals``
    """

    acc: Int64Array
    bias: Int64Array
    reals: NDArray[np.float64]
    reals32: NDArray[np.float32]
    multipliers: Int64Array
    shifts: Int64Array
    own: Rounding
    divisor: Int64Array | None = None

    def at(self, places: Int64Array) -> Scaled:
        """The values at ``places`` of the flattened accumulators."""

        def chosen(array: Array) -> Array:
            taken: Array = np.broadcast_to(array, self.acc.shape).reshape(-1)[places]
            return taken

        arrays = ("acc", "bias", "reals", "reals32", "multipliers", "shifts")
        taken: dict[str, Any] = {name: chosen(getattr(self, name)) for name in arrays}
        divisor = None if self.divisor is None else chosen(self.divisor)
        return replace(self, **taken, divisor=divisor)


# From Scaled to int64 steps of the output, without zero point and clamp.
Rounding = Callable[[Scaled], Int64Array]


def double(s: Scaled) -> Int64Array:
    """Doubling high multiply, ties up, then a shift, ties away from zero: TFLM, CMSIS-NN."""
    return requantize(s.acc, s.multipliers, s.shifts)


def narrow(s: Scaled) -> Int64Array:
    """A multiplier of 16 bits and one rounding: int16 layers with an int64 bias."""
    return requantize_int64(s.acc, s.multipliers, s.shifts)


def _high(s: Scaled, rounded: bool = True) -> tuple[Int64Array, Int64Array]:
    """The high multiply, and the right shift that is left to do."""
    shifted = wrap_int32(s.acc << np.maximum(s.shifts, 0))
    if rounded:
        high = saturating_rounding_doubling_high_mul(shifted, s.multipliers)
    else:
        high = (shifted * s.multipliers) >> 31
    return high, np.maximum(-s.shifts, 0)


def _product(s: Scaled) -> tuple[Int64Array, Int64Array]:
    """acc * multiplier, and the right shift that is left to do; |acc| has to fit int32."""
    return s.acc * s.multipliers, np.clip(31 - s.shifts, 0, 62)


def _up(x: Int64Array, right: Int64Array) -> Int64Array:
    """x / 2^right, ties up."""
    rounded: Int64Array = (x + ((np.int64(1) << right) >> 1)) >> right
    return rounded


def _away(x: Int64Array, right: Int64Array) -> Int64Array:
    """x / 2^right, ties away from zero."""
    rounded: Int64Array = np.sign(x) * _up(np.abs(x), right)
    return rounded


def _even(x: Int64Array, right: Int64Array) -> Int64Array:
    """x / 2^right, ties to even."""
    up = _up(x, right)
    half = (np.int64(1) << right) >> 1
    tie = (x & ((np.int64(1) << right) - 1)) == half
    rounded: Int64Array = up - (tie & (right > 0) & (up & 1 == 1))
    return rounded


def _down(x: Int64Array, right: Int64Array) -> Int64Array:
    """x / 2^right, rounded down."""
    return x >> right


def _to_zero(x: Int64Array, right: Int64Array) -> Int64Array:
    """x / 2^right, cut off."""
    cut: Int64Array = np.sign(x) * (np.abs(x) >> right)
    return cut


Divide = Callable[[Int64Array, Int64Array], Int64Array]


def single(divide: Divide) -> Rounding:
    """The whole product, divided once."""
    return lambda s: divide(*_product(s))


def shifted(divide: Divide, rounded: bool = True) -> Rounding:
    """The high multiply, ``rounded`` or cut, and then a shift of another kind."""
    return lambda s: divide(*_high(s, rounded))


SINGLE_UP, SINGLE_AWAY, SINGLE_EVEN = single(_up), single(_away), single(_even)
SINGLE_DOWN, SINGLE_TO_ZERO = single(_down), single(_to_zero)
SHIFT_UP, SHIFT_EVEN = shifted(_up), shifted(_even)
SHIFT_DOWN, SHIFT_TO_ZERO = shifted(_down), shifted(_to_zero)
HIGH_CUT, ALL_CUT = shifted(_away, rounded=False), shifted(_down, rounded=False)


def _half_up(x: Array) -> Array:
    half: Array = np.floor(x + x.dtype.type(0.5))
    return half


_FLOAT_ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "half away from zero": round_half_away,
    "half to even": np.rint,
    "half up": _half_up,
    "down": np.floor,
    "cut off": np.trunc,
}


def floats(precision: str, tie: str) -> Rounding:
    """acc * real multiplier in float64, in float32, or in float32 with the product of scales in
    float32 too ("float32 scales"); ``tie`` as in the table above."""
    function = _FLOAT_ROUNDINGS[tie]

    def rounded(s: Scaled) -> Int64Array:
        if s.divisor is not None:
            float_type = np.float64 if precision == "float64" else np.float32
            real: Array = s.acc.astype(float_type) / s.divisor.astype(float_type)
        elif precision == "float64":
            real = s.acc * s.reals
        elif precision == "float32":
            real = s.acc.astype(np.float32) * s.reals.astype(np.float32)
        else:
            real = s.acc.astype(np.float32) * s.reals32
        steps: Int64Array = function(real).astype(np.int64)
        return steps

    return rounded


def float64(s: Scaled) -> Int64Array:
    """One float64 product (of a pool, quotient), ties away from zero."""
    return floats("float64", "half away from zero")(s)
