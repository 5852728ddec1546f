"""CUMSUM: LiteRT has none of int8; TFLM's sums begin at minus the zero point."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Quantized, Shape


def running(
    shape: Shape, axis: int, source: Quantized = (1.0, 0), output: Quantized = (1.0, 0),
    exclusive: bool = False, reverse: bool = False,
) -> Graph:  # fmt: skip
    operands = [activation(shape, *source), int32([axis])]
    y = activation(shape, *output, name="y")
    return one_op("CUMSUM", operands, y, exclusive=exclusive, reverse=reverse)


ROW = [1, 2, 3, 100, 50]

CASES = tuple(
    Case(name, graph, [values], expected, why, confirmed_by=("tflm",))
    for name, graph, values, expected, why in (
        ("inclusive", running((5,), 0), ROW, [1, 3, 6, 106, 127], "the last, 156, saturates"),
        ("exclusive", running((5,), 0, exclusive=True), ROW, [0, 1, 3, 6, 106], "begins with 0"),
        ("reverse", running((5,), -1, reverse=True), ROW, [127, 127, 127, 127, 50],
         "from the last to the first"),
        ("exclusive_reverse", running((5,), 0, exclusive=True, reverse=True), ROW,
         [127, 127, 127, 50, 0], "without the element itself"),
        ("middle_axis", running((2, 2, 2), 1), [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
         [1, 2, 4, 6, 5, 6, 12, 14], "elements along the axis are two apart"),
        ("rescaled", running((3,), 0, (0.5, 0), (1.0, 3)), [1, 2, -6], [4, 5, 1],
         "0.5 and 1.5 and -1.5, ties away from zero, above 3"),
        ("sums_begin_at_minus_the_zero_point", running((2,), 0, (1.0, 10), (1.0, 0)), [11, 12],
         [-9, -7], "1 and 3 would be right; TFLM's are 10 less"),
        ("sums_wrap", running((33,), 0, (0.5, 0), (64.0, 0)), [127] * 33,
         [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
          25, 26, 27, 28, 29, 30, 31, 32, -31], "33 * 127 = 4191 is 4095 and more"),
    )
)  # fmt: skip
