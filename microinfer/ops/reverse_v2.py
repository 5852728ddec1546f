"""REVERSE_V2: some axes backwards.

input  any movable type, quantization unchanged
axes   int32 [n], constant
C twin: runtime_c/mi_copy.h, with negative strides.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    shape = source.shape
    axes = {
        movement.axis_of(layer, layer.input(1), axis, len(shape))
        for axis in movement.integers(layer, 1)
    }
    movement.check(layer, source)
    layer.shape_is(output, shape)
    layer.settle()
    strides = movement.row_major(shape)
    backwards = [-stride if axis in axes else stride for axis, stride in enumerate(strides)]
    last = sum((shape[axis] - 1) * strides[axis] for axis in axes)
    copy = movement.copy(layer, output, shape, backwards, strides, input_offset=last)
    return movement.movement(layer, copy)


OP = Op("REVERSE_V2", prepare, movement.eval)
