"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same elements under another shape.

The output's shape is the one that the exporter stored with the output tensor, unless it was left
open: then it follows from the constant input or the options (``passes/runnable.py``).
C twin: runtime_c/mi_copy.h, where the planner could not lay both in one place.
"""

from __future__ import annotations

import math

from ..graph import Tensor
from . import movement
from .layer import Array, Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count((1, 2))
    source, output = layer.input(0), layer.output()
    shape = _SHAPES[layer.node.op](layer, source)
    if shape is not None:
        layer.expect(output, shape)
    layer.require(
        source.size == output.size,
        output,
        f"has {output.size} elements (shape {output.shape}), its input has {source.size}",
        "export the model with fixed shapes, a batch of 1",
    )
    movement.check(layer, source, types=(*movement.MOVABLE, "UINT8"))
    copy = movement.copy(layer, output, (output.size,), (1,), (1,))
    return movement.movement(layer, copy)


def eval(params: movement.MovementParams, x: Array) -> Array:
    copy: Array = x.copy()  # not the caller's array under another shape
    return copy


def _reshaped(layer: Layer, source: Tensor) -> tuple[int, ...] | None:
    """By the constant input, or the option where there is none; one -1 takes what is left."""
    wanted = layer.optional_input(1)
    shape = list(layer.options.get("new_shape") or ())
    if wanted is not None and wanted.data is not None and wanted.dtype.kind == "i":
        shape = [int(extent) for extent in wanted.data.reshape(-1)]
    elif wanted is not None and wanted.size:
        return None
    if shape.count(-1) == 1:
        others = math.prod(extent for extent in shape if extent != -1)
        if others <= 0 or source.size % others:
            return None
        shape[shape.index(-1)] = source.size // others
    return tuple(shape)


def _squeezed(layer: Layer, source: Tensor) -> tuple[int, ...]:
    axes = layer.options.get("squeeze_dims") or ()
    rank = len(source.shape)
    gone = {axis % rank for axis in axes if -rank <= axis < rank}
    return tuple(
        extent
        for axis, extent in enumerate(source.shape)
        if (axis not in gone if axes else extent != 1)
    )


def _expanded(layer: Layer, source: Tensor) -> tuple[int, ...] | None:
    place = layer.optional_input(1)
    if place is None or place.data is None or place.size != 1:
        return None
    axis = int(place.data.reshape(-1)[0]) % (len(source.shape) + 1)
    return (*source.shape[:axis], 1, *source.shape[axis:])


_SHAPES = {"RESHAPE": _reshaped, "SQUEEZE": _squeezed, "EXPAND_DIMS": _expanded}

RESHAPE = Op("RESHAPE", prepare, eval, in_place=True)
SQUEEZE = Op("SQUEEZE", prepare, eval, in_place=True)
EXPAND_DIMS = Op("EXPAND_DIMS", prepare, eval, in_place=True)
