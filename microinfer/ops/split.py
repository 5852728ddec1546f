"""SPLIT and SPLIT_V: the input in pieces along one axis, one output each.

SPLIT    inputs: axis, data; equal pieces
SPLIT_V  inputs: data, sizes int32 [pieces] (one may be -1: what is left), axis
data     any movable type; every output has its quantization
Axes and sizes are constants.
C twin: runtime_c/mi_copy.h, once per output.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def _split(layer: Layer, data: int, axis: int, sizes: list[int]) -> movement.MovementParams:
    source = layer.input(data)
    movement.check(layer, source)
    strides = movement.row_major(source.shape)
    for position, size in enumerate(sizes):
        part = (*source.shape[:axis], size, *source.shape[axis + 1 :])
        layer.shape_is(layer.output(position), part)
    layer.settle()
    copies, first = [], 0
    for position, size in enumerate(sizes):
        output = layer.output(position)
        copy = movement.copy(
            layer,
            output,
            output.shape,
            strides,
            movement.row_major(output.shape),
            input_offset=first * strides[axis],
        )
        copies.append(movement.Move(copy, target=position))
        first += size
    return movement.movement(layer, *copies)


def prepare_split(layer: Layer) -> movement.MovementParams:
    pieces = len(layer.node.outputs)
    layer.count(2, max(pieces, 1))
    source = layer.input(1)
    (value,) = movement.integers(layer, 0, 1)
    axis = movement.axis_of(layer, layer.input(0), value, len(source.shape))
    extent = source.shape[axis]
    layer.require(
        extent % pieces == 0,
        source,
        f"has extent {extent} on axis {axis}, which is not {pieces} equal pieces",
    )
    layer.settle()
    return _split(layer, 1, axis, [extent // pieces] * pieces)


def prepare_split_v(layer: Layer) -> movement.MovementParams:
    pieces = len(layer.node.outputs)
    layer.count(3, max(pieces, 1))
    source = layer.input(0)
    (value,) = movement.integers(layer, 2, 1)
    axis = movement.axis_of(layer, layer.input(2), value, len(source.shape))
    sizes, extent = movement.integers(layer, 1, pieces), source.shape[axis]
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = extent - sum(sizes) - 1
    layer.require(
        min(sizes) >= 0 and sum(sizes) == extent,
        source,
        f"has extent {extent} on axis {axis}, which does not split into {sizes}",
    )
    layer.settle()
    return _split(layer, 0, axis, sizes)


SPLIT = Op("SPLIT", prepare_split, movement.eval, operands=(1,))
SPLIT_V = Op("SPLIT_V", prepare_split_v, movement.eval)
