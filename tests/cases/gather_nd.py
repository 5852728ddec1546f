"""GATHER_ND: slices by constant index vectors."""

from __future__ import annotations

from typing import Any

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def gather_nd(shape: Shape, indices: Any, output: Shape) -> Graph:
    operands = [activation(shape, 0.5, 3), int32(indices)]
    return one_op("GATHER_ND", operands, activation(output, 0.5, 3, "y"))


CASES = (
    Case(
        "elements",
        gather_nd((2, 3), [[0, 2], [1, 0]], (2,)),
        [[[1, 2, 3], [4, 5, 6]]],
        [3, 4],
        "a full index each",
    ),
    Case(
        "rows",
        gather_nd((3, 2), [[2], [0]], (2, 2)),
        [[[1, 2], [3, 4], [5, 6]]],
        [[5, 6], [1, 2]],
        "an index shorter than the rank takes what is behind it whole",
    ),
    Case("one", gather_nd((2, 2), [1, 1], ()), [[[1, 2], [3, 4]]], 4, "rank 0 comes out"),
)
