"""Static memory: who lives where, when.

Every computed tensor and every kernel's scratch is a buffer with a lifetime in layers. Tensors
that an op may compute in place share one. Buffers are placed one after the other, each at the
lowest offset where it meets no other that lives at the same time.

State lives for ever, and has the beginning of the arena for itself: a word that says that it was
reset, then one value after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..graph import Graph, Tensor
from ..prepare import PreparedLayer
from ..state import State

ALIGNMENT = 4  # bytes; kernels may load words
WIDE_ALIGNMENT = 8  # of 64-bit elements
MARK_BYTES = 4  # of the word that tells a state that was reset from whatever was in memory
ATTEMPTS = 200  # at placing; each takes about a millisecond


@dataclass(frozen=True)
class Buffer:
    """Bytes of the arena that are in use from layer ``first`` to layer ``last``, both included.

    Model inputs live from layer -1 on, model outputs until after the last layer. ``tensors`` are
    the tensors that live here one after the other; a kernel's scratch has none.
    """

    tensors: tuple[int, ...]
    nbytes: int
    first: int
    last: int
    offset: int = 0
    alignment: int = ALIGNMENT

    @property
    def end(self) -> int:
        return self.offset + self.nbytes


def alignment(tensor: Tensor) -> int:
    """Bytes that a tensor's address is a multiple of."""
    return WIDE_ALIGNMENT if tensor.dtype.itemsize > ALIGNMENT else ALIGNMENT


def lifetimes(graph: Graph, layers: Sequence[PreparedLayer]) -> dict[int, tuple[int, int]]:
    """(first, last) layer of each computed tensor, model inputs included."""
    live = dict.fromkeys(graph.inputs, (-1, -1))
    for layer in layers:
        for index in layer.node.outputs if layer.op.computes else ():
            live[index] = (layer.index, layer.index)
        for index in layer.op.operand_indices(layer.node):
            if index in live:
                live[index] = (live[index][0], layer.index)
    for index in graph.outputs:
        live[index] = (live[index][0], len(layers))
    return live


def buffers(graph: Graph, layers: Sequence[PreparedLayer], scratch: dict[int, int]) -> list[Buffer]:
    """All buffers, not yet placed. ``scratch`` has the bytes that a layer's kernels need."""
    live = lifetimes(graph, layers)
    # home[t]: the first tensor of the buffer that t lives in.
    home = {index: index for index in live}
    for layer in layers:
        if not layer.op.in_place:
            continue
        output = layer.node.outputs[0]
        for index in layer.op.operand_indices(layer.node):
            if (
                index in live
                and live[index][1] == layer.index
                and graph.tensors[index].nbytes == graph.tensors[output].nbytes
                and graph.tensors[index].size == graph.tensors[output].size
            ):
                home[output] = home[index]
                break
    members: dict[int, list[int]] = {}
    for index in live:
        members.setdefault(home[index], []).append(index)
    found = [
        Buffer(
            tensors=tuple(tensors),
            nbytes=graph.tensors[tensors[0]].nbytes,
            first=min(live[index][0] for index in tensors),
            last=max(live[index][1] for index in tensors),
            alignment=max(alignment(graph.tensors[index]) for index in tensors),
        )
        for tensors in members.values()
    ]
    found += [Buffer((), nbytes, index, index) for index, nbytes in scratch.items() if nbytes]
    return found


def place_states(found: Sequence[State], layers: int) -> list[Buffer]:
    """A buffer for each state, one behind the other after the mark; alive for all ``layers``."""
    placed: list[Buffer] = []
    for state in found:
        own = alignment(state.tensor)
        end = placed[-1].end if placed else MARK_BYTES
        offset = -(-end // own) * own
        placed.append(Buffer((state.index,), state.tensor.nbytes, -1, layers, offset, own))
    return placed


def place(unplaced: Sequence[Buffer]) -> list[Buffer]:
    """The buffers with their offsets, in order of first use.

    Largest first is optimal for most models. Where it is not, the buffer that ended up on top is
    placed first in the next attempt; no attempt can be better than ``lower_bound``.
    """
    order = sorted(unplaced, key=lambda b: (-b.nbytes, b.first, b.last, b.tensors))
    bound = lower_bound(unplaced)
    best = _place_in(order)
    for _ in range(ATTEMPTS):
        if arena_bytes(best) <= bound:
            break
        attempt = _place_in(order)
        if arena_bytes(attempt) < arena_bytes(best):
            best = attempt
        top = max(range(len(order)), key=lambda i: attempt[i].end)
        order.insert(0, order.pop(top))
    return sorted(best, key=lambda b: (b.first, b.offset))


def _place_in(order: Sequence[Buffer]) -> list[Buffer]:
    """Each buffer, in this order, at the lowest offset that is free while it lives."""
    placed: list[Buffer] = []
    for buffer in order:
        offset = 0
        neighbours = (b for b in placed if b.first <= buffer.last and buffer.first <= b.last)
        for other in sorted(neighbours, key=lambda b: b.offset):
            if offset + buffer.nbytes <= other.offset:
                break
            offset = max(offset, -(-other.end // buffer.alignment) * buffer.alignment)
        placed.append(replace(buffer, offset=offset))
    return placed


def lower_bound(unplaced: Sequence[Buffer]) -> int:
    """The most bytes that live at one time: no placement takes less."""
    layers = range(-1, max((b.last for b in unplaced), default=-1) + 1)
    return max(sum(b.nbytes for b in unplaced if b.first <= i <= b.last) for i in layers)


def arena_bytes(placed: Sequence[Buffer]) -> int:
    """Size of the arena."""
    return max((buffer.end for buffer in placed), default=0)
