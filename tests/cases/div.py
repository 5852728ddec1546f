"""DIV: by a reciprocal in fixed point. Divisors of zero are nobody's but ours."""

from __future__ import annotations

from .case import RECORDED, Case, binary

CASES = (
    Case(
        "signs_and_ties",
        binary("DIV", (1.0, 0), (1.0, 0), (1 / 64, 0), (6,)),
        [[100, 100, -100, -100, 127, -128], [64, -64, 64, -64, 127, 127]],
        [100, -100, -100, 100, 64, -65],
        "quotients in steps of 1/64; -128/127 is -64.504 steps",
        RECORDED,
    ),
    Case(
        "zero_points_and_both_ends",
        binary("DIV", (0.5, -28), (0.25, 10), (1 / 32, -3), (4,)),
        [[100, 100, -128, 36], [11, 9, 20, 42]],
        [127, -128, -128, 125],
        "128 / 1 and -128 / 1 saturate either way; 64 / 32 * 2 is 128 steps above -3",
        RECORDED,
    ),
    Case(
        "relu6_in_units_of_the_output",
        binary("DIV", (1.0, 0), (1.0, 0), (0.125, -100), (3,), fused_activation_function="RELU6"),
        [[-100, 100, 127], [10, 100, 5]],
        [-100, -92, -52],
        "real six is 48 steps above the zero point of -100",
    ),
    Case(
        "scales_combined_in_the_profiles_precision",
        binary("DIV", (0.1, 0), (0.1, 0), (0.02, 0), (1,)),
        [[17], [20]],
        {"tflm": [43], "litert": [42]},
        "17 / 20 is 42.5 steps, and the multiplier just above or just below 50",
        RECORDED,
    ),
    Case(
        "by_zero",
        binary("DIV", (1.0, 0), (1.0, 5), (1.0, 7), (3,)),
        [[3, -3, 0], [5, 5, 5]],
        [127, -128, 7],
        "saturates by the dividend's sign. LiteRT stops with an error, TFLM gives any value",
        confirmed_by=(),
    ),
    Case(
        "nothing_divided",
        binary("DIV", (1.0, 0), (1.0, 0), (1.0, 7), (2,)),
        [[0, 1], [127, 127]],
        [7, 7],
        "beyond 2^31 the last shift is undefined in both runtimes, whose bits test_oracle_bugs.py"
        " shows",
        confirmed_by=(),
    ),
)
