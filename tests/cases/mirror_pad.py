"""MIRROR_PAD: a frame that mirrors what it frames."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def mirror(shape: Shape, pads: list[list[int]], mode: str) -> Graph:
    output = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    operands = [activation(shape, 0.5, -7), int32(pads)]
    return one_op("MIRROR_PAD", operands, activation(output, 0.5, -7, "y"), mode=mode)


CASES = (
    Case(
        "reflect",
        mirror((3,), [[2, 1]], "REFLECT"),
        [[1, 2, 3]],
        [3, 2, 1, 2, 3, 2],
        "the edge is the mirror: it is not repeated",
    ),
    Case(
        "symmetric",
        mirror((3,), [[2, 1]], "SYMMETRIC"),
        [[1, 2, 3]],
        [2, 1, 1, 2, 3, 3],
        "the mirror is beyond the edge",
    ),
    Case(
        "corners",
        mirror((2, 2), [[1, 0], [0, 1]], "REFLECT"),
        [[[1, 2], [3, 4]]],
        [[3, 4, 3], [1, 2, 1], [3, 4, 3]],
        "a corner is mirrored twice",
    ),
    Case("nothing", mirror((2,), [[0, 0]], "SYMMETRIC"), [[1, 2]], [1, 2], "a copy"),
)
