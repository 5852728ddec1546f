"""SPACE_TO_BATCH_ND: every n-th pixel is an image. TFLM pads with uninitialised memory."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def to_batch(shape: Shape, blocks: list[int], pads: list[list[int]], output: Shape) -> Graph:
    operands = [activation(shape, 0.5, -7), int32(blocks), int32(pads)]
    return one_op("SPACE_TO_BATCH_ND", operands, activation(output, 0.5, -7, "y"))


CASES = (
    Case(
        "a_block_of_four",
        to_batch((1, 2, 4, 1), [2, 2], [[0, 0], [0, 0]], (4, 1, 2, 1)),
        [[[[[1], [2], [3], [4]], [[5], [6], [7], [8]]]]],
        [[[[1], [3]]], [[[2], [4]]], [[[5], [7]]], [[[6], [8]]]],
        "places in the block, row by row",
    ),
    Case(
        "rank_three",
        to_batch((1, 4, 2), [2], [[0, 0]], (2, 2, 2)),
        [[[[1, 2], [3, 4], [5, 6], [7, 8]]]],
        [[[1, 2], [5, 6]], [[3, 4], [7, 8]]],
        "one axis of space",
    ),
    Case(
        "two_batches",
        to_batch((2, 2, 1), [2], [[0, 0]], (4, 1, 1)),
        [[[[1], [2]], [[3], [4]]]],
        [[[1]], [[3]], [[2]], [[4]]],
        "the place is slower than the batch",
    ),
    Case(
        "padding_is_the_zero_point",
        to_batch((1, 2, 1), [2], [[1, 1]], (2, 2, 1)),
        [[[[1], [2]]]],
        [[[-7], [2]], [[1], [-7]]],
        "TFLM never sets its pad value: what comes out changes",
        confirmed_by=("litert",),
    ),
)
