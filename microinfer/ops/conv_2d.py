"""CONV_2D on int8 or int16, with groups and dilation.

    acc[o]    = bias[o] + sum over the window of weights[o, ky, kx, i] * (input - input_zero_point)
    output[o] = clamp(requantize(acc[o], multipliers[o], shifts[o]) + output_zero_point)

input    int8, or int16 with zero point 0 [batches, height, width, channels]
weights  int8 or int4 [output_channels, kernel_height, kernel_width, channels / groups], zero
         point 0, scale per tensor or per output channel
bias     int32 [output_channels], of int16 also int64, scale input x weights; optional
output   [batches, height, width, output_channels], of the input's type

Outside the image the input counts as its zero point, that is as real zero.
[TFLM] kernels/internal/reference/integer_ops/conv.h; the scales are multiplied in double.
C twins: runtime_c/mi_conv_2d.h and mi_conv_2d_s16.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .accumulate import float_dtype, padded, patches
from .channels import Int8Stage, Int16Stage, Stage, output_stage
from .layer import Array, Layer, Op
from .padding import window


@dataclass(frozen=True)
class Conv2DGeometry:
    batches: int
    input_height: int
    input_width: int
    input_channels: int
    kernel_height: int
    kernel_width: int
    group_channels: int  # input channels that one output channel sees
    output_height: int
    output_width: int
    output_channels: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int


class _Conv2D(Stage, Conv2DGeometry):
    """What NumPy makes of the weights."""

    @property
    def columns(self) -> NDArray[np.int8]:
        columns: NDArray[np.int8] = self.weights.reshape(self.output_channels, -1).T
        return columns

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """Weights as floats, exact for sums: [groups, kernel_height, taps of a kernel row,
        output channels of a group]."""
        groups = self.input_channels // self.group_channels
        rows = self.weights.reshape(
            groups, self.output_channels // groups, self.kernel_height, -1
        ).transpose(0, 2, 3, 1)
        dtype = float_dtype(self.columns, self.limits)
        return np.ascontiguousarray(rows.astype(dtype))


@dataclass(frozen=True)
class Conv2DParams(_Conv2D, Int8Stage):
    """On int8."""


@dataclass(frozen=True)
class Conv2DS16Params(_Conv2D, Int16Stage):
    """On int16."""


AnyConv2DParams = Conv2DParams | Conv2DS16Params


def prepare(layer: Layer) -> AnyConv2DParams:
    layer.count((2, 3))
    source, filters, output = layer.input(0), layer.input(1), layer.output()
    layer.activations(source, output)
    for tensor in (source, filters, output):
        layer.rank_is(tensor, 4)
    weights = layer.constant(filters, ["INT8", "INT4"])
    output_channels, kernel_height, kernel_width, group_channels = weights.shape
    batches, input_height, input_width, input_channels = source.shape
    layer.require(
        weights.size > 0
        and input_channels % group_channels == 0
        and input_channels > 0
        and output_channels % (input_channels // group_channels) == 0,
        filters,
        f"has shape {weights.shape}, which does not fit {input_channels} input channels",
    )
    layer.settle()
    dilation = (layer.options["dilation_h_factor"], layer.options["dilation_w_factor"])
    stride_height, stride_width, pad_top, pad_left = window(
        layer, source, output, (kernel_height, kernel_width), dilation
    )
    layer.shape_is(output, (batches, *output.shape[1:3], output_channels))
    geometry = Conv2DGeometry(
        batches=batches,
        input_height=input_height,
        input_width=input_width,
        input_channels=input_channels,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        group_channels=group_channels,
        output_height=output.shape[1],
        output_width=output.shape[2],
        output_channels=output_channels,
        stride_height=stride_height,
        stride_width=stride_width,
        dilation_height=dilation[0],
        dilation_width=dilation[1],
        pad_top=pad_top,
        pad_left=pad_left,
    )
    stage = output_stage(layer, source, filters, layer.optional_input(2), output, axis=0)
    kind = Conv2DS16Params if isinstance(stage, Int16Stage) else Conv2DParams
    return kind(**vars(geometry), **vars(stage))


def eval(params: AnyConv2DParams, x: Array) -> Array:
    """[batch, *input shape] to outputs, as many rows of output channels as positions."""
    dtype = params.matrix.dtype
    images = x.reshape(-1, params.input_height, params.input_width, params.input_channels)
    if (params.kernel_height, params.kernel_width) == (1, 1):
        frame = images[:, :: params.stride_height, :: params.stride_width].astype(dtype)
    else:
        output = (params.output_height, params.output_width)
        stride = (params.stride_height, params.stride_width)
        reach = (
            (params.kernel_height - 1) * params.dilation_height + 1,
            (params.kernel_width - 1) * params.dilation_width + 1,
        )
        covered = (
            (output[0] - 1) * stride[0] + reach[0],
            (output[1] - 1) * stride[1] + reach[1],
        )
        pad = (params.pad_top, params.pad_left)
        frame = padded(images, dtype, params.input_zero_point, pad, covered)
    if len(params.matrix) == 1:
        return params.steps(_products(params, frame, params.matrix[0]))
    groups = np.split(frame, len(params.matrix), axis=3)
    products = [
        _products(params, np.ascontiguousarray(group), matrix)
        for group, matrix in zip(groups, params.matrix, strict=True)
    ]
    return params.steps(np.concatenate(products, axis=1))


def _products(params: AnyConv2DParams, frame: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """The dot products of one group: (positions, output channels)."""
    kernel_height, taps, channels = matrix.shape
    kernel = (kernel_height, params.kernel_width)
    output = (params.output_height, params.output_width)
    stride = (params.stride_height, params.stride_width)
    dilation = (params.dilation_height, params.dilation_width)
    products: NDArray[Any]
    if kernel == (1, 1):
        products = frame.reshape(-1, taps) @ matrix[0]
        return products
    if stride[0] > 1 or 2 * taps < channels:
        windows = patches(frame, kernel, output, stride, dilation)
        products = windows.reshape(-1, kernel_height * taps) @ matrix.reshape(-1, channels)
        return products
    # Windows one kernel row high are shared by the outputs above and below each other: a fraction
    # of the copying, for an addition per kernel row. (Not so with a stride or with many channels.)
    strips = (frame.shape[1], output[1])
    windows = patches(frame, (1, kernel[1]), strips, (1, stride[1]), (1, dilation[1]))
    rows = windows.reshape(len(frame), -1, taps)
    height, width = output
    products = rows[:, : height * width] @ matrix[0]
    for ky in range(1, kernel_height):
        first = ky * dilation[0] * width
        products += rows[:, first : first + height * width] @ matrix[ky]
    return products.reshape(-1, channels)


OP = Op("CONV_2D", prepare, eval)
