"""SOFTMAX from int16 to int16, along the last axis, by two tables of 513 values.

    d      = clamp16(requantize(input - max(input)) + 32767)      -10..0 over the range of int16
    e      = exp(d) by table, scale 2 / 65535
    output = e * reciprocal(sum(e)), clamped to 0..32767, scale 1/32768, zero point 0

The reciprocal is a table of 1 / (1 + x), at the sum's bits below its highest one. Tables are as in
lookup_s16.py. TFLM fills them in float32 and LiteRT in float64: that of exp comes out the same, two
of the reciprocals do not.
[TFLM] kernels/internal/reference/softmax.h, SoftmaxInt16. C twin: runtime_c/mi_softmax_s16.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import (
    Int64Array,
    count_leading_zeros,
    quantize_multiplier,
    requantize,
)
from .layer import Array, Layer
from .lookup_s16 import Reals, look_up, table

Real = type[np.float32] | type[np.float64]

LOWEST = 10.0  # exp(-10) is the smallest exponential


def _table(function: Callable[[Reals], Reals], low: float, high: float, real: Real) -> Int64Array:
    """``function`` on [low, high], of scale 2 / 65535, in the precision ``real``."""
    values = table(function, (low, high), (-65536 / 65535, 65534 / 65535), real)
    assert values is not None
    return values


EXP = _table(np.exp, -LOWEST, 0.0, np.float64)


@dataclass(frozen=True)
class Softmax16Params:
    rows: int
    depth: int
    multiplier: int  # of differences, to 10 / 65535
    shift: int
    reciprocals: NDArray[np.int16]  # [513], of 1 / (1 + x) for x from 0 to 1


def prepare(layer: Layer) -> Softmax16Params:
    """The params of a layer whose tensors are int16 and were checked."""
    source = layer.input(0)
    assert source.quantization is not None
    depth = source.shape[-1]
    layer.require(1 <= depth < 2**16, source, f"has {depth} classes, expected < 65536")
    beta = np.float32(layer.options["beta"])
    with np.errstate(over="ignore"):
        real = float(np.float32(source.quantization.scale) * beta) / (LOWEST / 65535)
    # Differences have 16 bits, and may be shifted to the left by 15.
    layer.require(
        math.isfinite(real) and 0 < real < 2**15,
        source,
        f"has scale {source.quantization.scale:g}, out of proportion to beta {beta:g}",
        "check the calibration data",
    )
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    reciprocals = _table(lambda x: 1 / (1 + x), 0.0, 1.0, layer.numerics.softmax_int16_float)
    return Softmax16Params(
        source.size // depth, depth, multiplier, shift, reciprocals.astype(np.int16)
    )


def eval(params: Softmax16Params, x: Array) -> Array:
    """int16 [batch, *shape] to int16 of the same size."""
    rows = x.reshape(-1, params.depth).astype(np.int64)
    difference = rows - rows.max(axis=1, keepdims=True)
    scaled = requantize(difference, params.multiplier, params.shift) + 32767
    exponentials = look_up(EXP, np.clip(scaled, -32768, 32767))
    total = exponentials.sum(axis=1, keepdims=True)
    headroom = count_leading_zeros(total)
    # 2^16 + x 2^16 with x in [0, 1), to -32768..32767.
    mantissa = ((total << (headroom - 1)) + (1 << 13)) >> 14
    place = np.clip(mantissa - (2**15 + 2**16), -32768, 32767)
    product = exponentials * look_up(params.reciprocals, place)
    outputs = (product + (np.int64(1) << (30 - headroom))) >> (31 - headroom)
    limited: Array = np.clip(outputs, 0, 32767).astype(np.int16)
    return limited
