"""PAD and PADV2: a frame around the input.

input   any movable type, quantization unchanged
pads    int32 [rank, 2], constant: elements before and after, per axis
value   PADV2: one element of the input's type and quantization, computed or constant; PAD's frame
        is real zeros, that is the output's zero point
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def _inside(layer: Layer) -> movement.CopyParams:
    """The input's place within the frame."""
    source, output = layer.input(0), layer.output()
    pads = frame(layer)
    strides = movement.row_major(output.shape)
    return movement.copy(
        layer,
        output,
        source.shape,
        movement.row_major(source.shape),
        strides,
        output_offset=sum(a * stride for (a, _), stride in zip(pads, strides, strict=True)),
    )


def frame(layer: Layer) -> list[tuple[int, int]]:
    """Elements before and after, per axis."""
    source, pads, output = layer.input(0), layer.input(1), layer.output()
    rank = len(source.shape)
    values = layer.constant(pads, ["INT32", "INT64"])
    layer.require(
        values.size == 2 * rank and bool((values >= 0).all()),
        pads,
        f"is {values.tolist()}, expected {rank} pairs of numbers >= 0",
    )
    layer.settle()
    pairs = [(int(before), int(after)) for before, after in values.reshape(rank, 2)]
    framed = tuple(a + n + b for (a, b), n in zip(pairs, source.shape, strict=True))
    layer.shape_is(output, framed)
    layer.settle()
    return pairs


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    movement.check(layer, layer.input(0))
    fill = movement.zeros(layer, layer.output())
    return movement.movement(layer, movement.Move(fill, None), _inside(layer))


def prepare_v2(layer: Layer) -> movement.MovementParams:
    layer.count(3)
    source, value, output = layer.input(0), layer.input(2), layer.output()
    movement.check(layer, source, value)
    layer.require(value.size == 1, value, f"has shape {value.shape}, expected one element")
    layer.settle()
    everywhere = movement.copy(layer, output, (output.size,), (0,), (1,))
    return movement.movement(layer, movement.Move(everywhere, 1), _inside(layer))


OP = Op("PAD", prepare, movement.eval)
PADV2 = Op("PADV2", prepare_v2, movement.eval, operands=(0, 2))
