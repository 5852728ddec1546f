"""SPLIT: equal pieces along an axis, which is the first input."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def split(shape: Shape, axis: int, pieces: int, part: Shape) -> Graph:
    outputs = [activation(part, 0.5, 3, f"y{i}") for i in range(pieces)]
    operands = [int32(axis), activation(shape, 0.5, 3)]
    return one_op("SPLIT", operands, outputs, num_splits=pieces)


CASES = (
    Case(
        "rows",
        split((2, 3), 0, 2, (1, 3)),
        [[[1, 2, 3], [4, 5, 6]]],
        [[[1, 2, 3]], [[4, 5, 6]]],
        "one run each",
    ),
    Case(
        "columns_by_a_negative_axis",
        split((2, 4), -1, 2, (2, 2)),
        [[[1, 2, 3, 4], [5, 6, 7, 8]]],
        [[[1, 2], [5, 6]], [[3, 4], [7, 8]]],
        "the second piece begins within a row",
    ),
    Case("one_piece", split((2,), 0, 1, (2,)), [[1, 2]], [1, 2], "a copy"),
)
