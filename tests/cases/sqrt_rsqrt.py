"""SQRT, which truncates, and RSQRT, in fixed point. Both runtimes stop at a negative."""

from __future__ import annotations

from .case import Case, unary

SQRT = (
    Case(
        "truncates",
        unary("SQRT", (1.0, 0), (1.0, -5), (7,)),
        [[0, 1, 2, 3, 4, 8, 127]],
        [-5, -4, -4, -4, -3, -3, 6],
        "1.73 becomes 1, 2.83 becomes 2, 11.27 becomes 11. TFLM has SQRT for floats only",
        confirmed_by=("litert",),
    ),
    Case(
        "negatives_count_as_zero",
        unary("SQRT", (1.0, 0), (1.0, -5), (3,)),
        [[-128, -1, 1]],
        [-5, -5, -4],
        "LiteRT stops with an error here, so that nobody confirms it",
        confirmed_by=(),
    ),
)

RSQRT = (
    Case(
        "of_nothing_is_the_largest",
        unary("RSQRT", (1.0, 0), (0.01, 0), (6,)),
        [[0, 1, 4, 16, 100, 127]],
        [127, 100, 50, 25, 10, 9],
        "1/0 is the largest output; 1/sqrt(127) = 0.0887",
    ),
    Case(
        "zero_points",
        unary("RSQRT", (0.25, -128), (0.125, -100), (4,)),
        [[-128, -127, -124, 127]],
        [127, -84, -92, -99],
        "1/sqrt(0.25) is 16 steps, 1/sqrt(1) 8, 1/sqrt(63.75) 1.002",
    ),
    Case(
        "negatives_count_as_zero",
        unary("RSQRT", (1.0, 0), (0.01, 0), (3,)),
        [[-128, -1, 1]],
        [127, 127, 100],
        "both runtimes stop with an error here, so that nobody confirms it",
        confirmed_by=(),
    ),
)
