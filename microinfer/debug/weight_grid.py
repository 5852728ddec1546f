"""Float weights quantized again, as a converter does it: symmetric, the largest at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGEST = {"INT8": 127, "INT4": 7}
AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}


def channel_axis(op: str) -> int | None:
    """The axis of the output channels among those of an operator's weights."""
    return AXES.get(op)


def quantized(weights: Array, kind: str, axis: int | None) -> Array:
    """The reals nearest to ``weights`` that a type has: one scale for all, or one per index of
    ``axis``."""
    others = None if axis is None else tuple(a for a in range(weights.ndim) if a != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest, 1) / weights.dtype.type(LARGEST[kind])
    nearest: Array = np.rint(weights / scale) * scale
    return nearest


def spread(weights: Array, axis: int) -> float:
    """How many times larger the largest weight of a channel is than that of another."""
    largest = np.abs(np.moveaxis(weights, axis, 0)).reshape(weights.shape[axis], -1).max(axis=1)
    largest = largest[largest > 0]
    return float(largest.max() / largest.min()) if largest.size else 1.0
