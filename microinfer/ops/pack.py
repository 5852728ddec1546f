"""PACK and UNPACK: tensors stacked along a new axis, and a tensor taken apart along an axis.

PACK    inputs of one shape, any movable type, all of the output's quantization
UNPACK  one output per index of ``axis``, which vanishes
C twin: runtime_c/mi_copy.h, once per input or output.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import movement
from .layer import Layer, Op


def _within(whole: Sequence[int], axis: int) -> tuple[tuple[int, ...], int]:
    """A part's strides in ``whole``, and the step from one part to the next along ``axis``."""
    strides = movement.row_major(whole)
    return (*strides[:axis], *strides[axis + 1 :]), strides[axis]


def prepare_pack(layer: Layer) -> movement.MovementParams:
    layer.count((1, 2**31))
    output = layer.output()
    sources = [layer.input(i) for i in range(len(layer.node.inputs))]
    movement.check(layer, *sources)
    shape = sources[0].shape
    for source in sources:
        layer.shape_is(source, shape)
    axis = movement.axis_of(layer, None, layer.options["axis"], len(shape) + 1)
    layer.shape_is(output, (*shape[:axis], len(sources), *shape[axis:]))
    layer.settle()
    strides, step = _within(output.shape, axis)
    own = movement.row_major(shape)
    return movement.movement(
        layer,
        *(
            movement.Move(
                movement.copy(layer, source, shape, own, strides, output_offset=i * step), i
            )
            for i, source in enumerate(sources)
        ),
    )


def prepare_unpack(layer: Layer) -> movement.MovementParams:
    outputs = len(layer.node.outputs)
    layer.count(1, max(outputs, 1))
    source = layer.input(0)
    movement.check(layer, source)
    shape = source.shape
    axis = movement.axis_of(layer, None, layer.options["axis"], len(shape))
    layer.require(
        shape[axis] == outputs,
        source,
        f"has extent {shape[axis]} on axis {axis}, expected {outputs}, one per output",
    )
    part = (*shape[:axis], *shape[axis + 1 :])
    for i in range(outputs):
        layer.shape_is(layer.output(i), part)
    layer.settle()
    strides, step = _within(shape, axis)
    own = movement.row_major(part)
    return movement.movement(
        layer,
        *(
            movement.Move(
                movement.copy(layer, layer.output(i), part, strides, own, input_offset=i * step),
                target=i,
            )
            for i in range(outputs)
        ),
    )


PACK = Op("PACK", prepare_pack, movement.eval, operands=None)
UNPACK = Op("UNPACK", prepare_unpack, movement.eval)
