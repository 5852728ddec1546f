"""REVERSE_V2: axes backwards."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def reverse(shape: Shape, axes: list[int]) -> Graph:
    operands = [activation(shape, 0.5, 3), int32(axes)]
    return one_op("REVERSE_V2", operands, activation(shape, 0.5, 3, "y"))


CASES = (
    Case(
        "the_last_axis",
        reverse((2, 3), [1]),
        [[[1, 2, 3], [4, 5, 6]]],
        [[3, 2, 1], [6, 5, 4]],
        "element by element",
    ),
    Case(
        "the_first_axis",
        reverse((2, 3), [0]),
        [[[1, 2, 3], [4, 5, 6]]],
        [[4, 5, 6], [1, 2, 3]],
        "rows stay runs",
    ),
    Case(
        "both",
        reverse((2, 3), [1, 0]),
        [[[1, 2, 3], [4, 5, 6]]],
        [[6, 5, 4], [3, 2, 1]],
        "",
    ),
    Case(
        "axes_that_are_no_neighbours",
        reverse((2, 1, 2), [0, 2]),
        [[[[1, 2]], [[3, 4]]]],
        [[[4, 3]], [[2, 1]]],
        "neither runtime takes them",
        confirmed_by=(),
    ),
)
