"""PRELU: LEAKY_RELU with a tensor of slopes."""

from __future__ import annotations

from .case import RECORDED, Case, binary

CASES = (
    Case(
        "a_slope_for_each_channel",
        binary("PRELU", (1.0, 0), (0.5, 0), (1.0, 0), (2, 3), (1, 3), (2, 3)),
        [[-4, -4, -4, 5, 6, 7], [1, 0, -3]],
        [-2, 0, 6, 5, 6, 7],
        "slopes 0.5, 0 and -1.5; nothing happens to positives",
    ),
    Case(
        "zero_points_and_both_ends",
        binary("PRELU", (1.0, 10), (1.0, -10), (0.5, 5), (4,)),
        [[127, -128, 10, 9], [0, 117, 0, -8]],
        [127, -128, 5, 1],
        "117 * 2 and -138 * 127 * 2 saturate; zero is the zero point; -1 * 2 is -4 steps",
    ),
    Case(
        "scales_combined_in_the_profiles_precision",
        binary("PRELU", (0.12, -128), (1.0, 0), (0.192, -128), (1,)),
        [[28], [1]],
        {"tflm": [-31], "litert": [-30]},
        "0.12 / 0.192 = 0.625, and 156 * 0.625 = 97.5: just below in double, exact in float32",
        RECORDED,
    ),
)
