"""ZEROS_LIKE: the integer 0 in the input's shape. LiteRT has it not for int8."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, one_op

from .case import Case


def zeros_like(x: Tensor) -> Graph:
    return one_op("ZEROS_LIKE", [x], Tensor("y", x.shape, x.type, x.quantization))


CASES = (
    Case(
        "is_not_the_zero_point",
        zeros_like(activation((3,), 0.5, 5)),
        [[1, 2, 3]],
        [0, 0, 0],
        "0 stands for -2.5 here; LiteRT refuses int8",
        confirmed_by=("tflm",),
    ),
    Case("int32", zeros_like(Tensor("x", (2,), "INT32")), [[1, 2]], [0, 0], "4 bytes each"),
)
