"""QUANTIZE and DEQUANTIZE: between reals and integers, and from one quantization to another.

float32 to integer:  clamp(round(x / scale) + zero_point), the quotient and its rounding (half
                     away from zero) in float32. Beyond the range it saturates; NaN counts as 0.
integer to integer:  clamp(requantize(x - input_zero_point) + zero_point)
integer to float32:  scale * (q - zero_point) in float32. (TFLite forms the product in float64,
                     where 24 and 17 bits are exact, and rounds it once: the same.)

Which types there are is what at least one runtime takes.
[TFLM] kernels/internal/reference/quantize.h, requantize.h, dequantize.h.
Runtimes convert values beyond int32 as their CPU does (x86: to the minimum, Arm: saturated).
C twins: runtime_c/mi_quantize.h, mi_rescale.h, mi_lookup.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from ..fixedpoint import quantize_multiplier, round_half_away
from . import lookup
from .layer import Array, Layer, Op
from .rescale import RescaleParams, quantizations, rescale
from .rescale import eval as eval_rescale

# What QUANTIZE makes of each type.
PAIRS = {
    "FLOAT32": ("INT8", "INT16", "UINT8"),
    "INT8": ("INT8", "INT16", "INT32", "UINT8"),
    "UINT8": ("INT8", "INT16", "UINT8"),
    "INT16": ("INT8", "INT16", "INT32"),
    "INT32": ("INT8", "INT16"),
}


@dataclass(frozen=True)
class QuantizeParams:
    size: int
    scale: np.float32
    zero_point: int
    dtype: ClassVar[DTypeLike] = np.int8


class QuantizeInt16Params(QuantizeParams):
    dtype = np.int16


class QuantizeUint8Params(QuantizeParams):
    dtype = np.uint8


OF_REALS = {
    "INT8": QuantizeParams,
    "INT16": QuantizeInt16Params,
    "UINT8": QuantizeUint8Params,
}


@dataclass(frozen=True)
class DequantizeParams:
    size: int
    scale: np.float32
    zero_point: int


def prepare_quantize(layer: Layer) -> QuantizeParams | RescaleParams | lookup.LookupParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.type_is(source, *PAIRS)
    layer.settle()
    layer.type_is(output, *PAIRS[source.type])
    layer.settle()
    layer.shape_is(output, source.shape)
    for tensor in (source, output):
        if tensor.type != "FLOAT32":
            layer.per_tensor(tensor)
        if tensor.type == "INT32":  # an int16 may have any: SOFTMAX gives it -32768
            layer.symmetric(tensor)
    layer.settle()
    if source.type == "FLOAT32":
        assert output.quantization is not None
        return OF_REALS[output.type](
            size=output.size,
            scale=np.float32(output.quantization.scale),
            zero_point=output.quantization.zero_point,
        )
    before, after = quantizations(layer)
    real = before.scale / after.scale
    layer.multiplier_fits(output, real)
    layer.settle()
    factor = quantize_multiplier(real)
    return rescale(layer, factor, factor)


def quantize(x: Array, scale: np.float32, zero_point: int, dtype: DTypeLike = np.int8) -> Array:
    """float32 to an integer type of up to 16 bits, as TFLite's QUANTIZE does it."""
    with np.errstate(over="ignore", invalid="ignore"):
        steps = round_half_away(np.asarray(x, np.float32) / scale)
    steps = np.nan_to_num(steps, nan=0.0, posinf=2.0**20, neginf=-(2.0**20))
    steps = np.clip(steps, -(2.0**20), 2.0**20)
    limits = np.iinfo(np.dtype(dtype))
    outputs: Array = np.clip(steps.astype(np.int64) + zero_point, limits.min, limits.max)
    return outputs.astype(dtype)


def dequantize(q: Array, scale: float | np.float32, zero_point: int) -> Array:
    """int8, int16 or uint8 to float32, as TFLite's DEQUANTIZE does it."""
    with np.errstate(over="ignore"):
        real: Array = np.float32(scale) * (q.astype(np.int32) - zero_point).astype(np.float32)
    return real


def eval_quantize(params: QuantizeParams | RescaleParams | lookup.LookupParams, x: Array) -> Array:
    """[batch, *shape] of the input's type to the output's."""
    if isinstance(params, QuantizeParams):
        return quantize(x, params.scale, params.zero_point, params.dtype)
    return eval_rescale(params, x)


def prepare_dequantize(layer: Layer) -> DequantizeParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.type_is(source, "INT8", "INT16", "UINT8")
    layer.type_is(output, "FLOAT32")
    layer.settle()
    layer.per_tensor(source)
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
