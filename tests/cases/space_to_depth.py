"""SPACE_TO_DEPTH: the pixels of a block become channels."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, one_op

from .case import Case, Shape


def to_depth(shape: Shape, output: Shape) -> Graph:
    operands = [activation(shape, 0.5, 3)]
    return one_op("SPACE_TO_DEPTH", operands, activation(output, 0.5, 3, "y"), block_size=2)


CASES = (
    Case(
        "row_by_row",
        to_depth((1, 2, 4, 1), (1, 1, 2, 4)),
        [[[[[1], [2], [3], [4]], [[5], [6], [7], [8]]]]],
        [[[[1, 2, 5, 6], [3, 4, 7, 8]]]],
        "two pixels of the upper row, then two of the lower",
    ),
    Case(
        "channels_stay_together",
        to_depth((1, 2, 2, 2), (1, 1, 1, 8)),
        [[[[[1, 10], [2, 20]], [[3, 30], [4, 40]]]]],
        [[[[1, 10, 2, 20, 3, 30, 4, 40]]]],
        "the pixel is the slower index",
    ),
)
