"""Cases of int16, part of the operators' tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from microinfer.graph import Graph, Tensor
from one_op import activation, constant, int32, one_op

from .case import RECORDED, Case
from .quantize_types import between, tensor

TFLM, LITERT = ("tflm",), ("litert",)


def unary(op: str, source: float, target: float, count: int, **options: Any) -> Graph:
    """An operator on int16, by the scales of input and output."""
    return between(op, ("INT16", source, 0), ("INT16", target, 0), count, **options)


def binary(
    op: str, first: float, second: float, target: float, count: int, **options: Any
) -> Graph:
    """An operator on two of int16, by the scales of inputs and output."""
    operands = [tensor("INT16", s, 0, count, n) for s, n in ((first, "x1"), (second, "x2"))]
    return one_op(op, operands, tensor("INT16", target, 0, count, "y"), **options)


def compare(op: str, first: float, second: float, count: int) -> Graph:
    operands = [tensor("INT16", s, 0, count, n) for s, n in ((first, "x1"), (second, "x2"))]
    return one_op(op, operands, Tensor("y", (count,), "BOOL"))


def reduce(op: str, source: float, target: float, count: int) -> Graph:
    y = activation((1,), target, 0, "y", "INT16")
    return one_op(op, [tensor("INT16", source, 0, count), int32([0])], y, keep_dims=True)


ENDS = [-32768, 32767]

TABLES: dict[str, tuple[Case, ...]] = {
    "RELU": (
        Case(
            "int16",
            unary("RELU", 0.5, 1.0, 5),
            [[-5, 1, 3, 32767, -32768]],
            [0, 1, 2, 16384, 0],
            "halves go up; zero is the lowest",
        ),
    ),
    "RELU6": (
        Case(
            "int16",
            unary("RELU6", 0.5, 1.0, 4),
            [[20, 3, -4, 32767]],
            {"tflm": [12, 3, 0, 12], "litert": [6, 2, 0, 6]},
            "TFLM limits the raw input to its own six, and does not rescale",
        ),
    ),
    "ABS": (
        Case(
            "int16",
            unary("ABS", 1.0, 1.0, 3),
            [[-32768, -5, 7]],
            [32767, 5, 7],
            "-32768 has no counterpart",
        ),
        Case(
            "int16_rounds_the_magnitude",
            unary("ABS", 0.5, 1.0, 4),
            [[-3, 3, -1, 1]],
            [2, 2, 1, 1],
            "a tie of a negative goes where that of its magnitude goes",
        ),
    ),
    "LEAKY_RELU": (
        Case(
            "int16",
            unary("LEAKY_RELU", 1.0, 1.0, 4, alpha=0.5),
            [[-3, -1, -32768, 9]],
            [-1, 0, -16384, 9],
            "-1.5 and -0.5 go up, as there is no right shift",
        ),
        Case(
            "int16_turned_around",
            unary("LEAKY_RELU", 1.0, 1.0, 3, alpha=-0.5),
            [[-3, -32768, 4]],
            [1, 16384, 4],
            "-1.5 is rounded before its sign is changed",
        ),
    ),
    "ADD": (
        Case(
            "int16_ties_away_from_zero",
            binary("ADD", 0.5, 0.5, 1.0, 5, pot_scale_int16=False),
            [[1, 2, 3, -2, -1], [1, 1, 1, -1, 0]],
            [1, 2, 2, -2, -1],
            "the sums are 1, 1.5, 2, -1.5 and -0.5",
        ),
        Case(
            "int16_saturates",
            binary("ADD", 1.0, 1.0, 1.0, 2),
            [ENDS, ENDS],
            ENDS,
            "pot_scale_int16 asks for nothing where all scales are equal",
        ),
    ),
    "SUB": (
        Case(
            "int16_saturates",
            binary("SUB", 1.0, 1.0, 1.0, 3, pot_scale_int16=False),
            [[-32768, 32767, 5], [32767, -32768, 7]],
            [-32768, 32767, -2],
            "the difference has 17 bits",
        ),
    ),
    "MUL": (
        Case(
            "int16_largest_product",
            binary("MUL", 2.0**-15, 2.0**-15, 2.0**-15, 3),
            [[-32768, -32768, 32767], [-32768, 32767, 32767]],
            [32767, -32767, 32766],
            "-1 * -1 is one step too many",
        ),
    ),
    "MAXIMUM": (
        Case(
            "int16",
            binary("MAXIMUM", 0.1, 0.1, 0.1, 2),
            [[-32768, 300], [32767, -300]],
            [32767, 300],
            "all 16 bits are compared",
        ),
    ),
    "MINIMUM": (
        Case(
            "int16",
            binary("MINIMUM", 0.1, 0.1, 0.1, 2),
            [[-32768, 300], [32767, -300]],
            [-32768, -300],
            "all 16 bits are compared",
        ),
    ),
    "SQUARED_DIFFERENCE": (
        Case(
            "int16_is_halved_before_it_is_squared",
            binary("SQUARED_DIFFERENCE", 1.0, 1.0, 2.0**17, 4),
            [[-32768, 32767, 512, 0], [32767, 0, 0, 0]],
            [32767, 8192, 2, 0],
            "all is done without a left shift: steps of two. LiteRT has it in int8 only",
            confirmed_by=TFLM,
        ),
    ),
    "EQUAL": (
        Case(
            "int16_differences_below_a_256th",
            compare("EQUAL", 2.0**-10, 2.0**-10, 3),
            [[4, 4, -32768], [5, 8, -32768]],
            [True, False, True],
            "4 and 5 are 1 and 1.25 of the steps that are compared",
            confirmed_by=LITERT,
        ),
    ),
    "LESS": (
        Case(
            "int16_raw",
            compare("LESS", 2.0**-10, 2.0**-10, 3),
            [[4, 8, -32768], [5, 4, 32767]],
            [True, False, True],
            "LiteRT compares raw integers, other than in EQUAL",
            confirmed_by=LITERT,
        ),
    ),
    "GREATER": (
        Case(
            "int16_raw",
            compare("GREATER", 2.0**-10, 2.0**-10, 3),
            [[5, 4, 32767], [4, 8, -32768]],
            [True, False, True],
            "TFLM reads int16 as int8",
            confirmed_by=LITERT,
        ),
    ),
    "LOGISTIC": (
        Case(
            "int16_of_scale_2^-12",
            unary("LOGISTIC", 2.0**-12, 2.0**-15, 6),
            [[-32768, -4096, -1, 0, 1, 32767]],
            [11, 8812, 16382, 16384, 16386, 32757],
            "no rounding before the table",
            RECORDED,
        ),
        Case(
            "int16_of_another_scale",
            unary("LOGISTIC", 0.001, 2.0**-15, 5),
            [[-32768, -1000, 0, 1000, 32767]],
            [1, 8812, 16384, 23956, 32767],
            "a multiplier of 15 bits",
            RECORDED,
        ),
    ),
    "TANH": (
        Case(
            "int16_of_scale_2^-11",
            unary("TANH", 2.0**-11, 2.0**-15, 5),
            [[-32768, -2048, 0, 1, 32767]],
            [-32767, -24956, 0, 16, 32767],
            "no rounding before the table",
            RECORDED,
        ),
        Case(
            "int16_of_another_scale",
            unary("TANH", 0.0003, 2.0**-15, 5),
            [[-32768, -1000, 0, 1000, 32767]],
            [-32767, -9545, 0, 9545, 32767],
            "a multiplier of 15 bits",
            RECORDED,
        ),
    ),
    "EXP": (
        Case(
            "int16",
            unary("EXP", 0.0001, 0.001, 4),
            [[-32768, 0, 100, 32767]],
            [38, 1000, 1010, 26486],
            "linear between every 128th input",
            RECORDED,
            confirmed_by=LITERT,
        ),
    ),
    "LOG": (
        Case(
            "int16_of_nothing",
            unary("LOG", 0.0001, 0.0005, 5),
            [[-32768, 0, 100, 10000, 32767]],
            [-32768, -27455, -12775, -1, 2374],
            "the lowest of all below 0; what is near 0 is on a line from there",
            RECORDED,
            confirmed_by=LITERT,
        ),
        Case(
            "int16_where_the_slope_wraps",
            unary("LOG", 1.0, 2.0**-12, 2),
            [[1, 64]],
            [-21232, 32238],
            "from -32768 at 0 to 19875 at 128 it is more than an int16",
            RECORDED,
            confirmed_by=LITERT,
        ),
    ),
    "RSQRT": (
        Case(
            "int16",
            unary("RSQRT", 0.0001, 0.01, 5),
            [[0, 1, 100, 10000, 32767]],
            {"tflm": [32767, 10000, 1000, 100, 55], "litert": [24981, 24793, 6144, 100, 55]},
            "TFLM rounds each root, LiteRT goes along lines",
            RECORDED,
        ),
        Case(
            "int16_of_tiny_reals",
            unary("RSQRT", 2.0**-30, 0.01, 4),
            [[1, 16384, 32767, 20000]],
            {"tflm": [32767, 25600, 18103, 23172], "litert": [32767, 25601, 18102, 23172]},
            "the multiplier is above 2^20: the root is shifted to the left",
            RECORDED,
        ),
    ),
    "SOFTMAX": (
        Case(
            "int8_to_int16",
            between("SOFTMAX", ("INT8", 0.1, 3), ("INT16", 2.0**-16, -32768), 4, beta=1.0),
            [[1, 2, 3, 4]],
            [-18754, -17280, -15651, -13851],
            "as from int8 to int8, with 65536 steps",
            RECORDED,
        ),
        Case(
            "int8_to_int16_saturates",
            between("SOFTMAX", ("INT8", 1.0, 0), ("INT16", 2.0**-16, -32768), 2, beta=1.0),
            [[127, -128]],
            [32767, -32768],
            "all of it is 65536 steps, one too many",
        ),
        Case(
            "int16",
            unary("SOFTMAX", 0.001, 2.0**-15, 4, beta=1.0),
            [[1000, 2000, 3000, -32768]],
            [2950, 8019, 21798, 1],
            "beyond 10 below the maximum all are as 10",
            RECORDED,
        ),
        Case(
            "int16_where_the_tables_differ",
            unary("SOFTMAX", 2.0**-11, 2.0**-15, 3, beta=1.0),
            [[1172, 2964, -817]],
            {"tflm": [8675, 20809, 3284], "litert": [8675, 20808, 3284]},
            "of 1 / (1 + x), float32 gives two entries another value than float64",
            RECORDED,
        ),
        Case(
            "int8_to_int16_of_a_scale_that_is_nearly_right",
            between("SOFTMAX", ("INT8", 0.1, 3), ("INT16", 1 / 65535, -32768), 4, beta=1.0),
            [[1, 2, 3, 4]],
            [-18754, -17280, -15651, -13851],
            "old converters write 1/65535, and the runtimes compute with 1/65536",
            RECORDED,
        ),
        Case(
            "int16_one_class",
            unary("SOFTMAX", 0.001, 2.0**-15, 1, beta=1.0),
            [[-7]],
            [32767],
            "as much as there is",
            RECORDED,
        ),
    ),
    "MEAN": (
        Case(
            "int16_ends",
            reduce("MEAN", 1.0, 1.0, 4),
            [[-32768, -32768, -32768, -32767]],
            [-32768],
            "the sum has 18 bits; -32767.75 is rounded",
            RECORDED,
        ),
    ),
    "SUM": (
        Case(
            "int16_saturates",
            reduce("SUM", 1.0, 1.0, 3),
            [[32767, 32767, -5]],
            [32767],
            "LiteRT's sums bytes",
            confirmed_by=TFLM,
        ),
        Case(
            "int16",
            reduce("SUM", 1.0, 2.0, 3),
            [[300, -1000, 5]],
            [-347],
            "-695 / 2, the tie up as there is no right shift",
            confirmed_by=TFLM,
        ),
    ),
    "REDUCE_MAX": (
        Case("int16", reduce("REDUCE_MAX", 0.1, 0.1, 3), [[-300, -32768, -301]], [-300],
             "TFLM has it in int8 only", confirmed_by=LITERT),
    ),
    "REDUCE_MIN": (
        Case("int16", reduce("REDUCE_MIN", 0.1, 0.1, 3), [[300, 32767, 299]], [299],
             "TFLM has it in int8 only", confirmed_by=LITERT),
    ),
    "SELECT_V2": (
        Case(
            "int16",
            one_op(
                "SELECT_V2",
                [Tensor("c", (2,), "BOOL"), *(tensor("INT16", 0.1, 0, 2, n) for n in "ab")],
                tensor("INT16", 0.1, 0, 2, "y"),
            ),
            [[True, False], [-32768, 1], [2, 32767]],
            ENDS,
            "two bytes each",
        ),
    ),
    "PADV2": (
        Case(
            "int16",
            one_op(
                "PADV2",
                [tensor("INT16", 0.1, 0, 1), int32([[1, 1]]), constant(np.int16([300]), 0.1)],
                tensor("INT16", 0.1, 0, 3, "y"),
            ),
            [[-32768]],
            [300, -32768, 300],
            "the value has two different bytes",
        ),
    ),
    "RESIZE_BILINEAR": (
        Case(
            "int16_between_the_ends",
            one_op(
                "RESIZE_BILINEAR",
                [activation((1, 1, 2, 1), 0.1, 0, type="INT16"), int32([1, 4])],
                activation((1, 1, 4, 1), 0.1, 0, "y", "INT16"),
            ),
            [ENDS],
            [-32768, -1, 32767, 32767],
            "-0.5 goes away from zero; the sum has 36 bits. TFLM has it in int8 only",
            confirmed_by=LITERT,
        ),
    ),
}  # fmt: skip
