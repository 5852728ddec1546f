"""BATCH_MATMUL on int8 or int16: matrices times matrices, batch axes broadcast.

    acc[i, j]    = sum over k of (lhs[i, k] - lhs_zero_point) * (rhs[k, j] - rhs_zero_point)
    output[i, j] = clamp(requantize(acc, multiplier, shift) + output_zero_point)

lhs     int8, or int16 with zero point 0 [..., rows, depth], with adj_x [..., depth, rows]
rhs     of the same type [..., depth, columns], with adj_y [..., columns, depth]
output  of the same type [..., rows, columns]

int16 has an int64 accumulator, a multiplier of 16 bits and one rounding.
Either may be a constant. The real multiplier is s_lhs s_rhs / s_output, formed in double in TFLM,
in LiteRT with a product of float32.
[TFLM] kernels/internal/reference/batch_matmul.h; kernels/kernel_util.cc,
GetQuantizedConvolutionMultipler. C twins: runtime_c/mi_batch_matmul.h and mi_batch_matmul_s16.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..fixedpoint import INT32_MAX, quantize_multiplier, requantize, requantize_int64
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op

BATCH_AXES = 3
LARGEST_RANK = BATCH_AXES + 2


@dataclass(frozen=True)
class BatchMatMulParams:
    """Strides count elements: from matrix to matrix per batch axis, 0 where one serves all, then
    within a matrix."""

    extents: tuple[int, ...]  # BATCH_AXES of them, outermost first
    lhs_strides: tuple[int, ...]
    rhs_strides: tuple[int, ...]
    rows: int
    depth: int
    columns: int
    lhs_row_stride: int
    lhs_depth_stride: int
    rhs_depth_stride: int
    rhs_column_stride: int
    lhs_zero_point: int
    rhs_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int

    def float_dtype(self) -> type[np.float32 | np.float64]:
        """The narrowest float type in which every partial sum is exact."""
        largest = _largest_product(self.lhs_zero_point, self.rhs_zero_point) * self.depth
        return np.float32 if largest < 2**24 else np.float64


def _largest_product(lhs_zero_point: int, rhs_zero_point: int) -> int:
    """The largest |(lhs - zero point) * (rhs - zero point)| over int8, at most 255 * 255."""
    return math.prod(max(INT8_MAX - z, z - INT8_MIN) for z in (lhs_zero_point, rhs_zero_point))


def prepare(layer: Layer) -> BatchMatMulParams:
    layer.count(2)
    lhs, rhs, output = layer.input(0), layer.input(1), layer.output()
    layer.activations(lhs, rhs, output)
    for tensor in (lhs, rhs):
        rank = len(tensor.shape)
        layer.require(
            2 <= rank <= LARGEST_RANK,
            tensor,
            f"has shape {tensor.shape}, expected rank 2 to {LARGEST_RANK}",
        )
    layer.settle()
    rows, depth = lhs.shape[-2:] if not layer.options["adj_x"] else lhs.shape[:-3:-1]
    own_depth, columns = rhs.shape[-2:] if not layer.options["adj_y"] else rhs.shape[:-3:-1]
    layer.require(
        depth == own_depth,
        rhs,
        f"has shape {rhs.shape}, which does not fit a left side of shape {lhs.shape}",
    )
    batches = [tensor.shape[:-2] for tensor in (lhs, rhs)]
    whole = [(1,) * (BATCH_AXES - len(batch)) + batch for batch in batches]
    fits = all(a == b or 1 in (a, b) for a, b in zip(*whole, strict=True))
    layer.require(fits, rhs, f"has batch axes {batches[1]}, which do not broadcast with a left"
                  f" side's {batches[0]}")  # fmt: skip
    layer.settle()
    extents = tuple(int(extent) for extent in np.broadcast_shapes(*whole))
    rank = max(len(lhs.shape), len(rhs.shape))
    layer.shape_is(output, (*extents[BATCH_AXES - rank + 2 :], rows, columns))
    layer.require(min(lhs.size, rhs.size) > 0, lhs, "or the right side is empty")
    q_lhs, q_rhs, q = lhs.quantization, rhs.quantization, output.quantization
    assert q_lhs is not None
    assert q_rhs is not None
    assert q is not None
    # All of a sum's terms may be as large, of either sign.
    layer.require(
        depth < 2**17
        if lhs.type == "INT16"
        else _largest_product(q_lhs.zero_point, q_rhs.zero_point) * depth <= INT32_MAX,
        lhs,
        f"has {depth} products per output, too many for the accumulator",
    )
    precision = np.float32 if layer.numerics.batch_matmul_scale == "float32" else np.float64
    with np.errstate(over="ignore"):
        real = float(precision(q_lhs.scale) * precision(q_rhs.scale)) / q.scale
    layer.multiplier_fits(output, real)
    if lhs.type == "INT16":  # what requantize_int64 takes, and gives within int32
        limit = min(128.0, 2.0**31 / (2.0**30 * max(depth, 1)))
        layer.multiplier_fits(output, real * (1 + 2.0**-14), limit)
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    return BatchMatMulParams(
        extents=extents,
        lhs_strides=_batch_strides(whole[0], rows * depth),
        rhs_strides=_batch_strides(whole[1], depth * columns),
        rows=rows,
        depth=depth,
        columns=columns,
        lhs_row_stride=1 if layer.options["adj_x"] else depth,
        lhs_depth_stride=rows if layer.options["adj_x"] else 1,
        rhs_depth_stride=1 if layer.options["adj_y"] else columns,
        rhs_column_stride=depth if layer.options["adj_y"] else 1,
        lhs_zero_point=q_lhs.zero_point,
        rhs_zero_point=q_rhs.zero_point,
        output_zero_point=q.zero_point,
        multiplier=multiplier,
        shift=shift,
    )


def _batch_strides(batch: tuple[int, ...], step: int) -> tuple[int, ...]:
    """Elements per step of each batch axis, for matrices of ``step`` elements."""
    strides: list[int] = []
    for extent in reversed(batch):
        strides.insert(0, 0 if extent == 1 else step)
        step *= extent
    return tuple(strides)


def eval(params: BatchMatMulParams, lhs: Array, rhs: Array) -> Array:
    """Both and the outputs [batch, *shape], of one type."""
    p = params
    wide = lhs.dtype == np.int16
    dtype = np.float64 if wide else p.float_dtype()

    def matrices(
        x: Array, strides: tuple[int, ...], shape: tuple[int, int], as_is: bool, zero_point: int
    ) -> Array:
        batch = (e if stride else 1 for e, stride in zip(p.extents, strides, strict=True))
        own = x.reshape(len(x), *batch, *(shape if as_is else shape[::-1]))
        reals: Array = own.astype(dtype) - dtype(zero_point)
        return reals if as_is else reals.swapaxes(-1, -2)

    left = matrices(lhs, p.lhs_strides, (p.rows, p.depth), p.lhs_depth_stride == 1,
                    p.lhs_zero_point)  # fmt: skip
    right = matrices(rhs, p.rhs_strides, (p.depth, p.columns), p.rhs_column_stride == 1,
                     p.rhs_zero_point)  # fmt: skip
    acc = np.matmul(left, right).astype(np.int64)
    form = requantize_int64 if wide else requantize
    outputs = form(acc, p.multiplier, p.shift) + p.output_zero_point
    limits = np.iinfo(lhs.dtype)
    return np.clip(outputs, limits.min, limits.max).astype(lhs.dtype)


OP = Op("BATCH_MATMUL", prepare, eval, operands=(0, 1))
