"""MEAN: the division is made on the multiplier, which truncates."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import RECORDED, Case, Quantized, Shape


def mean(
    shape: Shape, source: Quantized, axes: list[int], kept: Shape, output: Quantized, keep: bool
) -> Graph:
    operands = [activation(shape, *source), int32(axes)]
    return one_op("MEAN", operands, activation(kept, *output, name="y"), keep_dims=keep)


CASES = (
    Case(
        "a_tie_goes_up",
        mean((2,), (1.0, 5), [0], (1,), (1.0, 5), True),
        [[-1, -2]],
        [-1],
        "-13 / 2 above the zero point of 5: -6.5 is rounded up, AVERAGE_POOL_2D gives -2",
    ),
    Case(
        "truncated_multiplier",
        mean((6,), (0.66, 0), [0], (1,), (0.6, 0), True),
        [[45, 0, 0, 0, 0, 0]],
        [8],
        "45 * 1.1 / 6 = 8.25; the multiplier of 1/6, if rounded, would give 9",
        RECORDED,
    ),
    Case(
        "negative_and_repeated_axes",
        mean((2, 3), (1.0, 0), [-1, 1, -1], (2,), (1.0, 0), False),
        [[[1, 2, 6], [-1, -2, -6]]],
        [3, -3],
        "-1 and 1 are one axis, and it counts once",
    ),
    Case(
        "kept_axes_around_a_reduced_one",
        mean((2, 2, 2), (1.0, 0), [1], (2, 1, 2), (1.0, 0), True),
        [[[[1, 10], [3, 30]], [[5, 50], [7, 70]]]],
        [[[2, 20]], [[6, 60]]],
        "the innermost axis stays",
    ),
    Case(
        "all_axes_to_a_scalar",
        mean((2, 2), (2.0, -1), [0, 1], (), (1.0, 1), False),
        [[[0, 1], [2, 3]]],
        6,
        "a mean of 2.5 steps is 5 half as large ones, above 1",
    ),
)
