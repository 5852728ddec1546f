"""The plan of a model's C: calls, constants and memory, decided; nothing printed yet.

``inspect`` and the tests read it; ``render.py`` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..graph import Graph, Tensor
from ..numerics import Numerics, profile
from ..prepare import PreparedLayer, prepare
from .arena import Buffer, arena_bytes, buffers, place
from .check import check_plan
from .kernels import Call, calls, macs


@dataclass(frozen=True)
class PlannedLayer:
    """One layer with its kernels. ``calls`` is empty where input and output are the same bytes."""

    prepared: PreparedLayer
    calls: tuple[Call, ...]
    macs: int
    scratch_bytes: int
    scratch_offset: int

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, bias, multipliers, tables, and of the params structs.

        In a struct numbers and pointers take 4 bytes each, as on a 32-bit core.
        """
        values = [getattr(call.params, f.name) for call in self.calls for f in fields(call.params)]
        arrays = sum(value.nbytes for value in values if isinstance(value, np.ndarray))
        words = sum(len(value) if isinstance(value, tuple) else 1 for value in values)
        return arrays + 4 * words


@dataclass(frozen=True)
class Plan:
    """Everything about the generated C but its text.

    offsets         byte of the arena where each computed tensor lies, by tensor index
    operand_constants  constant tensors that kernels read as operands (such as ADD's second)
    arena_bytes     RAM: inputs, outputs, activations and scratch
    scratch_bytes   the largest scratch of a layer; part of arena_bytes
    constant_bytes  flash that weights, biases, multipliers, tables and params structs take on a
                    32-bit core; code comes on top
    """

    graph: Graph
    numerics: Numerics
    layers: tuple[PlannedLayer, ...]
    buffers: tuple[Buffer, ...]
    offsets: dict[int, int]
    operand_constants: tuple[int, ...]
    arena_bytes: int
    scratch_bytes: int
    constant_bytes: int
    macs: int

    def tensor(self, index: int) -> Tensor:
        return self.graph.tensors[index]


def plan(graph: Graph, numerics: str = "tflm") -> Plan:
    """Decide kernels, constants and memory of ``graph``'s C.

    Raises UnsupportedModel, BadInput (no such profile).
    """
    row = profile(numerics)
    prepared = prepare(graph, row)
    called = [calls(layer) for layer in prepared]
    scratch = {
        layer.index: max((call.scratch_bytes for call in own), default=0)
        for layer, own in zip(prepared, called, strict=True)
    }
    placed = place(buffers(graph, prepared, scratch))
    offsets = {index: buffer.offset for buffer in placed for index in buffer.tensors}
    scratch_offsets = {
        buffer.first: (buffer.offset, buffer.nbytes) for buffer in placed if not buffer.tensors
    }
    size = arena_bytes(placed)
    check_plan(graph, prepared, offsets, scratch_offsets, size)

    layers = tuple(
        PlannedLayer(
            prepared=layer,
            calls=() if _moves_nothing(layer, own, offsets) else own,
            macs=macs(layer),
            scratch_bytes=scratch[layer.index],
            scratch_offset=scratch_offsets.get(layer.index, (0, 0))[0],
        )
        for layer, own in zip(prepared, called, strict=True)
    )
    operand_constants = tuple(
        sorted(
            {
                index
                for layer in prepared
                for index in layer.op.operand_indices(layer.node)
                if graph.tensors[index].data is not None
            }
        )
    )
    return Plan(
        graph=graph,
        numerics=row,
        layers=layers,
        buffers=tuple(placed),
        offsets=offsets,
        operand_constants=operand_constants,
        arena_bytes=size,
        scratch_bytes=max(scratch.values(), default=0),
        constant_bytes=sum(layer.constant_bytes for layer in layers)
        + sum(graph.tensors[index].nbytes for index in operand_constants),
        macs=sum(layer.macs for layer in layers),
    )


def _moves_nothing(layer: PreparedLayer, own: tuple[Call, ...], offsets: dict[int, int]) -> bool:
    """Whether the layer is a copy of bytes onto themselves: a reshape that was planned in place."""
    operands = layer.op.operand_indices(layer.node)
    return (
        all(call.kernel.function == "mi_copy" for call in own)
        and layer.op.in_place
        and offsets.get(operands[0]) == offsets[layer.node.outputs[0]]
    )
