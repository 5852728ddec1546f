"""SOFTMAX: the output's quantization is fixed, 1/256 and -128."""

from __future__ import annotations

from microinfer.graph import Graph

from .case import RECORDED, Case, unary


def softmax(scale: float, shape: tuple[int, ...], beta: float = 1.0) -> Graph:
    return unary("SOFTMAX", (scale, 0), (1 / 256, -128), shape, beta=beta)


CASES = (
    Case(
        "equal_inputs",
        softmax(0.1, (2, 4)),
        [[[7, 7, 7, 7], [-128, -128, -128, -128]]],
        [-64] * 8,
        "a quarter is 64 steps; only differences count",
    ),
    Case(
        "saturates",
        softmax(1.0, (3,)),
        [[127, -128, -128]],
        [127, -128, -128],
        "all of it is 256 steps, one too many",
    ),
    Case(
        "one_class",
        softmax(0.1, (2, 1)),
        [[3, -3]],
        [127, 127],
        "nothing to be compared with",
    ),
    Case(
        "differences_that_do_not_count",
        softmax(0.5, (5,)),
        [[-128, 0, 10, 12, 127]],
        [-128, -128, -128, -128, 127],
        "beyond 31 below the maximum nothing is computed",
        RECORDED,
    ),
    Case(
        "steps_of_0.1",
        softmax(0.1, (4,)),
        [[1, 2, 3, 4]],
        [-73, -68, -61, -54],
        "in between",
        RECORDED,
    ),
    Case(
        "beta",
        softmax(0.1, (4,), beta=2.0),
        [[1, 2, 3, 4]],
        [-82, -72, -59, -44],
        "as steps of 0.2",
        RECORDED,
    ),
)
