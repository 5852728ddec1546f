"""As cases.py: matrix products, transposed convolution, reductions and norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from microinfer import fixedpoint
from microinfer.ops import (
    arg_max_min,
    axes,
    batch_matmul,
    cumsum,
    l2_normalization,
    log_softmax,
    movement,
    reduce_max_min,
    transpose_conv,
)

from .cases import Case, Rng, int8, output_stage, pick, picks, window, zero_points

STRUCTS: dict[type, str] = {
    arg_max_min.ArgExtremeParams: "mi_arg_extreme_params",
    batch_matmul.BatchMatMulParams: "mi_batch_matmul_params",
    cumsum.CumsumParams: "mi_cumsum_params",
    l2_normalization.L2NormalizationParams: "mi_l2_normalization_params",
    log_softmax.LogSoftmaxParams: "mi_log_softmax_params",
    reduce_max_min.ReduceExtremeParams: "mi_reduce_extreme_params",
    transpose_conv.TransposeConvParams: "mi_transpose_conv_params",
}

# Elements of each struct's arrays.
LENGTHS: dict[type, int] = {
    batch_matmul.BatchMatMulParams: batch_matmul.BATCH_AXES,
    reduce_max_min.ReduceExtremeParams: axes.PAIRS,
}


def transposed_conv(rng: Rng) -> Case:
    sizes = window(rng, dilations=1)
    for axis in ("height", "width"):  # a convolution from the output to the input
        sizes[f"input_{axis}"], sizes[f"output_{axis}"] = (
            sizes[f"output_{axis}"],
            sizes[f"input_{axis}"],
        )
    inputs, outputs = picks(rng, 1, 5, 2)
    kernel = (sizes["kernel_height"], sizes["kernel_width"])
    p = transpose_conv.TransposeConvParams(
        **sizes,
        input_channels=inputs,
        output_channels=outputs,
        weights=int8(rng, outputs, *kernel, inputs),
        **output_stage(rng, outputs, math.prod(kernel) * inputs),
    )
    x = int8(rng, p.batches, p.input_height, p.input_width, p.input_channels)
    size = p.batches * p.output_height * p.output_width * p.output_channels
    return Case("mi_transpose_conv_s8", transpose_conv.eval, p, (x,), size)


def matmul(rng: Rng) -> Case:
    extents = picks(rng, 1, 3, batch_matmul.BATCH_AXES)
    rows, depth, columns = picks(rng, 1, 8, 3)
    strides, inputs = {}, []
    for side, size in (("lhs", rows * depth), ("rhs", depth * columns)):
        shape = np.where(rng.random(len(extents)) < 0.6, extents, 1).tolist()
        steps = zip(movement.row_major(shape), shape, strict=True)
        strides[side] = tuple(step * size if extent > 1 else 0 for step, extent in steps)
        inputs.append(int8(rng, math.prod(shape) * size))
    adj_x, adj_y = rng.integers(2, size=2).tolist()
    whole = (1 if not left and not right else extent
             for extent, left, right in zip(extents, *strides.values(), strict=True))  # fmt: skip
    p = batch_matmul.BatchMatMulParams(
        extents=tuple(whole),
        lhs_strides=strides["lhs"],
        rhs_strides=strides["rhs"],
        rows=rows,
        depth=depth,
        columns=columns,
        lhs_row_stride=1 if adj_x else depth,
        lhs_depth_stride=rows if adj_x else 1,
        rhs_depth_stride=1 if adj_y else columns,
        rhs_column_stride=depth if adj_y else 1,
        **zero_points(rng, "lhs", "rhs", "output"),
        multiplier=pick(rng, 2**30, 2**31 - 1),
        shift=pick(rng, -12, -6),
    )
    size = math.prod(p.extents) * rows * columns
    return Case("mi_batch_matmul_s8", batch_matmul.eval, p, tuple(inputs), size)


def extreme(rng: Rng) -> Case:
    kept, reduced = (tuple(picks(rng, 1, 4, axes.PAIRS)) for _ in range(2))
    p = reduce_max_min.ReduceExtremeParams(kept, reduced, sign=int(rng.choice([-1, 1])))
    x = int8(rng, *p.interleaved)
    return Case("mi_reduce_extreme_s8", reduce_max_min.eval, p, (x,), math.prod(kept))


def arg_extreme(rng: Rng) -> Case:
    outer, depth, inner = picks(rng, 1, 6, 3)
    index: Any = rng.choice([np.int32, np.int64])
    p = arg_max_min.ArgExtremeParams(
        outer, depth, inner, int(rng.choice([-1, 1])), np.dtype(index).itemsize
    )
    x = rng.integers(-128, rng.choice([-126, 128]), (outer, depth, inner), np.int8)
    return Case("mi_arg_extreme_s8", arg_max_min.eval, p, (x,), outer * inner, index)


def running(rng: Rng) -> Case:
    outer, depth, inner = pick(rng, 1, 4), pick(rng, 1, 40), pick(rng, 1, 4)
    p = cumsum.CumsumParams(
        outer, depth, inner,
        exclusive=int(rng.integers(2)),
        reverse=int(rng.integers(2)),
        **zero_points(rng, "input", "output"),
        multiplier=pick(rng, 2**30, 2**31 - 1),
        shift=pick(rng, -25, -15),
    )  # fmt: skip
    x = int8(rng, outer, depth, inner)
    return Case("mi_cumsum_s8", cumsum.eval, p, (x,), x.size, in_place=True)


def normalized(rng: Rng) -> Case:
    rows = pick(rng, 1, 4)
    depth = int(rng.choice([1, 2, 3, 17, 64, 33025]))  # to sums of 2^29 and more
    p = l2_normalization.L2NormalizationParams(rows, depth, **zero_points(rng, "input"))
    near = np.clip(rng.integers(-2, 3, (rows, depth)) + p.input_zero_point, -128, 127)
    x = near.astype(np.int8) if rng.random() < 0.3 else int8(rng, rows, depth)
    return Case("mi_l2_normalization_s8", l2_normalization.eval, p, (x,), x.size, in_place=True)


def log_softmaxed(rng: Rng) -> Case:
    rows, depth = pick(rng, 1, 3), pick(rng, 1, 40)
    if rng.random() < 0.2:  # where sums of equal classes reach the next power of two
        depth = int(rng.choice([255, 256, 257, 511, 512, 513, 4095]))
    multiplier, shift = fixedpoint.quantize_multiplier(min(2 ** rng.uniform(0.01, 31), 2**31 - 1.0))
    reverse = fixedpoint.quantize_multiplier(2 ** (31 - shift) / multiplier)
    diff_min = -((31 << 26) >> shift)
    p = log_softmax.LogSoftmaxParams(rows, depth, multiplier, shift, diff_min, *reverse)
    x = rng.integers(-1, rng.choice([0, 1, 127]), (rows, depth), np.int8)
    return Case("mi_log_softmax_s8", log_softmax.eval, p, (x,), x.size, in_place=True)


CASES: dict[str, Callable[[Rng], Case]] = {
    "arg_extreme": arg_extreme,
    "batch_matmul": matmul,
    "cumsum": running,
    "l2_normalization": normalized,
    "log_softmax": log_softmaxed,
    "reduce_extreme": extreme,
    "transpose_conv": transposed_conv,
}
