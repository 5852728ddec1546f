"""SELECT_V2, which broadcasts, and SELECT, which does not and is LiteRT's alone."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, one_op

from .case import Case, Shape


def choose(op: str, condition: Shape, first: Shape, second: Shape, output: Shape) -> Graph:
    operands = [
        Tensor("condition", condition, "BOOL"),
        activation(first, 0.5, 3, name="x1"),
        activation(second, 0.5, 3, name="x2"),
    ]
    return one_op(op, operands, activation(output, 0.5, 3, name="y"))


SELECT_V2 = (
    Case(
        "one_by_one",
        choose("SELECT_V2", (3,), (3,), (3,), (3,)),
        [[True, False, True], [-128, 1, 2], [3, 127, 5]],
        [-128, 127, 2],
        "raw bytes",
    ),
    Case(
        "all_three_broadcast",
        choose("SELECT_V2", (2, 1), (1, 3), (), (2, 3)),
        [[True, False], [1, 2, 3], [9]],
        [1, 2, 3, 9, 9, 9],
        "rows choose between columns and a scalar",
    ),
)

SELECT = (
    Case(
        "one_by_one",
        choose("SELECT", (2, 2), (2, 2), (2, 2), (2, 2)),
        [[True, False, False, True], [1, 2, 3, 4], [5, 6, 7, 8]],
        [1, 6, 7, 4],
        "raw bytes; TFLM does not have it",
        confirmed_by=("litert",),
    ),
    Case(
        "a_scalar_condition",
        choose("SELECT", (), (3,), (3,), (3,)),
        [[False], [1, 2, 3], [4, 5, 6]],
        [4, 5, 6],
        "one condition for all; TFLM does not have it",
        confirmed_by=("litert",),
    ),
)
