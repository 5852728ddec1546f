"""LOG_SOFTMAX: the output's quantization is fixed, 1/16 and 127."""

from __future__ import annotations

from microinfer.graph import Graph

from .case import RECORDED, Case, unary


def log_softmax(scale: float, shape: tuple[int, ...]) -> Graph:
    return unary("LOG_SOFTMAX", (scale, 0), (1 / 16, 127), shape)


CASES = (
    Case(
        "equal_inputs",
        log_softmax(0.1, (2, 4)),
        [[[7, 7, 7, 7], [-128, -128, -128, -128]]],
        [105] * 8,
        "-log(4) is 22.2 sixteenths; only differences count",
    ),
    Case(
        "one_class",
        log_softmax(0.5, (2, 1)),
        [[[3], [-128]]],
        [127, 127],
        "log(1) = 0",
    ),
    Case(
        "saturates_at_minus_16",
        log_softmax(0.5, (5,)),
        [[-128, 0, 10, 12, 127]],
        [-128, -128, -128, -128, 127],
        "the lowest output is 255 / 16 below the highest",
    ),
    Case(
        "steps_of_0.1",
        log_softmax(0.1, (4,)),
        [[1, 2, 3, 4]],
        [102, 104, 106, 107],
        "in between",
        RECORDED,
    ),
)
