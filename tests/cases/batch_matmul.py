"""BATCH_MATMUL: which axes meet, two zero points, and the multiplier's precision."""

from __future__ import annotations

from microinfer.graph import Graph
from one_op import activation, constant, one_op

from .case import RECORDED, Case, Quantized, Shape, binary


def matmul(*shapes: Shape, adj_x: bool = False, adj_y: bool = False) -> Graph:
    """All scales 1 and zero points 0."""
    one = (1.0, 0)
    return binary("BATCH_MATMUL", one, one, one, *shapes, adj_x=adj_x, adj_y=adj_y)


def single(left: Quantized, right: Quantized, output: Quantized) -> Graph:
    return binary("BATCH_MATMUL", left, right, output, (1, 1))


A, B = [[1, 2, 3], [4, 5, 6]], [[7, 8], [9, 10], [11, 12]]
A_T, B_T = [[1, 4], [2, 5], [3, 6]], [[7, 9, 11], [8, 10, 12]]
AB = [[58, 64], [127, 127]]

CASES = (
    Case(
        "two_by_three_by_two",
        matmul((2, 3), (3, 2), (2, 2)),
        [A, B],
        AB,
        "7 + 18 + 33 and 8 + 20 + 36; 139 and 154 saturate",
    ),
    Case(
        "left_side_transposed",
        matmul((3, 2), (3, 2), (2, 2), adj_x=True),
        [A_T, B],
        AB,
        "the same product",
    ),
    Case(
        "right_side_transposed",
        matmul((2, 3), (2, 3), (2, 2), adj_y=True),
        [A, B_T],
        AB,
        "the same product",
    ),
    Case(
        "both_sides_transposed",
        matmul((3, 2), (2, 3), (2, 2), adj_x=True, adj_y=True),
        [A_T, B_T],
        AB,
        "the same product",
    ),
    Case(
        "batch_axes_broadcast_both_ways",
        matmul((2, 1, 1, 1), (3, 1, 1), (2, 3, 1, 1)),
        [[[[[2]]], [[[3]]]], [[[5]], [[7]], [[11]]]],
        [10, 14, 22, 15, 21, 33],
        "each of two with each of three",
    ),
    Case(
        "zero_points_of_both_sides",
        one_op(
            "BATCH_MATMUL",
            [activation((1, 2), 0.5, 10), constant([[3], [4]], 0.5, 2)],
            activation((1, 1), 0.25, -3, name="y"),
        ),
        [[[11, 8]]],
        [-6],
        "1 * 1 - 2 * 2 = -3 quarters, above -3; the right side is a constant",
    ),
    Case(
        "ties_as_in_conv_2d",
        single((0.5, 0), (0.5, 0), (1.0, 0)),
        [[[-3]], [[2]]],
        [-2],
        "-1.5: the high multiply makes -3 of it, exactly, the shift a tie away from zero",
    ),
    Case(
        "product_of_scales_in_float32_or_float64",
        single((0.3, 0), (0.7, 0), (0.3, 0)),
        [[[5]], [[1]]],
        {"tflm": [3], "litert": [4]},
        "5 * 0.7, just below 3.5 in double, just above it in float32",
        RECORDED,
    ),
)
