"""TRANSPOSE_CONV: where each input is spread to, padding, and an output stage like CONV_2D's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microinfer.graph import Graph
from one_op import activation, constant, int32, one_op

from .case import Case, Quantized, Shape


def spread(
    shape: Shape, source: Quantized, weights: ArrayLike, scales: ArrayLike, bias: ArrayLike | None,
    output_shape: Shape, output: Quantized = (1.0, 0), stride: int = 1, **options: Any,
) -> Graph:  # fmt: skip
    """``shape`` and ``output_shape`` without the batch of 1; SAME padding unless said otherwise."""
    x, y = activation((1, *shape), *source), activation((1, *output_shape), *output, name="y")
    operands = [int32(y.shape, name="shape"), constant(np.int8(weights), scales, name="w"), x]
    if bias is not None:
        operands.append(int32(bias, source[0] * np.asarray(scales), "b"))
    return one_op("TRANSPOSE_CONV", operands, y, stride_h=stride, stride_w=stride, **options)


CASES = (
    Case(
        "windows_overlap_and_add",
        spread((1, 2, 1), (1.0, 0), [[[[1], [2], [4]]]], 1.0, [0], (1, 5, 1), stride=2,
               padding="VALID", version=4),
        [[[[[1], [10]]]]],
        [1, 2, 14, 20, 40],
        "1 2 4 and 10 20 40, two apart: 4 + 10 in the middle",
    ),
    Case(
        "same_padding_cuts_off",
        spread((1, 3, 1), (1.0, 5), [[[[1], [2], [4]]]], 1.0, [0], (1, 3, 1)),
        [[[[[6], [15], [5]]]]],
        [12, 24, 40],
        "1 and 10 above the zero point of 5: columns -1 and 3 are dropped, 2 + 10, 4 + 20, 40",
    ),
    Case(
        "same_padding_of_an_odd_total_is_less_before",
        spread((1, 2, 1), (1.0, 0), [[[[1], [2], [4]]]], 1.0, [0], (1, 4, 1), stride=2),
        [[[[[1], [10]]]]],
        [1, 2, 14, 20],
        "of one column too many none is cut before, and one after",
    ),
    Case(
        "kernel_smaller_than_the_stride",
        spread((1, 2, 1), (1.0, -1), [[[[3]]]], 1.0, [7], (1, 4, 1), (1.0, 1), 2),
        [[[[[1], [2]]]]],
        [14, 8, 17, 8],
        "between the inputs there is only the bias of 7, above 1",
    ),
    Case(
        "rows_and_columns",
        spread((2, 1, 1), (1.0, 0), [[[[1], [2]], [[3], [4]]]], 1.0, [0], (3, 2, 1),
               padding="VALID"),
        [[[[[1]], [[10]]]]],
        [[1, 2], [13, 24], [30, 40]],
        "the kernel's second row falls on the next input's first",
    ),
    Case(
        "channels_per_channel_scales_and_no_bias",
        spread((1, 1, 2), (1.0, 0), [[[[1, 2]]], [[[-3, 4]]]], [0.25, 8.0], None, (1, 1, 2),
               (1.0, -1), fused_activation_function="RELU6", version=4),
        [[[[[2, 2]]]]],
        [1, 5],
        "6 / 4 = 1.5: 3, then a tie away from zero; 2 * 8 = 16, cut at 6 above -1",
    ),
)  # fmt: skip
