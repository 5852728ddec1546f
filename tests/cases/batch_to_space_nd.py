"""BATCH_TO_SPACE_ND: images woven into one."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case, Shape


def to_space(shape: Shape, blocks: list[int], crops: list[list[int]], output: Shape) -> Graph:
    operands = [activation(shape, 0.5, -7), int32(blocks), int32(crops)]
    return one_op("BATCH_TO_SPACE_ND", operands, activation(output, 0.5, -7, "y"))


CASES = (
    Case(
        "a_block_of_four",
        to_space((4, 1, 2, 1), [2, 2], [[0, 0], [0, 0]], (1, 2, 4, 1)),
        [[[[[1], [3]]], [[[2], [4]]], [[[5], [7]]], [[[6], [8]]]]],
        [[[[1], [2], [3], [4]], [[5], [6], [7], [8]]]],
        "places in the block, row by row",
    ),
    Case(
        "cropped",
        to_space((2, 2, 1), [2], [[1, 1]], (1, 2, 1)),
        [[[[9], [2]], [[1], [9]]]],
        [[[1], [2]]],
        "one before and one after are cut away",
    ),
    Case(
        "cropped_by_more_than_a_block",
        to_space((2, 3, 1), [2], [[3, 0]], (1, 3, 1)),
        [[[[1], [3], [5]], [[2], [4], [6]]]],
        [[[4], [5], [6]]],
        "the first image starts later than the second",
    ),
)
