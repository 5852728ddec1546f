"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same elements under another shape.

The output's shape is the one that the exporter stored with the output tensor.
C twin: runtime_c/mi_copy.h, where the planner could not lay both in one place.
"""

from __future__ import annotations

from . import movement
from .layer import Array, Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count((1, 2))
    source, output = layer.input(0), layer.output()
    layer.require(
        source.size == output.size,
        output,
        f"has {output.size} elements (shape {output.shape}), its input has {source.size}",
        "export the model with a fixed batch of 1",
    )
    movement.check(layer, source)
    copy = movement.copy(layer, output, (output.size,), (1,), (1,))
    return movement.movement(layer, copy)


def eval(params: movement.MovementParams, x: Array) -> Array:
    copy: Array = x.copy()  # not the caller's array under another shape
    return copy


RESHAPE = Op("RESHAPE", prepare, eval, in_place=True)
SQUEEZE = Op("SQUEEZE", prepare, eval, in_place=True)
EXPAND_DIMS = Op("EXPAND_DIMS", prepare, eval, in_place=True)
