"""FULLY_CONNECTED and BATCH_MATMUL by CMSIS-NN: int8, int4 weights, int16."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import real_multiplier
from ...ops.batch_matmul import BatchMatMulParams
from ...ops.fully_connected import FullyConnectedParams, FullyConnectedS16Params
from ...prepare import PreparedLayer
from ...tflite.packing import pack
from ..kernels import Call
from . import params as own
from . import scratch
from .adapter import adapter
from .conv import wide
from .limits import LARGEST_SUM, rounds_once, sums_fit, sums_fit_s16
from .scratch import MVE, forms, most

HEADER = "fully_connected"
DENSE = adapter("fully_connected_s8", HEADER, HEADER, "arm_fully_connected_s8")
DENSE_PER_CHANNEL = adapter(
    "fully_connected_per_channel_s8", HEADER, HEADER, "arm_fully_connected_per_channel_s8"
)
DENSE_S4 = adapter("fully_connected_s4", HEADER, f"{HEADER}_s4", "arm_fully_connected_s4")
DENSE_S16 = adapter(
    "fully_connected_s16", f"{HEADER}_s16", f"{HEADER}_s16", "arm_fully_connected_s16"
)
BATCH_MATMUL = adapter("batch_matmul_s8", "batch_matmul", HEADER, "arm_batch_matmul_s8", True)
BATCH_MATMUL_S16 = adapter(
    "batch_matmul_s16", "batch_matmul_s16", f"{HEADER}_s16", "arm_batch_matmul_s16"
)


def dense(layer: PreparedLayer, core: str) -> Call | None:
    p: FullyConnectedParams = layer.params
    if not sums_fit(p.weights, p, p.weights_zero_point):
        return None
    wanted = forms(core)
    params = _dense_params(p)
    if MVE in wanted:
        bias = None if wanted == (MVE,) else p.bias
        params = replace(params, bias=bias, kernel_sums=kernel_sums(p))
    return Call(DENSE_PER_CHANNEL if p.per_channel else DENSE, params, (0,))


def dense_s4(layer: PreparedLayer, core: str) -> Call | None:
    p: FullyConnectedParams = layer.params
    if p.per_channel or not sums_fit(p.weights, p):
        return None
    packed = pack(p.weights, "INT4").view(np.int8)
    return Call(DENSE_S4, replace(_dense_params(p), weights=packed), (0,))


def _dense_params(p: FullyConnectedParams) -> own.DenseParams:
    return own.DenseParams(
        input=(p.rows, 1, 1, p.input_size),
        filter=(p.input_size, 1, 1, p.output_size),
        output=(p.rows, 1, 1, p.output_size),
        activation=(p.activation_min, p.activation_max),
        input_offset=-p.input_zero_point,
        filter_offset=-p.weights_zero_point,
        output_offset=p.output_zero_point,
        weights=p.weights,
        bias=p.bias,
        kernel_sums=None,
        multipliers=p.multipliers,
        shifts=p.shifts.astype(np.int32),
    )


def kernel_sums(p: FullyConnectedParams) -> NDArray[np.int32]:
    """What arm_vector_sum_s8 computes: bias - input_zero_point * sum of an output's weights."""
    sums = p.weights.astype(np.int64).sum(axis=1) - p.input_size * p.weights_zero_point
    bias = 0 if p.bias is None else p.bias.astype(np.int64)
    values: NDArray[np.int64] = bias - p.input_zero_point * sums
    return values.astype(np.int32)


def dense_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: FullyConnectedS16Params = layer.params
    if not sums_fit_s16(p.weights, p):
        return None
    if p.per_channel or p.double_rounding:
        return wide(_as_conv(p), core)
    params = own.DenseS16Params(
        input=(p.rows, 1, 1, p.input_size),
        filter=(p.input_size, 1, 1, p.output_size),
        output=(p.rows, 1, 1, p.output_size),
        activation=(p.activation_min, p.activation_max),
        multiplier=int(p.multipliers[0]),
        shift=int(p.shifts[0]),
        weights=p.weights,
        bias=p.bias,
    )
    return Call(DENSE_S16, params, (0,))


def _as_conv(p: FullyConnectedS16Params) -> own.ConvS16Params:
    """A row of pixels: its fully connected layer has one multiplier, and no int32 bias."""
    narrow = bool(p.double_rounding)
    return own.ConvS16Params(
        input=(1, 1, p.rows, p.input_size),
        filter=(p.output_size, 1, 1, p.input_size),
        output=(1, 1, p.rows, p.output_size),
        stride=(1, 1),
        padding=(0, 0),
        dilation=(1, 1),
        activation=(p.activation_min, p.activation_max),
        int32_bias=int(narrow),
        weights=p.weights,
        bias=p.bias.astype(np.int32) if p.bias is not None and narrow else None,
        wide_bias=None if narrow else p.bias,
        multipliers=np.broadcast_to(p.multipliers, (p.output_size,)).copy(),
        shifts=np.broadcast_to(p.shifts, (p.output_size,)).astype(np.int32),
    )


def batch_matmul(layer: PreparedLayer, core: str) -> Call | None:
    p: BatchMatMulParams = layer.params
    if not _takes(p) or 2**16 * p.depth << max(p.shift, 0) > LARGEST_SUM:
        return None
    matrices = math.prod(p.extents)
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


def batch_matmul_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: BatchMatMulParams = layer.params
    reals = real_multiplier(p.multiplier, p.shift)
    if not _takes(p) or not rounds_once(2**30 * p.depth, reals):
        return None
    matrices = math.prod(p.extents)
    params = own.BatchMatMulS16Params(
        lhs=(matrices, 1, p.rows, p.depth),
        rhs=(matrices, 1, p.columns, p.depth),
        output=(matrices, 1, p.rows, p.columns),
        multiplier=p.multiplier,
        shift=p.shift,
    )
    return Call(BATCH_MATMUL_S16, params, (0, 1))


def _takes(p: BatchMatMulParams) -> bool:
    """The library wants the right side's columns as rows, and here no matrix serves several."""
    whole = all(
        extent == 1 or (lhs and rhs)
        for extent, lhs, rhs in zip(p.extents, p.lhs_strides, p.rhs_strides, strict=True)
    )
    return whole and p.lhs_depth_stride == 1 and p.rhs_depth_stride == 1
