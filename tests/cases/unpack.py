"""UNPACK: one output per index of an axis, which vanishes."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, one_op

from .case import Case, Shape


def unpack(shape: Shape, axis: int) -> Graph:
    place = axis % len(shape)
    part = (*shape[:place], *shape[place + 1 :])
    outputs = [activation(part, 0.5, 3, f"y{i}") for i in range(shape[place])]
    return one_op("UNPACK", [activation(shape, 0.5, 3)], outputs, num=len(outputs), axis=axis)


CASES = (
    Case("rows", unpack((2, 2), 0), [[[1, 2], [3, 4]]], [[1, 2], [3, 4]], "one run each"),
    Case(
        "columns",
        unpack((2, 3), -1),
        [[[1, 2, 3], [4, 5, 6]]],
        [[1, 4], [2, 5], [3, 6]],
        "single elements, apart",
    ),
    Case("to_scalars", unpack((2,), 0), [[5, -5]], [5, -5], "outputs of rank 0"),
)
