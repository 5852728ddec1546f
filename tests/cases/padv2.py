"""PADV2: a frame of a given value."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, constant, int32, one_op

from .case import Case, Shape


def pad(shape: Shape, pads: list[list[int]], value: Tensor, output: Shape) -> Graph:
    """Scale 0.5 and zero point -7."""
    operands = [activation(shape, 0.5, -7), int32(pads), value]
    return one_op("PADV2", operands, activation(output, 0.5, -7, "y"))


CASES = (
    Case(
        "a_constant",
        pad((2,), [[1, 2]], constant(9, 0.5, -7), (5,)),
        [[10, 20]],
        [9, 10, 20, 9, 9],
        "the raw value, not the zero point",
    ),
    Case(
        "a_computed_value",
        pad((1, 2), [[1, 0], [0, 1]], activation((), 0.5, -7, "value"), (2, 3)),
        [[[1, 2]], 5],
        [[5, 5, 5], [1, 2, 5]],
        "the value is an input",
    ),
)
