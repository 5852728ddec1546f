"""The plan of a model's C: calls, constants and memory, decided; nothing printed yet.

``inspect`` and the tests read it; ``render.py`` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from ..errors import BadInput
from ..graph import Graph, Tensor
from ..numerics import Numerics, profile
from ..passes import runnable
from ..prepare import PreparedLayer, prepare
from ..state import State, states
from . import cmsis_nn
from .arena import ALIGNMENT, MARK_BYTES, Buffer, arena_bytes, buffers, place, place_states
from .check import check_plan
from .kernels import Call, calls, macs

KERNELS = (OWN, CMSIS_NN) = ("own", "cmsis-nn")


@dataclass(frozen=True)
class PlannedLayer:
    """One layer with its kernels. ``calls`` is empty where input and output are the same bytes."""

    prepared: PreparedLayer
    calls: tuple[Call, ...]
    macs: int
    scratch_bytes: int
    scratch_offset: int

    @property
    def library(self) -> str:
        """The function of CMSIS-NN that computes it; empty for a kernel of ours."""
        return self.calls[0].kernel.library if self.calls else ""

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, bias, multipliers, tables, and of the params structs.

        In a struct numbers and pointers take 4 bytes each, as on a 32-bit core.
        """
        values = [value for call in self.calls for value in _values(call.params)]
        words = sum(len(value) if isinstance(value, tuple) else 1 for value in values)
        return self.array_bytes + 4 * words

    @property
    def array_bytes(self) -> int:
        """Of ``constant_bytes`` the arrays: a compiler may fold the structs, but not these."""
        values = [value for call in self.calls for value in _values(call.params)]
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _values(params: Any) -> Iterator[Any]:
    """The fields' values, those of structs within it in their place."""
    for field in fields(params):
        value = getattr(params, field.name)
        if is_dataclass(value):
            yield from _values(value)
        else:
            yield value


@dataclass(frozen=True)
class Plan:
    """Everything about the generated C but its text.

    states          what persists between invocations
    offsets         byte of the arena where each computed tensor and each state lies, by the indices
                    of the tensors that stand for them
    operand_constants  constant tensors that kernels read as operands (such as ADD's second)
    arena_bytes     RAM: state, inputs, outputs, activations and scratch
    state_bytes     the beginning of the arena, which is the state's alone; part of arena_bytes
    scratch_bytes   the largest scratch of a layer; part of arena_bytes
    constant_bytes  flash that weights, biases, multipliers, tables, states' first values and params
                    structs take on a 32-bit core; code comes on top
    core            the cores that it runs on: all, or those of one form of CMSIS-NN
    """

    graph: Graph
    numerics: Numerics
    layers: tuple[PlannedLayer, ...]
    states: tuple[State, ...]
    buffers: tuple[Buffer, ...]
    offsets: dict[int, int]
    operand_constants: tuple[int, ...]
    arena_bytes: int
    state_bytes: int
    scratch_bytes: int
    constant_bytes: int
    macs: int
    core: str

    def tensor(self, index: int) -> Tensor:
        return self.graph.tensors[index]

    def flash_bytes(self, layer: PlannedLayer) -> int:
        """Flash of a layer's own constants, and of constant tensors that it is the first to read.

        Those of all layers make ``constant_bytes``, but for the first values of states.
        """
        read = layer.prepared.op.operand_indices(layer.prepared.node)
        earlier = {
            index
            for other in self.layers[: layer.prepared.index]
            for index in other.prepared.op.operand_indices(other.prepared.node)
        }
        new = {index for index in read if index in self.operand_constants} - earlier
        return layer.constant_bytes + sum(self.tensor(index).nbytes for index in new)

    def state(self, index: int) -> State:
        """The state that a variable tensor or a handle stands for."""
        return states(self.graph)[index]


def plan(
    graph: Graph, numerics: str = "tflm", *, kernels: str = OWN, core: str = cmsis_nn.ANY
) -> Plan:
    """Decide kernels, constants and memory of ``graph``'s C.

    ``kernels`` "cmsis-nn" has each layer computed by Arm's CMSIS-NN that it has exactly; ``core``
    then is "plain", "dsp" or "mve", by the instructions of the core that it is for, or "any".

    Raises UnsupportedModel, BadInput (no such profile, kernels or core).
    """
    row = profile(numerics)
    for what, value, allowed in (
        ("kernels", kernels, KERNELS),
        ("core", core, (cmsis_nn.ANY, *(cmsis_nn.CORES if kernels == CMSIS_NN else ()))),
    ):
        if value not in allowed:
            raise BadInput(f"{what} is {value!r}, expected one of {allowed}")
    graph = runnable(graph)
    prepared = prepare(graph, row)
    called = [_calls(graph, layer, kernels, core) for layer in prepared]
    scratch = {
        layer.index: max((call.scratch_bytes for call in own), default=0)
        for layer, own in zip(prepared, called, strict=True)
    }
    by_tensor = states(graph)
    own_states = {state.index: state for state in by_tensor.values()}
    persistent = place_states(tuple(own_states.values()), len(prepared))
    placed = place(buffers(graph, prepared, scratch))
    widest = max((buffer.alignment for buffer in (*persistent, *placed)), default=ALIGNMENT)
    state_bytes = -(-arena_bytes(persistent) // widest) * widest
    placed = [replace(buffer, offset=buffer.offset + state_bytes) for buffer in placed]
    offsets = {index: buffer.offset for buffer in placed for index in buffer.tensors}
    scratch_offsets = {
        buffer.first: (buffer.offset, buffer.nbytes) for buffer in placed if not buffer.tensors
    }
    size = max(arena_bytes(placed), state_bytes)
    spans = [(0, MARK_BYTES), *((b.offset, b.nbytes) for b in persistent)] if persistent else []
    check_plan(graph, prepared, offsets, scratch_offsets, size, spans)
    places = {buffer.tensors[0]: buffer.offset for buffer in persistent}
    offsets |= {index: places[state.index] for index, state in by_tensor.items()}

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
                for layer, own in zip(prepared, called, strict=True)
                for index in _read(layer, own)
                if graph.tensors[index].data is not None
            }
        )
    )
    return Plan(
        graph=graph,
        numerics=row,
        layers=layers,
        states=tuple(own_states.values()),
        buffers=(*persistent, *placed),
        offsets=offsets,
        operand_constants=operand_constants,
        arena_bytes=size,
        state_bytes=state_bytes,
        scratch_bytes=max(scratch.values(), default=0),
        constant_bytes=sum(layer.constant_bytes for layer in layers)
        + sum(graph.tensors[index].nbytes for index in operand_constants)
        + sum(state.constant.nbytes for state in own_states.values() if state.constant is not None),
        macs=sum(layer.macs for layer in layers),
        core=core,
    )


def _read(layer: PreparedLayer, own: tuple[Call, ...]) -> list[int]:
    """The tensors that a layer's kernels are given."""
    read = (*layer.op.operand_indices(layer.node), *layer.op.state_indices(layer.node))
    return [read[position] for call in own for position in call.inputs]


def _calls(graph: Graph, layer: PreparedLayer, kernels: str, core: str) -> tuple[Call, ...]:
    """The library's call where it is wanted and has one, or else those of our kernels."""
    library = cmsis_nn.call(graph, layer, core) if kernels == CMSIS_NN else None
    return (library,) if library else calls(layer, graph)


def _moves_nothing(layer: PreparedLayer, own: tuple[Call, ...], offsets: dict[int, int]) -> bool:
    """Whether the layer is a copy of bytes onto themselves: a reshape that was planned in place."""
    operands = layer.op.operand_indices(layer.node)
    return (
        all(call.kernel.function == "mi_copy" for call in own)
        and layer.op.in_place
        and offsets.get(operands[0]) == offsets[layer.node.outputs[0]]
    )
