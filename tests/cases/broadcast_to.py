"""BROADCAST_TO: axes of extent 1 repeated, and new ones in front."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def broadcast_to(shape: Shape, output: Shape) -> Graph:
    operands = [activation(shape, 0.5, 3), int32(output)]
    return one_op("BROADCAST_TO", operands, activation(output, 0.5, 3, "y"))


CASES = (
    Case(
        "columns",
        broadcast_to((2, 1), (2, 3)),
        [[[1], [2]]],
        [[1, 1, 1], [2, 2, 2]],
        "along the axis of extent 1",
    ),
    Case(
        "a_new_axis",
        broadcast_to((2,), (2, 2)),
        [[1, 2]],
        [[1, 2], [1, 2]],
        "axes are matched from the last",
    ),
    Case(
        "around_the_middle",
        broadcast_to((1, 2, 1), (2, 2, 2)),
        [[[[1], [2]]]],
        [[[1, 1], [2, 2]], [[1, 1], [2, 2]]],
        "",
    ),
)
