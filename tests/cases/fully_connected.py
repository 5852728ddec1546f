"""FULLY_CONNECTED: the layer whose rounding the runtimes disagree on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microinfer.graph import Graph
from one_op import activation, constant, int32, one_op

from .case import RECORDED, Case, Quantized, Shape


def dense(
    shape: Shape, source: Quantized, weights: ArrayLike, scales: ArrayLike, bias: ArrayLike | None,
    output_shape: Shape, output: Quantized = (1.0, 0), weights_zero_point: int = 0, **options: Any,
) -> Graph:  # fmt: skip
    filters = constant(np.int8(weights), scales, weights_zero_point, name="w")
    biased = None if bias is None else int32(bias, np.float32(source[0]) * np.float32(scales), "b")
    y = activation(output_shape, *output, name="y")
    return one_op("FULLY_CONNECTED", [activation(shape, *source), filters, biased], y, **options)


LONG = 1061  # 127 * 127 * 1061 is odd and above 2^24

CASES = (
    Case(
        "double_or_single_rounding",
        dense((4, 1), (0.75, 0), [[1]], 0.5, [0], (4, 1)),
        [[[6], [-6], [4], [-4]]],
        {"tflm": [3, -2, 2, -2], "litert": [2, -2, 2, -2]},
        "2.25, -2.25, 1.5 and -1.5. TFLM: 4.5 and -4.5 are rounded up to 5 and -4, and then the"
        " halves of 5, -4, 3 and -3 away from zero",
    ),
    Case(
        "scales_multiplied_in_double",
        dense((1, 1), (0.95, 0), [[1]], 0.081, [306907783], (1, 1), (477102.1, 0)),
        [[[0]]],
        [50],
        "306907783 * 0.95 * 0.081 / 477102.1 = 49.5 and a little; with the product of scales"
        " rounded to float32, as TFLM's was until 2026, it is 49",
        RECORDED,
    ),
    Case(
        "weights_with_a_zero_point",
        dense((1, 2), (1.0, 1), [[5, -3]], 1.0, [1], (1, 1), (1.0, -10), -2),
        [[[3, 5]]],
        [1],
        "7 * 2 - 1 * 4 + 1 = 11, above -10",
    ),
    Case(
        "scales_per_channel",
        dense((1, 2), (0.5, 0), [[1, 1], [1, 1]], [2.0, 0.25], [1, 2], (1, 2)),
        [[[4, 6]]],
        {"tflm": [11, 2], "litert": [11, 2]},
        "(10 + 1) * 1 and (10 + 2) / 8 = 1.5",
    ),
    Case(
        "keeps_leading_axes",
        dense(
            (1, 2, 2), (1.0, 0), [[1, 10]], 1.0, None, (1, 2, 1), version=5, keep_num_dims=True
        ),
        [[[[1, 2], [3, 4]]]],
        [[[21], [43]]],
        "keep_num_dims; and no bias, an input of -1",
    ),
    Case(
        "flattens_to_rows",
        dense((1, 2, 2), (1.0, 0), [[1, 2, 3, 4]], 0.5, [0], (1, 1)),
        [[[[1, 2], [3, 5]]]],
        [17],
        "as many elements as a row of weights has make a row: 34 / 2",
    ),
    Case(
        "a_sum_that_float32_cannot_hold",
        dense((1, LONG), (1.0, 0), [[127] * LONG], 1.0, [5 - 127 * 127 * LONG], (1, 1)),
        [[[127] * LONG]],
        [5],
        "every unit of the accumulator counts, also in a BLAS of floats",
    ),
)  # fmt: skip
