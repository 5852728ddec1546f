"""RESHAPE: the elements stay in their order."""

from __future__ import annotations

import numpy as np

from microinfer.graph import Tensor
from one_op import activation, int32, one_op

from .case import Case

SIX = [[[1, 2, 3], [4, 5, 6]]]

CASES = (
    Case(
        "of_bools",
        one_op("RESHAPE", [Tensor("x", (2, 2), "BOOL"), int32([4])], Tensor("y", (4,), "BOOL")),
        [[[True, False], [False, True]]],
        [True, False, False, True],
        "what a comparison gives",
    ),
    Case(
        "shape_as_an_option",
        one_op("RESHAPE", [activation((2, 3))], activation((3, 2)), new_shape=(3, 2)),
        SIX,
        [[1, 2], [3, 4], [5, 6]],
        "row by row",
    ),
    Case(
        "shape_as_an_input",
        one_op("RESHAPE", [activation((2, 3)), int32([6])], activation((6,)), new_shape=(6,)),
        SIX,
        [1, 2, 3, 4, 5, 6],
        "a second, constant input",
    ),
    Case(
        "shape_with_an_open_extent",
        one_op("RESHAPE", [activation((2, 3)), int32([-1, 2])], activation((3, 2))),
        SIX,
        [[1, 2], [3, 4], [5, 6]],
        "-1 is what is left over",
    ),
    Case(
        "all_256_values",
        one_op(
            "RESHAPE",
            [activation((256,), 0.1, 5)],
            activation((16, 16), 0.1, 5),
            new_shape=(16, 16),
        ),
        [np.arange(-128, 128)],
        np.arange(-128, 128),
        "none is changed",
    ),
)
