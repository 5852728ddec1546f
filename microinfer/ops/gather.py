"""GATHER and GATHER_ND: parts of the input, by constant indices.

GATHER     output[b, o, i, :] = input[b, o, indices[b, i], :], where b are the first ``batch_dims``
           axes, o the axes from there to ``axis``, and i all further axes of the indices
GATHER_ND  output[i, :] = input[indices[i, 0], ..., indices[i, n - 1], :]
input      any movable type, quantization unchanged
indices    int32, constant, within the input
C twin: runtime_c/mi_gather.h.
"""

from __future__ import annotations

import math

import numpy as np

from ..graph import Tensor
from . import movement
from .layer import Array, Layer, Op

TYPES = ["INT32", "INT64", "INT16"]


def _in_range(layer: Layer, tensor: Tensor, indices: Array, extent: int) -> None:
    layer.require(
        indices.size > 0 and bool((indices >= 0).all()) and bool((indices < extent).all()),
        tensor,
        f"has indices {indices.min(initial=0)}..{indices.max(initial=0)}, expected 0..{extent - 1}",
    )


def prepare_gather(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, places, output = layer.input(0), layer.input(1), layer.output()
    indices = layer.constant(places, TYPES)
    movement.check(layer, source)
    axis = movement.axis_of(layer, None, layer.options["axis"], len(source.shape))
    batch = layer.options["batch_dims"]
    batch += indices.ndim if batch < 0 else 0
    layer.require(
        0 <= batch <= min(axis, indices.ndim) and source.shape[:batch] == indices.shape[:batch],
        places,
        f"has shape {indices.shape}, which does not share {batch} batch axes before axis {axis}"
        f" with {source.shape}",
    )
    layer.settle()
    extent, inner = source.shape[axis], source.shape[axis + 1 :]
    _in_range(layer, places, indices, extent)
    layer.shape_is(output, (*source.shape[:axis], *indices.shape[batch:], *inner))
    layer.settle()
    batches, outer = math.prod(source.shape[:batch]), math.prod(source.shape[batch:axis])
    run = math.prod(inner)
    if batches == 1:
        copy = movement.gather(source, run, indices, outer=outer, outer_stride=extent)
    else:
        first = np.arange(batches * outer).reshape(batches, outer, 1) * extent
        columns = first + indices.reshape(batches, 1, -1)
        copy = movement.gather(source, run, columns)
    return movement.movement(layer, copy)


def prepare_gather_nd(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, places, output = layer.input(0), layer.input(1), layer.output()
    indices = layer.constant(places, TYPES).astype(np.int64)
    movement.check(layer, source)
    named = indices.shape[-1] if indices.ndim else 0
    layer.require(
        1 <= named <= len(source.shape),
        places,
        f"has shape {indices.shape}, expected 1..{len(source.shape)} as its last extent",
    )
    layer.settle()
    for axis in range(named):
        _in_range(layer, places, indices[..., axis], source.shape[axis])
    layer.shape_is(output, (*indices.shape[:-1], *source.shape[named:]))
    layer.settle()
    columns = indices @ np.array(movement.row_major(source.shape[:named]))
    copy = movement.gather(source, math.prod(source.shape[named:]), columns)
    return movement.movement(layer, copy)


GATHER = Op("GATHER", prepare_gather, movement.eval)
GATHER_ND = Op("GATHER_ND", prepare_gather_nd, movement.eval)
