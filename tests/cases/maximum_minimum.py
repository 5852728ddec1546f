"""MAXIMUM and MINIMUM: of raw integers."""

from __future__ import annotations

from .case import Case, binary

Q = (0.5, -7)

MAXIMUM = (
    Case(
        "raw",
        binary("MAXIMUM", Q, Q, Q, (4,)),
        [[-128, 127, -7, 3], [127, -128, -7, 4]],
        [127, 127, -7, 4],
        "zero points do not matter",
    ),
    Case(
        "both_broadcast",
        binary("MAXIMUM", Q, Q, Q, (2, 1), (1, 3), (2, 3)),
        [[0, 2], [1, 2, 3]],
        [1, 2, 3, 2, 2, 3],
        "each of two rows meets each of three columns",
    ),
)

MINIMUM = (
    Case(
        "raw",
        binary("MINIMUM", Q, Q, Q, (4,)),
        [[-128, 127, -7, 3], [127, -128, -7, 4]],
        [-128, -128, -7, 3],
        "zero points do not matter",
    ),
    Case(
        "a_scalar",
        binary("MINIMUM", Q, Q, Q, (), (3,), (3,)),
        [[2], [1, 2, 3]],
        [1, 2, 2],
        "a clamp from above",
    ),
)
