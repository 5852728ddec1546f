"""Which C kernels compute a layer: from an op's params to calls of runtime_c."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..ops.add_sub import AddParams
from ..ops.arg_max_min import ArgExtremeParams
from ..ops.batch_matmul import BatchMatMulParams
from ..ops.comparison import ComparisonParams
from ..ops.conv_2d import Conv2DParams
from ..ops.cumsum import CumsumParams
from ..ops.depthwise_conv_2d import DepthwiseConv2DParams
from ..ops.div import DivParams
from ..ops.fully_connected import FullyConnectedF64Params, FullyConnectedParams
from ..ops.l2_normalization import L2NormalizationParams
from ..ops.log_softmax import LogSoftmaxParams
from ..ops.lookup import LookupParams
from ..ops.maximum_minimum import MaximumMinimumParams
from ..ops.mean import MeanParams
from ..ops.movement import CopyParams, FillParams, GatherParams, MovementParams
from ..ops.mul import MulParams
from ..ops.pool_2d import Pool2DParams
from ..ops.prelu import PreluParams
from ..ops.quantize import DequantizeParams, QuantizeParams
from ..ops.reduce_max_min import ReduceExtremeParams
from ..ops.resize_bilinear import ResizeBilinearParams
from ..ops.select import SelectParams
from ..ops.softmax import SoftmaxParams
from ..ops.squared_difference import SquaredDifferenceParams
from ..ops.transpose_conv import TransposeConvParams
from ..prepare import PreparedLayer


@dataclass(frozen=True)
class Kernel:
    """A function of runtime_c.

    It is called as ``function(&params, [rows,] inputs..., outputs..., [scratch])``. ``struct`` is
    the C type of its params, the twin of the Python dataclass.
    """

    function: str
    struct: str
    header: str


@dataclass(frozen=True)
class Call:
    """One call of a kernel within a layer.

    inputs         positions among the layer's operands
    outputs        positions among the layer's outputs
    rows           pointers to input rows that the kernel wants on the caller's stack
    scratch_bytes  memory that it uses while it runs
    """

    kernel: Kernel
    params: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...] = (0,)
    rows: int = 0
    scratch_bytes: int = 0


# By op name where one params class serves several kernels.
AVERAGE_POOL = Kernel("mi_average_pool_2d_s8", "mi_pool_2d_params", "mi_pool_2d.h")
MAX_POOL = Kernel("mi_max_pool_2d_s8", "mi_pool_2d_params", "mi_pool_2d.h")

KERNELS: dict[type, Kernel] = {
    ComparisonParams: Kernel("mi_compare_s8", "mi_comparison_params", "mi_comparison.h"),
    DivParams: Kernel("mi_div_s8", "mi_div_params", "mi_div.h"),
    MaximumMinimumParams: Kernel(
        "mi_maximum_minimum_s8", "mi_maximum_minimum_params", "mi_maximum_minimum.h"
    ),
    PreluParams: Kernel("mi_prelu_s8", "mi_prelu_params", "mi_prelu.h"),
    SelectParams: Kernel("mi_select_s8", "mi_select_params", "mi_select.h"),
    SquaredDifferenceParams: Kernel(
        "mi_squared_difference_s8", "mi_squared_difference_params", "mi_squared_difference.h"
    ),
    AddParams: Kernel("mi_add_s8", "mi_add_params", "mi_add.h"),
    ArgExtremeParams: Kernel("mi_arg_extreme_s8", "mi_arg_extreme_params", "mi_reduce.h"),
    BatchMatMulParams: Kernel("mi_batch_matmul_s8", "mi_batch_matmul_params", "mi_batch_matmul.h"),
    Conv2DParams: Kernel("mi_conv_2d_s8", "mi_conv_2d_params", "mi_conv_2d.h"),
    CumsumParams: Kernel("mi_cumsum_s8", "mi_cumsum_params", "mi_cumsum.h"),
    L2NormalizationParams: Kernel(
        "mi_l2_normalization_s8", "mi_l2_normalization_params", "mi_l2_normalization.h"
    ),
    DepthwiseConv2DParams: Kernel(
        "mi_depthwise_conv_2d_s8", "mi_depthwise_conv_2d_params", "mi_depthwise_conv_2d.h"
    ),
    CopyParams: Kernel("mi_copy", "mi_copy_params", "mi_copy.h"),
    DequantizeParams: Kernel("mi_dequantize_s8_f32", "mi_dequantize_params", "mi_quantize.h"),
    FillParams: Kernel("mi_fill", "mi_fill_params", "mi_copy.h"),
    FullyConnectedParams: Kernel(
        "mi_fully_connected_s8", "mi_fully_connected_params", "mi_fully_connected.h"
    ),
    FullyConnectedF64Params: Kernel(
        "mi_fully_connected_f64_s8", "mi_fully_connected_f64_params", "mi_fully_connected.h"
    ),
    GatherParams: Kernel("mi_gather", "mi_gather_params", "mi_gather.h"),
    LogSoftmaxParams: Kernel("mi_log_softmax_s8", "mi_log_softmax_params", "mi_log_softmax.h"),
    LookupParams: Kernel("mi_lookup_s8", "mi_lookup_params", "mi_lookup.h"),
    MeanParams: Kernel("mi_mean_s8", "mi_mean_params", "mi_reduce.h"),
    MulParams: Kernel("mi_mul_s8", "mi_mul_params", "mi_mul.h"),
    QuantizeParams: Kernel("mi_quantize_f32_s8", "mi_quantize_params", "mi_quantize.h"),
    ResizeBilinearParams: Kernel(
        "mi_resize_bilinear_s8", "mi_resize_bilinear_params", "mi_resize_bilinear.h"
    ),
    ReduceExtremeParams: Kernel("mi_reduce_extreme_s8", "mi_reduce_extreme_params", "mi_reduce.h"),
    SoftmaxParams: Kernel("mi_softmax_s8", "mi_softmax_params", "mi_softmax.h"),
    TransposeConvParams: Kernel(
        "mi_transpose_conv_s8", "mi_transpose_conv_params", "mi_transpose_conv.h"
    ),
}


def calls(layer: PreparedLayer) -> tuple[Call, ...]:
    """The kernel calls that compute ``layer``, in order."""
    params = layer.params
    if isinstance(params, MovementParams):
        return tuple(
            Call(
                KERNELS[type(move.params)],
                move.params,
                () if move.source is None else (move.source,),
                (move.target,),
            )
            for move in params.moves
        )
    if isinstance(params, Pool2DParams):
        kernel = AVERAGE_POOL if layer.op.name == "AVERAGE_POOL_2D" else MAX_POOL
        return (Call(kernel, params, (0,), rows=params.kernel_height),)
    inputs = tuple(range(len(layer.op.operand_indices(layer.node))))
    return (
        Call(
            KERNELS[type(params)],
            params,
            inputs,
            rows=getattr(params, "kernel_height", 0),
            scratch_bytes=4 * params.depth if isinstance(params, SoftmaxParams) else 0,
        ),
    )


def _conv_macs(p: Conv2DParams) -> int:
    return p.batches * p.output_height * p.output_width * p.weights.size


def _depthwise_macs(p: DepthwiseConv2DParams) -> int:
    return p.batches * p.output_height * p.output_width * p.weights.size


def _transpose_conv_macs(p: TransposeConvParams) -> int:
    return p.batches * p.input_height * p.input_width * p.weights.size


def _batch_matmul_macs(p: BatchMatMulParams) -> int:
    return math.prod(p.extents) * p.rows * p.depth * p.columns


def _dense_macs(p: FullyConnectedParams | FullyConnectedF64Params) -> int:
    return p.rows * p.weights.size


_MACS: dict[type, Callable[[Any], int]] = {
    Conv2DParams: _conv_macs,
    DepthwiseConv2DParams: _depthwise_macs,
    FullyConnectedParams: _dense_macs,
    FullyConnectedF64Params: _dense_macs,
    TransposeConvParams: _transpose_conv_macs,
    BatchMatMulParams: _batch_matmul_macs,
}


def macs(layer: PreparedLayer) -> int:
    """Multiply-accumulates of a layer, padding counted as if it were data; 0 for other ops."""
    count = _MACS.get(type(layer.params))
    return count(layer.params) if count else 0
