"""LEAKY_RELU: two multipliers, one on each side of the zero point."""

from __future__ import annotations

from .case import RECORDED, Case, unary

CASES = (
    Case(
        "half_slope",
        unary("LEAKY_RELU", (0.5, 0), (0.5, 0), (6,), alpha=0.5),
        [[-128, -5, -4, -1, 0, 7]],
        [-64, -2, -2, 0, 0, 7],
        "a multiplier of a half rounds ties up: -2.5 to -2",
    ),
    Case(
        "negative_slope",
        unary("LEAKY_RELU", (0.5, 0), (0.5, 0), (5,), alpha=-0.5),
        [[-128, -5, -3, -1, 7]],
        [64, 2, 1, 0, 7],
        "the sign is put on the rounded value: -5/2 becomes -2, then 2; -5 * -0.5 would round to 3",
    ),
    Case(
        "zero_points_and_a_right_shift",
        unary("LEAKY_RELU", (0.5, 10), (0.5, -20), (6,), alpha=0.25),
        [[-128, 4, 8, 9, 10, 127]],
        [-55, -22, -21, -20, -20, 97],
        "ties after the right shift go away from zero: -1.5 to -2, -0.5 to -1",
    ),
    Case(
        "alpha_zero",
        unary("LEAKY_RELU", (0.5, 3), (0.5, 5), (3,), alpha=0.0),
        [[-128, 3, 4]],
        [5, 5, 6],
        "a multiplier of 0 is (0, 0)",
    ),
    Case(
        "scales_divided_in_the_profiles_precision",
        unary("LEAKY_RELU", (0.12, -128), (0.192, -128), (1,), alpha=0.5),
        [[28]],
        {"tflm": [-31], "litert": [-30]},
        "0.12 / 0.192 = 0.625, and 156 * 0.625 = 97.5: just below in double, exact in float32",
        RECORDED,
    ),
)
