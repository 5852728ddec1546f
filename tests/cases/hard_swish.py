"""HARD_SWISH: x * relu6(x + 3) / 6 with 16-bit multipliers."""

from __future__ import annotations

from .case import RECORDED, Case, unary

CASES = (
    Case(
        "bends_at_minus_three_and_three",
        unary("HARD_SWISH", (0.1, 0), (0.1, 0), (7,)),
        [[-128, -30, -15, 0, 15, 30, 60]],
        [0, 0, -4, 0, 11, 30, 60],
        "nothing below -3, the input above 3; -3.75 and 11.25 between",
        RECORDED,
    ),
    Case(
        "zero_points",
        unary("HARD_SWISH", (0.125, -100), (0.125, 20), (4,)),
        [[-128, -112, -100, -76]],
        [20, 17, 20, 44],
        "-1.5 * 1.5 / 6 is -3 steps",
        RECORDED,
    ),
    Case(
        "input_finer_than_the_gate",
        unary("HARD_SWISH", (2.0**-12, 0), (2.0**-12, 0), (3,)),
        [[-128, 64, 127]],
        [-63, 32, 64],
        "about half the input: 16-bit steps, truncated before they are rounded",
        RECORDED,
    ),
)
