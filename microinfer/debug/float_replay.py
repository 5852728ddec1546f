"""A graph, layer by layer, in integers or in reals, several ways side by side.

A Chain is one way to compute the graph's tensors: what each layer is computed by, its constants,
and what is done to outputs. Chains take one step each, layer after layer, so that a comparison sees
all their values of one tensor while they exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph, Quantization, Tensor
from ..prepare import PreparedLayer
from ..state import State, is_handle, states
from .constants import Constants, is_real, steps_to_reals
from .float_ops import FORMS, Form
from .float_recurrent import lstm, svdf
from .float_weighted import WEIGHTED, FloatWeighted

Array = NDArray[Any]
Treatment = Callable[[int, Array], Array]  # (tensor, its values) to what goes on

RECURRENT = {"SVDF": svdf, "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm}


@dataclass(frozen=True)
class Step:
    """What a chain needs of one layer.

    tensors   what its function takes: operands, then the state
    outputs   tensor and shape of all that its function gives: the node's outputs, then the state
    measured  how many of them are the node's
    expires   the tensors that nothing reads after it
    """

    layer: PreparedLayer
    operands: tuple[int, ...]
    state: tuple[int, ...]
    tensors: tuple[Tensor, ...]
    outputs: tuple[tuple[int, tuple[int, ...]], ...]
    measured: int
    expires: tuple[int, ...]


def steps(graph: Graph, layers: Sequence[PreparedLayer]) -> list[Step]:
    """The layers of a runnable graph in order."""
    memory = states(graph)
    last: dict[int, int] = {}
    for layer in layers:
        for index in (*layer.node.inputs, *layer.node.outputs):
            last[index] = layer.index
    gone: list[list[int]] = [[] for _ in layers]
    for index, place in last.items():
        if index >= 0 and index not in graph.outputs and not is_handle(graph.tensors[index]):
            gone[place].append(index)
    found = []
    for layer in layers:
        own = [memory[index] for index in layer.op.state_indices(layer.node)]
        outputs = [(index, graph.tensors[index].shape) for index in layer.node.outputs]
        operands = layer.op.operand_indices(layer.node)
        found.append(
            Step(
                layer,
                operands,
                tuple(state.index for state in own),
                (*(graph.tensors[index] for index in operands), *(state.tensor for state in own)),
                tuple(outputs + [(state.index, state.tensor.shape) for state in own])
                if layer.op.computes
                else (),
                len(outputs) if layer.op.computes else 0,
                tuple(gone[layer.index]),
            )
        )
    return found


def integer_functions(layers: Sequence[PreparedLayer]) -> list[Form]:
    """What the interpreter computes each layer by."""
    return [partial(layer.op.eval, layer.params) for layer in layers]


def float_functions(
    graph: Graph, layers: Sequence[PreparedLayer], constants: Constants
) -> list[Form]:
    """The same layers in reals, with these weights and biases."""
    return [float_function(graph, layer, constants) for layer in layers]


def float_function(graph: Graph, layer: PreparedLayer, constants: Constants) -> Form:
    """One layer in reals."""
    if layer.node.op in WEIGHTED:
        return FloatWeighted(layer, graph, constants)
    if layer.node.op in RECURRENT:
        return RECURRENT[layer.node.op](layer, graph, constants)
    return FORMS[layer.node.op](layer, graph)


def initial_states(graph: Graph, dtype: type | None) -> dict[int, Array]:
    """The states after a reset, [1, *shape]: as integers or, with ``dtype``, as reals."""
    found = {}
    for state in states(graph).values():
        value = state.initial[None]
        found[state.index] = value if dtype is None else _real_state(state, value, dtype)
    return found


def _real_state(state: State, value: Array, dtype: type) -> Array:
    if not is_real(state.tensor) or state.tensor.quantization is None:
        return value
    return steps_to_reals(value, _leading(state.tensor.quantization), dtype)


def _leading(quantization: Quantization) -> Quantization:
    """The quantization of an array with one more axis in front."""
    return Quantization(quantization.scales, quantization.zero_points, quantization.axis + 1)


class Chain:
    """One way to compute the graph. States stay from group to group of samples."""

    def __init__(
        self,
        functions: Sequence[Form],
        constants: Mapping[int, Array],
        memory: dict[int, Array],
        treatment: Treatment | None = None,
    ) -> None:
        self.functions = functions
        self.constants = {index: value[None] for index, value in constants.items()}
        self.memory = memory
        self.treatment = treatment
        self.values: dict[int, Array] = {}
        self.samples = 0

    def begin(self, inputs: Mapping[int, Array]) -> None:
        """Forget the last group; take the inputs [samples, *shape] of the next."""
        self.samples = len(next(iter(inputs.values())))
        self.values = {**self.constants, **inputs}

    def operands(self, step: Step) -> list[Array]:
        """What ``step`` reads, its state last."""
        values = [self.values[index] for index in step.operands]
        if step.state:
            values = [repeated(value, self.samples) for value in values]
        return values + [self.memory[index] for index in step.state]

    def take(self, step: Step) -> None:
        """Compute a layer from this chain's own values, and keep what it gives."""
        self.keep(step, self.compute(step, self.operands(step)))

    def compute(self, step: Step, operands: Sequence[Array]) -> list[Array]:
        """A layer's outputs, [samples, *shape], of any operands; nothing is kept."""
        computed = self.functions[step.layer.index](*operands)
        return shaped(step, computed, self.samples)

    def keep(self, step: Step, outputs: Sequence[Array]) -> None:
        """Go on with these outputs, treated."""
        for (index, _), values in zip(step.outputs, outputs, strict=True):
            treated = values if self.treatment is None else self.treatment(index, values)
            self.values[index] = treated
        for index in step.state:
            self.memory[index] = self.values[index][-1:].copy()

    def expire(self, step: Step) -> None:
        """Forget what nothing reads any more."""
        for index in step.expires:
            self.values.pop(index, None)


def shaped(step: Step, computed: Any, samples: int) -> list[Array]:
    """What a layer's function gave, as a list of [samples, *shape]."""
    if not isinstance(computed, tuple):
        computed = (computed,)
    return [
        repeated(values.reshape(-1, *shape), samples)
        for (_, shape), values in zip(step.outputs, computed, strict=True)
    ]


def repeated(array: Array, samples: int) -> Array:
    """[samples, *shape] of an array that has 1 in front if it was computed from constants alone."""
    if len(array) < samples:
        return np.broadcast_to(array, (samples, *array.shape[1:]))
    return array


def to_reals(tensor: Tensor, values: Array, dtype: type) -> Array:
    """Integers of ``tensor``, any number of them, as reals; what is no real as it is."""
    if not is_real(tensor):
        return values
    if tensor.quantization is None:
        return values.astype(dtype)
    q = tensor.quantization
    reals: Array = (values.astype(dtype) - dtype(q.zero_point)) * dtype(q.scale)
    return reals


def to_steps(tensor: Tensor, reals: Array) -> Array:
    """Reals as the nearest integers that ``tensor`` can hold; what is no real as it is."""
    if not is_real(tensor):
        return reals
    if tensor.quantization is None:
        return reals.astype(tensor.dtype)
    q, limits = tensor.quantization, np.iinfo(tensor.dtype)
    nearest = np.rint(reals / reals.dtype.type(q.scale)) + reals.dtype.type(q.zero_point)
    integers: Array = np.clip(nearest, limits.min, limits.max).astype(tensor.dtype)
    return integers
