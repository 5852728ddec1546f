"""MUL: one multiplier for the product of what lies above the zero points."""

from __future__ import annotations

import numpy as np

from one_op import activation, constant, one_op

from .case import RECORDED, Case, binary

CASES = (
    Case(
        "double_rounding_and_ties",
        binary("MUL", (0.25, 0), (1.0, 0), (1.0, 0), (6,)),
        [[1, 2, 6, -1, -2, -6], [1, 1, 1, 1, 1, 1]],
        [1, 1, 2, 0, -1, -2],
        "0.25 is a half and a right shift: 1 * 0.5 is rounded up to 1, then 0.5 away from zero;"
        " -1 * 0.5 is rounded up to 0",
    ),
    Case(
        "zero_points_and_the_largest_product",
        binary("MUL", (1.0, 127), (1.0, 127), (2.0**9, 0), (3,)),
        [[-128, 127, -128], [-128, -128, 126]],
        [127, 0, 1],
        "255 * 255 / 512 is 127.002; 0 * -255 is 0; 255 / 512 is 0.498, and is rounded up twice",
    ),
    Case(
        "left_shift",
        binary("MUL", (4.0, 0), (1.0, 0), (1.0, -128), (4,)),
        [[10, 16, 64, -1], [1, 4, 1, 1]],
        [-88, 127, 127, -128],
        "40, 256, 256 and -4 above a zero point of -128",
    ),
    Case(
        "scalar_constant",
        one_op(
            "MUL",
            [activation((3,), 1.0, 0), constant(np.int8(-3), 1.0, -1)],
            activation((3,), 1.0, 0),
        ),
        [[1, 5, -60]],
        [-2, -10, 120],
        "the constant has no axes; it is -2 above its zero point",
    ),
    Case(
        "scales_multiplied_in_the_profiles_precision",
        binary("MUL", (0.9, 0), (0.79, 0), (0.948, -128), (1,)),
        [[17], [10]],
        {"tflm": [-1], "litert": [0]},
        "0.9 * 0.79 / 0.948 = 0.75, and 170 * 0.75 = 127.5: just below in double, exact in float32",
        RECORDED,
    ),
)
