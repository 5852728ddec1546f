"""SQUARED_DIFFERENCE: both inputs at a common scale, subtracted and squared."""

from __future__ import annotations

from .case import Case, binary

CASES = (
    Case(
        "small_integers",
        binary("SQUARED_DIFFERENCE", (1.0, 0), (1.0, 0), (1.0, 0), (5,)),
        [[5, 3, -4, 11, 12], [3, 5, -4, 0, 0]],
        [4, 4, 0, 121, 127],
        "144 saturates",
    ),
    Case(
        "two_scales_and_zero_points",
        binary("SQUARED_DIFFERENCE", (0.5, 10), (2.0, -10), (0.25, -128), (3,)),
        [[10, 14, 11], [-10, -10, -9]],
        [-128, -112, -119],
        "0 - 0, 2 - 0 and 0.5 - 2: 4 / 0.25 and 2.25 / 0.25 steps",
    ),
    Case(
        "both_broadcast",
        binary("SQUARED_DIFFERENCE", (1.0, 0), (1.0, 0), (1.0, 0), (2, 1), (1, 3), (2, 3)),
        [[0, 2], [1, 2, 3]],
        [1, 4, 9, 1, 0, 1],
        "each of two rows meets each of three columns",
    ),
)
