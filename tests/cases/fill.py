"""FILL: one value everywhere, in a constant shape."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, int32, one_op

from .case import Case, Shape


def fill(shape: Shape, value: Tensor) -> Graph:
    output = Tensor("y", shape, value.type, value.quantization)
    return one_op("FILL", [int32(shape), value], output)


CASES = (
    Case(
        "int8", fill((2, 2), activation((), 0.5, 3)), [7], [[7, 7], [7, 7]], "the value is an input"
    ),
    Case(
        "int32",
        fill((3,), Tensor("x", (), "INT32")),
        [-70000],
        [-70000, -70000, -70000],
        "elements of several bytes",
    ),
)
