"""EXPAND_DIMS: inserts an axis of extent 1."""

from __future__ import annotations

import numpy as np

from microinfer.graph import Graph
from one_op import activation, constant, int32, one_op

from .case import Case, Shape


def expand(axis: int, shape: Shape) -> Graph:
    return one_op("EXPAND_DIMS", [activation((2, 3)), int32(axis)], activation(shape))


SIX = [[[1, 2, 3], [4, 5, 6]]]

CASES = (
    Case("in_front", expand(0, (1, 2, 3)), SIX, range(1, 7), "axis 0"),
    Case("at_the_end", expand(-1, (2, 3, 1)), SIX, range(1, 7), "-1 counts the new axis"),
    Case(
        "axis_with_an_axis",
        one_op(
            "EXPAND_DIMS",
            [activation((2, 3)), constant(np.array([1], np.int32))],
            activation((2, 1, 3)),
        ),
        SIX,
        range(1, 7),
        "the axis may be a scalar or a vector of one",
    ),
)
