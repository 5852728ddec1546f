"""LOGISTIC: the output's quantization is fixed, 1/256 and -128."""

from __future__ import annotations

from .case import RECORDED, Case, unary

OUTPUT = (1 / 256, -128)

CASES = (
    Case(
        "a_half_at_the_zero_point",
        unary("LOGISTIC", (0.1, 7), OUTPUT, (1,)),
        [[7]],
        [0],
        "logistic(0) is 128 steps of 1/256",
    ),
    Case(
        "both_ends",
        unary("LOGISTIC", (1.0, 0), OUTPUT, (4,)),
        [[-128, -16, 16, 127]],
        [-128, -128, 127, 127],
        "beyond +-15 TFLM does not compute; 256 steps are one too many for int8",
    ),
    Case(
        "steps_of_0.1",
        unary("LOGISTIC", (0.1, -3), OUTPUT, (8,)),
        [[-128, -20, -3, 0, 1, 5, 40, 127]],
        [-128, -88, 0, 19, 25, 49, 125, 127],
        "in between",
        RECORDED,
    ),
    Case(
        "scale_with_nothing_inside",
        unary("LOGISTIC", (8.0, -1), OUTPUT, (3,)),
        [[-2, -1, 0]],
        {"tflm": [-128, -128, 127], "litert": [-128, 0, 127]},
        "one step is 8: TFLM's radius of +-15 rounds down to 0 steps, and real zero is an end",
        RECORDED,
    ),
    Case(
        "scale_beyond_fixed_point",
        unary("LOGISTIC", (20.0, -1), OUTPUT, (3,)),
        [[-2, -1, 0]],
        {"tflm": [-128, -128, 127], "litert": [-128, 0, 127]},
        "a scale of 16 and more has no multiplier in Q4.27, and needs none",
        RECORDED,
    ),
)
