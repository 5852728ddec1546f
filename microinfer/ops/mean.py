"""MEAN and SUM on int8 or int16 over any axes.

    sum    = sum(input) - n * input_zero_point              n values per output
    output = clamp(requantize(sum, multiplier, shift) + output_zero_point)

The real multiplier is s_input / s_output, of a mean divided by n; that division is made on the
fixed-point multiplier and truncates it, so that a mean can be one below what AVERAGE_POOL_2D gives.

LiteRT's SUM reads its bytes as uint8 (ARITHMETIC.md); both profiles compute TFLM's.

[TFLM] kernels/internal/reference/reduce.h, QuantizedMeanOrSum. C twin: runtime_c/mi_reduce.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..fixedpoint import quantize_multiplier, requantize
from .axes import Reduction, reduction
from .layer import Array, Layer, Op


@dataclass(frozen=True)
class MeanParams(Reduction):
    count: int  # values per output
    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int


def prepare(layer: Layer, divided: bool) -> MeanParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    layer.activations(source, output)
    layer.settle()
    loops = reduction(layer)
    q_in, q_out = source.quantization, output.quantization
    assert q_in is not None
    assert q_out is not None
    count = int(np.prod(loops.reduced_extents, dtype=np.int64))
    # |sum(input - zero_point)| <= 255 n, of int16 2^15 n, has to fit int32.
    largest = 255 if source.type == "INT8" else 2**15
    layer.require(
        count < 2**31 // largest, source, f"has {count} values per output, too many for int32"
    )
    real = q_in.scale / q_out.scale
    layer.multiplier_fits(output, real)
    layer.settle()
    multiplier, shift = quantize_multiplier(real)
    headroom = min(count.bit_length() - 1, 32, 31 + shift) if divided else 0
    return MeanParams(
        **vars(loops),
        count=count,
        input_zero_point=q_in.zero_point,
        output_zero_point=q_out.zero_point,
        multiplier=(multiplier << headroom) // (count if divided else 1),
        shift=shift - headroom,
    )


def eval(params: MeanParams, x: Array) -> Array:
    """int8 or int16 [batch, *input shape] to the same [batch, kept extents]."""
    loops = x.reshape(len(x), *params.interleaved)
    sums = loops.sum(axis=params.reduced_axes, dtype=np.int64) - params.count * np.int64(
        params.input_zero_point
    )
    outputs = requantize(sums, params.multiplier, params.shift) + params.output_zero_point
    limits = np.iinfo(x.dtype)
    return np.clip(outputs, limits.min, limits.max).astype(x.dtype)


MEAN = Op("MEAN", partial(prepare, divided=True), eval)
SUM = Op("SUM", partial(prepare, divided=False), eval)
