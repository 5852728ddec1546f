"""SQUEEZE: takes away axes of extent 1."""

from __future__ import annotations

from one_op import activation, one_op

from .case import Case

CASES = (
    Case(
        "all_axes_of_one",
        one_op("SQUEEZE", [activation((1, 2, 1, 3))], activation((2, 3))),
        [[[[[1, 2, 3]], [[4, 5, 6]]]]],
        [[1, 2, 3], [4, 5, 6]],
        "squeeze_dims is empty",
    ),
    Case(
        "chosen_axes",
        one_op("SQUEEZE", [activation((1, 2, 1))], activation((1, 2)), squeeze_dims=(2,)),
        [[[[1], [2]]]],
        [[1, 2]],
        "the first axis stays",
    ),
    Case(
        "to_a_scalar",
        one_op("SQUEEZE", [activation((1, 1))], activation(())),
        [[[-5]]],
        -5,
        "no axis is left",
    ),
)
