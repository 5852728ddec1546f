"""Which C kernels compute a layer: from an op's params to calls of runtime_c."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..ops.add_sub import AddParams
from ..ops.conv_2d import Conv2DParams
from ..ops.depthwise_conv_2d import DepthwiseConv2DParams
from ..ops.fully_connected import FullyConnectedF64Params, FullyConnectedParams
from ..ops.lookup import LookupParams
from ..ops.mean import MeanParams
from ..ops.movement import MovementParams
from ..ops.mul import MulParams
from ..ops.pool_2d import Pool2DParams
from ..ops.quantize import DequantizeParams, QuantizeParams
from ..ops.softmax import SoftmaxParams
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
    rows           pointers to input rows that the kernel wants on the caller's stack
    scratch_bytes  memory that it uses while it runs
    """

    kernel: Kernel
    params: Any
    inputs: tuple[int, ...]
    rows: int = 0
    scratch_bytes: int = 0


# By op name where one params class serves several kernels.
AVERAGE_POOL = Kernel("mi_average_pool_2d_s8", "mi_pool_2d_params", "mi_pool_2d.h")
MAX_POOL = Kernel("mi_max_pool_2d_s8", "mi_pool_2d_params", "mi_pool_2d.h")
COPY = Kernel("mi_copy", "mi_copy_params", "mi_copy.h")
FILL = Kernel("mi_fill", "mi_fill_params", "mi_copy.h")

KERNELS: dict[type, Kernel] = {
    AddParams: Kernel("mi_add_s8", "mi_add_params", "mi_add.h"),
    Conv2DParams: Kernel("mi_conv_2d_s8", "mi_conv_2d_params", "mi_conv_2d.h"),
    DepthwiseConv2DParams: Kernel(
        "mi_depthwise_conv_2d_s8", "mi_depthwise_conv_2d_params", "mi_depthwise_conv_2d.h"
    ),
    DequantizeParams: Kernel("mi_dequantize_s8_f32", "mi_dequantize_params", "mi_quantize.h"),
    FullyConnectedParams: Kernel(
        "mi_fully_connected_s8", "mi_fully_connected_params", "mi_fully_connected.h"
    ),
    FullyConnectedF64Params: Kernel(
        "mi_fully_connected_f64_s8", "mi_fully_connected_f64_params", "mi_fully_connected.h"
    ),
    LookupParams: Kernel("mi_lookup_s8", "mi_lookup_params", "mi_lookup.h"),
    MeanParams: Kernel("mi_mean_s8", "mi_mean_params", "mi_mean.h"),
    MulParams: Kernel("mi_mul_s8", "mi_mul_params", "mi_mul.h"),
    QuantizeParams: Kernel("mi_quantize_f32_s8", "mi_quantize_params", "mi_quantize.h"),
    SoftmaxParams: Kernel("mi_softmax_s8", "mi_softmax_params", "mi_softmax.h"),
}


def calls(layer: PreparedLayer) -> tuple[Call, ...]:
    """The kernel calls that compute ``layer``, in order."""
    params = layer.params
    if isinstance(params, MovementParams):
        fill = () if params.fill is None else (Call(FILL, params.fill, ()),)
        copies = (Call(COPY, copy, (i,)) for i, copy in enumerate(params.copies))
        return (*fill, *copies)
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


def _dense_macs(p: FullyConnectedParams | FullyConnectedF64Params) -> int:
    return p.rows * p.weights.size


_MACS: dict[type, Callable[[Any], int]] = {
    Conv2DParams: _conv_macs,
    DepthwiseConv2DParams: _depthwise_macs,
    FullyConnectedParams: _dense_macs,
    FullyConnectedF64Params: _dense_macs,
}


def macs(layer: PreparedLayer) -> int:
    """Multiply-accumulates of a layer, padding counted as if it were data; 0 for other ops."""
    count = _MACS.get(type(layer.params))
    return count(layer.params) if count else 0
