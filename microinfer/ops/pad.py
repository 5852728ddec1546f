"""PAD: a frame of real zeros, that is of the output's zero point, around the input.

input   any movable type, quantization unchanged
pads    int32 [rank, 2], constant: elements before and after, per axis
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, pads, output = layer.input(0), layer.input(1), layer.output()
    rank = len(source.shape)
    values = layer.constant(pads, ["INT32", "INT64"])
    layer.require(
        values.size == 2 * rank and bool((values >= 0).all()),
        pads,
        f"is {values.tolist()}, expected {rank} pairs of numbers >= 0",
    )
    layer.settle()
    movement.check(layer, source)
    before, after = values.reshape(rank, 2).T.tolist()
    layer.shape_is(
        output,
        tuple(a + n + b for a, n, b in zip(before, source.shape, after, strict=True)),
    )
    layer.settle()
    strides = movement.row_major(output.shape)
    copy = movement.copy(
        layer,
        output,
        source.shape,
        movement.row_major(source.shape),
        strides,
        output_offset=sum(a * stride for a, stride in zip(before, strides, strict=True)),
    )
    quantization = output.quantization
    zero = quantization.zero_point if output.type == "INT8" and quantization else 0
    fill = movement.FillParams(count=output.size * output.dtype.itemsize, value=zero)
    return movement.MovementParams(output.size, fill, (copy,))


OP = Op("PAD", prepare, movement.eval)
