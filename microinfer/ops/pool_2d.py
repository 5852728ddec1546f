"""AVERAGE_POOL_2D and MAX_POOL_2D on int8: a window over raw values, no rescale.

    average: round(sum / count), ties away from zero of the raw integer, zero points untouched
    maximum: max

both over the taps inside the image only, then clamped to the fused activation.

input, output  int8 [batches, height, width, channels] of equal quantization

[TFLM] kernels/internal/reference/integer_ops/pooling.h.
C twin: runtime_c/mi_pool_2d.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .accumulate import patches
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


def prepare(layer: Layer) -> Pool2DParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.int8(source, output)
    layer.rank_is(source, 4)
    layer.rank_is(output, 4)
    layer.settle()
    layer.same_quantization(source, output)
    batches, input_height, input_width, channels = source.shape
    kernel = (layer.options["filter_height"], layer.options["filter_width"])
    stride_height, stride_width, pad_top, pad_left = window(layer, source, output, kernel, (1, 1))
    layer.shape_is(output, (batches, *output.shape[1:3], channels))
    layer.require(
        kernel[0] * kernel[1] <= 2**23, None, f"has a window of {kernel[0]} x {kernel[1]} values"
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


def _windows(params: Pool2DParams, x: Array, fill: int) -> Array:
    """int16 view [batch, out_h, out_w, kernel_h, kernel_w, channels], ``fill`` outside the image."""
    images = x.reshape(-1, params.input_height, params.input_width, params.channels)
    height = (params.output_height - 1) * params.stride_height + params.kernel_height
    width = (params.output_width - 1) * params.stride_width + params.kernel_width
    frame = np.full((len(images), height, width, params.channels), fill, np.int16)
    top, left = params.pad_top, params.pad_left
    inside = frame[:, top : top + params.input_height, left : left + params.input_width]
    inside[...] = images[:, : inside.shape[1], : inside.shape[2]]
    return patches(
        frame,
        (params.kernel_height, params.kernel_width),
        (params.output_height, params.output_width),
        (params.stride_height, params.stride_width),
        (1, 1),
    )


def _taps_inside(output: int, stride: int, pad: int, kernel: int, size: int) -> Array:
    """How many taps of each window lie inside the image, along one axis."""
    first = np.arange(output) * stride - pad
    return np.minimum(first + kernel, size) - np.maximum(first, 0)


def _clamp(params: Pool2DParams, values: Array) -> Array:
    return np.clip(values, params.activation_min, params.activation_max).astype(np.int8)


def eval_average(params: Pool2DParams, x: Array) -> Array:
    sums = _windows(params, x, 0).sum(axis=(3, 4), dtype=np.int32)
    rows = _taps_inside(
        params.output_height,
        params.stride_height,
        params.pad_top,
        params.kernel_height,
        params.input_height,
    )
    columns = _taps_inside(
        params.output_width,
        params.stride_width,
        params.pad_left,
        params.kernel_width,
        params.input_width,
    )
    count = (rows[:, None] * columns)[:, :, None].astype(np.int32)
    # Division rounds half away from zero: C truncates (|sum| + count / 2) / count.
    means = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
    return _clamp(params, means)


def eval_maximum(params: Pool2DParams, x: Array) -> Array:
    return _clamp(params, _windows(params, x, -128).max(axis=(3, 4)))


AVERAGE = Op("AVERAGE_POOL_2D", prepare, eval_average)
MAXIMUM = Op("MAX_POOL_2D", prepare, eval_maximum)
