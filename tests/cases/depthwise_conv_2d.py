"""DEPTHWISE_CONV_2D: which channel meets which filter; the arithmetic is CONV_2D's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microinfer.graph import Graph
from one_op import activation, constant, int32, one_op

from .case import BOTH, Case, Shape


def depthwise(
    shape: Shape, weights: ArrayLike, output_shape: Shape, multiplier: int, zero_point: int = 0,
    scales: ArrayLike = 1.0, bias: ArrayLike | None = None, **options: Any,
) -> Graph:  # fmt: skip
    """Scale 1 in and out; shapes without the batch of 1, weights without the leading 1."""
    filters = constant(np.int8(weights)[None], scales, axis=0 if np.ndim(scales) == 0 else 3)
    operands = [activation((1, *shape), 1.0, zero_point), filters]
    if bias is not None:
        operands.append(int32(bias, np.asarray(scales), "b"))
    y = activation((1, *output_shape), name="y")
    options = {"stride_h": 1, "stride_w": 1, "depth_multiplier": multiplier, **options}
    return one_op("DEPTHWISE_CONV_2D", operands, y, **options)


CASES = (
    Case(
        "multiplier_counts_fastest",
        depthwise((1, 1, 2), [[[1, 2, 3, 4]]], (1, 1, 4), 2),
        [[[[[1, 10]]]]],
        [1, 2, 30, 40],
        "output channel = input channel * multiplier + m",
    ),
    Case(
        "channels_do_not_mix",
        depthwise((1, 2, 2), [[[1, 10], [2, 20]]], (1, 1, 2), 1, padding="VALID"),
        [[[[[1, 2], [3, 4]]]]],
        [7, 100],
        "1 + 6 and 20 + 80",
    ),
    Case(
        "padding_counts_as_the_zero_point",
        depthwise((2, 2, 1), [[[1], [2]], [[3], [4]]], (2, 2, 1), 1, zero_point=-100),
        [[[[[-99], [-98]], [[-97], [-96]]]]],
        [[30, 14], [11, 4]],
        "SAME, 2 by 2, pads after: 1 + 4 + 9 + 16, 2 + 12, 3 + 8, 4",
    ),
    Case(
        "scales_per_channel_and_bias",
        depthwise((1, 1, 3), [[[1, 1, 1]]], (1, 1, 3), 1, scales=[1.0, 0.5, 2.0], bias=[1, 2, -3]),
        [[[[[10, 10, 10]]]]],
        [11, 6, 14],
        "(10 + bias) * scale; a bias is in units of input scale x weights scale",
    ),
    Case(
        "dilation",
        depthwise(
            (3, 3, 1), [[[1], [2]], [[3], [4]]], (1, 1, 1), 1, padding="VALID",
            dilation_h_factor=2, dilation_w_factor=2,
        ),
        [[[[[1], [99], [2]], [[99], [99], [99]], [[3], [99], [4]]]]],
        [30],
        "the four corners: 1 + 4 + 9 + 16",
    ),
    Case(
        "multiplier_left_to_the_shapes",
        depthwise((1, 1, 1), [[[1, 2]]], (1, 1, 2), 0),
        [[[[[5]]]]],
        [5, 10],
        "an option of 0 is what LiteRT ignores; TFLM takes it at its word and computes nothing",
        confirmed_by=tuple(runtime for runtime in BOTH if runtime != "tflm"),
    ),
)  # fmt: skip
