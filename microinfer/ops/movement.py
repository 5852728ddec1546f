"""Ops that move elements and compute nothing: fills, strided copies, and gathers by a table.

    copy    output[output_offset + sum(i_k * output_strides[k])] =
                input[input_offset + sum(i_k * input_strides[k])]      for all i_k < extents[k]
    gather  output[o, r, c, :] = input[o * outer_stride + rows[r] + columns[c], :]

A copy's strides count elements, and may be 0 or negative; its innermost contiguous elements are
one run. A gather's unit is a run of elements, and its output is contiguous. PAD, TRANSPOSE, SPLIT
and the others only say which moves they are, each in its own file; then all run the same way, here
and in runtime_c/mi_copy.h and mi_gather.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    value: int  # of each byte


@dataclass(frozen=True)
class GatherParams:
    outer: int
    outer_stride: int  # runs of the input, as are rows and columns
    row_count: int
    column_count: int
    run_bytes: int
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]


@dataclass(frozen=True)
class Move:
    """One call: it reads operand ``source`` (None: a fill) and writes output ``target``."""

    params: CopyParams | FillParams | GatherParams
    source: int | None = 0
    target: int = 0


@dataclass(frozen=True)
class MovementParams:
    """The moves of a layer in their order, and how many elements each of its outputs has."""

    sizes: tuple[int, ...]
    moves: tuple[Move, ...]


# Types whose elements are moved as they are, by every such op.
MOVABLE = ("INT8", "INT16", "INT32", "INT64", "FLOAT32", "BOOL")
QUANTIZED = ("INT8", "INT16", "UINT8")


def check(layer: Layer, *tensors: Tensor, types: tuple[str, ...] = MOVABLE) -> None:
    """Require elements of one of ``types`` and, where quantized, one quantization."""
    first, *others = [layer.output(i) for i in range(len(layer.node.outputs))]
    layer.type_is(first, *types)
    for tensor in (*tensors, *others):
        layer.type_is(tensor, first.type)
        if first.type == "INT8":
            layer.int8(tensor)
        if first.type in QUANTIZED:
            layer.same_quantization(tensor, first)
    if first.type == "INT8" or (first.type in QUANTIZED and first.quantization is not None):
        layer.per_tensor(first)
    for output in (first, *others):
        layer.require(output.size > 0, output, "is empty")
    layer.settle()


def integers(layer: Layer, position: int, count: int | None = None) -> list[int]:
    """The constant integers of an input such as axes, sizes or a shape; ``count`` of them."""
    tensor = layer.input(position)
    values = [int(value) for value in layer.constant(tensor, ["INT32", "INT64"]).reshape(-1)]
    layer.require(
        count is None or len(values) == count, tensor, f"is {values}, expected {count} integers"
    )
    layer.settle()
    return values


def axis_of(layer: Layer, tensor: Tensor | None, axis: int, rank: int) -> int:
    """``axis`` of -rank..rank-1 as one of 0..rank-1."""
    layer.require(-rank <= axis < rank, tensor, f"has axis {axis}, expected {-rank}..{rank - 1}")
    layer.settle()
    return axis % rank


def copy(
    layer: Layer,
    tensor: Tensor,
    extents: Sequence[int],
    input_strides: Sequence[int],
    output_strides: Sequence[int],
    output_offset: int = 0,
    input_offset: int = 0,
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
        input_offset=input_offset,
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


def zeros(layer: Layer, output: Tensor) -> FillParams:
    """A fill of ``output`` with real zero, that is with its zero point."""
    quantization = output.quantization if output.type in QUANTIZED else None
    zero = quantization.zero_point if quantization else 0
    layer.require(
        output.dtype.itemsize == 1 or zero == 0, output, f"has zero point {zero}, expected 0"
    )
    layer.settle()
    return FillParams(count=output.nbytes, value=zero)


def gather(
    tensor: Tensor,
    run: int,
    columns: ArrayLike,
    rows: ArrayLike = (0,),
    outer: int = 1,
    outer_stride: int = 0,
) -> GatherParams:
    """A gather of runs of ``run`` elements of ``tensor``'s type; all else counts runs."""
    own = [np.asarray(table, np.int32).reshape(-1) for table in (rows, columns)]
    return GatherParams(
        outer=outer,
        outer_stride=outer_stride,
        row_count=len(own[0]),
        column_count=len(own[1]),
        run_bytes=run * tensor.dtype.itemsize,
        rows=own[0],
        columns=own[1],
    )


def movement(layer: Layer, *moves: Move | CopyParams | GatherParams) -> MovementParams:
    """The layer's params; what is no Move moves its first operand to its first output."""
    sizes = tuple(layer.output(i).size for i in range(len(layer.node.outputs)))
    return MovementParams(sizes, tuple(m if isinstance(m, Move) else Move(m) for m in moves))


def eval(params: MovementParams, *inputs: Array) -> Array | tuple[Array, ...]:
    """Arrays [batch, ...] to one array [batch, size] per output, of any element type."""
    batch = max(len(x) for x in inputs)
    outputs = tuple(np.empty((batch, size), inputs[0].dtype) for size in params.sizes)
    for move in params.moves:
        output = outputs[move.target]
        if isinstance(move.params, FillParams):
            output[:] = move.params.value
            continue
        assert move.source is not None
        x = inputs[move.source]
        flat = np.ascontiguousarray(x).reshape(len(x), -1)  # else it may be a view with gaps
        source = np.broadcast_to(flat, (batch, x[0].size))
        if isinstance(move.params, GatherParams):
            output[:] = _gathered(source, move.params)
        else:
            p = move.params
            _strided(output, p.output_offset, p.output_strides, p)[...] = _strided(
                source, p.input_offset, p.input_strides, p
            )
    return outputs if len(outputs) > 1 else outputs[0]


def _gathered(source: Array, p: GatherParams) -> Array:
    """[batch, output elements] of ``source`` [batch, elements]."""
    runs = source.reshape(len(source), -1, p.run_bytes // source.itemsize)
    outer = np.arange(p.outer)[:, None, None] * p.outer_stride
    places = outer + p.rows[:, None] + p.columns
    return np.take(runs, places.reshape(-1), axis=1).reshape(len(source), -1)


def _strided(flat: Array, offset: int, strides: tuple[int, ...], move: CopyParams) -> Array:
    """View [batch, *extents, run] of ``flat`` [batch, elements]."""
    item = flat.itemsize
    return np.lib.stride_tricks.as_strided(
        flat[:, offset:],
        shape=(len(flat), *move.extents, move.run),
        strides=(flat.strides[0], *(stride * item for stride in strides), item),
    )
