"""RELU_N1_TO_1 and RELU_0_TO_1: RELU's rescale with both ends cut. LiteRT only."""

from __future__ import annotations

from .case import Case, unary

LITERT = ("litert",)  # TFLM does not have them

RELU_N1_TO_1 = (
    Case(
        "cut_at_both_ends",
        unary("RELU_N1_TO_1", (0.5, 3), (0.25, -10), (6,)),
        [[-128, 1, 2, 3, 4, 127]],
        [-14, -14, -12, -10, -8, -6],
        "real -1 and 1 are 4 steps from the output's zero point",
        confirmed_by=LITERT,
    ),
    Case(
        "ends_beyond_int8",
        unary("RELU_N1_TO_1", (1 / 128, 0), (1 / 256, 0), (3,)),
        [[-128, 63, 127]],
        [-128, 126, 127],
        "real 1 is 256 steps",
        confirmed_by=LITERT,
    ),
)

RELU_0_TO_1 = (
    Case(
        "cut_at_zero_and_one",
        unary("RELU_0_TO_1", (0.5, 3), (0.25, -10), (6,)),
        [[-128, 2, 3, 4, 5, 127]],
        [-10, -10, -10, -8, -6, -6],
        "zero is the zero point, one 4 steps above it",
        confirmed_by=LITERT,
    ),
)
