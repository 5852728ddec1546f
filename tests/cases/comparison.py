"""Comparisons of int8: at a common scale of 1/256, where small differences vanish."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, one_op

from .case import Case, Quantized, Shape


def compare(op: str, first: Quantized, second: Quantized, *shapes: Shape) -> Graph:
    """A comparison of two int8 tensors; ``shapes`` as in ``binary``."""
    shape1, shape2, shape = shapes * 3 if len(shapes) == 1 else shapes
    operands = [activation(shape1, *first, name="x1"), activation(shape2, *second, name="x2")]
    return one_op(op, operands, Tensor("y", shape, "BOOL"))


def cases(op: str, less: bool, equal: bool, greater: bool) -> tuple[Case, ...]:
    return (
        Case(
            "less_equal_greater",
            compare(op, (0.5, 3), (0.5, 3), (3,)),
            [[-128, 3, 127], [127, 3, -128]],
            [less, equal, greater],
            "each of the three relations once, at the ends",
        ),
        Case(
            "two_scales_and_zero_points",
            compare(op, (0.5, 0), (0.25, 10), (3,)),
            [[4, 4, 4], [19, 18, 17]],
            [less, equal, greater],
            "2 against 2.25, 2 and 1.75",
        ),
        Case(
            "less_than_a_step_of_1/256",
            compare(op, (2.0**-10, 0), (2.0**-10, 0), (3,)),
            [[0, 0, 0], [1, 2, 4]],
            [equal, less, less],
            "0.25 of a step is rounded away; 0.5 and 1 are 1, as ties go away from zero",
        ),
        Case(
            "both_broadcast",
            compare(op, (0.5, 0), (0.5, 0), (2, 1), (1, 2), (2, 2)),
            [[1, 2], [1, 2]],
            [equal, less, greater, equal],
            "each of two rows meets each of two columns",
        ),
    )


EQUAL = cases("EQUAL", False, True, False)
NOT_EQUAL = cases("NOT_EQUAL", True, False, True)
LESS = cases("LESS", True, False, False)
LESS_EQUAL = cases("LESS_EQUAL", True, True, False)
GREATER = cases("GREATER", False, False, True)
GREATER_EQUAL = cases("GREATER_EQUAL", False, True, True)
