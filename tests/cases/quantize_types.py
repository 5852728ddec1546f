"""Cases of QUANTIZE and DEQUANTIZE between other types than int8, part of their tables."""

from __future__ import annotations

from typing import Any

from microinfer.graph import Graph, Tensor
from one_op import activation, one_op

from .case import Case

TFLM, LITERT = ("tflm",), ("litert",)
Quantized = tuple[str, float, int]


def tensor(kind: str, scale: float, zero_point: int, count: int, name: str = "x") -> Tensor:
    if kind == "FLOAT32":
        return activation((count,), None, name=name)
    return activation((count,), scale, zero_point, name, kind)


def between(op: str, source: Quantized, target: Quantized, count: int, **options: Any) -> Graph:
    """An operator from one type to another."""
    return one_op(op, [tensor(*source, count)], tensor(*target, count, name="y"), **options)


REAL = ("FLOAT32", 0.0, 0)

TABLES: dict[str, tuple[Case, ...]] = {
    "QUANTIZE": (
        Case(
            "int16_to_int8_saturates_behind_the_zero_point",
            between("QUANTIZE", ("INT16", 0.5, 0), ("INT8", 0.5, 10), 5),
            [[-32768, 117, 118, 32767, 0]],
            [-128, 127, 127, 127, 10],
            "117 steps and the zero point are 127",
        ),
        Case(
            "int8_to_int16",
            between("QUANTIZE", ("INT8", 0.5, -3), ("INT16", 0.25, 0), 3),
            [[-128, -3, 127]],
            [-250, 0, 260],
            "twice as many steps, without the zero point",
        ),
        Case(
            "int16_to_int32_of_the_same_scale",
            between("QUANTIZE", ("INT16", 0.1, 0), ("INT32", 0.1, 0), 3),
            [[-32768, -1, 32767]],
            [-32768, -1, 32767],
            "a multiplier of 1 changes nothing",
        ),
        Case(
            "int32_to_int16_ties_and_ends",
            between("QUANTIZE", ("INT32", 2.0**-20, 0), ("INT16", 2.0**-4, 0), 5),
            [[2**31 - 1, -(2**31), 32768, -32768, 98304]],
            [32767, -32768, 1, -1, 2],
            "a half and 1.5 go away from zero, in the right shift",
        ),
        Case(
            "int8_to_int32",
            between("QUANTIZE", ("INT8", 1.0, 7), ("INT32", 2.0**-16, 0), 2),
            [[-128, 127]],
            [-135 * 65536, 120 * 65536],
            "TFLM alone has it",
            confirmed_by=TFLM,
        ),
        Case(
            "uint8_to_int8_of_the_same_scale",
            between("QUANTIZE", ("UINT8", 0.1, 128), ("INT8", 0.1, 0), 4),
            [[0, 127, 128, 255]],
            [-128, -1, 0, 127],
            "what a model with uint8 inputs begins with: 128 less",
        ),
        Case(
            "int8_to_uint8_of_the_same_scale",
            between("QUANTIZE", ("INT8", 0.1, 0), ("UINT8", 0.1, 128), 4),
            [[-128, -1, 0, 127]],
            [0, 127, 128, 255],
            "what a model with uint8 outputs ends with",
        ),
        Case(
            "uint8_to_int8_rescaled",
            between("QUANTIZE", ("UINT8", 1.0, 128), ("INT8", 2.0, -5), 4),
            [[0, 127, 131, 255]],
            [-69, -5, -3, 59],
            "-1/2 is 0 and 3/2 is 2: ties up, as there is no right shift; 127/2 is 64",
        ),
        Case(
            "uint8_to_int16",
            between("QUANTIZE", ("UINT8", 1.0, 3), ("INT16", 2.0**-8, 0), 3),
            [[0, 3, 255]],
            [-768, 0, 32767],
            "252 * 256 saturates",
            confirmed_by=LITERT,
        ),
        Case(
            "uint8_to_uint8",
            between("QUANTIZE", ("UINT8", 1.0, 0), ("UINT8", 4.0, 255), 3),
            [[0, 4, 255]],
            [255, 255, 255],
            "nothing is below its zero point",
            confirmed_by=LITERT,
        ),
        Case(
            "reals_to_int16",
            between("QUANTIZE", REAL, ("INT16", 0.5, 0), 6),
            [[16383.5, 16383.75, -16384.0, 0.25, -0.25, -20000.0]],
            [32767, 32767, -32768, 1, -1, -32768],
            "ties away from zero, and both ends",
        ),
        Case(
            "reals_to_uint8",
            between("QUANTIZE", REAL, ("UINT8", 1.0, 3), 5),
            [[-3.4, -3.5, 0.5, 252.0, 300.0]],
            [0, 0, 4, 255, 255],
            "LiteRT alone has it",
            confirmed_by=LITERT,
        ),
    ),
    "DEQUANTIZE": (
        Case(
            "int16",
            between("DEQUANTIZE", ("INT16", 2.0**-15, 0), REAL, 3),
            [[-32768, 32767, 1]],
            [-1.0, 32767 / 32768, 2.0**-15],
            "both ends",
        ),
        Case(
            "int16_above_its_lowest",
            between("DEQUANTIZE", ("INT16", 2.0**-16, -32768), REAL, 3),
            [[-32768, 0, 32767]],
            [0.0, 0.5, 65535 / 65536],
            "SOFTMAX from int8 to int16 has this zero point: 65535 steps. LiteRT wants 0",
            confirmed_by=TFLM,
        ),
        Case(
            "uint8",
            between("DEQUANTIZE", ("UINT8", 0.5, 128), REAL, 3),
            [[0, 128, 255]],
            [-64.0, 0.0, 63.5],
            "unsigned",
        ),
    ),
}
