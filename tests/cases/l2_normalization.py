"""L2_NORMALIZATION: the output's quantization is fixed, 1/128 and 0."""

from __future__ import annotations

from microinfer.graph import Graph

from .case import Case, Shape, unary


def normalized(zero_point: int, shape: Shape) -> Graph:
    return unary("L2_NORMALIZATION", (0.3, zero_point), (1 / 128, 0), shape)


CASES = (
    Case(
        "three_four_five",
        normalized(10, (2, 2)),
        [[[13, 14], [7, 6]]],
        [77, 102, -77, -102],
        "3/5 and 4/5 of 128 are 76.8 and 102.4; 10 is the zero point",
    ),
    Case(
        "one_value_saturates",
        normalized(0, (3, 1)),
        [[[5], [-5], [1]]],
        [127, -128, 127],
        "all of it is 128 steps, one too many above zero",
    ),
    Case(
        "nothing_but_zeros",
        normalized(-3, (1, 3)),
        [[[-3, -3, -3]]],
        [0, 0, 0],
        "no division by zero",
    ),
)
