"""QUANTIZE: of reals, in float32 and by division; of int8, by double rounding."""

from __future__ import annotations

import numpy as np

from microinfer.graph import Graph
from one_op import activation, one_op

from .case import RECORDED, Case, unary


def quantize(scale: float, zero_point: int, count: int) -> Graph:
    output = activation((count,), scale, zero_point, "y")
    return one_op("QUANTIZE", [activation((count,), None)], output)


CASES = (
    Case(
        "ties_away_from_zero",
        quantize(1.0, 0, 6),
        [[0.5, -0.5, 1.5, -2.5, 0.49999997, -0.49999997]],
        [1, -1, 2, -3, 0, 0],
        "0.49999997 + 0.5 is 1 in float32: floor(x + 0.5) is not how to round",
    ),
    Case(
        "saturates_behind_the_zero_point",
        quantize(0.5, 10, 4),
        [[58.5, 58.75, 1000.0, -1000.0]],
        [127, 127, 127, -128],
        "117 steps and the zero point are 127; the zero point is added before the clamp",
    ),
    Case(
        "divides_by_the_scale",
        quantize(0.046, 0, 1),
        [[2.231]],
        [49],
        "2.231 / 0.046 is 48.5 in float32, times the reciprocal it is 48.499996",
        RECORDED,
    ),
    Case(
        "not_finite",
        quantize(0.5, 5, 4),
        [[np.inf, -np.inf, np.nan, 3e38]],
        [127, -128, 5, 127],
        "documented, not recorded: the runtimes leave it to the CPU's conversion of what int32"
        " cannot hold (x86 gives -128 for all four, Arm saturates)",
        confirmed_by=(),
    ),
    Case(
        "int8_ties",
        unary("QUANTIZE", (0.25, 0), (1.0, 0), (5,)),
        [[-6, -2, -1, 1, 2]],
        [-2, -1, 0, 1, 1],
        "0.25 is a half, ties up, and a right shift, ties away from zero",
    ),
    Case(
        "int8_left_shift_and_zero_points",
        unary("QUANTIZE", (0.5, 10), (0.25, -20), (3,)),
        [[12, 127, -128]],
        [-16, 127, -128],
        "2, 117 and -138, twice as many steps above -20",
    ),
)
