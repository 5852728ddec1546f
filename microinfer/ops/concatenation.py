"""CONCATENATION of int8 tensors along one axis: copies, nothing is rescaled.

inputs  int8, all of the output's quantization, equal shapes but for ``axis``
C twin: runtime_c/mi_copy.h, once per input.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count((1, 2**31))
    output = layer.output()
    sources = [layer.input(i) for i in range(len(layer.node.inputs))]
    axis, rank = layer.options["axis"], len(output.shape)
    activation = layer.options["fused_activation_function"]
    layer.require(activation == "NONE", None, f"has fused activation {activation}, expected NONE")
    layer.require(-rank <= axis < rank, None, f"has axis {axis}, expected {-rank}..{rank - 1}")
    layer.settle()
    axis %= rank
    parts = [source.shape for source in sources]
    if all(len(part) == rank for part in parts):
        joined = sum(part[axis] for part in parts)
        layer.expect(output, (*parts[0][:axis], joined, *parts[0][axis + 1 :]))
    movement.check(layer, *sources)
    for source in sources:
        own, whole = list(source.shape), list(output.shape)
        fits = len(own) == rank and own[:axis] + own[axis + 1 :] == whole[:axis] + whole[axis + 1 :]
        layer.require(
            fits, source, f"has shape {source.shape}, which does not join into {output.shape}"
        )
    layer.settle()
    joined = sum(source.shape[axis] for source in sources)
    layer.require(
        joined == output.shape[axis],
        output,
        f"has extent {output.shape[axis]} on axis {axis}, its inputs have {joined} in all",
    )
    layer.settle()
    strides = movement.row_major(output.shape)
    copies, offset = [], 0
    for position, source in enumerate(sources):
        steps = movement.row_major(source.shape)
        copy = movement.copy(layer, source, source.shape, steps, strides, output_offset=offset)
        copies.append(movement.Move(copy, position))
        offset += source.shape[axis] * strides[axis]
    return movement.movement(layer, *copies)


OP = Op("CONCATENATION", prepare, movement.eval, operands=None)
