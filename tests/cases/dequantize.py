"""DEQUANTIZE: float32(scale * (q - zero point)), one rounding in all."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, one_op

from .case import RECORDED, Case


def dequantize(scale: float, zero_point: int, count: int) -> Graph:
    source = activation((count,), scale, zero_point)
    return one_op("DEQUANTIZE", [source], activation((count,), None, name="y"))


CASES = (
    Case(
        "zero_point_at_the_end",
        dequantize(0.5, -128, 3),
        [[-128, 0, 127]],
        [0.0, 64.0, 127.5],
        "255 steps above the zero point: more than int8 holds",
    ),
    Case(
        "scale_that_is_no_dyadic_fraction",
        dequantize(0.1, -3, 6),
        [[-128, -3, -2, 0, 3, 127]],
        [float.fromhex(x) for x in (
            "-0x1.9p+3", "0x0p+0", "0x1.99999ap-4", "0x1.333334p-2", "0x1.333334p-1", "0x1.ap+3"
        )],
        "compared bit for bit",
        RECORDED,
    ),
    Case(
        "smallest_and_largest_scale",
        dequantize(2.0**-126, 0, 3),
        [[1, -1, 0]],
        [2.0**-126, -(2.0**-126), 0.0],
        "normal numbers are not flushed, and zero is +0",
    ),
)  # fmt: skip
