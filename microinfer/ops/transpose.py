"""TRANSPOSE: axis i of the output is axis permutation[i] of the input.

input        any movable type, quantization unchanged
permutation  int32 [rank], constant
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, order, output = layer.input(0), layer.input(1), layer.output()
    rank = len(source.shape)
    permutation = [int(axis) for axis in layer.constant(order, ["INT32", "INT64"]).reshape(-1)]
    permutation = [axis + rank if axis < 0 else axis for axis in permutation]
    layer.require(
        sorted(permutation) == list(range(rank)),
        order,
        f"is {permutation}, expected a permutation of {rank} axes",
    )
    layer.settle()
    movement.check(layer, source)
    layer.shape_is(output, tuple(source.shape[axis] for axis in permutation))
    layer.settle()
    strides = movement.row_major(source.shape)
    copy = movement.copy(
        layer,
        output,
        output.shape,
        [strides[axis] for axis in permutation],
        movement.row_major(output.shape),
    )
    return movement.movement(layer, copy)


OP = Op("TRANSPOSE", prepare, movement.eval)
