"""ABS and NEG: ABS rescales where the scales differ, NEG never does."""

from __future__ import annotations

from one_op import activation, one_op

from .case import RECORDED, Case, unary

ABS = (
    Case(
        "equal_scales",
        unary("ABS", (0.5, 3), (0.5, -10), (4,)),
        [[-128, 2, 3, 127]],
        [121, -9, -10, 114],
        "distance from the zero point, above the output's",
    ),
    Case(
        "saturates",
        unary("ABS", (0.5, 0), (0.5, 0), (2,)),
        [[-128, -127]],
        [127, 127],
        "128 does not fit",
    ),
    Case(
        "rescales",
        unary("ABS", (0.25, 0), (1.0, 0), (5,)),
        [[-1, 2, -5, 6, -128]],
        [1, 1, 2, 2, 32],
        "rounded twice: 0.25 is a half, up, then a shift, away from zero",
    ),
    Case(
        "scales_divided_in_the_profiles_precision",
        unary("ABS", (0.12, -128), (0.192, -128), (1,)),
        [[28]],
        {"tflm": [-31], "litert": [-30]},
        "as in LEAKY_RELU",
        RECORDED,
    ),
)

NEG = (
    Case(
        "float32",
        one_op("NEG", [activation((3,), None)], activation((3,), None, name="y")),
        [[1.5, -3.25, 0.125]],
        [-1.5, 3.25, -0.125],
        "LayerNormalization has one between DEQUANTIZE and QUANTIZE",
    ),
    Case(
        "smallest_stays",
        unary("NEG", (1.0, 0), (1.0, 0), (4,)),
        [[-128, -127, 0, 127]],
        [-128, 127, 0, -127],
        "128 does not fit and wraps. TFLM has NEG for floats only",
        confirmed_by=("litert",),
    ),
    Case(
        "quantization_is_not_looked_at",
        unary("NEG", (1.0, 5), (0.5, -3), (3,)),
        [[5, 0, -6]],
        [-5, 0, 6],
        "raw bytes are negated, whatever they stand for",
        confirmed_by=("litert",),
    ),
)
