"""TRANSPOSE: axis i of the output is axis permutation[i] of the input."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def transpose(shape: Shape, order: list[int]) -> Graph:
    output = tuple(shape[axis] for axis in order)
    return one_op("TRANSPOSE", [activation(shape), int32(order)], activation(output))


CASES = (
    Case(
        "rows_to_columns",
        transpose((2, 3), [1, 0]),
        [[[1, 2, 3], [4, 5, 6]]],
        [[1, 4], [2, 5], [3, 6]],
        "",
    ),
    Case(
        "a_cycle_is_not_its_inverse",
        transpose((1, 2, 3), [2, 0, 1]),
        [[[[1, 2, 3], [4, 5, 6]]]],
        [[[1, 4]], [[2, 5]], [[3, 6]]],
        "permutation[0] = 2: the last axis comes first",
    ),
    Case(
        "channels_first",
        transpose((1, 2, 1, 2), [0, 3, 1, 2]),
        [[[[[1, 10]], [[2, 20]]]]],
        [[[[1], [2]], [[10], [20]]]],
        "NHWC to NCHW",
    ),
    Case(
        "identity",
        transpose((2, 2), [0, 1]),
        [[[1, 2], [3, 4]]],
        [[1, 2], [3, 4]],
        "one run",
    ),
)
