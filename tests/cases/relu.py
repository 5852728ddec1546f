"""RELU as a layer: rescales, then cuts at the output's zero point."""

from __future__ import annotations

from .case import RECORDED, Case, unary

CASES = (
    Case(
        "clips_at_zero_point",
        unary("RELU", (0.5, 3), (0.5, 3), (5,)),
        [[-128, 2, 3, 4, 127]],
        [3, 3, 3, 4, 127],
        "real zero is 3, not 0",
    ),
    Case(
        "double_rounding",
        unary("RELU", (0.25, 0), (1.0, 0), (5,)),
        [[1, 2, 5, 6, -5]],
        [1, 1, 2, 2, 0],
        "0.25 is a half, rounded up, and a right shift, ties away from zero: 0.25 gives 1",
    ),
    Case(
        "left_shift",
        unary("RELU", (4.0, -100), (1.0, -128), (4,)),
        [[-100, -99, -40, -36]],
        [-128, -124, 112, 127],
        "0, 4, 240 and 256 above a zero point of -128",
    ),
    Case(
        "scales_divided_in_the_profiles_precision",
        unary("RELU", (0.12, -128), (0.192, -128), (2,)),
        [[28, 27]],
        {"tflm": [-31, -31], "litert": [-30, -31]},
        "0.12 / 0.192 = 0.625, and 156 * 0.625 = 97.5: just below in double, exact in float32",
        RECORDED,
    ),
)
