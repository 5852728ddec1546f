"""PAD: fills with real zero, that is with the zero point."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def pad(shape: Shape, pads: list[list[int]], output: Shape) -> Graph:
    """Scale 0.5 and zero point -7."""
    operands = [activation(shape, 0.5, -7), int32(pads)]
    return one_op("PAD", operands, activation(output, 0.5, -7, "y"))


CASES = (
    Case(
        "fills_with_the_zero_point",
        pad((2,), [[1, 2]], (5,)),
        [[10, 20]],
        [-7, 10, 20, -7, -7],
        "one before and two after",
    ),
    Case(
        "rows_and_columns",
        pad((1, 2, 2), [[0, 0], [1, 0], [0, 1]], (1, 3, 3)),
        [[[1, 2], [3, 4]]],
        [[-7, -7, -7], [1, 2, -7], [3, 4, -7]],
        "above and to the right",
    ),
    Case(
        "innermost_axis_before",
        pad((2, 1), [[0, 0], [2, 0]], (2, 3)),
        [[[1], [2]]],
        [[-7, -7, 1], [-7, -7, 2]],
        "as channels are padded",
    ),
    Case(
        "nothing",
        pad((1, 2), [[0, 0], [0, 0]], (1, 2)),
        [[[3, -3]]],
        [[3, -3]],
        "a PAD of no elements is a copy",
    ),
)
