"""SPLIT_V: pieces of given sizes along an axis."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def split_v(shape: Shape, sizes: list[int], axis: int, parts: list[Shape]) -> Graph:
    outputs = [activation(part, 0.5, 3, f"y{i}") for i, part in enumerate(parts)]
    operands = [activation(shape, 0.5, 3), int32(sizes), int32(axis)]
    return one_op("SPLIT_V", operands, outputs, num_splits=len(sizes))


CASES = (
    Case(
        "columns",
        split_v((2, 3), [1, 2], 1, [(2, 1), (2, 2)]),
        [[[1, 2, 3], [4, 5, 6]]],
        [[[1], [4]], [[2, 3], [5, 6]]],
        "sizes add up",
    ),
    Case(
        "minus_one_is_the_rest",
        split_v((5,), [1, -1, 2], -1, [(1,), (2,), (2,)]),
        [[1, 2, 3, 4, 5]],
        [[1], [2, 3], [4, 5]],
        "what the others leave, wherever the -1 stands",
    ),
)
