"""ELU, EXP and LOG: float functions in a table. Each is in one runtime only."""

from __future__ import annotations

from .case import Case, unary

TFLM, LITERT = ("tflm",), ("litert",)

ELU = (
    Case(
        "bends_at_zero",
        unary("ELU", (1.0, 0), (0.01, 0), (6,)),
        [[-128, -2, -1, 0, 1, 2]],
        [-100, -86, -63, 0, 100, 127],
        "exp(-2) - 1 = -0.865, exp(-1) - 1 = -0.632",
        confirmed_by=TFLM,
    ),
    Case(
        "zero_points",
        unary("ELU", (0.5, 10), (0.5, -7), (4,)),
        [[8, 9, 10, 15]],
        [-8, -8, -7, -2],
        "-0.632 and -0.393 are -1.26 and -0.79 steps",
        confirmed_by=TFLM,
    ),
)

EXP = (
    Case(
        "steps_of_one",
        unary("EXP", (1.0, 0), (1.0, 0), (6,)),
        [[-1, 0, 1, 2, 4, 5]],
        [0, 1, 3, 7, 55, 127],
        "0.37, 1, 2.7, 7.4, 54.6, and 148 saturates",
        confirmed_by=LITERT,
    ),
    Case(
        "infinite",
        unary("EXP", (4.0, -128), (2.0**-7, 3), (3,)),
        [[-128, -127, 127]],
        [127, 127, 127],
        "exp(1020) is no float32, and saturates",
        confirmed_by=LITERT,
    ),
)

LOG = (
    Case(
        "of_nothing_positive",
        unary("LOG", (1.0, 0), (0.1, 0), (6,)),
        [[-128, 0, 1, 2, 10, 127]],
        [-128, -128, 0, 7, 23, 48],
        "the least output there is; ln 2 = 0.693",
        confirmed_by=LITERT,
    ),
    Case(
        "zero_points",
        unary("LOG", (0.5, -20), (0.1, 11), (4,)),
        [[-20, -19, -18, -16]],
        [-128, 4, 11, 18],
        "ln 0.5 = -0.693, ln 1 = 0, ln 2 = 0.693",
        confirmed_by=LITERT,
    ),
)
