"""PACK: tensors of one shape along a new axis."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, constant, one_op

from .case import Case, Shape


def pack(inputs: list[Tensor], axis: int, output: Shape) -> Graph:
    y = activation(output, 0.5, 3, "y")
    return one_op("PACK", inputs, y, values_count=len(inputs), axis=axis)


def x(name: str) -> Tensor:
    return activation((2,), 0.5, 3, name)


CASES = (
    Case("in_front", pack([x("a"), x("b")], 0, (2, 2)), [[1, 2], [3, 4]], [[1, 2], [3, 4]], ""),
    Case(
        "behind",
        pack([x("a"), x("b")], -1, (2, 2)),
        [[1, 2], [3, 4]],
        [[1, 3], [2, 4]],
        "axis -1 is the new axis, behind the inputs' last",
    ),
    Case(
        "with_a_constant",
        pack([x("a"), constant([7, 8], 0.5, 3), x("b")], 1, (2, 3)),
        [[1, 2], [3, 4]],
        [[1, 7, 3], [2, 8, 4]],
        "constants are operands",
    ),
    Case("alone", pack([x("a")], 1, (2, 1)), [[1, 2]], [[1], [2]], "a copy"),
)
