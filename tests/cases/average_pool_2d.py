"""AVERAGE_POOL_2D: of raw values, zero points untouched."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, one_op

from .case import Case


def pool(
    shape: tuple[int, int], window: tuple[int, int], output: tuple[int, int], scale: float = 1.0,
    zero_point: int = 0, stride: int = 1, padding: str = "VALID", fused: str = "NONE",
) -> Graph:  # fmt: skip
    """One image of one channel."""
    return one_op(
        "AVERAGE_POOL_2D",
        [activation((1, *shape, 1), scale, zero_point)],
        activation((1, *output, 1), scale, zero_point),
        padding=padding,
        stride_h=stride,
        stride_w=stride,
        filter_height=window[0],
        filter_width=window[1],
        fused_activation_function=fused,
    )


CASES = (
    Case(
        "ties_away_from_raw_zero",
        pool((1, 2), (1, 2), (1, 1), zero_point=5),
        [[-1, -2]],
        [-2],
        "-1.5 of the raw integers; above the zero point of 5 it would be -6.5, and MEAN gives -1",
    ),
    Case(
        "ties_of_both_signs",
        pool((2, 4), (2, 1), (1, 4)),
        [[[1, -1, 0, -3], [2, 0, 1, 0]]],
        [2, -1, 1, -2],
        "1.5, -0.5, 0.5 and -1.5",
    ),
    Case(
        "padding_is_not_counted",
        pool((2, 3), (2, 2), (2, 3), padding="SAME", zero_point=100),
        [[[10, 20, 30], [40, 50, 60]]],
        [[30, 40, 45], [45, 55, 60]],
        "of an odd total the extra row and column go after: the last window is one value",
    ),
    Case(
        "window_larger_than_the_image",
        pool((2, 2), (5, 5), (1, 1), stride=2, padding="SAME"),
        [[[1, 2], [3, 5]]],
        [3],
        "four of 25 taps are inside: 11 / 4",
    ),
    Case(
        "relu_in_units_of_the_output",
        pool((1, 3), (1, 1), (1, 3), 0.5, -3, fused="RELU6"),
        [[-4, 5, 20]],
        [-3, 5, 9],
        "real zero is -3, real six is 12 steps above",
    ),
    Case(
        "six_divided_in_float32",
        pool((1, 3), (1, 1), (1, 3), 0.096, fused="RELU6"),
        [[62, 63, 64]],
        [62, 63, 63],
        "6 / 0.096 is 62.5 in float32 and 62.4999995 in double",
    ),
)
