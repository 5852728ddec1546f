"""TILE: the input repeated along its axes. TFLM does not have it."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape

LITERT = ("litert",)


def tile(shape: Shape, multiples: list[int]) -> Graph:
    output = tuple(a * b for a, b in zip(shape, multiples, strict=True))
    operands = [activation(shape, 0.5, 3), int32(multiples)]
    return one_op("TILE", operands, activation(output, 0.5, 3, "y"))


CASES = (
    Case(
        "the_whole_not_each_element",
        tile((2,), [2]),
        [[1, 2]],
        [1, 2, 1, 2],
        "TFLM has no TILE",
        confirmed_by=LITERT,
    ),
    Case(
        "both_axes",
        tile((2, 1), [2, 3]),
        [[[1], [2]]],
        [[1, 1, 1], [2, 2, 2], [1, 1, 1], [2, 2, 2]],
        "rows, then the rows again; TFLM has no TILE",
        confirmed_by=LITERT,
    ),
    Case(
        "once", tile((2,), [1]), [[1, 2]], [1, 2], "a copy; TFLM has no TILE", confirmed_by=LITERT
    ),
)
