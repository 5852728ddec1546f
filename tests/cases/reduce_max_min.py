"""REDUCE_MAX and REDUCE_MIN: raw values, over any axes."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def extreme(op: str, shape: Shape, axes: list[int], kept: Shape, keep: bool = False) -> Graph:
    operands = [activation(shape, 0.25, 7), int32(axes)]
    return one_op(op, operands, activation(kept, 0.25, 7, name="y"), keep_dims=keep)


def cases(op: str, ends: list[int], middle: list[int], whole: int) -> tuple[Case, ...]:
    return (
        Case(
            "both_ends_of_int8",
            extreme(op, (3, 2), [-1, 1], (3,)),
            [[[-128, -128], [127, 127], [-128, 127]]],
            ends,
            "no bound of the search leaks out",
        ),
        Case(
            "a_reduced_axis_between_kept_ones",
            extreme(op, (2, 2, 2), [1], (2, 1, 2), True),
            [[[[1, 40], [3, 30]], [[-5, 50], [-7, 70]]]],
            middle,
            "the innermost axis stays",
        ),
        Case(
            "all_axes_to_a_scalar",
            extreme(op, (2, 2), [0, 1], ()),
            [[[-3, 4], [5, -6]]],
            whole,
            "one value is left",
        ),
    )


MAXIMUM = cases("REDUCE_MAX", [-128, 127, 127], [3, 40, -5, 70], 5)
MINIMUM = cases("REDUCE_MIN", [-128, 127, -128], [1, 30, -7, 50], -6)
