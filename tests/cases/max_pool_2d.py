"""MAX_POOL_2D: of raw values."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, one_op

from .case import Case


def pool(
    shape: tuple[int, int], window: int, stride: int, output: tuple[int, int], padding: str,
    fused: str = "NONE",
) -> Graph:  # fmt: skip
    """One image of one channel, scale 0.5 and zero point -3."""
    return one_op(
        "MAX_POOL_2D",
        [activation((1, *shape, 1), 0.5, -3)],
        activation((1, *output, 1), 0.5, -3),
        padding=padding,
        stride_h=stride,
        stride_w=stride,
        filter_height=window,
        filter_width=window,
        fused_activation_function=fused,
    )


CASES = (
    Case(
        "windows_side_by_side",
        pool((2, 4), 2, 2, (1, 2), "VALID"),
        [[[1, 5, -7, -128], [2, -9, -8, -128]]],
        [5, -7],
        "a maximum may be negative",
    ),
    Case(
        "padding_never_wins",
        pool((3, 3), 2, 2, (2, 2), "SAME"),
        [[[-100, -101, -102], [-103, -104, -105], [-128, -107, -128]]],
        [[-100, -102], [-107, -128]],
        "neither as 0 nor as the zero point",
    ),
    Case(
        "stride_longer_than_the_window",
        pool((1, 4), 1, 3, (1, 2), "SAME"),
        [[9, 8, 7, 6]],
        [9, 6],
        "the values between are left out",
    ),
    Case(
        "relu6_in_units_of_the_output",
        pool((1, 3), 1, 1, (1, 3), "VALID", "RELU6"),
        [[-4, 5, 20]],
        [-3, 5, 9],
        "real zero is -3, real six is 12 steps above",
    ),
)
