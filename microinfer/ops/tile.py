"""TILE: the input repeated along every axis.

input      any movable type, quantization unchanged
multiples  int32 [rank], constant: how often, per axis
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    multiples = movement.integers(layer, 1, len(source.shape))
    movement.check(layer, source)
    pairs = list(zip(multiples, source.shape, strict=True))
    layer.shape_is(output, tuple(multiple * extent for multiple, extent in pairs))
    layer.settle()
    # An axis is two: which repetition, of stride 0 in the input, and where in it.
    extents = [extent for pair in pairs for extent in pair]
    own = [step for stride in movement.row_major(source.shape) for step in (0, stride)]
    copy = movement.copy(layer, output, extents, own, movement.row_major(extents))
    return movement.movement(layer, copy)


OP = Op("TILE", prepare, movement.eval)
