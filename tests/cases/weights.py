"""Layers with weights on int16 activations, and with int4 weights, by operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microinfer.graph import Graph, Tensor
from one_op import activation, constant, int4, int32, int64, one_op

from .case import Case, Shape

INT32 = {"quantized_bias_type": "INT32"}  # LiteRT reads the bias as int64 otherwise


def x16(shape: Shape, scale: float = 1.0, name: str = "x") -> Tensor:
    return activation(shape, scale, 0, name, "INT16")


def conv(
    values: int, weights: ArrayLike, scales: ArrayLike, bias: Tensor | None, y: float = 1.0,
    **options: Any,
) -> Graph:  # fmt: skip
    """1 x 1 weights on a row of ``values`` pixels of one channel, scale 1."""
    filters = constant(np.int8(weights), scales, name="w")
    operands = [x16((1, 1, values, 1)), filters, *([] if bias is None else [bias])]
    output = x16((1, 1, values, filters.shape[0]), y, "y")
    return one_op("CONV_2D", operands, output, version=8, stride_h=1, stride_w=1, **options)


def dense(
    rows: int, weights: ArrayLike, scales: ArrayLike, bias: Tensor | None, **options: Any
) -> Graph:
    filters = constant(np.int8(weights), scales, name="w")
    operands = [x16((rows, filters.shape[1])), filters, bias]
    output = x16((rows, filters.shape[0]), name="y")
    return one_op("FULLY_CONNECTED", operands, output, version=11, **options)


def depthwise(weights: Tensor, x: Tensor, y: Tensor, bias: Tensor) -> Graph:
    """A window of 1 x 3, VALID."""
    return one_op(
        "DEPTHWISE_CONV_2D", [x, weights, bias], y, version=5 if x.type == "INT16" else 6,
        padding="VALID", stride_h=1, stride_w=1, depth_multiplier=1,
    )  # fmt: skip


def transposed(bias: Tensor | None, **options: Any) -> Graph:
    """Each of two pixels times 1, 2 and 3, one to the right of the other: scale 1/4."""
    shape = (1, 1, 4, 1)
    operands = [int32(shape), constant(np.int8([[[[1], [2], [3]]]]), 0.25, name="w"),
                x16((1, 1, 2, 1)), *([] if bias is None else [bias])]  # fmt: skip
    options |= {"padding": "VALID", "stride_h": 1, "stride_w": 1}
    return one_op("TRANSPOSE_CONV", operands, x16(shape, name="y"), version=5, **options)


def pool(op: str, values: int, y: float = 2.0**-12, **options: Any) -> Graph:
    """A window of 1 x 2 with a stride of 2 over a row; scale 2^-12 unless said otherwise."""
    window = {"filter_height": 1, "filter_width": 2, "stride_h": 1, "stride_w": 2}
    shapes = (1, 1, values, 1), (1, 1, values // 2, 1)
    return one_op(op, [x16(shapes[0], y)], x16(shapes[1], y, "y"), **window, **options)


CONV_2D_INT16 = (
    Case(
        "int64_bias_rounds_once_ties_up",
        conv(6, [[[[1]]]], 0.25, int64([0], 0.25)),
        [[[[[2], [-2], [6], [-6], [-1], [1]]]]],
        [1, 0, 2, -1, 0, 0],
        "0.5, -0.5, 1.5, -1.5, -0.25 and 0.25, each rounded once",
    ),
    Case(
        "int32_bias_rounds_twice",
        conv(6, [[[[1]]]], 0.25, int32([0], 0.25), **INT32),
        [[[[[2], [-2], [6], [-6], [-1], [1]]]]],
        [1, -1, 2, -2, 0, 1],
        "the same in double rounding: ties away from zero, and 0.25 is 0.5 first",
    ),
    Case(
        "int64_bias_leaves_16_bits_of_the_multiplier",
        conv(3, [[[[1]]]], 0.99999994, int64([0], 0.99999994)),
        [[[[[32767], [-32768], [16384]]]]],
        [32766, -32767, 16384],
        "0.99999994 becomes 32767 / 32768, not 1",
    ),
    Case(
        "int32_bias_keeps_the_multiplier",
        conv(3, [[[[1]]]], 0.99999994, int32([0], 0.99999994), **INT32),
        [[[[[32767], [-32768], [16384]]]]],
        [32767, -32768, 16384],
        "0.99999994 has 31 bits",
    ),
    Case(
        "bias_beyond_int32",
        conv(3, [[[[100]]]], 2.0**-20, int64([3 * 2**32], 2.0**-20)),
        [[[[[5], [-7], [32767]]]]],
        [12288, 12288, 12291],
        "3 * 2^32 / 2^20 = 12288; 3276700 / 2^20 = 3.1",
    ),
    Case(
        "saturates_per_channel",
        conv(3, [[[[127]]], [[[-128]]]], [1.0, 0.5], int64([0, 0], [1.0, 0.5])),
        [[[[[32767], [-32768], [1]]]]],
        [[32767, -32768], [-32768, 32767], [127, -64]],
        "32767 * 127, -32768 * -64 = 2^21: far beyond int16, on both sides",
    ),
    Case(
        "fused_relu6",
        conv(3, [[[[2]]]], 2.0**-4, int64([0], 2.0**-4), 2.0**-10,
             fused_activation_function="RELU6"),
        [[[[[32767], [-3], [5]]]]],
        [6144, 0, 640],
        "6 / 2^-10 = 6144 above, 0 below; 10 * 2^-4 * 2^10 = 640",
    ),
    Case(
        "no_bias_is_as_an_int64_one",
        conv(6, [[[[1]]]], 0.25, None),
        [[[[[2], [-2], [6], [-6], [-1], [1]]]]],
        [1, 0, 2, -1, 0, 0],
        "without a bias and quantized_bias_type; LiteRT refuses a CONV_2D without a bias",
        confirmed_by=("tflm",),
    ),
)  # fmt: skip

CONV_2D_INT4 = (
    Case(
        "int4_of_an_odd_count_per_channel",
        one_op(
            "CONV_2D",
            [
                activation((1, 1, 3, 1), 1.0, -1),
                int4([[[[-8], [7], [-1]]], [[[1], [0], [-2]]], [[[3], [-4], [5]]]],
                     [1.0, 0.5, 0.25], name="w"),
                int32([1, 2, 3], [1.0, 0.5, 0.25]),
            ],
            activation((1, 1, 1, 3), 1.0, 0, "y"),
            version=7, padding="VALID", stride_h=1, stride_w=1,
        ),
        [[[[[0], [1], [9]]]]],
        [[-3, -8, 12]],
        "1, 2 and 10 above the zero point: -8 + 14 - 10 + 1; (1 - 20 + 2) / 2 = -8.5, which the"
        " doubling multiply rounds up; (3 - 8 + 50 + 3) / 4",
    ),
)  # fmt: skip

FULLY_CONNECTED = (
    Case(
        "int16_ties",
        dense(6, [[1]], 0.25, int64([0], 0.25)),
        [[[2], [-2], [6], [-6], [-1], [1]]],
        {"tflm": [1, 0, 2, -1, 0, 0], "litert": [1, -1, 2, -2, 0, 0]},
        "0.5, -0.5, 1.5, -1.5, -0.25, 0.25: once, ties up, in TFLM; away from zero in LiteRT",
    ),
    Case(
        "int16_with_an_int32_bias",
        dense(6, [[1]], 0.25, int32([0], 0.25), **INT32),
        [[[2], [-2], [6], [-6], [-1], [1]]],
        {"tflm": [1, -1, 2, -2, 0, 1], "litert": [1, -1, 2, -2, 0, 0]},
        "double rounding in TFLM makes 0.25 of 0.5 and that 1; LiteRT rounds once",
    ),
    Case(
        "int16_bias_beyond_int32",
        dense(2, [[100, -1]], 2.0**-20, int64([-3 * 2**32], 2.0**-20)),
        [[[32767, 5], [-32768, -32768]]],
        [-12285, -12291],
        "-12288 + 3276695 / 2^20, -12288 - 3244032 / 2^20",
    ),
    Case(
        "int4_of_odd_rows",
        one_op(
            "FULLY_CONNECTED",
            [activation((1, 3), 1.0, 1), int4([[7, -8, 1], [-1, 2, -3], [4, 5, 6]], 1.0),
             int32([0, 0, 100], 1.0)],
            activation((1, 3), 1.0, 0, "y"), version=10,
        ),
        [[[2, 4, 6]]],
        [-12, -10, 127],
        "1, 3 and 5 above the zero point: 7 - 24 + 5, -1 + 6 - 15, 4 + 15 + 30 + 100; the second"
        " row begins within a byte",
    ),
)  # fmt: skip

DEPTHWISE_CONV_2D = (
    Case(
        "int16_ties_and_a_bias_beyond_int32",
        depthwise(
            constant(np.int8([[[[1, 0], [2, 0], [3, 1]]]]), [0.25, 2.0**-20], axis=3, name="w"),
            x16((1, 1, 3, 2)), x16((1, 1, 1, 2), name="y"), int64([0, 3 * 2**32], [0.25, 2.0**-20]),
        ),
        [[[[[-1, 9], [-1, 9], [-1, 1]]]]],
        [[-1, 12288]],
        "-6 / 4 = -1.5, a tie, up; 3 * 2^32 / 2^20",
    ),
    Case(
        "int4_of_odd_channels",
        depthwise(
            int4([[[[1, -8, 7], [2, 0, -1], [3, 1, 0]]]], [1.0, 0.5, 1.0], 3, "w"),
            activation((1, 1, 3, 3), 1.0, -2), activation((1, 1, 1, 3), 1.0, 0, "y"),
            int32([0, 0, 1], [1.0, 0.5, 1.0]),
        ),
        [[[[[-1, 1, 2], [0, 2, 3], [1, 3, 4]]]]],
        [[14, -9, 24]],
        "1 + 4 + 9; (-24 + 5) / 2 = -9.5, which the doubling multiply rounds up; 28 - 5 + 1",
    ),
)  # fmt: skip

TRANSPOSE_CONV = (
    Case(
        "int16_ties",
        transposed(int64([0], 0.25)),
        [[[[[-2], [2]]]]],
        [0, 0, 0, 2],
        "-2, -2, -2 and 6 quarters: -0.5 goes up to 0, 1.5 to 2",
    ),
    Case(
        "int16_with_an_int32_bias",
        transposed(int32([0], 0.25), **INT32),
        [[[[[-2], [2]]]]],
        [-1, -1, -1, 2],
        "the same in double rounding, away from zero; TFLM takes the bias for an int64 one",
        confirmed_by=("litert",),
    ),
    Case(
        "int16_without_bias",
        transposed(None),
        [[[[[-2], [2]]]]],
        [0, 0, 0, 2],
        "as with an int64 bias",
    ),
    Case(
        "int16_without_an_int32_bias",
        transposed(None, **INT32),
        [[[[[-2], [2]]]]],
        {"tflm": [0, 0, 0, 2], "litert": [-1, -1, -1, 2]},
        "LiteRT rounds as with the int32 bias that the option names, TFLM does not ask",
    ),
)

BATCH_MATMUL = (
    Case(
        "int16_ties_and_sums_beyond_int32",
        one_op(
            "BATCH_MATMUL",
            [x16((2, 3), 0.5, "a"), x16((3, 1), 0.5, "b")],
            x16((2, 1), 2.0**17, "y"),
        ),
        [[[32767, 32767, 32767], [1, 1, 0]], [[32767], [32767], [-32767]]],
        [2048, 0],
        "32767^2 * 2^-19 = 2047.9; the first two products together exceed int32",
    ),
)

AVERAGE_POOL_2D = (
    Case(
        "int16_ties_go_away_from_zero",
        pool("AVERAGE_POOL_2D", 6),
        [[[[[3], [4], [-3], [-4], [32767], [32766]]]]],
        [4, -4, 32767],
        "3.5, -3.5 and 32766.5",
    ),
    Case(
        "int16_fused_relu6",
        pool("AVERAGE_POOL_2D", 4, fused_activation_function="RELU6"),
        [[[[[32767], [32767], [-5], [0]]]]],
        [24576, 0],
        "6 * 2^12",
    ),
)

MAX_POOL_2D = (
    Case(
        "int16_both_ends",
        pool("MAX_POOL_2D", 6),
        [[[[[-32768], [-32768], [32767], [-1], [300], [-300]]]]],
        [-32768, 32767, 300],
        "values that int8 does not have",
    ),
)

WEIGHTS: Mapping[str, tuple[Case, ...]] = {
    "AVERAGE_POOL_2D": AVERAGE_POOL_2D,
    "BATCH_MATMUL": BATCH_MATMUL,
    "CONV_2D": CONV_2D_INT16 + CONV_2D_INT4,
    "DEPTHWISE_CONV_2D": DEPTHWISE_CONV_2D,
    "FULLY_CONNECTED": FULLY_CONNECTED,
    "MAX_POOL_2D": MAX_POOL_2D,
    "TRANSPOSE_CONV": TRANSPOSE_CONV,
}
