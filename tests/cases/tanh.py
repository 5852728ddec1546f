"""TANH: the output's quantization is fixed, 1/128 and 0."""

from __future__ import annotations

from .case import RECORDED, Case, unary

OUTPUT = (1 / 128, 0)

CASES = (
    Case(
        "odd_around_the_zero_point",
        unary("TANH", (0.5, 20), OUTPUT, (3,)),
        [[19, 20, 21]],
        [-59, 0, 59],
        "tanh(0.5) * 128 is 59.15",
    ),
    Case(
        "both_ends",
        unary("TANH", (1.0, 0), OUTPUT, (4,)),
        [[-128, -16, 16, 127]],
        [-128, -128, 127, 127],
        "128 steps up are one too many for int8, 128 down are not",
    ),
    Case(
        "steps_of_0.03",
        unary("TANH", (0.03, 0), OUTPUT, (8,)),
        [[-128, -20, -3, 0, 1, 5, 40, 127]],
        [-128, -69, -11, 0, 4, 19, 107, 127],
        "in between",
        RECORDED,
    ),
    Case(
        "scale_with_nothing_inside",
        unary("TANH", (8.0, -1), OUTPUT, (3,)),
        [[-2, -1, 0]],
        {"tflm": [-128, -128, 127], "litert": [-128, 0, 127]},
        "as in LOGISTIC: with a radius of 0 steps even real zero is an end",
        RECORDED,
    ),
)
