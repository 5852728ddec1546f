"""How often each integer occurs: of activations over all samples, and of weights.

The integers of a tensor are the steps of its quantization, real = scale * (q - zero_point); what
a histogram shows is how much of that grid is used, and how much lies on its two ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Tensor
from ..prepare import PreparedLayer

Array = NDArray[Any]

BINS = 256  # of int16, of which one bin counts 256 integers
COUNTED = ("INT8", "UINT8", "INT16", "INT4")  # types of quantized tensors
MOST_CHANNELS = 4096  # that are listed one by one


@dataclass
class Histogram:
    """Counts of a tensor's integers; ``count`` adds more of them.

    Bin i counts the ``width`` integers from ``lowest + width * i`` on. ``low`` and ``high`` are
    the ends that the layer can reach: those of the type, or of its activation function.
    """

    lowest: int
    width: int
    low: int
    high: int
    counts: NDArray[np.int64] = field(repr=False)
    at_low: int = 0
    at_high: int = 0

    @classmethod
    def of(cls, tensor: Tensor, low: int | None = None, high: int | None = None) -> Histogram:
        """An empty one for ``tensor``'s type, of COUNTED."""
        first, last = (-8, 7) if tensor.type == "INT4" else _limits(tensor.dtype)
        bins = min(BINS, last - first + 1)
        return cls(
            lowest=first,
            width=(last - first + 1) // bins,
            low=first if low is None else max(first, low),
            high=last if high is None else min(last, high),
            counts=np.zeros(bins, np.int64),
        )

    def count(self, values: Array) -> None:
        """Add all of ``values``."""
        flat = values.reshape(-1)
        bits = np.dtype(f"u{flat.itemsize}")
        # The type's lowest integer as 0: int8 -128 is 0x80, and 0x80 ^ 0x80 is 0.
        flip = bits.type(1 << (8 * flat.itemsize - 1)) if flat.dtype.kind == "i" else bits.type(0)
        places = np.ascontiguousarray(flat).view(bits) ^ flip
        every = np.bincount(places, minlength=1 << (8 * flat.itemsize))
        offset = self.lowest - _limits(flat.dtype)[0]  # of int4, which lies in int8
        every = every[offset : offset + self.width * len(self.counts)]
        self.counts += every.reshape(len(self.counts), self.width).sum(axis=1)
        self.at_low += int(every[self.low - self.lowest])
        self.at_high += int(every[self.high - self.lowest])

    @property
    def elements(self) -> int:
        return int(self.counts.sum())


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def of_output(layer: PreparedLayer, tensor: Tensor) -> Histogram | None:
    """An empty histogram for an output of ``layer``; None for a type without steps."""
    if tensor.type not in COUNTED or tensor.quantization is None:
        return None
    low = getattr(layer.params, "activation_min", None)
    high = getattr(layer.params, "activation_max", None)
    return Histogram.of(tensor, low, high)


@dataclass(frozen=True)
class WeightValues:
    """A constant of a layer in the steps of its own quantization.

    largest   of each output channel the largest |q - zero_point|, in steps; empty beyond
              MOST_CHANNELS channels
    reach     the same as real values: largest * scale of the channel
    unused    channels that are all zero
    """

    tensor: int
    name: str
    type: str
    shape: tuple[int, ...]
    histogram: Histogram
    per_channel: bool
    axis: int
    scale_min: float
    scale_max: float
    channels: int
    largest: tuple[int, ...]
    reach: tuple[float, ...]
    unused: int


def of_weights(layer: PreparedLayer, tensors: tuple[Tensor, ...]) -> list[WeightValues]:
    """The quantized constants that ``layer`` reads, each with its histogram."""
    found = []
    for index in dict.fromkeys(layer.node.inputs):
        tensor = tensors[index] if index >= 0 else None
        if tensor is None or tensor.data is None or tensor.quantization is None:
            continue
        if tensor.type not in COUNTED or tensor.size == 0:
            continue
        found.append(_weights(index, tensor, tensor.data, _channel_axis(layer, tensor)))
    return found


def _channel_axis(layer: PreparedLayer, tensor: Tensor) -> int:
    """Where the output channels of a weight tensor are, whether quantized so or not."""
    assert tensor.quantization is not None
    if tensor.quantization.per_channel:
        return tensor.quantization.axis
    return len(tensor.shape) - 1 if layer.node.op == "DEPTHWISE_CONV_2D" else 0


def _weights(index: int, tensor: Tensor, data: Array, axis: int) -> WeightValues:
    own = tensor.quantization
    assert own is not None
    lowest = Histogram.of(tensor).low
    # Symmetric weights leave the lowest integer out: -127 is their end.
    narrow = not own.zero_points.any() and bool((data > lowest).all())
    histogram = Histogram.of(tensor, lowest + narrow)
    histogram.count(data)
    channels = tensor.shape[axis] if tensor.shape else 1
    rows = np.moveaxis(data, axis, 0).reshape(channels, -1) if tensor.shape else data[None, None]
    zero_points = np.broadcast_to(own.zero_points, channels)
    scales = np.broadcast_to(own.scales.astype(np.float64), channels)
    largest = np.abs(rows.astype(np.int64) - zero_points[:, None]).max(axis=1)
    listed = channels <= MOST_CHANNELS
    return WeightValues(
        tensor=index,
        name=tensor.name,
        type=tensor.type,
        shape=tensor.shape,
        histogram=histogram,
        per_channel=own.per_channel,
        axis=axis,
        scale_min=float(own.scales.min()),
        scale_max=float(own.scales.max()),
        channels=channels,
        largest=tuple(largest.tolist()) if listed else (),
        reach=tuple((largest * scales).tolist()) if listed else (),
        unused=int((largest == 0).sum()),
    )
