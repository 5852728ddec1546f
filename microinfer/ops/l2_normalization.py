"""L2_NORMALIZATION on int8, along the last axis.

    squares = sum((input - input_zero_point)^2)
    output  = clamp8(requantize(input - input_zero_point, 1 / sqrt(squares), 7 bits further left))

input    int8 [..., depth]
output   int8 [..., depth], scale 1/128, zero point 0

[TFLM] kernels/internal/reference/integer_ops/l2normalization.h.
C twin: runtime_c/mi_l2_normalization.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import INT32_MAX, requantize
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op
from .sqrt_rsqrt import inverse_square_root

OUTPUT_BITS = 7  # the output's scale is 2^-7


@dataclass(frozen=True)
class L2NormalizationParams:
    rows: int
    depth: int
    input_zero_point: int


def prepare(layer: Layer) -> L2NormalizationParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.int8(source, output)
    activation = layer.options["fused_activation_function"]
    layer.require(activation == "NONE", None, f"has fused activation {activation}, expected NONE")
    layer.require(len(source.shape) >= 1, source, "is a scalar, expected at least one axis")
    layer.shape_is(output, source.shape)
    layer.require(source.size > 0, source, "is empty")
    layer.settle()
    assert source.quantization is not None
    assert output.quantization is not None
    q = output.quantization
    layer.require(
        q.scale == 1 / 128 and q.zero_point == 0,
        output,
        f"has scale {q.scale:g} and zero point {q.zero_point}, expected 1/128 and 0",
    )
    depth = source.shape[-1]
    layer.require(
        depth * 255**2 <= INT32_MAX, source, f"has {depth} values per norm, too many for int32"
    )
    layer.settle()
    return L2NormalizationParams(source.size // depth, depth, source.quantization.zero_point)


def eval(params: L2NormalizationParams, x: Array) -> Array:
    """int8 [batch, *shape] to int8 of the same size."""
    rows = x.reshape(-1, params.depth).astype(np.int64) - params.input_zero_point
    sums, place = np.unique((rows * rows).sum(axis=1), return_inverse=True)
    factors = np.array([inverse_square_root(int(value)) for value in sums], np.int64)
    multipliers, shifts = factors[place.reshape(-1)].T[:, :, None]
    outputs = requantize(rows, multipliers, shifts + OUTPUT_BITS)
    return np.clip(outputs, INT8_MIN, INT8_MAX).astype(np.int8)


OP = Op("L2_NORMALIZATION", prepare, eval, in_place=True)
