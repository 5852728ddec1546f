"""CONV_2D: window, padding, groups, and the output stage that other layers share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microinfer.graph import Graph
from one_op import activation, constant, int32, one_op

from .case import Case, Quantized, Shape


def conv(
    shape: Shape, source: Quantized, weights: ArrayLike, scales: ArrayLike, bias: ArrayLike | None,
    output_shape: Shape, output: Quantized = (1.0, 0), stride: int = 1, **options: Any,
) -> Graph:  # fmt: skip
    """``shape`` and ``output_shape`` without the batch of 1; SAME padding unless said otherwise."""
    operands = [activation((1, *shape), *source), constant(np.int8(weights), scales, name="w")]
    if bias is not None:
        operands.append(int32(bias, source[0] * np.asarray(scales), "b"))
    y = activation((1, *output_shape), *output, name="y")
    return one_op("CONV_2D", operands, y, stride_h=stride, stride_w=stride, **options)


def one_weight(x_scale: float, w_scale: float, values: int, **options: Any) -> Graph:
    """Output value = x * x_scale * w_scale, for a row of ``values``."""
    shape = (1, values, 1)
    return conv(shape, (x_scale, 0), [[[[1]]]], w_scale, [0], shape, **options)


LONG = 1061  # 127 * 127 * 1061 is odd and above 2^24

CASES = (
    Case(
        "double_rounding",
        one_weight(0.75, 0.5, 4),
        [[[[[6], [-6], [2], [-2]]]]],
        [3, -2, 1, -1],
        "6 * 0.375 = 2.25: 4.5 is rounded up to 5, then 2.5 away from zero; single rounding"
        " gives 2. -4.5 is rounded up to -4, and 0.75 is 1 either way",
    ),
    Case(
        "ties_of_a_right_shift_go_away_from_zero",
        one_weight(0.5, 0.5, 5),
        [[[[[2], [-2], [6], [-6], [-1]]]]],
        [1, -1, 2, -2, 0],
        "0.5, -0.5, 1.5 and -1.5; -0.25 is -0.5 first, which is rounded up to 0",
    ),
    Case(
        "ties_without_a_shift_go_up",
        one_weight(1.0, 0.5, 4),
        [[[[[1], [-1], [3], [-3]]]]],
        [1, 0, 2, -1],
        "0.5, -0.5, 1.5 and -1.5, by the doubling multiply alone",
    ),
    Case(
        "same_padding_of_an_odd_total",
        conv((1, 4, 1), (1.0, 10), [[[[1], [1]]]], 1.0, [0], (1, 4, 1)),
        [[[[[11], [12], [13], [14]]]]],
        [3, 5, 7, 4],
        "the extra element goes after, and is the zero point of 10: 1 + 2, 2 + 3, 3 + 4, 4 + 0",
    ),
    Case(
        "same_padding_with_a_stride",
        conv((1, 4, 1), (1.0, -5), [[[[1], [10], [100]]]], 0.125, [0], (1, 2, 1), stride=2),
        [[[[[-4], [-5], [-4], [-3]]]]],
        [13, 3],
        "windows 1 0 1 and 1 2 padding: 101 / 8 = 12.6 and 21 / 8 = 2.6; padded before as well"
        " it would be 1 and 15",
    ),
    Case(
        "left_shift_and_right_shift_per_channel",
        conv(
            (1, 2, 1), (1.0, 0), [[[[1]]], [[[1]]], [[[1]]]], [8.0, 0.125, 2.0**-40], [1, 0, 0],
            (1, 2, 3), (1.0, -1),
        ),
        [[[[[3], [-100]]]]],
        [[31, 0, -1], [-128, -14, -1]],
        "(3 + 1) * 8 and -99 * 8; 3 / 8, as 1.5, then 2 / 4, rounded up twice, and -100 / 8, a tie;"
        " a multiplier that is 0",
    ),
    Case(
        "groups_and_dilation",
        conv(
            (1, 3, 2), (1.0, 0), [[[[1], [10]]], [[[2], [20]]]], 1.0, [0, 5], (1, 1, 2),
            padding="VALID", dilation_w_factor=2, version=6,
        ),
        [[[[[1, 2], [99, 99], [3, 4]]]]],
        [31, 89],
        "each output channel sees one input channel, and not the pixel between: 1 + 30 and"
        " 4 + 80 + 5",
    ),
    Case(
        "no_bias",
        conv((1, 1, 2), (1.0, 1), [[[[3, -4]]]], 1.0, None, (1, 1, 1), (1.0, 2)),
        [[[[[3, 2]]]]],
        [4],
        "3 * 2 - 4 * 1 above 2; LiteRT refuses a CONV_2D without a bias",
        confirmed_by=("tflm",),
    ),
    Case(
        "a_sum_that_float32_cannot_hold",
        conv(
            (1, 1, LONG), (1.0, 0), [[[[127] * LONG]]], 1.0, [5 - 127 * 127 * LONG], (1, 1, 1)
        ),
        [[[[[127] * LONG]]]],
        [5],
        "every unit of the accumulator counts, also in a BLAS of floats",
    ),
)  # fmt: skip
