"""ARG_MAX and ARG_MIN: indices as int32 or int64, of the first where several are equal."""

from __future__ import annotations

from microinfer.graph import Graph, Tensor
from one_op import activation, int32, one_op

from .case import BOTH, Case, Shape


def where(op: str, shape: Shape, axis: int, kept: Shape, index_type: str = "INT32") -> Graph:
    operands = [activation(shape, 0.1, -3), int32(axis)]
    return one_op(op, operands, Tensor("y", kept, index_type), output_type=index_type)


def cases(op: str, ties: list[int], middle: list[int]) -> tuple[Case, ...]:
    return (
        Case(
            "the_first_of_several",
            where(op, (3, 4), -1, (3,)),
            [[[5, 9, 9, 5], [7, 7, 7, 7], [-128, 127, -128, 127]]],
            ties,
            "the last would be as right, but is another one",
        ),
        Case(
            "an_axis_in_the_middle",
            where(op, (2, 3, 2), 1, (2, 2)),
            [[[[1, -6], [2, -5], [3, -4]], [[0, 0], [-1, 1], [1, -1]]]],
            middle,
            "elements along the axis are two apart",
        ),
        *(
            Case(
                f"one_dimension_to_a_scalar_of_{index_type.lower()}",
                where(op, (3,), 0, (), index_type),
                [[4, 4, 4]],
                0,
                "an output of rank 0" + ("" if index_type == "INT32" else "; TFLM has int32 only"),
                confirmed_by=BOTH if index_type == "INT32" else ("litert",),
            )
            for index_type in ("INT32", "INT64")
        ),
        Case(
            "int64",
            where(op, (3, 4), 1, (3,), "INT64"),
            [[[5, 9, 9, 5], [7, 7, 7, 7], [-128, 127, -128, 127]]],
            ties,
            "eight bytes an index; TFLM has int32 only",
            confirmed_by=("litert",),
        ),
    )


MAXIMUM = cases("ARG_MAX", [1, 0, 1], [2, 2, 2, 1])
MINIMUM = cases("ARG_MIN", [0, 0, 0], [0, 0, 1, 2])
