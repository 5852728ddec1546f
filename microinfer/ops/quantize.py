"""QUANTIZE and DEQUANTIZE: between reals and integers, and from one int8 quantization to another.

float32 to int8:  clamp(round(x / scale) + zero_point), the quotient and its rounding (half away
                  from zero) in float32. Beyond the range it saturates; NaN counts as 0.
int8 to int8:     clamp(requantize(x - input_zero_point) + zero_point)
int8 to float32:  scale * (q - zero_point) in float32. (TFLite forms the product in float64, where
                  24 and 9 bits are exact, and rounds it once: the same.)

[TFLM] kernels/internal/reference/quantize.h, requantize.h, dequantize.h.
Runtimes convert values beyond int32 as their CPU does (x86: to the minimum, Arm: saturated).
C twins: runtime_c/mi_quantize.h, mi_lookup.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize, round_half_away
from . import lookup
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op


@dataclass(frozen=True)
class QuantizeParams:
    size: int
    scale: np.float32
    zero_point: int


@dataclass(frozen=True)
class DequantizeParams:
    size: int
    scale: np.float32
    zero_point: int


def prepare_quantize(layer: Layer) -> QuantizeParams | lookup.LookupParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.require(
        source.type in ("FLOAT32", "INT8"),
        source,
        f"has type {source.type}, expected FLOAT32 or INT8",
    )
    layer.int8(output)
    layer.shape_is(output, source.shape)
    layer.settle()
    assert output.quantization is not None
    if source.type == "FLOAT32":
        return QuantizeParams(
            size=output.size,
            scale=np.float32(output.quantization.scale),
            zero_point=output.quantization.zero_point,
        )
    before, after = lookup.unary_quantization(layer)
    real = before.scale / after.scale
    layer.multiplier_fits(output, real)
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    return lookup.tabulate(
        layer,
        lambda q: requantize(q - before.zero_point, multiplier, shift) + after.zero_point,
    )


def quantize(x: Array, scale: np.float32, zero_point: int) -> Array:
    """float32 to int8, as TFLite's QUANTIZE does it."""
    with np.errstate(over="ignore", invalid="ignore"):
        steps = round_half_away(np.asarray(x, np.float32) / scale)
    steps = np.nan_to_num(steps, nan=0.0, posinf=2.0**20, neginf=-(2.0**20))
    steps = np.clip(steps, -(2.0**20), 2.0**20)
    outputs: Array = np.clip(steps.astype(np.int64) + zero_point, INT8_MIN, INT8_MAX)
    return outputs.astype(np.int8)


def dequantize(q: Array, scale: float | np.float32, zero_point: int) -> Array:
    """int8 to float32, as TFLite's DEQUANTIZE does it."""
    with np.errstate(over="ignore"):
        real: Array = np.float32(scale) * (q.astype(np.int32) - zero_point).astype(np.float32)
    return real


def eval_quantize(params: QuantizeParams | lookup.LookupParams, x: Array) -> Array:
    if isinstance(params, lookup.LookupParams):
        return lookup.eval(params, x)
    return quantize(x, params.scale, params.zero_point)


def prepare_dequantize(layer: Layer) -> DequantizeParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.int8(source)
    layer.type_is(output, "FLOAT32")
    layer.shape_is(output, source.shape)
    layer.settle()
    assert source.quantization is not None
    return DequantizeParams(
        size=output.size,
        scale=np.float32(source.quantization.scale),
        zero_point=source.quantization.zero_point,
    )


def eval_dequantize(params: DequantizeParams, q: Array) -> Array:
    return dequantize(q, params.scale, params.zero_point)


QUANTIZE = Op("QUANTIZE", prepare_quantize, eval_quantize, in_place=True)
DEQUANTIZE = Op("DEQUANTIZE", prepare_dequantize, eval_dequantize)
