"""SLICE: a box of the input."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def slices(shape: Shape, begin: list[int], size: list[int], output: Shape) -> Graph:
    operands = [activation(shape, 0.5, -7), int32(begin), int32(size)]
    return one_op("SLICE", operands, activation(output, 0.5, -7, "y"))


CASES = (
    Case(
        "the_middle",
        slices((3, 3), [1, 0], [1, 2], (1, 2)),
        [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
        [[4, 5]],
        "a row, without its end",
    ),
    Case(
        "minus_one_is_the_rest",
        slices((2, 4), [0, 1], [-1, -1], (2, 3)),
        [[[1, 2, 3, 4], [5, 6, 7, 8]]],
        [[2, 3, 4], [6, 7, 8]],
        "-1 counts from begin",
    ),
    Case("everything", slices((2,), [0], [2], (2,)), [[1, -1]], [1, -1], "one run"),
)
