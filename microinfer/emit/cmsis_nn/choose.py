"""From a layer to a call of CMSIS-NN, or None where it does not compute the layer's bits.

The library computes as TensorFlow Lite Micro does, except in corners where C leaves open what
happens or where a short cut of it has limits. Each condition here keeps one of those out; its
reason stands beside it. A new operator is a function here and a line in ``_CHOICES``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph
from ...ops.add_sub import LEFT_SHIFT, AddParams
from ...ops.batch_matmul import BatchMatMulParams
from ...ops.conv_2d import Conv2DParams
from ...ops.depthwise_conv_2d import DepthwiseConv2DParams
from ...ops.fully_connected import FullyConnectedParams
from ...ops.mul import MulParams
from ...ops.pool_2d import Pool2DParams
from ...ops.softmax import SoftmaxParams
from ...ops.transpose_conv import TransposeConvParams
from ...prepare import PreparedLayer
from ..kernels import Call, Kernel
from . import movement, scratch
from . import params as own
from .scratch import MVE, forms, most

LARGEST_EXTENT = 2**15 - 1  # the library keeps positions in int16, and sizes in uint16
LARGEST_TAPS = 2**16 - 1
LARGEST_SUM = 2**31 - 2**8  # an int32 to which an int8 zero point can be added
REVERSED_ABOVE = 16  # input channels of TRANSPOSE_CONV from which on it is done as CONV_2D
LARGEST_DEPTH = 255  # of SOFTMAX: with a larger sum the library shifts by 31 bits and more


def _kernel(name: str, params: str, header: str, library: str, scratch: bool = False) -> Kernel:
    struct = f"mi_cmsis_nn_{params}_params"
    return Kernel(f"mi_cmsis_nn_{name}_s8", struct, f"mi_cmsis_nn_{header}.h", library, scratch)


CONV = _kernel("conv_2d", "conv", "conv", "arm_convolve_wrapper_s8", True)
CONV_ANY = _kernel("conv_2d_any", "conv", "conv", "arm_convolve_s8", True)
DEPTHWISE = _kernel("depthwise_conv_2d", "conv", "conv", "arm_depthwise_conv_wrapper_s8", True)
TRANSPOSE_CONV = _kernel("transpose_conv", "transpose_conv", "conv", "arm_transpose_conv_s8", True)
TRANSPOSE_CONV_REVERSED = _kernel(
    "transpose_conv_reversed", "transpose_conv", "conv", "arm_convolve_s8", True
)
BATCH_MATMUL = _kernel(
    "batch_matmul", "batch_matmul", "fully_connected", "arm_batch_matmul_s8", True
)
DENSE = _kernel(
    "fully_connected", "fully_connected", "fully_connected", "arm_fully_connected_wrapper_s8"
)
AVERAGE_POOL = _kernel("average_pool_2d", "pool", "pool", "arm_avgpool_s8", True)
MAX_POOL = _kernel("max_pool_2d", "pool", "pool", "arm_max_pool_s8")
SOFTMAX = _kernel("softmax", "softmax", "softmax", "arm_softmax_s8")
ADD = _kernel("add", "add", "elementwise", "arm_elementwise_add_s8")
MUL = _kernel("mul", "mul", "elementwise", "arm_elementwise_mul_s8")


def call(graph: Graph, layer: PreparedLayer, core: str) -> Call | None:
    """The library's call that computes ``layer`` on ``core``, if there is one.

    Of activations and weights of int8 only: one class of params may serve other types, too.
    """
    node = layer.node
    tensors = [graph.tensors[i] for i in (*node.inputs, *node.outputs) if i >= 0]
    outputs = {graph.tensors[i].type for i in node.outputs}
    if outputs != {"INT8"} or any(tensor.type not in ("INT8", "INT32") for tensor in tensors):
        return None
    if layer.op.name == "PAD":
        return movement.pad(graph, layer)
    if layer.op.name == "TRANSPOSE":
        return movement.transpose(graph, layer, core)
    choose = _CHOICES.get(type(layer.params))
    return choose(layer, core) if choose else None


def _conv(layer: PreparedLayer, core: str) -> Call | None:
    p: Conv2DParams = layer.params
    params = _conv_params(p, (p.output_channels, p.kernel_height, p.kernel_width, p.group_channels))
    if not (_extents_fit(params) and _sums_fit(p.weights.reshape(p.output_channels, -1), p)):
        return None
    if p.group_channels < p.input_channels:
        params = _biased(params)
    if MVE in forms(core) and not _one_row_works(params):
        return Call(CONV_ANY, params, (0,), scratch_bytes=most(core, scratch.conv_any, params))
    return Call(CONV, params, (0,), scratch_bytes=most(core, scratch.conv, params))


def _depthwise(layer: PreparedLayer, core: str) -> Call | None:
    p: DepthwiseConv2DParams = layer.params
    params = _conv_params(p, (1, p.kernel_height, p.kernel_width, p.output_channels))
    if not (_extents_fit(params) and _sums_fit(p.weights.reshape(-1, p.output_channels).T, p)):
        return None
    if MVE in forms(core) and p.input_channels == 1 and not _one_row_works(scratch.as_conv(params)):
        return None
    if MVE in forms(core) and p.output_channels > scratch.CHANNEL_BLOCK:
        params = _biased(params)
    return Call(DEPTHWISE, params, (0,), scratch_bytes=most(core, scratch.depthwise, params))


def _biased(params: own.ConvParams) -> own.ConvParams:
    """With a bias: from group to group, and from block to block of channels, the library moves the
    bias on, be it NULL."""
    if params.bias is not None:
        return params
    return replace(params, bias=np.zeros(params.output[3], np.int32))


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


def _transpose_conv(layer: PreparedLayer, core: str) -> Call | None:
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
    if not (_extents_fit(params) and _sums_fit(p.weights.reshape(p.output_channels, -1), p)):
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


def _extents_fit(p: own.ConvParams | own.TransposeConvParams) -> bool:
    dims = (*p.input, *p.filter, *p.output)
    taps = p.filter[1] * p.filter[2] * p.input[3]
    return max(dims) <= LARGEST_EXTENT and taps <= LARGEST_TAPS


def _sums_fit(
    weights: NDArray[np.int8],
    p: Conv2DParams | DepthwiseConv2DParams | TransposeConvParams | FullyConnectedParams,
    zero_point: int = 0,
) -> bool:
    """Whether no sum of the library, in any order, leaves int32, shifted to the left or with the
    output's zero point. ``weights`` are (outputs, taps). Other sums it would wrap or worse."""
    bias = np.zeros(1, np.int64) if p.bias is None else p.bias.astype(np.int64)
    # weight x input and weight x input's zero point are summed apart: 128 + 128 at most.
    taps = np.abs(weights.astype(np.int64)).sum(axis=1) + weights.shape[1] * abs(zero_point)
    largest = (np.abs(bias) + 256 * taps) << np.maximum(p.shifts, 0).astype(np.int64)
    return bool(largest.max() <= LARGEST_SUM)


def _one_row_works(p: own.ConvParams) -> bool:
    """Whether the short cut for images of one row, if taken on a core with MVE, is right.

    It assumes that the first output that touches the padding on the right does so by one
    element, and refuses windows that leave elements at the row's end uncovered.
    """
    if scratch.is_pointwise(p) or not scratch.is_one_row(p):
        return True
    left, right, odd = scratch.one_row_edges(p)
    pad, stride = p.padding[0], p.stride[0]
    if 2 * pad + odd != scratch.one_row_padding(p):
        return False
    if left + right > p.output[2]:
        return True  # it does not take the short cut after all
    if p.filter[2] > p.input[2] or (right == 0 and stride > 1):
        return False  # it reads beyond the input
    touches_by_one = pad + odd == 1 + (right - 1) * stride
    return right == 0 or (touches_by_one and (not odd or stride == 1 or right == 1))


def _dense(layer: PreparedLayer, core: str) -> Call | None:
    p: FullyConnectedParams = layer.params
    if not _sums_fit(p.weights, p, p.weights_zero_point):
        return None
    wanted = forms(core)
    params = own.DenseParams(
        input=(p.rows, 1, 1, p.input_size),
        filter=(p.input_size, 1, 1, p.output_size),
        output=(p.rows, 1, 1, p.output_size),
        activation=(p.activation_min, p.activation_max),
        input_offset=-p.input_zero_point,
        filter_offset=-p.weights_zero_point,
        output_offset=p.output_zero_point,
        per_channel=p.per_channel,
        weights=p.weights,
        bias=None if wanted == (MVE,) else p.bias,
        kernel_sums=kernel_sums(p) if MVE in wanted else None,
        multipliers=p.multipliers,
        shifts=p.shifts.astype(np.int32),
    )
    return Call(DENSE, params, (0,))


def kernel_sums(p: FullyConnectedParams) -> NDArray[np.int32]:
    """What arm_vector_sum_s8 computes: bias - input_zero_point * sum of an output's weights."""
    sums = p.weights.astype(np.int64).sum(axis=1) - p.input_size * p.weights_zero_point
    bias = 0 if p.bias is None else p.bias.astype(np.int64)
    values: NDArray[np.int64] = bias - p.input_zero_point * sums
    return values.astype(np.int32)


def _batch_matmul(layer: PreparedLayer, core: str) -> Call | None:
    p: BatchMatMulParams = layer.params
    # The library wants the right side's columns as rows, and here no matrix serves several.
    matrices = math.prod(p.extents)
    whole = all(
        extent == 1 or (lhs and rhs)
        for extent, lhs, rhs in zip(p.extents, p.lhs_strides, p.rhs_strides, strict=True)
    )
    largest = 2**16 * p.depth << max(p.shift, 0)
    if not whole or p.lhs_depth_stride != 1 or p.rhs_depth_stride != 1 or largest > LARGEST_SUM:
        return None
    params = own.BatchMatMulParams(
        lhs=(matrices, 1, p.rows, p.depth),
        rhs=(matrices, 1, p.columns, p.depth),
        output=(matrices, 1, p.rows, p.columns),
        lhs_offset=-p.lhs_zero_point,
        rhs_offset=-p.rhs_zero_point,
        output_offset=p.output_zero_point,
        multiplier=p.multiplier,
        shift=p.shift,
    )
    nbytes = most(core, scratch.batch_matmul, params)
    return Call(BATCH_MATMUL, params, (0, 1), scratch_bytes=nbytes)


def _pool(layer: PreparedLayer, core: str) -> Call | None:
    p: Pool2DParams = layer.params
    params = own.PoolParams(
        input=(p.batches, p.input_height, p.input_width, p.channels),
        filter=(1, p.kernel_height, p.kernel_width, 1),
        output=(p.batches, p.output_height, p.output_width, p.channels),
        stride=(p.stride_width, p.stride_height),
        padding=(p.pad_left, p.pad_top),
        activation=(p.activation_min, p.activation_max),
    )
    if layer.op.name == "MAX_POOL_2D":
        return Call(MAX_POOL, params, (0,))
    return Call(AVERAGE_POOL, params, (0,), scratch_bytes=most(core, scratch.average_pool, params))


def _softmax(layer: PreparedLayer, core: str) -> Call | None:
    p: SoftmaxParams = layer.params
    return Call(SOFTMAX, p, (0,)) if p.depth <= LARGEST_DEPTH else None


def _add(layer: PreparedLayer, core: str) -> Call | None:
    p: AddParams = layer.params
    # The library has no SUB, no broadcasting, and assumes that no shift is to the left.
    if p.input2_sign < 0 or not _same_shapes(p) or p.output_shift > 0:
        return None
    params = own.AddParams(
        size=math.prod(p.extents),
        left_shift=LEFT_SHIFT["int8"],
        input1_offset=-p.input1_zero_point,
        input1_multiplier=p.input1_multiplier,
        input1_shift=p.input1_shift,
        input2_offset=-p.input2_zero_point,
        input2_multiplier=p.input2_multiplier,
        input2_shift=p.input2_shift,
        output_offset=p.output_zero_point,
        output_multiplier=p.output_multiplier,
        output_shift=p.output_shift,
        activation=(p.activation_min, p.activation_max),
    )
    return Call(ADD, params, (0, 1))


def _mul(layer: PreparedLayer, core: str) -> Call | None:
    p: MulParams = layer.params
    if not _same_shapes(p) or 255 * 255 << max(p.output_shift, 0) > LARGEST_SUM:
        return None
    params = own.MulParams(
        size=math.prod(p.extents),
        input1_offset=-p.input1_zero_point,
        input2_offset=-p.input2_zero_point,
        output_offset=p.output_zero_point,
        output_multiplier=p.output_multiplier,
        output_shift=p.output_shift,
        activation=(p.activation_min, p.activation_max),
    )
    return Call(MUL, params, (0, 1))


def _same_shapes(p: AddParams | MulParams) -> bool:
    """Whether both inputs are read from end to end."""
    step, contiguous = 1, []
    for extent in reversed(p.extents):
        contiguous.append((extent, step))
        step *= extent
    return all(
        extent == 1 or (first == second == step)
        for (extent, step), first, second in zip(
            reversed(contiguous), p.input1_strides, p.input2_strides, strict=True
        )
    )


_CHOICES: dict[type, Callable[[Any, str], Call | None]] = {
    Conv2DParams: _conv,
    DepthwiseConv2DParams: _depthwise,
    FullyConnectedParams: _dense,
    Pool2DParams: _pool,
    SoftmaxParams: _softmax,
    AddParams: _add,
    MulParams: _mul,
    TransposeConvParams: _transpose_conv,
    BatchMatMulParams: _batch_matmul,
}
