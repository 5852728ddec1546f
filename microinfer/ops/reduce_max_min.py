"""REDUCE_MAX and REDUCE_MIN over any axes: raw values, no rescale.

    output = max(input) or min(input)

input, output  int8 or int16 of equal quantization

[TFLM] kernels/internal/reference/reduce.h, ReduceGeneric. C twin: runtime_c/mi_reduce.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .axes import Reduction, reduction
from .layer import Array, Layer, Op


@dataclass(frozen=True)
class ReduceExtremeParams(Reduction):
    sign: int  # 1: maximum, -1: minimum


def prepare(layer: Layer, sign: int) -> ReduceExtremeParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    layer.activations(source, output)
    layer.settle()
    layer.same_quantization(source, output)
    return ReduceExtremeParams(**vars(reduction(layer)), sign=sign)


def eval(params: ReduceExtremeParams, x: Array) -> Array:
    """[batch, *input shape] to [batch, kept extents]."""
    loops = x.reshape(len(x), *params.interleaved)
    extreme: Array = (loops.max if params.sign > 0 else loops.min)(axis=params.reduced_axes)
    return extreme


MAXIMUM = Op("REDUCE_MAX", partial(prepare, sign=1), eval)
MINIMUM = Op("REDUCE_MIN", partial(prepare, sign=-1), eval)
