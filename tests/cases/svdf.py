"""SVDF: what is remembered, for how long, and what wraps."""

from __future__ import annotations

import recurrent

from .case import Case

ONES = ([[1]], 1.0)

CASES = (
    Case(
        "the_newest_feature_is_last_and_the_oldest_goes",
        recurrent.svdf((1.0, 0), ONES, ([[1, 10, 100]], 1.0), (1.0, 0), (1.0, 0), bias=[0]),
        [[1, 0, 0, 0, 2]],
        [100, 10, 1, 0, 127],
        "a 1 wanders through three places and is gone; 200 is cut",
        invocations=5,
    ),
    Case(
        "filters_of_a_unit_are_neighbours",
        recurrent.svdf(
            (1.0, 1), ([[1, 0], [0, 1], [1, 1], [2, 0]], 1.0), ([[1], [2], [3], [4]], 1.0),
            (1.0, 0), (1.0, -3), bias=[5, -5], rank=2,
        ),
        [[[2, 3]]],
        [1 * 1 + 2 * 2 + 5 - 3, 3 * 3 + 4 * 2 - 5 - 3],
        "inputs 1 and 2 above the zero point: features 1, 2, 3 and 2, of two units of rank 2",
    ),
    Case(
        "each_batch_has_its_own_memory",
        recurrent.svdf(
            (1.0, 0), ONES, ([[1, 10]], 1.0), (1.0, 0), (1.0, 0), bias=[0], batches=2
        ),
        [[[1, 2], [3, 4]]],
        [[10, 20], [31, 42]],
        "1 * 1 + 3 * 10 and 2 * 1 + 4 * 10",
        invocations=2,
    ),
    Case(
        "double_rounding_of_a_feature",
        recurrent.svdf((0.75, 0), ([[1]], 0.5), ([[1]], 1.0), (1.0, 0), (1.0, 0), bias=[0]),
        [[6, -6, 2, -2]],
        [3, -2, 1, -1],
        "6 * 0.375 = 2.25: 4.5 is rounded up to 5, then 2.5 away from zero, as in CONV_2D",
        invocations=4,
    ),
    Case(
        "the_accumulator_wraps",
        recurrent.svdf(
            (1.0, 0), ([[127]] * 3, 0.5), ([[32767]] * 3, 1.0), (2.0**-9, 0), (2.0**17, 0),
            bias=[0], rank=3,
        ),
        [[[127]]],
        [-16],
        "three features cut at 32767: 3 * 32767^2 is nearly 3 * 2^30, and as an int32 about -2^30;"
        " the multiplier is 2^-26",
    ),
    Case(
        "fused_relu_is_not_applied",
        recurrent.svdf((1.0, 0), ONES, ([[1]], 1.0), (1.0, 0), (1.0, 0), bias=[0]),
        [[-5, 5]],
        [-5, 5],
        "the option says RELU, and integers do not care",
        invocations=2,
    ),
    Case(
        "an_int8_state_begins_at_its_zero_point",
        recurrent.svdf(
            (1.0, 0), ONES, ([[1, 1, 1]], 1.0), (1.0, 10), (1.0, 0), bias=[0], type="INT8"
        ),
        [[1, 2, 3, 4]],
        [1, 3, 6, 9],
        "a state that began with 0 would count -10 for each place; LiteRT destroys memory",
        confirmed_by=("tflm",),
        invocations=4,
    ),
    Case(
        "an_int8_feature_wraps_when_its_zero_point_is_added",
        recurrent.svdf(
            (1.0, 0), ONES, ([[1]], 1.0), (1.0, 10), (2.0, 0), bias=[0], type="INT8"
        ),
        [[127, 117, 118, -128]],
        [-64, 59, -69, -64],
        "127 + 10 is stored as -119, 129 below the zero point; 117 + 10 fits; 118 + 10 is -128,"
        " 138 below; -128 + 10 fits. Halves are rounded up",
        confirmed_by=("tflm",),
        invocations=4,
    ),
)  # fmt: skip
