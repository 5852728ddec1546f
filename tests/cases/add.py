"""ADD: summed at 2^20 times the finer scale, then rounded once, ties away from zero."""

from __future__ import annotations

from one_op import activation, one_op

from .case import Case, binary

X = activation((2,), 1.0, 1)

CASES = (
    Case(
        "ties_away_from_zero",
        binary("ADD", (0.5, 0), (0.5, 0), (1.0, 0), (5,)),
        [[1, 2, 3, -2, -1], [1, 1, 1, -1, 0]],
        [1, 2, 2, -2, -1],
        "the sums are 1, 1.5, 2, -1.5 and -0.5",
    ),
    Case(
        "zero_points_and_both_ends",
        binary("ADD", (1.0, 10), (1.0, -10), (1.0, 5), (3,)),
        [[127, -128, 10], [127, -128, -10]],
        [127, -128, 5],
        "117 + 137 and -138 - 118 saturate; zero plus zero is the output's zero point",
    ),
    Case(
        "both_broadcast",
        binary("ADD", (1.0, 0), (1.0, 0), (1.0, 0), (2, 1), (1, 3), (2, 3)),
        [[10, 20], [1, 2, 3]],
        [11, 12, 13, 21, 22, 23],
        "each of two rows meets each of three columns",
    ),
    Case(
        "relu6_in_units_of_the_output",
        binary("ADD", (0.5, 0), (0.5, 0), (0.5, -100), (4,), fused_activation_function="RELU6"),
        [[-9, 3, 10, 100], [0, 4, 2, 100]],
        [-100, -93, -88, -88],
        "real six is 12 steps above the zero point of -100",
    ),
    Case(
        "a_scale_too_small_to_count",
        binary("ADD", (1.0, 0), (2.0**-40, 0), (1.0, 0), (2,)),
        [[7, -7], [127, -128]],
        [7, -7],
        "the second multiplier is below 2^-32 and becomes 0",
    ),
    Case(
        "the_same_tensor_twice",
        one_op("ADD", [X, X], activation((2,), 2.0, 1)),
        [[5, -3]],
        [5, -3],
        "the node lists one tensor index twice",
    ),
)
