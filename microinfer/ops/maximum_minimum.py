"""MAXIMUM and MINIMUM on int8 or int16, with broadcasting: of raw integers, of one scale.

[TFLM] kernels/internal/reference/maximum_minimum.h. C twin: runtime_c/mi_maximum_minimum.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .broadcast import Broadcast, broadcast, expand
from .layer import Array, Layer, Op


@dataclass(frozen=True)
class MaximumMinimumParams(Broadcast):
    larger: int  # 1: the larger of the two, 0: the smaller


def prepare_maximum(layer: Layer) -> MaximumMinimumParams:
    return _prepare(layer, 1)


def prepare_minimum(layer: Layer) -> MaximumMinimumParams:
    return _prepare(layer, 0)


def _prepare(layer: Layer, larger: int) -> MaximumMinimumParams:
    layer.count(2)
    first, second, output = layer.input(0), layer.input(1), layer.output()
    layer.activations(first, second, output)
    layer.settle()
    layer.same_quantization(first, second)
    layer.same_quantization(first, output)
    layer.settle()
    return MaximumMinimumParams(**vars(broadcast(layer)), larger=larger)


def eval(params: MaximumMinimumParams, x1: Array, x2: Array) -> Array:
    """int8 and int8 to int8, or the same of int16, each [batch, *shape]."""
    x1, x2 = expand(params, x1, x2)
    chosen: Array = np.maximum(x1, x2) if params.larger else np.minimum(x1, x2)
    return chosen


MAXIMUM = Op("MAXIMUM", prepare_maximum, eval, operands=(0, 1), in_place=True)
MINIMUM = Op("MINIMUM", prepare_minimum, eval, operands=(0, 1), in_place=True)
