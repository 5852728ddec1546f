"""An independent check of a memory plan: replay it and watch who owns each byte.

It knows nothing of lifetimes. It walks through the layers with one owner per byte of the arena
and fails if a layer reads bytes that its operand does not own any more or never did, if two
things that a kernel touches at once overlap (but for an output in place of its input), if
anything lies outside, or if two states share a byte or anything else takes one of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..graph import Graph
from ..prepare import PreparedLayer
from .arena import ALIGNMENT

NOBODY = -1
SCRATCH = -2
STATE = -3


class PlanError(AssertionError):
    """The memory plan would let a kernel read or destroy the wrong bytes: a bug of ours."""


def check_plan(
    graph: Graph,
    layers: Sequence[PreparedLayer],
    offsets: Mapping[int, int],
    scratch: Mapping[int, tuple[int, int]],
    arena_bytes: int,
    states: Sequence[tuple[int, int]] = (),
) -> None:
    """Replay the layers. ``offsets``: tensor to byte; ``scratch``: layer to (offset, bytes);
    ``states``: (offset, bytes) of each, and of the mark."""
    owner = np.full(arena_bytes, NOBODY, np.int32)
    for start, nbytes in states:
        if start + nbytes > arena_bytes or (owner[start : start + nbytes] == STATE).any():
            raise PlanError(f"a state at {start} overlaps another, or lies outside")
        owner[start : start + nbytes] = STATE
    persistent = owner == STATE

    def span(tensor: int) -> slice:
        start = offsets[tensor]
        end = start + graph.tensors[tensor].nbytes
        if start % min(ALIGNMENT, graph.tensors[tensor].dtype.itemsize) != 0:
            raise PlanError(f"tensor {tensor} of {graph.tensors[tensor].dtype} lies at {start}")
        if not 0 <= start <= end <= arena_bytes:
            raise PlanError(f"tensor {tensor} lies at {start}..{end} of {arena_bytes} bytes")
        return slice(start, end)

    def owned(tensor: int, when: str) -> None:
        if (owner[span(tensor)] != tensor).any():
            raise PlanError(f"{when} reads tensor {tensor}, whose bytes were overwritten")

    for tensor in graph.inputs:
        if (owner[span(tensor)] != NOBODY).any():
            raise PlanError(f"model input {tensor} overlaps another one")
        owner[span(tensor)] = tensor

    for layer in layers:
        operands = [t for t in layer.op.operand_indices(layer.node) if t in offsets]
        for tensor in operands:
            owned(tensor, f"layer {layer.index}")
        touched = np.zeros(arena_bytes, bool)
        for tensor in operands:
            touched[span(tensor)] = True
        outputs = layer.node.outputs if layer.op.computes else ()
        for tensor in outputs:
            here = span(tensor)
            in_place = layer.op.in_place and any(span(operand) == here for operand in operands)
            if not in_place and touched[here].any():
                raise PlanError(f"layer {layer.index} writes over what it reads or writes")
            touched[here] = True
        if layer.index in scratch:
            start, nbytes = scratch[layer.index]
            if start + nbytes > arena_bytes or touched[start : start + nbytes].any():
                raise PlanError(f"the scratch of layer {layer.index} overlaps its operands")
            owner[start : start + nbytes] = SCRATCH
        for tensor in outputs:
            owner[span(tensor)] = tensor
        if (owner[persistent] != STATE).any():
            raise PlanError(f"layer {layer.index} writes over a state")
    for tensor in graph.outputs:
        owned(tensor, "the caller")
