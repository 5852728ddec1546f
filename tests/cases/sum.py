"""SUM: MEAN without the division. LiteRT's reads int8 as uint8, so TFLM alone confirms."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Quantized, Shape


def total(
    shape: Shape, source: Quantized, axes: list[int], kept: Shape, output: Quantized, keep: bool
) -> Graph:
    operands = [activation(shape, *source), int32(axes)]
    return one_op("SUM", operands, activation(kept, *output, name="y"), keep_dims=keep)


CASES = (
    Case(
        "each_value_above_its_zero_point",
        total((3,), (1.0, 5), [0], (1,), (1.0, -2), True),
        [[-1, -2, 30]],
        [10],
        "-6 - 7 + 25 = 12, above -2",
        confirmed_by=("tflm",),
    ),
    Case(
        "negative_and_repeated_axes",
        total((2, 3), (1.0, 0), [-1, 1, -1], (2,), (1.0, 0), False),
        [[[1, 2, 6], [-100, -2, -60]]],
        [9, -128],
        "-1 and 1 are one axis, and it counts once; the second saturates",
        confirmed_by=("tflm",),
    ),
    Case(
        "double_rounding",
        total((2, 2), (0.5, 0), [0], (2,), (4.0, 0), False),
        [[[1, -3], [2, 0]]],
        [1, 0],
        "3 eighths: 1.5, which is 2 quarters, then a tie away from zero; -3 eighths: -1",
        confirmed_by=("tflm",),
    ),
)
