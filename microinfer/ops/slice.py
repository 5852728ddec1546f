"""SLICE: a box of the input.

input        any movable type, quantization unchanged
begin, size  int32 [rank], constant: where the box starts, and its extents; -1 is all that is left
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(3)
    source, output = layer.input(0), layer.output()
    rank = len(source.shape)
    begins, sizes = movement.integers(layer, 1, rank), movement.integers(layer, 2, rank)
    movement.check(layer, source)
    for axis, extent in enumerate(source.shape):
        begin, size = begins[axis], sizes[axis]
        sizes[axis] = size = extent - begin if size == -1 else size
        layer.require(
            0 <= begin <= begin + size <= extent,
            source,
            f"has extent {extent} on axis {axis}, of which {begin}..{begin + size} is taken",
        )
    layer.settle()
    layer.shape_is(output, tuple(sizes))
    layer.settle()
    strides = movement.row_major(source.shape)
    start = sum(begin * stride for begin, stride in zip(begins, strides, strict=True))
    return movement.movement(
        layer,
        movement.copy(
            layer, output, sizes, strides, movement.row_major(output.shape), input_offset=start
        ),
    )


OP = Op("SLICE", prepare, movement.eval)
