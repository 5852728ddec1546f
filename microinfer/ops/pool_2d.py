"""AVERAGE_POOL_2D and MAX_POOL_2D on int8 or int16: a window over raw values, no rescale.

    average: round(sum / count), ties away from zero of the raw integer, zero points untouched
    maximum: max

both over the taps inside the image only, then clamped to the fused activation.

input, output  int8, or int16 with zero point 0 [batches, height, width, channels] of equal
               quantization

[TFLM] kernels/internal/reference/integer_ops/pooling.h.
C twin: runtime_c/mi_pool_2d.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .accumulate import padded, patches
from .activation import activation_range
from .layer import Array, Layer, Op
from .padding import window


@dataclass(frozen=True)
class Pool2DParams:
    batches: int
    input_height: int
    input_width: int
    channels: int
    kernel_height: int
    kernel_width: int
    output_height: int
    output_width: int
    stride_height: int
    stride_width: int
    pad_top: int
    pad_left: int
    activation_min: int
    activation_max: int

    @cached_property
    def count(self) -> NDArray[np.float64]:
        """Taps inside the image, of each window: [output_height, output_width, 1]."""
        rows = _taps_inside(
            self.output_height,
            self.stride_height,
            self.pad_top,
            self.kernel_height,
            self.input_height,
        )
        columns = _taps_inside(
            self.output_width, self.stride_width, self.pad_left, self.kernel_width, self.input_width
        )
        return (rows[:, None] * columns)[:, :, None].astype(np.float64)

    def sum_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The narrowest float type in which a window's sum of ``dtype`` is exact."""
        largest = self.kernel_height * self.kernel_width * -int(np.iinfo(dtype).min)
        return np.dtype(np.float32 if largest < 2**24 else np.float64)


def prepare(layer: Layer) -> Pool2DParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.activations(source, output)
    layer.rank_is(source, 4)
    layer.rank_is(output, 4)
    layer.settle()
    layer.same_quantization(source, output)
    batches, input_height, input_width, channels = source.shape
    kernel = (layer.options["filter_height"], layer.options["filter_width"])
    stride_height, stride_width, pad_top, pad_left = window(layer, source, output, kernel, (1, 1))
    layer.shape_is(output, (batches, *output.shape[1:3], channels))
    most = 2**15 if source.type == "INT16" else 2**23  # sums have to fit int32
    layer.require(
        kernel[0] * kernel[1] <= most, None, f"has a window of {kernel[0]} x {kernel[1]} values"
    )
    activation_min, activation_max = activation_range(layer, output)
    layer.settle()
    return Pool2DParams(
        batches=batches,
        input_height=input_height,
        input_width=input_width,
        channels=channels,
        kernel_height=kernel[0],
        kernel_width=kernel[1],
        output_height=output.shape[1],
        output_width=output.shape[2],
        stride_height=stride_height,
        stride_width=stride_width,
        pad_top=pad_top,
        pad_left=pad_left,
        activation_min=activation_min,
        activation_max=activation_max,
    )


def _windows(params: Pool2DParams, x: Array, dtype: DTypeLike, fill: int) -> Array:
    """View [batch, out_h, out_w, kernel_h, kernel_w, channels], ``fill`` outside the image."""
    images = x.reshape(-1, params.input_height, params.input_width, params.channels)
    kernel = (params.kernel_height, params.kernel_width)
    output = (params.output_height, params.output_width)
    stride = (params.stride_height, params.stride_width)
    covered = (
        (output[0] - 1) * stride[0] + kernel[0],
        (output[1] - 1) * stride[1] + kernel[1],
    )
    pad = (params.pad_top, params.pad_left)
    frame = padded(images, np.dtype(dtype), fill, pad, covered)
    return patches(frame, kernel, output, stride, (1, 1))


def _taps_inside(output: int, stride: int, pad: int, kernel: int, size: int) -> Array:
    """How many taps of each window lie inside the image, along one axis."""
    first = np.arange(output) * stride - pad
    return np.minimum(first + kernel, size) - np.maximum(first, 0)


def _clamp(params: Pool2DParams, values: Array, dtype: np.dtype[Any]) -> Array:
    limited = np.minimum(np.maximum(values, params.activation_min), params.activation_max)
    return limited.astype(dtype)


def eval_average(params: Pool2DParams, x: Array) -> Array:
    # float64 truncates as C's integers do: a quotient that is no integer is at least 1 / count
    # away from one, and both are far below 2^53.
    windows = _windows(params, x, params.sum_dtype(x.dtype), 0)
    sums = np.einsum("nhwijc->nhwc", windows).astype(np.float64)
    sums += np.copysign(params.count // 2, sums)
    return _clamp(params, np.trunc(sums / params.count), x.dtype)


def eval_maximum(params: Pool2DParams, x: Array) -> Array:
    windows = _windows(params, x, x.dtype, int(np.iinfo(x.dtype).min))
    largest = windows[:, :, :, 0, 0].copy()
    for ky, kx in np.ndindex(params.kernel_height, params.kernel_width):
        np.maximum(largest, windows[:, :, :, ky, kx], out=largest)
    return _clamp(params, largest, x.dtype)


AVERAGE = Op("AVERAGE_POOL_2D", prepare, eval_average)
MAXIMUM = Op("MAX_POOL_2D", prepare, eval_maximum)
