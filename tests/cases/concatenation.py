"""CONCATENATION: copies; all quantizations are equal."""

from __future__ import annotations

import numpy as np

from one_op import activation, constant, one_op

from .case import Case

X = activation((2,), 0.5, 3)

CASES = (
    Case(
        "rows",
        one_op("CONCATENATION", [activation((1, 2)), activation((2, 2))], activation((3, 2))),
        [[[1, 2]], [[3, 4], [5, 6]]],
        [[1, 2], [3, 4], [5, 6]],
        "axis 0 is one run for each input",
    ),
    Case(
        "channels",
        one_op(
            "CONCATENATION",
            [activation((2, 1)), activation((2, 2))],
            activation((2, 3)),
            axis=-1,
        ),
        [[[1], [2]], [[10, 11], [20, 21]]],
        [[1, 10, 11], [2, 20, 21]],
        "the last axis alternates between the inputs",
    ),
    Case(
        "with_a_constant",
        one_op(
            "CONCATENATION",
            [constant(np.int8([[7], [8]]), 1.0), activation((2, 1)), activation((2, 1))],
            activation((2, 3)),
            axis=1,
        ),
        [[[1], [2]], [[3], [4]]],
        [[7, 1, 3], [8, 2, 4]],
        "a constant has no samples",
    ),
    Case(
        "the_same_tensor_twice",
        one_op("CONCATENATION", [X, X], activation((4,), 0.5, 3)),
        [[1, -1]],
        [1, -1, 1, -1],
        "the node lists one tensor index twice",
    ),
)
