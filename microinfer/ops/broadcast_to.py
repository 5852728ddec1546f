"""BROADCAST_TO: the input repeated along its axes of extent 1, and along new ones in front.

input  any movable type, quantization unchanged
shape  int32 [output rank], constant
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    shape = movement.integers(layer, 1)
    movement.check(layer, source)
    layer.shape_is(output, tuple(shape))
    own = (1,) * (len(shape) - len(source.shape)) + source.shape
    layer.require(
        len(own) == len(shape)
        and all(extent in (1, whole) for extent, whole in zip(own, shape, strict=True)),
        source,
        f"has shape {source.shape}, which does not broadcast to {tuple(shape)}",
    )
    layer.settle()
    strides = [
        0 if extent == 1 else stride
        for extent, stride in zip(own, movement.row_major(own), strict=True)
    ]
    copy = movement.copy(layer, output, shape, strides, movement.row_major(shape))
    return movement.movement(layer, copy)


OP = Op("BROADCAST_TO", prepare, movement.eval)
