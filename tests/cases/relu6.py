"""RELU6 as a layer. TFLM never rescales it: it clips raw values in the input's units."""

from __future__ import annotations

from .case import Case, unary

CASES = (
    Case(
        "six_in_steps",
        unary("RELU6", (0.5, 0), (0.5, 0), (5,)),
        [[-5, 0, 11, 12, 13]],
        [0, 0, 11, 12, 12],
        "6 / 0.5 is 12",
    ),
    Case(
        "rescale_or_not",
        unary("RELU6", (0.25, -128), (0.5, -128), (4,)),
        [[-128, -119, -118, -100]],
        {"tflm": [-128, -119, -118, -104], "litert": [-128, -123, -123, -116]},
        "0, 9, 10 and 28 steps of 0.25: TFLM clips at 24 of them, LiteRT at 12 steps of 0.5",
    ),
    Case(
        "six_divided_in_float32",
        unary("RELU6", (0.096, 0), (0.096, 0), (3,)),
        [[62, 63, 64]],
        [62, 63, 63],
        "6 / 0.096 is 62.5 in float32 and 62.4999995 in double, of 0.096 as float32 has it",
    ),
    Case(
        "six_beyond_the_type",
        unary("RELU6", (0.01, 0), (0.01, 0), (3,)),
        [[-1, 1, 127]],
        [0, 1, 127],
        "600 steps: the upper limit is the type's",
    ),
)
