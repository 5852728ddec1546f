"""FILL and ZEROS_LIKE: one value everywhere.

FILL        inputs: shape int32 [rank], constant; value, one element of any movable type, computed
            or constant
ZEROS_LIKE  the integer 0, whatever the zero point; its input gives only the shape
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare_fill(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    value, output = layer.input(1), layer.output()
    shape = movement.integers(layer, 0)
    movement.check(layer, value)
    layer.shape_is(output, tuple(shape))
    layer.require(value.size == 1, value, f"has shape {value.shape}, expected one element")
    layer.settle()
    return movement.movement(layer, movement.copy(layer, output, (output.size,), (0,), (1,)))


def prepare_zeros_like(layer: Layer) -> movement.MovementParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    layer.type_is(output, *movement.MOVABLE)
    layer.type_is(source, output.type)
    layer.shape_is(output, source.shape)
    layer.settle()
    fill = movement.FillParams(count=output.nbytes, value=0)
    return movement.movement(layer, movement.Move(fill, None))


FILL = Op("FILL", prepare_fill, movement.eval, operands=(1,))
ZEROS_LIKE = Op("ZEROS_LIKE", prepare_zeros_like, movement.eval)
