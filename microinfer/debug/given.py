"""Samples as a comparison with floats takes them: integers, or the reals that they are made of.

An input of integers may be given reals. The float side then gets these, the integer side what a
caller of the model makes of them, so that the input's own rounding and clipping are seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..graph import Graph, Tensor
from ..ops.quantize import quantize
from .float_replay import to_reals

Array = NDArray[Any]


def are_reals(tensor: Tensor, values: Array) -> bool:
    """Whether ``values``, of an input of integers, are still to be quantized."""
    return values.dtype.kind == "f" and tensor.type != "FLOAT32"


def whole(tensor: Tensor, values: Array) -> Array:
    """What the integer model gets: reals quantized as QUANTIZE does it, others as they are."""
    if not are_reals(tensor, values):
        return values
    q = tensor.port_quantization
    assert q is not None
    return quantize(values.astype(np.float32), np.float32(q.scale), q.zero_point, tensor.dtype)


def real(tensor: Tensor, values: Array, dtype: type) -> Array:
    """What the float model gets: reals as float32 has them, of integers what they stand for."""
    if are_reals(tensor, values):
        return values.astype(np.float32).astype(dtype)
    return to_reals(tensor, values, dtype)


def whole_batch(graph: Graph, batch: Batch) -> Batch:
    """``batch`` as the integer model gets it."""
    tensors = (graph.tensors[index] for index in graph.inputs)
    arrays = [whole(tensor, own) for tensor, own in zip(tensors, batch.arrays, strict=True)]
    return replace(batch, arrays=arrays)
