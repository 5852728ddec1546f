"""SUB: as ADD, with the second operand taken away after its rescale."""

from __future__ import annotations

from .case import RECORDED, Case, binary

CASES = (
    Case(
        "order_and_zero_points",
        binary("SUB", (1.0, 1), (1.0, 2), (1.0, 3), (3,)),
        [[11, 1, 4], [2, 12, 5]],
        [13, -7, 3],
        "10 - 0, 0 - 10 and 3 - 3, above a zero point of 3",
    ),
    Case(
        "ties_away_from_zero",
        binary("SUB", (0.5, 0), (0.5, 0), (1.0, 0), (4,)),
        [[3, -3, 1, 0], [0, 0, 2, -1]],
        [2, -2, -1, 1],
        "the differences are 1.5, -1.5, -0.5 and 0.5",
    ),
    Case(
        "second_operand_broadcasts",
        binary("SUB", (1.0, 0), (1.0, 0), (1.0, 0), (2, 2), (2,), (2, 2)),
        [[[10, 20], [30, 40]], [1, 2]],
        [[9, 18], [29, 38]],
        "the shorter shape is aligned at its end",
    ),
    Case(
        "scales_divided_in_double",
        binary("SUB", (0.27, 0), (0.82, 0), (0.7, 0), (1,)),
        [[77], [112]],
        [-102],
        "(0.27 * 77 - 0.82 * 112) / 0.7 = -101.5; quotients formed in float32 give -101, as"
        " TFLM's did until 2026",
        RECORDED,
    ),
)
