"""ADD, MUL, pools and SOFTMAX by CMSIS-NN: int8 and int16."""

from __future__ import annotations

import math

import numpy as np

from ...ops.add_sub import LEFT_SHIFT, AddParams
from ...ops.mul import MulParams
from ...ops.pool_2d import Pool2DParams
from ...ops.softmax import SoftmaxParams
from ...ops.softmax_s16 import EXP, Softmax16Params
from ...prepare import PreparedLayer
from ..kernels import Call
from . import params as own
from . import scratch
from .adapter import adapter
from .limits import LARGEST_SUM
from .scratch import most

LARGEST_DEPTH = 255  # of SOFTMAX: with a larger sum the library shifts by 31 bits and more
# Of int16: the reciprocal of a sum just below a power of two from 2^18 on is off by one half, and
# the only one of one class leaves int16.
DEPTHS_S16 = range(2, 9)
LARGEST_WINDOW_S16 = 2**15  # elements of a pool's window, whose sum stays in int32

AVERAGE_POOL = adapter("average_pool_2d_s8", "pool", "pool", "arm_avgpool_s8", True)
AVERAGE_POOL_S16 = adapter("average_pool_2d_s16", "pool", "pool_s16", "arm_avgpool_s16", True)
MAX_POOL = adapter("max_pool_2d_s8", "pool", "pool", "arm_max_pool_s8")
MAX_POOL_S16 = adapter("max_pool_2d_s16", "pool", "pool_s16", "arm_max_pool_s16")
SOFTMAX = adapter("softmax_s8", "softmax", "softmax", "arm_softmax_s8")
SOFTMAX_S8_S16 = adapter("softmax_s8_s16", "softmax", "softmax_s16", "arm_softmax_s8_s16")
SOFTMAX_S16 = adapter("softmax_s16", "softmax_s16", "softmax_s16", "arm_softmax_s16")
ADD = adapter("add_s8", "add", "elementwise", "arm_elementwise_add_s8")
ADD_S16 = adapter("add_s16", "add", "elementwise_s16", "arm_elementwise_add_s16")
MUL = adapter("mul_s8", "mul", "elementwise", "arm_elementwise_mul_s8")
MUL_S16 = adapter("mul_s16", "mul", "elementwise_s16", "arm_elementwise_mul_s16")


def pool(layer: PreparedLayer, core: str) -> Call | None:
    params = _pool_params(layer.params)
    if layer.op.name == "MAX_POOL_2D":
        return Call(MAX_POOL, params, (0,))
    return Call(AVERAGE_POOL, params, (0,), scratch_bytes=most(core, scratch.average_pool, params))


def pool_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: Pool2DParams = layer.params
    params = _pool_params(p)
    if layer.op.name == "MAX_POOL_2D":
        return Call(MAX_POOL_S16, params, (0,))
    if p.kernel_height * p.kernel_width > LARGEST_WINDOW_S16:
        return None
    nbytes = most(core, scratch.average_pool, params)
    return Call(AVERAGE_POOL_S16, params, (0,), scratch_bytes=nbytes)


def _pool_params(p: Pool2DParams) -> own.PoolParams:
    return own.PoolParams(
        input=(p.batches, p.input_height, p.input_width, p.channels),
        filter=(1, p.kernel_height, p.kernel_width, 1),
        output=(p.batches, p.output_height, p.output_width, p.channels),
        stride=(p.stride_width, p.stride_height),
        padding=(p.pad_left, p.pad_top),
        activation=(p.activation_min, p.activation_max),
    )


def softmax(layer: PreparedLayer, core: str) -> Call | None:
    p: SoftmaxParams = layer.params
    return Call(SOFTMAX, p, (0,)) if p.depth <= LARGEST_DEPTH else None


def softmax_s8_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: SoftmaxParams = layer.params
    return Call(SOFTMAX_S8_S16, p, (0,)) if p.depth <= LARGEST_DEPTH else None


def softmax_s16(layer: PreparedLayer, core: str) -> Call | None:
    p: Softmax16Params = layer.params
    if p.depth not in DEPTHS_S16:
        return None
    params = own.SoftmaxS16Params(
        rows=p.rows,
        depth=p.depth,
        multiplier=p.multiplier,
        shift=p.shift,
        exponentials=EXP.astype(np.int16),
        reciprocals=p.reciprocals,
    )
    return Call(SOFTMAX_S16, params, (0,))


def add(layer: PreparedLayer, core: str) -> Call | None:
    params = _add_params(layer.params, LEFT_SHIFT["int8"])
    return Call(ADD, params, (0, 1)) if params else None


def add_s16(layer: PreparedLayer, core: str) -> Call | None:
    params = _add_params(layer.params, LEFT_SHIFT["int16"])
    return Call(ADD_S16, params, (0, 1)) if params else None


def _add_params(p: AddParams, left_shift: int) -> own.AddParams | None:
    # The library has no SUB, no broadcasting, and assumes that no shift is to the left.
    if p.input2_sign < 0 or not _same_shapes(p) or p.output_shift > 0:
        return None
    return own.AddParams(
        size=math.prod(p.extents),
        left_shift=left_shift,
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


def mul(layer: PreparedLayer, core: str) -> Call | None:
    params = _mul_params(layer.params, 255 * 255)
    return Call(MUL, params, (0, 1)) if params else None


def mul_s16(layer: PreparedLayer, core: str) -> Call | None:
    params = _mul_params(layer.params, 2**30)
    return Call(MUL_S16, params, (0, 1)) if params else None


def _mul_params(p: MulParams, largest: int) -> own.MulParams | None:
    """``largest`` is the largest product of two inputs."""
    if not _same_shapes(p) or largest << max(p.output_shift, 0) > LARGEST_SUM:
        return None
    return own.MulParams(
        size=math.prod(p.extents),
        input1_offset=-p.input1_zero_point,
        input2_offset=-p.input2_zero_point,
        output_offset=p.output_zero_point,
        output_multiplier=p.output_multiplier,
        output_shift=p.output_shift,
        activation=(p.activation_min, p.activation_max),
    )


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
