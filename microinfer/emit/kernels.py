"""Which C kernels compute a layer: from an op's params to calls of runtime_c."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..graph import Graph
from ..ops.abs_neg import NegFloatParams
from ..ops.add_sub import AddParams
from ..ops.arg_max_min import ArgExtremeParams
from ..ops.batch_matmul import BatchMatMulParams
from ..ops.comparison import ComparisonParams
from ..ops.conv_2d import AnyConv2DParams, Conv2DParams, Conv2DS16Params
from ..ops.cumsum import CumsumParams
from ..ops.depthwise_conv_2d import (
    AnyDepthwiseConv2DParams,
    DepthwiseConv2DParams,
    DepthwiseConv2DS16Params,
)
from ..ops.div import DivParams
from ..ops.fully_connected import (
    AnyFullyConnectedParams,
    FullyConnectedF64Params,
    FullyConnectedF64S16Params,
    FullyConnectedParams,
    FullyConnectedS16Params,
)
from ..ops.gather import GatherAtParams
from ..ops.l2_normalization import L2NormalizationParams
from ..ops.log_softmax import LogSoftmaxParams
from ..ops.lookup import LookupParams
from ..ops.lookup_s16 import LookupInt16Params
from ..ops.lstm import LstmParams
from ..ops.maximum_minimum import MaximumMinimumParams
from ..ops.mean import MeanParams
from ..ops.movement import CopyParams, FillParams, GatherParams, MovementParams
from ..ops.mul import MulParams
from ..ops.pool_2d import Pool2DParams
from ..ops.prelu import PreluParams
from ..ops.quantize import (
    DequantizeParams,
    QuantizeInt16Params,
    QuantizeParams,
    QuantizeUint8Params,
)
from ..ops.reduce_max_min import ReduceExtremeParams
from ..ops.rescale import RescaleParams
from ..ops.resize_bilinear import ResizeBilinearParams
from ..ops.select import SelectParams
from ..ops.sigmoid_tanh import SigmoidTanhParams
from ..ops.softmax import SoftmaxParams, SoftmaxToInt16Params
from ..ops.softmax_s16 import Softmax16Params
from ..ops.sqrt_rsqrt import RsqrtParams
from ..ops.squared_difference import SquaredDifferenceParams
from ..ops.svdf import SvdfInt8Params, SvdfParams
from ..ops.transpose_conv import (
    AnyTransposeConvParams,
    TransposeConvParams,
    TransposeConvS16Params,
)
from ..prepare import PreparedLayer
from ..tflite.packing import pack


@dataclass(frozen=True)
class Kernel:
    """A function of runtime_c.

    It is called as ``function(&params, [rows,] inputs..., outputs..., [scratch])``. ``struct`` is
    the C type of its params, the twin of the Python dataclass. ``library`` is what it calls where
    it does not compute itself: a function of CMSIS-NN. With ``scratch`` it takes the argument even
    where it needs none.
    """

    function: str
    struct: str
    header: str
    library: str = ""
    scratch: bool = False


@dataclass(frozen=True)
class Call:
    """One call of a kernel within a layer.

    inputs         positions among the layer's operands, then its state
    outputs        positions among the layer's outputs, then its state
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
AVERAGE_POOL_S16 = Kernel("mi_average_pool_2d_s16", "mi_pool_2d_params", "mi_pool_2d_s16.h")
MAX_POOL_S16 = Kernel("mi_max_pool_2d_s16", "mi_pool_2d_params", "mi_pool_2d_s16.h")

# Of any types: they are part of its params.
RESCALE = Kernel("mi_rescale", "mi_rescale_params", "mi_rescale.h")

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
    GatherAtParams: Kernel("mi_gather_at", "mi_gather_at_params", "mi_gather.h"),
    GatherParams: Kernel("mi_gather", "mi_gather_params", "mi_gather.h"),
    LogSoftmaxParams: Kernel("mi_log_softmax_s8", "mi_log_softmax_params", "mi_log_softmax.h"),
    LookupParams: Kernel("mi_lookup_s8", "mi_lookup_params", "mi_lookup.h"),
    LstmParams: Kernel("mi_lstm_s8", "mi_lstm_params", "mi_lstm.h"),
    MeanParams: Kernel("mi_mean_s8", "mi_mean_params", "mi_reduce.h"),
    NegFloatParams: Kernel("mi_neg_f32", "mi_neg_params", "mi_neg.h"),
    MulParams: Kernel("mi_mul_s8", "mi_mul_params", "mi_mul.h"),
    QuantizeParams: Kernel("mi_quantize_f32_s8", "mi_quantize_params", "mi_quantize.h"),
    ResizeBilinearParams: Kernel(
        "mi_resize_bilinear_s8", "mi_resize_bilinear_params", "mi_resize_bilinear.h"
    ),
    RescaleParams: RESCALE,
    ReduceExtremeParams: Kernel("mi_reduce_extreme_s8", "mi_reduce_extreme_params", "mi_reduce.h"),
    SoftmaxParams: Kernel("mi_softmax_s8", "mi_softmax_params", "mi_softmax.h"),
    SvdfParams: Kernel("mi_svdf_s8_s16", "mi_svdf_params", "mi_svdf.h"),
    SvdfInt8Params: Kernel("mi_svdf_s8", "mi_svdf_s8_params", "mi_svdf.h"),
    TransposeConvParams: Kernel(
        "mi_transpose_conv_s8", "mi_transpose_conv_params", "mi_transpose_conv.h"
    ),
}


# Of layers with an operand or a result of int16.
INT16_KERNELS: dict[type, Kernel] = {
    BatchMatMulParams: Kernel(
        "mi_batch_matmul_s16", "mi_batch_matmul_params", "mi_batch_matmul_s16.h"
    ),
    Conv2DS16Params: Kernel("mi_conv_2d_s16", "mi_conv_2d_s16_params", "mi_conv_2d_s16.h"),
    DepthwiseConv2DS16Params: Kernel(
        "mi_depthwise_conv_2d_s16", "mi_depthwise_conv_2d_s16_params", "mi_depthwise_conv_2d_s16.h"
    ),
    FullyConnectedS16Params: Kernel(
        "mi_fully_connected_s16", "mi_fully_connected_s16_params", "mi_fully_connected_s16.h"
    ),
    FullyConnectedF64S16Params: Kernel(
        "mi_fully_connected_f64_s16",
        "mi_fully_connected_f64_s16_params",
        "mi_fully_connected_s16.h",
    ),
    TransposeConvS16Params: Kernel(
        "mi_transpose_conv_s16", "mi_transpose_conv_s16_params", "mi_transpose_conv_s16.h"
    ),
    AddParams: Kernel("mi_add_s16", "mi_add_params", "mi_add.h"),
    ComparisonParams: Kernel("mi_compare_s16", "mi_comparison_params", "mi_comparison.h"),
    DequantizeParams: Kernel("mi_dequantize_s16_f32", "mi_dequantize_params", "mi_quantize.h"),
    LookupInt16Params: Kernel("mi_lookup_s16", "mi_lookup_s16_params", "mi_lookup.h"),
    MaximumMinimumParams: Kernel(
        "mi_maximum_minimum_s16", "mi_maximum_minimum_params", "mi_maximum_minimum.h"
    ),
    MeanParams: Kernel("mi_mean_s16", "mi_mean_params", "mi_reduce.h"),
    MulParams: Kernel("mi_mul_s16", "mi_mul_params", "mi_mul.h"),
    QuantizeInt16Params: Kernel("mi_quantize_f32_s16", "mi_quantize_params", "mi_quantize.h"),
    ReduceExtremeParams: Kernel("mi_reduce_extreme_s16", "mi_reduce_extreme_params", "mi_reduce.h"),
    RescaleParams: RESCALE,
    ResizeBilinearParams: Kernel(
        "mi_resize_bilinear_s16", "mi_resize_bilinear_params", "mi_resize_bilinear.h"
    ),
    RsqrtParams: Kernel("mi_rsqrt_s16", "mi_rsqrt_params", "mi_rsqrt.h"),
    SelectParams: Kernel("mi_select_s16", "mi_select_params", "mi_select.h"),
    SigmoidTanhParams: Kernel("mi_sigmoid_tanh_s16", "mi_sigmoid_tanh_params", "mi_logistic.h"),
    Softmax16Params: Kernel("mi_softmax_s16", "mi_softmax_s16_params", "mi_softmax_s16.h"),
    SoftmaxToInt16Params: Kernel("mi_softmax_s8_s16", "mi_softmax_params", "mi_softmax.h"),
    SquaredDifferenceParams: Kernel(
        "mi_squared_difference_s16", "mi_squared_difference_params", "mi_squared_difference.h"
    ),
}

# The same of uint8, which has no operators but these.
UINT8_KERNELS: dict[type, Kernel] = {
    DequantizeParams: Kernel("mi_dequantize_u8_f32", "mi_dequantize_params", "mi_quantize.h"),
    QuantizeUint8Params: Kernel("mi_quantize_f32_u8", "mi_quantize_params", "mi_quantize.h"),
    RescaleParams: RESCALE,
}

# The kernels of int4 weights, by those of int8 weights.
INT4_KERNELS = {
    "mi_conv_2d_s8": "mi_conv_2d_s4",
    "mi_conv_2d_s16": "mi_conv_2d_s16_s4",
    "mi_depthwise_conv_2d_s8": "mi_depthwise_conv_2d_s4",
    "mi_fully_connected_s8": "mi_fully_connected_s4",
    "mi_fully_connected_f64_s8": "mi_fully_connected_f64_s4",
    "mi_fully_connected_s16": "mi_fully_connected_s16_s4",
    "mi_fully_connected_f64_s16": "mi_fully_connected_f64_s16_s4",
}


def calls(layer: PreparedLayer, graph: Graph) -> tuple[Call, ...]:
    """The kernel calls that compute ``layer`` of ``graph``, in order."""
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
    operands = layer.op.operand_indices(layer.node)
    inputs = tuple(range(len(operands)))
    types = {graph.tensors[index].type for index in (*operands, *layer.node.outputs)}
    kernels = KERNELS
    if "INT16" in types:
        kernels = INT16_KERNELS
    elif "UINT8" in types:
        kernels = UINT8_KERNELS
    if isinstance(params, Pool2DParams):
        average = layer.op.name == "AVERAGE_POOL_2D"
        narrow = AVERAGE_POOL if average else MAX_POOL
        wide = AVERAGE_POOL_S16 if average else MAX_POOL_S16
        return (
            Call(wide if "INT16" in types else narrow, params, (0,), rows=params.kernel_height),
        )
    kernel = kernels[type(params)]
    if hasattr(params, "weights") and graph.tensors[layer.node.inputs[1]].type == "INT4":
        # They stay packed in flash: the kernel unpacks each as it reads it.
        packed = pack(params.weights, "INT4").view(np.int8)
        params = replace(params, weights=packed)
        kernel = replace(kernel, function=INT4_KERNELS[kernel.function])
    return (
        Call(
            kernel,
            params,
            inputs,
            (0, *range(1, 1 + len(layer.op.state))),
            rows=getattr(params, "kernel_height", 0),
            scratch_bytes=4 * params.depth
            if isinstance(params, SoftmaxParams | Softmax16Params)
            else 0,
        ),
    )


def _conv_macs(p: AnyConv2DParams) -> int:
    return p.batches * p.output_height * p.output_width * p.weights.size


def _depthwise_macs(p: AnyDepthwiseConv2DParams) -> int:
    return p.batches * p.output_height * p.output_width * p.weights.size


def _transpose_conv_macs(p: AnyTransposeConvParams) -> int:
    return p.batches * p.input_height * p.input_width * p.weights.size


def _batch_matmul_macs(p: BatchMatMulParams) -> int:
    return math.prod(p.extents) * p.rows * p.depth * p.columns


def _dense_macs(p: AnyFullyConnectedParams) -> int:
    return p.rows * p.weights.size


def _svdf_macs(p: SvdfParams) -> int:
    return p.batches * (p.weights_feature.size + p.weights_time.size)


def _lstm_macs(p: LstmParams) -> int:
    weights = sum(gate.input_weights.size + gate.recurrent_weights.size for gate in p.gates)
    return p.batches * p.steps * weights


_MACS: dict[type, Callable[[Any], int]] = {
    Conv2DParams: _conv_macs,
    Conv2DS16Params: _conv_macs,
    DepthwiseConv2DParams: _depthwise_macs,
    DepthwiseConv2DS16Params: _depthwise_macs,
    FullyConnectedParams: _dense_macs,
    FullyConnectedF64Params: _dense_macs,
    FullyConnectedS16Params: _dense_macs,
    FullyConnectedF64S16Params: _dense_macs,
    TransposeConvParams: _transpose_conv_macs,
    TransposeConvS16Params: _transpose_conv_macs,
    BatchMatMulParams: _batch_matmul_macs,
    SvdfParams: _svdf_macs,
    SvdfInt8Params: _svdf_macs,
    LstmParams: _lstm_macs,
}


def macs(layer: PreparedLayer) -> int:
    """Multiply-accumulates of a layer, padding counted as if it were data; 0 for other ops."""
    count = _MACS.get(type(layer.params))
    return count(layer.params) if count else 0
