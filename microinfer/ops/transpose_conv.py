"""TRANSPOSE_CONV on int8 or int16: a convolution's gradient, which enlarges an image.

    acc[y, x, o] = bias[o] + sum of weights[o, ky, kx, i] * (input[iy, ix, i] - input_zero_point)
                   over all iy, ky, ix, kx, i with  iy * stride_height - pad_top + ky = y
                                                    ix * stride_width - pad_left + kx = x
    output       = clamp(requantize(acc[o], multipliers[o], shifts[o]) + output_zero_point)

input    int8, or int16 with zero point 0 [batches, input_height, input_width, input_channels];
         the node's third
weights  int8 [output_channels, kernel_height, kernel_width, input_channels], zero point 0, scale
         per tensor or per output channel
bias     int32 [output_channels], of int16 also int64, scale input x weights; optional
output   [batches, output_height, output_width, output_channels], which is the node's first input

Padding is that of the convolution from the output's size to the input's.
[TFLM] kernels/internal/reference/integer_ops/transpose_conv.h, where each input is scattered.
C twins: runtime_c/mi_transpose_conv.h and mi_transpose_conv_s16.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .accumulate import float_dtype
from .channels import Int8Stage, Int16Stage, Stage, output_stage
from .layer import Array, Layer, Op
from .padding import window


@dataclass(frozen=True)
class TransposeConvGeometry:
    batches: int
    input_height: int
    input_width: int
    input_channels: int
    kernel_height: int
    kernel_width: int
    output_height: int
    output_width: int
    output_channels: int
    stride_height: int
    stride_width: int
    pad_top: int
    pad_left: int


class _TransposeConv(Stage, TransposeConvGeometry):
    """What NumPy makes of the weights."""

    centred = True

    @property
    def columns(self) -> NDArray[np.int8]:
        columns: NDArray[np.int8] = self.weights.reshape(self.output_channels, -1).T
        return columns

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """Weights as floats [input_channels, kernel taps x output_channels], exact for sums."""
        wide = 2 * self.columns.astype(np.int16)  # of x - zero point: twice as large
        dtype = float_dtype(wide, self.limits)
        rows = self.weights.transpose(3, 1, 2, 0).reshape(self.input_channels, -1)
        return np.ascontiguousarray(rows.astype(dtype))


@dataclass(frozen=True)
class TransposeConvParams(_TransposeConv, Int8Stage):
    """On int8."""


@dataclass(frozen=True)
class TransposeConvS16Params(_TransposeConv, Int16Stage):
    """On int16."""


AnyTransposeConvParams = TransposeConvParams | TransposeConvS16Params


def prepare(layer: Layer) -> AnyTransposeConvParams:
    layer.count((3, 4))
    sizes, filters, source, output = *map(layer.input, range(3)), layer.output()
    layer.activations(source, output)
    for tensor in (source, filters, output):
        layer.rank_is(tensor, 4)
    expected = layer.constant(sizes, ["INT32"])
    layer.shape_is(output, tuple(expected.reshape(-1).tolist()))
    weights = layer.constant(filters, ["INT8"])
    output_channels, kernel_height, kernel_width, input_channels = weights.shape
    layer.require(
        weights.size > 0 and source.shape[3] == input_channels,
        filters,
        f"has shape {weights.shape}, which does not fit {source.shape[3]} input channels",
    )
    layer.settle()
    kernel = (kernel_height, kernel_width)
    stride_height, stride_width, pad_top, pad_left = window(layer, output, source, kernel, (1, 1))
    layer.shape_is(output, (source.shape[0], *output.shape[1:3], output_channels))
    geometry = TransposeConvGeometry(
        batches=source.shape[0],
        input_height=source.shape[1],
        input_width=source.shape[2],
        input_channels=input_channels,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        output_height=output.shape[1],
        output_width=output.shape[2],
        output_channels=output_channels,
        stride_height=stride_height,
        stride_width=stride_width,
        pad_top=pad_top,
        pad_left=pad_left,
    )
    bias = layer.optional_input(3)
    types: tuple[str, ...] = ("INT64", "INT32")
    if bias is None and layer.numerics.transpose_conv_without_bias == "int64":
        types = ("INT64",)
    stage = output_stage(layer, source, filters, bias, output, axis=0, bias_types=types)
    kind = TransposeConvS16Params if isinstance(stage, Int16Stage) else TransposeConvParams
    return kind(**vars(geometry), **vars(stage))


def eval(params: AnyTransposeConvParams, x: Array) -> Array:
    """[batch, *input shape] to outputs, as many rows of output channels as positions."""
    height, width = params.input_height, params.input_width
    stride_y, stride_x = params.stride_height, params.stride_width
    kernel = (params.kernel_height, params.kernel_width)
    dtype = params.matrix.dtype
    pixels = x.reshape(-1, params.input_channels).astype(dtype) - dtype.type(
        params.input_zero_point
    )
    products = (pixels @ params.matrix).reshape(-1, height, width, *kernel, params.output_channels)
    bottom, right = params.pad_top + params.output_height, params.pad_left + params.output_width
    covered = (
        max(bottom, (height - 1) * stride_y + kernel[0]),
        max(right, (width - 1) * stride_x + kernel[1]),
    )
    frame = np.zeros((len(products), *covered, params.output_channels), dtype)
    for ky, kx in np.ndindex(kernel):
        rows = slice(ky, ky + (height - 1) * stride_y + 1, stride_y)
        columns = slice(kx, kx + (width - 1) * stride_x + 1, stride_x)
        frame[:, rows, columns] += products[:, :, :, ky, kx]
    image = frame[:, params.pad_top : bottom, params.pad_left : right]
    return params.steps(np.ascontiguousarray(image).reshape(-1, params.output_channels))


OP = Op("TRANSPOSE_CONV", prepare, eval, operands=(2,))
