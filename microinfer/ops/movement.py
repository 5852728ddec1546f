"""Ops that move elements and compute nothing: strided copies, after an optional fill.

    output[output_offset + sum(i_k * output_strides[k])] =
        input[input_offset + sum(i_k * input_strides[k])]      for all i_k < extents[k]

A stride counts elements; the innermost contiguous elements are one run. PAD, TRANSPOSE,
CONCATENATION and the reshapes only say which copies they are, each in its own file; then all run
the same way, here and in runtime_c/mi_copy.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Tensor
from .layer import Array, Layer

LOOPS = 5


@dataclass(frozen=True)
class CopyParams:
    extents: tuple[int, ...]  # LOOPS of them, outermost first
    input_strides: tuple[int, ...]
    output_strides: tuple[int, ...]
    input_offset: int
    output_offset: int
    run: int  # elements that are contiguous on both sides
    element_bytes: int


@dataclass(frozen=True)
class FillParams:
    count: int  # bytes
    value: int


@dataclass(frozen=True)
class MovementParams:
    """``copies[i]`` reads input i of the node. ``fill`` comes first; outputs have ``size``."""

    size: int
    fill: FillParams | None
    copies: tuple[CopyParams, ...]


# Types whose elements are moved as they are, by every runtime and every such op.
MOVABLE = ("INT8", "FLOAT32")


def check(layer: Layer, *tensors: Tensor) -> None:
    """Require movable elements of one type and, for int8, one quantization."""
    output = layer.output()
    layer.type_is(output, *MOVABLE)
    for tensor in tensors:
        layer.type_is(tensor, output.type)
        if output.type == "INT8":
            layer.int8(tensor)
            layer.same_quantization(tensor, output)
    if output.type == "INT8":
        layer.int8(output)
    layer.require(output.size > 0, output, "is empty")
    layer.settle()


def copy(
    layer: Layer,
    tensor: Tensor,
    extents: Sequence[int],
    input_strides: Sequence[int],
    output_strides: Sequence[int],
    output_offset: int = 0,
) -> CopyParams:
    """A copy with its loops merged where both sides allow it."""
    loops: list[list[int]] = []
    for extent, source, target in zip(extents, input_strides, output_strides, strict=True):
        if extent == 1:
            continue
        if loops and loops[-1][1:] == [source * extent, target * extent]:
            loops[-1] = [loops[-1][0] * extent, source, target]
        else:
            loops.append([extent, source, target])
    run = loops.pop()[0] if loops and loops[-1][1:] == [1, 1] else 1
    layer.require(len(loops) <= LOOPS, tensor, f"needs {len(loops)} nested loops, at most {LOOPS}")
    layer.settle()
    loops = [[1, 0, 0]] * (LOOPS - len(loops)) + loops
    return CopyParams(
        extents=tuple(loop[0] for loop in loops),
        input_strides=tuple(loop[1] for loop in loops),
        output_strides=tuple(loop[2] for loop in loops),
        input_offset=0,
        output_offset=output_offset,
        run=run,
        element_bytes=tensor.dtype.itemsize,
    )


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements of a contiguous array."""
    strides = [1]
    for extent in reversed(shape[1:]):
        strides.insert(0, strides[0] * extent)
    return tuple(strides[: len(shape)])


def eval(params: MovementParams, *inputs: Array) -> Array:
    """Arrays [batch, ...] to [batch, size], of any element type."""
    batch = max(len(x) for x in inputs)
    output = np.empty((batch, params.size), inputs[0].dtype)
    if params.fill is not None:
        output[:] = params.fill.value
    for x, move in zip(inputs, params.copies, strict=True):
        source = np.broadcast_to(x.reshape(len(x), -1), (batch, x[0].size))
        _strided(output, move.output_offset, move.output_strides, move)[...] = _strided(
            source, move.input_offset, move.input_strides, move
        )
    return output


def _strided(flat: Array, offset: int, strides: tuple[int, ...], move: CopyParams) -> Array:
    """View [batch, *extents, run] of ``flat`` [batch, elements]."""
    item = flat.itemsize
    return np.lib.stride_tricks.as_strided(
        flat[:, offset:],
        shape=(len(flat), *move.extents, move.run),
        strides=(flat.strides[0], *(stride * item for stride in strides), item),
    )
