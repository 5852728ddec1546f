"""DEPTHWISE_CONV_2D on int8 or int16: each input channel has filters of its own.

    acc[c]    = bias[c] + sum over the window of
                weights[ky, kx, c] * (input[c / depth_multiplier] - input_zero_point)
    output[c] = clamp(requantize(acc[c], multipliers[c], shifts[c]) + output_zero_point)

input    int8, or int16 with zero point 0 [batches, height, width, input_channels]
weights  int8, of int8 also int4 [1, kernel_height, kernel_width, output_channels], zero point 0,
         scale per tensor or per output channel (axis 3);
         output_channels = input_channels * depth_multiplier
bias     int32, of int16 int64 [output_channels]; optional
output   [batches, height, width, output_channels], of the input's type

[TFLM] kernels/internal/reference/integer_ops/depthwise_conv.h.
C twins: runtime_c/mi_depthwise_conv_2d.h and mi_depthwise_conv_2d_s16.h.
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
class DepthwiseConv2DGeometry:
    batches: int
    input_height: int
    input_width: int
    input_channels: int
    kernel_height: int
    kernel_width: int
    depth_multiplier: int
    output_height: int
    output_width: int
    output_channels: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int


class _DepthwiseConv2D(Stage, DepthwiseConv2DGeometry):
    """What NumPy makes of the weights."""

    @property
    def columns(self) -> NDArray[np.int8]:
        columns: NDArray[np.int8] = self.weights.reshape(-1, self.output_channels)
        return columns

    @cached_property
    def taps(self) -> NDArray[Any]:
        """Weights as floats [kernel_height * kernel_width, output_channels], exact for sums."""
        return self.columns.astype(float_dtype(self.columns, self.limits))

    @cached_property
    def row_taps(self) -> NDArray[Any]:
        """The taps [kernel_height, kernel_width, columns * channels], repeated for each column of
        a row of products: every column of the input that a window starts at, stride or not."""
        columns = (self.output_width - 1) * self.stride_width + 1
        repeated = np.tile(self.taps, (1, columns))
        return repeated.reshape(self.kernel_height, self.kernel_width, -1)


@dataclass(frozen=True)
class DepthwiseConv2DParams(_DepthwiseConv2D, Int8Stage):
    """On int8."""


@dataclass(frozen=True)
class DepthwiseConv2DS16Params(_DepthwiseConv2D, Int16Stage):
    """On int16."""


AnyDepthwiseConv2DParams = DepthwiseConv2DParams | DepthwiseConv2DS16Params


def prepare(layer: Layer) -> AnyDepthwiseConv2DParams:
    layer.count((2, 3))
    source, filters, output = layer.input(0), layer.input(1), layer.output()
    layer.activations(source, output)
    for tensor in (source, filters, output):
        layer.rank_is(tensor, 4)
    weights = layer.constant(filters, ["INT8", "INT4"])
    one, kernel_height, kernel_width, output_channels = weights.shape
    batches, input_height, input_width, input_channels = source.shape
    layer.require(
        one == 1
        and weights.size > 0
        and input_channels > 0
        and output_channels % input_channels == 0,
        filters,
        f"has shape {weights.shape}, which does not fit {input_channels} input channels",
    )
    layer.settle()
    depth_multiplier = output_channels // input_channels
    stated = layer.options["depth_multiplier"]
    layer.require(
        stated in (0, depth_multiplier),
        None,
        f"has depth_multiplier {stated}, but the shapes of input and weights make it"
        f" {depth_multiplier}",
    )
    dilation = (layer.options["dilation_h_factor"], layer.options["dilation_w_factor"])
    stride_height, stride_width, pad_top, pad_left = window(
        layer, source, output, (kernel_height, kernel_width), dilation
    )
    layer.shape_is(output, (batches, *output.shape[1:3], output_channels))
    geometry = DepthwiseConv2DGeometry(
        batches=batches,
        input_height=input_height,
        input_width=input_width,
        input_channels=input_channels,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        depth_multiplier=depth_multiplier,
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
    layer.require(
        source.type == "INT8" or filters.type == "INT8",
        filters,
        "is INT4; with INT16 activations TFLM refuses it, and LiteRT reads it as if it were INT8",
        "use int8 weights here, or int8 activations",
    )
    bias = layer.optional_input(2)
    stage = output_stage(layer, source, filters, bias, output, axis=3, bias_types=("INT64",))
    kind = DepthwiseConv2DS16Params if isinstance(stage, Int16Stage) else DepthwiseConv2DParams
    return kind(**vars(geometry), **vars(stage))


def eval(params: AnyDepthwiseConv2DParams, x: Array) -> Array:
    """[batch, *input shape] to outputs, as many rows of output channels as positions."""
    taps = params.taps
    kernel = (params.kernel_height, params.kernel_width)
    output = (params.output_height, params.output_width)
    stride = (params.stride_height, params.stride_width)
    dilation = (params.dilation_height, params.dilation_width)
    covered = (
        (output[0] - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1,
        (output[1] - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1,
    )
    images = x.reshape(-1, params.input_height, params.input_width, params.input_channels)
    pad = (params.pad_top, params.pad_left)
    frame = padded(images, taps.dtype, params.input_zero_point, pad, covered)
    if params.input_channels == 1:  # an ordinary convolution of one channel
        windows = patches(frame, kernel, output, stride, dilation)
        products = windows.reshape(-1, len(taps)) @ taps
    else:
        if params.depth_multiplier > 1:
            frame = np.repeat(frame, params.depth_multiplier, axis=3)
        products = _sum_of_taps(params, frame)
    return params.steps(products.reshape(-1, params.output_channels))


def _sum_of_taps(params: AnyDepthwiseConv2DParams, frame: NDArray[Any]) -> NDArray[Any]:
    """sum over taps of input * weight, per channel: (batch, out_h, out_w, channels).

    A whole row of products at a time, column by column and channel by channel: a long run of
    numbers in the input, too, for each tap. With a stride that computes columns which are then
    dropped, and is still faster than short runs.
    """
    kernel_height, kernel_width, run = params.row_taps.shape
    batch, row, column, channel = frame.strides
    windows = np.lib.stride_tricks.as_strided(
        frame,
        shape=(len(frame), params.output_height, kernel_height, kernel_width, run),
        strides=(
            batch,
            row * params.stride_height,
            row * params.dilation_height,
            column * params.dilation_width,
            channel,
        ),
        writeable=False,
    )
    sums = np.einsum("nhijr,ijr->nhr", windows, params.row_taps)
    products: NDArray[Any] = sums.reshape(*sums.shape[:2], -1, params.output_channels)
    return products[:, :, :: params.stride_width]


OP = Op("DEPTHWISE_CONV_2D", prepare, eval)
