"""Dot products of int8 and int16 by BLAS, in floats, exactly; and the bounds that make C's int32
and int64 safe.

NumPy's integer matmul has no BLAS and is some forty times slower. Every product and partial sum
of int8 values is an integer below 2^24 for up to a thousand terms (float32) and below 2^53 always
(float64), and such sums are exact in any order. int16 inputs make them 256 times as large: those
need float64 from four terms on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import INT32_MAX, INT32_MIN, Int64Array
from ..graph import Tensor
from .layer import INT8_MAX, INT8_MIN, Array, Layer

INT8_LIMITS = INT8_MIN, INT8_MAX
INT16_LIMITS = -(2**15), 2**15 - 1


def product_interval(
    weights: Array, zero_point: int, limits: tuple[int, int] = INT8_LIMITS
) -> tuple[Int64Array, Int64Array]:
    """Lowest and highest sum(w * (x - zero_point)) over x in ``limits``, weights (taps, channels).

    x - zero_point runs from some low <= 0 to some high >= 0, so positive weights are lowest at
    low and negative ones at high.
    """
    low, high = limits[0] - zero_point, limits[1] - zero_point
    positive = np.maximum(weights, 0).sum(axis=0, dtype=np.int64)
    negative = np.minimum(weights, 0).sum(axis=0, dtype=np.int64)
    return positive * low + negative * high, positive * high + negative * low


def accumulator_interval(
    weights: Array,
    bias: Array | None,
    zero_point: int = 0,
    limits: tuple[int, int] = INT8_LIMITS,
) -> tuple[Int64Array, Int64Array]:
    """Lowest and highest accumulator per channel. A bias beyond 2^60 counts as 2^60.

    Each term's interval holds zero, so a partial sum that begins with the bias never leaves it.
    """
    low, high = product_interval(weights, zero_point, limits)
    offset = np.zeros(1, np.int64) if bias is None else bias.astype(np.int64)
    offset = np.clip(offset, -(2**60), 2**60)
    return low + offset, high + offset


def require_int32_accumulator(
    layer: Layer,
    tensor: Tensor,
    weights: Array,
    bias: Array | None,
    zero_point: int,
    limits: tuple[int, int] = INT8_LIMITS,
) -> None:
    """Require that no input can take the accumulator out of int32, partial sums included."""
    low, high = accumulator_interval(weights, bias, zero_point, limits)
    overflows = (low < INT32_MIN) | (high > INT32_MAX)
    if overflows.any():
        channel = int(np.argmax(overflows))
        reach = f"{low[channel]}..{high[channel]}"
        layer.refuse(
            tensor,
            f"lets the int32 accumulator of channel {channel} reach {reach}",
            "its bias is too large for the scales of input and weights",
        )


def require_int64_accumulator(
    layer: Layer, tensor: Tensor, weights: Array, bias: Array | None, reals: NDArray[np.float64]
) -> None:
    """Require of a layer on int16 that no accumulator leaves 47 bits and that, multiplied by
    ``reals`` (one, or one per channel), none leaves int32: the runtimes would cut it off."""
    low, high = accumulator_interval(weights, bias, limits=INT16_LIMITS)
    reach = np.maximum(np.abs(low), np.abs(high))
    if (reach >= 2**47).any():
        channel = int(np.argmax(reach))
        layer.refuse(
            tensor,
            f"lets the accumulator of channel {channel} reach {reach[channel]}, expected less than"
            f" 2^47",
            "its bias is too large for the scales of input and weights",
        )
    steps = reach * reals
    if (steps * (1 + 2**-14) >= 2**31).any():  # a 16-bit multiplier is off by 2^-15 at most
        channel = int(np.argmax(steps))
        layer.refuse(
            tensor,
            f"lets channel {channel} reach {steps[channel]:.3g} steps of the output, which leaves"
            " int32",
            "the scales around this layer are out of proportion; check the calibration data",
        )


def float_dtype(weights: Array, limits: tuple[int, int] = INT8_LIMITS) -> np.dtype[Any]:
    """The narrowest float type in which sums of w * x over x in ``limits``, weights (taps,
    channels), are exact integers in any order of summation."""
    largest = np.abs(weights.astype(np.int64)).sum(axis=0).max(initial=0) * -limits[0]
    return np.dtype(np.float32 if largest < 2**24 else np.float64)


def patches(
    x: NDArray[Any],
    kernel: tuple[int, int],
    output: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> NDArray[Any]:
    """View of each output position's window: (batch, out_h, out_w, kernel_h, kernel_w, channels).

    ``x`` is the padded input, contiguous (batch, height, width, channels).
    """
    batch, row, column, channel = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        shape=(x.shape[0], *output, *kernel, x.shape[3]),
        strides=(
            batch,
            row * stride[0],
            column * stride[1],
            row * dilation[0],
            column * dilation[1],
            channel,
        ),
        writeable=False,
    )


def padded(
    x: Array,
    dtype: np.dtype[Any],
    zero_point: int,
    pad: tuple[int, int],
    window: tuple[int, int],
) -> NDArray[Any]:
    """x (batch, height, width, channels) as floats, in a frame of ``zero_point``.

    ``pad`` is the frame's top and left, ``window`` the height and width that the frame and the
    data have to cover together; what lies beyond is cut off.
    """
    _, height, width, _ = x.shape
    if pad == (0, 0) and window == (height, width):
        return x.astype(dtype, order="C")
    frame = np.full((x.shape[0], *window, x.shape[3]), zero_point, dtype)
    inside = frame[:, pad[0] : pad[0] + height, pad[1] : pad[1] + width]
    inside[...] = x[:, : inside.shape[1], : inside.shape[2]]
    return frame
