"""STRIDED_SLICE: NumPy's index expressions, as begins, ends, strides and masks."""

from __future__ import annotations

from typing import Any

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape

Items = list[tuple[int, int, int]]  # begin, end, stride


def strided(shape: Shape, items: Items, output: Shape, **masks: Any) -> Graph:
    operands = [activation(shape), *(int32(column) for column in zip(*items, strict=True))]
    return one_op("STRIDED_SLICE", operands, activation(output, name="y"), **masks)


SQUARE = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]

CASES = (
    Case(
        "every_other",
        strided((6,), [(1, 6, 2)], (3,)),
        [[1, 2, 3, 4, 5, 6]],
        [2, 4, 6],
        "x[1:6:2]",
    ),
    Case(
        "backwards_to_the_start",
        strided((5,), [(-1, 0, -2)], (3,), end_mask=1),
        [[1, 2, 3, 4, 5]],
        [5, 3, 1],
        "x[-1::-2]: only an open end reaches element 0",
    ),
    Case(
        "backwards_from_the_end",
        strided((4,), [(1, 0, -1)], (3,), begin_mask=1),
        [[1, 2, 3, 4]],
        [4, 3, 2],
        "x[:0:-1]: the open begin of a negative stride is the last element",
    ),
    Case(
        "ends_beyond_the_axis",
        strided((4,), [(-9, 9, 1)], (4,)),
        [[1, 2, 3, 4]],
        [1, 2, 3, 4],
        "x[-9:9] is cut to the axis",
    ),
    Case(
        "shrink",
        strided((3, 3), [(1, 2, 1), (0, 3, 1)], (3,), shrink_axis_mask=1),
        [SQUARE],
        [4, 5, 6],
        "x[1, 0:3]: an axis less",
    ),
    Case(
        "shrink_by_a_negative_index",
        strided((3, 3), [(0, 0, 1), (-1, 0, 1)], (3,), end_mask=1, shrink_axis_mask=2),
        [SQUARE],
        [3, 6, 9],
        "x[:, -1]: its end of 0 does not count",
    ),
    Case(
        "ellipsis",
        strided((1, 2, 3), [(0, 0, 1), (2, 3, 1)], (1, 2, 1), ellipsis_mask=1),
        [[[[1, 2, 3], [4, 5, 6]]]],
        [[[3], [6]]],
        "x[..., 2:3]; TFLM wants an item per axis",
        confirmed_by=("litert",),
    ),
    Case(
        "ellipsis_of_nothing",
        strided((2, 2), [(0, 1, 1), (0, 0, 1), (1, 2, 1)], (1, 1), ellipsis_mask=2),
        [[[1, 2], [3, 4]]],
        [[2]],
        "x[0:1, ..., 1:2], as TensorFlow has it; TFLM refuses it, LiteRT reads beyond its tensor",
        confirmed_by=(),
    ),
    Case(
        "new_axis",
        strided((3,), [(0, 0, 1), (1, 3, 1)], (1, 2), new_axis_mask=1),
        [[1, 2, 3]],
        [[2, 3]],
        "x[newaxis, 1:3]; TFLM takes no new axes",
        confirmed_by=("litert",),
    ),
    Case(
        "axes_that_no_item_names",
        strided((2, 3), [(1, 2, 1)], (1, 3)),
        [[[1, 2, 3], [4, 5, 6]]],
        [[4, 5, 6]],
        "x[1:2]; TFLM wants an item per axis",
        confirmed_by=("litert",),
    ),
)
