"""Bounds within which the library's sums and steps are those of our kernels.

Each answers for every input: it is proved from weights, bias, multipliers and shifts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import INT32_MAX, real_multiplier

LARGEST_SUM = 2**31 - 2**8  # an int32 to which an int8 zero point can be added
FAST_COLUMNS = 512  # of int16, which the library sums in int32 before it goes on in int64
LARGEST_INT16 = 2**15


def sums_fit(weights: NDArray[np.int8], p: Any, zero_point: int = 0) -> bool:
    """Whether no sum over int8 inputs, in any order, leaves int32, shifted to the left or with the
    output's zero point. ``weights`` are (outputs, taps). Other sums it would wrap or worse."""
    bias = np.zeros(1, np.int64) if p.bias is None else p.bias.astype(np.int64)
    # weight x input and weight x input's zero point are summed apart: 128 + 128 at most.
    taps = np.abs(weights.astype(np.int64)).sum(axis=1) + weights.shape[1] * abs(zero_point)
    largest = (np.abs(bias) + 256 * taps) << np.maximum(p.shifts, 0).astype(np.int64)
    return bool(largest.max() <= LARGEST_SUM)


def sums_fit_s16(weights: NDArray[np.int8], p: Any) -> bool:
    """The same over int16 inputs. With an int64 bias the library sums in int32 first; its one
    rounding then passes through twice the output, which has to fit int32 too."""
    bias = np.zeros(1, np.int64) if p.bias is None else p.bias.astype(np.int64)
    products = LARGEST_INT16 * np.abs(weights.astype(np.int64)).sum(axis=1)
    if p.double_rounding:
        largest = (np.abs(bias) + products) << np.maximum(p.shifts, 0).astype(np.int64)
        return bool(largest.max() <= LARGEST_SUM)
    return bool(products.max() <= INT32_MAX) and rounds_once(
        np.abs(bias) + products, real_multiplier(p.multipliers, p.shifts)
    )


def rounds_once(reach: NDArray[np.int64] | int, reals: NDArray[np.float64] | float) -> bool:
    """Whether accumulators up to ``reach`` survive arm_nn_requantize_s64, whose 16-bit multiplier
    is off by 2^-15 at most."""
    return bool((np.asarray(reach) * np.asarray(reals) * (1 + 2**-14) < 2**30).all())
