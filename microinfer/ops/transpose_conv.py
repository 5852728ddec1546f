"""TRANSPOSE_CONV on int8: a convolution's gradient, which enlarges an image.

    acc[y, x, o] = bias[o] + sum of weights[o, ky, kx, i] * (input[iy, ix, i] - input_zero_point)
                   over all iy, ky, ix, kx, i with  iy * stride_height - pad_top + ky = y
                                                    ix * stride_width - pad_left + kx = x
    output       = clamp(requantize(acc[o], multipliers[o], shifts[o]) + output_zero_point)

input    int8 [batches, input_height, input_width, input_channels]; the node's third
weights  int8 [output_channels, kernel_height, kernel_width, input_channels], zero point 0, scale
         per tensor or per output channel
bias     int32 [output_channels], scale input x weights; optional
output   int8 [batches, output_height, output_width, output_channels]; the node's first input

Padding is that of the convolution from the output's size to the input's.
[TFLM] kernels/internal/reference/integer_ops/transpose_conv.h, where each input is scattered.
C twin: runtime_c/mi_transpose_conv.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .accumulate import float_dtype, require_int32_accumulator
from .activation import activation_range
from .channels import bias_values, channel_scales, conv_multipliers, requantize_steps
from .layer import Array, Layer, Op
from .padding import window
from .step_function import StepFunction


@dataclass(frozen=True)
class TransposeConvParams:
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
    input_zero_point: int
    output_zero_point: int
    activation_min: int
    activation_max: int
    weights: NDArray[np.int8]  # [output_channels, kernel_height, kernel_width, input_channels]
    bias: NDArray[np.int32] | None
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int8]

    @property
    def taps(self) -> NDArray[np.int8]:
        """Weights as (taps, output channels)."""
        taps: NDArray[np.int8] = self.weights.reshape(self.output_channels, -1).T
        return taps

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """Weights as floats [input_channels, kernel taps x output_channels], exact for sums."""
        dtype = float_dtype(2 * self.taps.astype(np.int16))  # of x - zero point: twice as large
        rows = self.weights.transpose(3, 1, 2, 0).reshape(self.input_channels, -1)
        return np.ascontiguousarray(rows.astype(dtype))

    @cached_property
    def steps(self) -> StepFunction:
        return requantize_steps(self, self.taps, centred=True)


def prepare(layer: Layer) -> TransposeConvParams:
    layer.count((3, 4))
    sizes, filters, source, output = *map(layer.input, range(3)), layer.output()
    layer.int8(source, output)
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
    bias = bias_values(layer, layer.optional_input(3), output_channels)
    scales = channel_scales(layer, filters, output_channels, axis=0)
    multipliers, shifts = conv_multipliers(layer, filters, source, scales, output)
    activation_min, activation_max = activation_range(layer, output)
    assert source.quantization is not None
    assert output.quantization is not None
    input_zero_point = source.quantization.zero_point
    # An output sums over some of the taps; each tap's interval holds zero.
    taps = weights.reshape(output_channels, -1).T
    require_int32_accumulator(layer, filters, taps, bias, input_zero_point)
    layer.settle()
    return TransposeConvParams(
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
        input_zero_point=input_zero_point,
        output_zero_point=output.quantization.zero_point,
        activation_min=activation_min,
        activation_max=activation_max,
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        shifts=shifts,
    )


def eval(params: TransposeConvParams, x: Array) -> Array:
    """int8 [batch, *input shape] to int8, as many rows of output channels as positions."""
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
