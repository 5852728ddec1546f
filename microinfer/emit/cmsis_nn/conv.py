"""CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV by CMSIS-NN: int8, int4 weights, int16."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...ops.conv_2d import Conv2DParams, Conv2DS16Params
from ...ops.depthwise_conv_2d import (
    AnyDepthwiseConv2DParams,
    DepthwiseConv2DParams,
    DepthwiseConv2DS16Params,
)
from ...ops.transpose_conv import TransposeConvParams
from ...prepare import PreparedLayer
from ...tflite.packing import pack
from ..kernels import Call, Kernel
from . import params as own
from . import scratch
from .adapter import adapter
from .limits import FAST_COLUMNS, sums_fit, sums_fit_s16
from .scratch import ANY, DSP, MVE, forms, most

LARGEST_EXTENT = 2**15 - 1  # the library keeps positions in int16, and sizes in uint16
LARGEST_TAPS = 2**16 - 1
REVERSED_ABOVE = 16  # input channels of TRANSPOSE_CONV from which on it is done as CONV_2D
BYTE_CHANNELS = 2  # of int4: a tap of as many begins with a byte, of others within one
LANES = 4  # channels that the library takes at once with MVE, constants included

CONV = adapter("conv_2d_s8", "conv", "conv", "arm_convolve_s8", True)
CONV_1X1_FAST = adapter("conv_2d_1x1_fast_s8", "conv", "conv", "arm_convolve_1x1_s8_fast", True)
CONV_1X1 = adapter("conv_2d_1x1_s8", "conv", "conv", "arm_convolve_1x1_s8", True)
CONV_ROW = adapter("conv_2d_row_s8", "conv", "conv", "arm_convolve_1_x_n_s8", True)
CONV_S4 = adapter("conv_2d_s4", "conv", "conv_s4", "arm_convolve_wrapper_s4", True)
CONV_ANY_S4 = adapter("conv_2d_any_s4", "conv", "conv_s4", "arm_convolve_s4", True)
CONV_S16 = adapter("conv_2d_s16", "conv_s16", "conv_s16", "arm_convolve_wrapper_s16", True)
DEPTHWISE = adapter("depthwise_conv_2d_s8", "conv", "conv", "arm_depthwise_conv_s8", True)
DEPTHWISE_3X3 = adapter(
    "depthwise_conv_2d_3x3_s8", "conv", "conv", "arm_depthwise_conv_3x3_s8", True
)
DEPTHWISE_OPT = adapter(
    "depthwise_conv_2d_opt_s8", "conv", "conv", "arm_depthwise_conv_s8_opt", True
)
DEPTHWISE_WRAPPER = adapter(
    "depthwise_conv_2d_wrapper_s8", "conv", "conv", "arm_depthwise_conv_wrapper_s8", True
)
DEPTHWISE_S4 = adapter(
    "depthwise_conv_2d_s4", "conv", "conv_s4", "arm_depthwise_conv_wrapper_s4", True
)
DEPTHWISE_S16 = adapter(
    "depthwise_conv_2d_s16", "conv_s16", "conv_s16", "arm_depthwise_conv_wrapper_s16", True
)
TRANSPOSE_CONV = adapter(
    "transpose_conv_s8", "transpose_conv", "conv", "arm_transpose_conv_s8", True
)
TRANSPOSE_CONV_REVERSED = adapter(
    "transpose_conv_reversed_s8", "transpose_conv", "conv", "arm_convolve_s8", True
)


def conv(layer: PreparedLayer, core: str) -> Call | None:
    p: Conv2DParams = layer.params
    params = _checked_conv(p)
    if params is None:
        return None
    if p.group_channels < p.input_channels:
        params = _biased(params)
    if scratch.is_pointwise(params):
        return Call(CONV_1X1_FAST if params.stride == (1, 1) else CONV_1X1, params, (0,))
    if MVE in forms(core) and scratch.is_one_row(params) and _one_row_works(params):
        return Call(CONV_ROW, params, (0,), scratch_bytes=most(core, scratch.conv, params))
    return Call(CONV, params, (0,), scratch_bytes=most(core, scratch.conv_any, params))


def conv_s4(layer: PreparedLayer, core: str) -> Call | None:
    p: Conv2DParams = layer.params
    params = _checked_conv(p)
    if params is None or p.group_channels < p.input_channels:
        return None
    packed = _packed(params)
    if MVE in forms(core) and not _one_row_works_s4(params):
        nbytes = most(core, scratch.conv_any_s4, params)
        return Call(CONV_ANY_S4, packed, (0,), scratch_bytes=nbytes)
    return Call(CONV_S4, packed, (0,), scratch_bytes=most(core, scratch.conv_s4, params))


def conv_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: Conv2DS16Params = layer.params
    if p.group_channels < p.input_channels:  # of which it has no code
        return None
    if not sums_fit_s16(p.weights.reshape(p.output_channels, -1), p):
        return None
    kernel = (p.kernel_height, p.kernel_width)
    return wide(_conv_s16_params(p, (p.output_channels, *kernel, p.group_channels)), core)


def wide(params: own.ConvS16Params, core: str) -> Call | None:
    """The call of a convolution whose sums fit."""
    outputs, height, width, channels = params.filter
    taps = height * width * channels
    # Of the last channel of an odd number it goes on beyond the weights.
    odd = outputs % 2 == 1 and taps % 4 != 0 and taps > FAST_COLUMNS
    if not _extents_fit(params) or (DSP in forms(core) and odd and not params.int32_bias):
        return None
    return Call(CONV_S16, params, (0,), scratch_bytes=most(core, scratch.conv_s16, params))


def depthwise(layer: PreparedLayer, core: str) -> Call | None:
    p: DepthwiseConv2DParams = layer.params
    params = _checked_depthwise(p)
    if params is None:
        return None
    if MVE in forms(core) and p.input_channels == 1 and not _one_row_works(scratch.as_conv(params)):
        return None
    if MVE in forms(core) and p.output_channels > scratch.CHANNEL_BLOCK:
        params = _biased(params)
    nbytes = most(core, scratch.depthwise, params)
    return Call(_depthwise_kernel(params, core), params, (0,), scratch_bytes=nbytes)


def _depthwise_kernel(p: own.ConvParams, core: str) -> Kernel:
    """What the library's wrapper calls."""
    if MVE in forms(core) and p.input[3] == 1 and p.output[3] > 1:
        return DEPTHWISE_WRAPPER  # as a convolution; the step is the wrapper's own
    if not scratch.is_depthwise_fast(p):
        return DEPTHWISE
    if not scratch.is_depthwise_3x3(p):
        return DEPTHWISE_OPT
    if core == ANY:
        return DEPTHWISE_WRAPPER
    return DEPTHWISE_OPT if core == MVE else DEPTHWISE_3X3


def depthwise_s4(layer: PreparedLayer, core: str) -> Call | None:
    p: DepthwiseConv2DParams = layer.params
    params = _checked_depthwise(p)
    # Of the half of a byte that a tap begins with it loses track.
    if params is None or p.input_channels % BYTE_CHANNELS or not _whole_lanes(p, core):
        return None
    if MVE in forms(core) and p.output_channels > scratch.CHANNEL_BLOCK:
        params = _biased(params)
    nbytes = most(core, scratch.depthwise_s4, params)
    return Call(DEPTHWISE_S4, _packed(params), (0,), scratch_bytes=nbytes)


def depthwise_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: DepthwiseConv2DS16Params = layer.params
    params = _conv_s16_params(p, (1, p.kernel_height, p.kernel_width, p.output_channels))
    if not (_extents_fit(params) and sums_fit_s16(p.weights.reshape(-1, p.output_channels).T, p)):
        return None
    if not _whole_lanes(p, core):
        return None
    nbytes = most(core, scratch.depthwise_s16, params)
    return Call(DEPTHWISE_S16, params, (0,), scratch_bytes=nbytes)


def _whole_lanes(p: AnyDepthwiseConv2DParams, core: str) -> bool:
    """Whether the library reads no bias, multiplier, shift or weight beyond the last channel's."""
    return MVE not in forms(core) or p.output_channels % LANES == 0


def _checked_conv(p: Conv2DParams) -> own.ConvParams | None:
    params = _conv_params(p, (p.output_channels, p.kernel_height, p.kernel_width, p.group_channels))
    fits = _extents_fit(params) and sums_fit(p.weights.reshape(p.output_channels, -1), p)
    return params if fits else None


def _checked_depthwise(p: DepthwiseConv2DParams) -> own.ConvParams | None:
    params = _conv_params(p, (1, p.kernel_height, p.kernel_width, p.output_channels))
    fits = _extents_fit(params) and sums_fit(p.weights.reshape(-1, p.output_channels).T, p)
    return params if fits else None


def _biased(params: own.ConvParams) -> own.ConvParams:
    """With a bias: from group to group, and from block to block of channels, the library moves the
    bias on, be it NULL."""
    if params.bias is not None:
        return params
    return replace(params, bias=np.zeros(params.output[3], np.int32))


def _packed(params: own.ConvParams) -> own.ConvParams:
    """With two weights to a byte."""
    return replace(params, weights=pack(params.weights, "INT4").view(np.int8))


def _conv_params(p: Conv2DParams | DepthwiseConv2DParams, filters: own.Dims) -> own.ConvParams:
    return own.ConvParams(
        input=(p.batches, p.input_height, p.input_width, p.input_channels),
        filter=filters,
        output=(p.batches, p.output_height, p.output_width, p.output_channels),
        stride=(p.stride_width, p.stride_height),
        padding=(p.pad_left, p.pad_top),
        dilation=(p.dilation_width, p.dilation_height),
        activation=(p.activation_min, p.activation_max),
        input_offset=-p.input_zero_point,
        output_offset=p.output_zero_point,
        weights=p.weights,
        bias=p.bias,
        multipliers=p.multipliers,
        shifts=p.shifts.astype(np.int32),
    )


def _conv_s16_params(
    p: Conv2DS16Params | DepthwiseConv2DS16Params, filters: own.Dims
) -> own.ConvS16Params:
    narrow = bool(p.double_rounding)
    return own.ConvS16Params(
        input=(p.batches, p.input_height, p.input_width, p.input_channels),
        filter=filters,
        output=(p.batches, p.output_height, p.output_width, p.output_channels),
        stride=(p.stride_width, p.stride_height),
        padding=(p.pad_left, p.pad_top),
        dilation=(p.dilation_width, p.dilation_height),
        activation=(p.activation_min, p.activation_max),
        int32_bias=int(narrow),
        weights=p.weights,
        bias=p.bias.astype(np.int32) if p.bias is not None and narrow else None,
        wide_bias=None if narrow else p.bias,
        multipliers=p.multipliers,
        shifts=p.shifts.astype(np.int32),
    )


def transpose_conv(layer: PreparedLayer, core: str) -> Call | None:
    """As a convolution of the input with zeros between its elements where the library's wrapper
    does that, but with the weights reversed beforehand; else by sums of rows."""
    p: TransposeConvParams = layer.params
    params = own.TransposeConvParams(
        input=(p.batches, p.input_height, p.input_width, p.input_channels),
        filter=(p.output_channels, p.kernel_height, p.kernel_width, p.input_channels),
        output=(p.batches, p.output_height, p.output_width, p.output_channels),
        stride=(p.stride_width, p.stride_height),
        padding=(p.pad_left, p.pad_top),
        activation=(p.activation_min, p.activation_max),
        input_offset=-p.input_zero_point,
        output_offset=p.output_zero_point,
        weights=p.weights,
        bias=p.bias,
        multipliers=p.multipliers,
        shifts=p.shifts.astype(np.int32),
    )
    if not (_extents_fit(params) and sums_fit(p.weights.reshape(p.output_channels, -1), p)):
        return None
    if p.input_channels > REVERSED_ABOVE and max(params.stride) <= 2:
        if p.batches > 1:  # of which older releases lose their way between
            return None
        reversed_ = replace(params, weights=np.ascontiguousarray(p.weights[:, ::-1, ::-1]))
        nbytes = most(core, scratch.conv_any, params)
        return Call(TRANSPOSE_CONV_REVERSED, reversed_, (0,), scratch_bytes=nbytes)
    if p.batches > 1 or not _rows_come_out(p):
        return None
    nbytes = most(core, scratch.transpose_conv, params)
    return Call(TRANSPOSE_CONV, params, (0,), scratch_bytes=nbytes)


def _rows_come_out(p: TransposeConvParams) -> bool:
    """Whether arm_transpose_conv_s8 writes the output, no more and no less.

    It writes stride_height rows per input row, less the padding above, then what is left of the
    kernel; and reads output_width sums of a row that is as wide as the input makes it. Releases
    until 2026 go wrong where the padding is no multiple of the stride.
    """
    rows = p.input_height * p.stride_height - p.pad_top
    left = max(0, p.kernel_height - p.stride_height)
    columns = (p.input_width - 1) * p.stride_width + max(p.kernel_width, p.stride_width)
    return (
        p.pad_top % p.stride_height == 0
        and 0 <= rows <= p.output_height <= rows + left
        and p.pad_left + p.output_width <= columns
    )


def _extents_fit(p: own.ConvParams | own.ConvS16Params | own.TransposeConvParams) -> bool:
    dims = (*p.input, *p.filter, *p.output)
    taps = p.filter[1] * p.filter[2] * p.input[3]
    return max(dims) <= LARGEST_EXTENT and taps <= LARGEST_TAPS


def _one_row_works(p: own.ConvParams) -> bool:
    """Whether the short cut for images of one row, if taken on a core with MVE, is right.

    It assumes that the first output that touches the padding on the right does so by one
    element, and refuses windows that leave elements at the row's end uncovered.
    """
    if scratch.is_pointwise(p) or not scratch.is_one_row(p):
        return True
    _, right, odd = scratch.one_row_edges(p)
    pad, stride = p.padding[0], p.stride[0]
    if 2 * pad + odd != scratch.one_row_padding(p):
        return False
    if not scratch.one_row_has_middle(p):
        return True  # it does not take the short cut after all
    if p.filter[2] > p.input[2] or (right == 0 and stride > 1):
        return False  # it reads beyond the input
    touches_by_one = pad + odd == 1 + (right - 1) * stride
    return right == 0 or (touches_by_one and (not odd or stride == 1 or right == 1))


def _one_row_works_s4(p: own.ConvParams) -> bool:
    """The same of int4 weights. The short cut skips padding by whole bytes of weights, and fails
    where an output is touched by the padding of both sides."""
    if scratch.is_pointwise(p) or not scratch.is_one_row(p):
        return True
    return _one_row_works(p) and scratch.one_row_has_middle(p) and p.input[3] % BYTE_CHANNELS == 0
