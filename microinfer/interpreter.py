"""The interpreter: prepare once, run many. NumPy integers that equal the device's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .batch import Batch, join, split_batch
from .graph import Graph
from .numerics import profile
from .one_thread import one_thread
from .ops import results
from .passes import runnable
from .prepare import PreparedLayer, prepare
from .state import is_handle, states
from .trace import LayerTrace, Trace

Array = NDArray[Any]

# Samples are run in groups whose largest tensor has about this many elements: as floats they
# then stay in the processor's cache between the passes over them.
GROUP_ELEMENTS = 1 << 18


class _Step(NamedTuple):
    """What a run needs of one layer."""

    evaluate: Callable[..., Any]
    params: Any
    operands: tuple[int, ...]
    state: tuple[int, ...]
    outputs: list[tuple[int, tuple[int, ...]]]  # tensor, shape; the state last
    expires: list[int]  # the tensors that nothing reads after it


class Interpreter:
    """Runs a Graph with one numeric profile.

    Raises UnsupportedModel, with every problem of the model, if it cannot be run exactly.
    ``layers`` has each node's prepared params.

    A model with state keeps it from run to run, until ``reset``; samples of one run are then
    consecutive invocations, in their order.
    """

    def __init__(self, graph: Graph, numerics: str = "tflm") -> None:
        self.graph = graph = runnable(graph)
        self.numerics = profile(numerics)
        self.layers = prepare(graph, self.numerics)
        largest = max(tensor.size for tensor in graph.tensors if tensor.data is None)
        self._group = max(1, GROUP_ELEMENTS // largest)
        self._states = states(graph)
        if any(layer.op.resource for layer in self.layers):
            self._group = 1  # a layer may read what a later one assigned a sample ago
        self._memory: dict[int, Array] = {}
        self.reset()
        self._constants = {
            index: tensor.data[None]
            for index, tensor in enumerate(graph.tensors)
            if tensor.data is not None
        }
        expires = self._last_uses()
        self._steps = [
            _Step(
                layer.op.eval,
                layer.params,
                layer.op.operand_indices(layer.node),
                tuple(self._states[i].index for i in layer.op.state_indices(layer.node)),
                self._computed(layer),
                expires[layer.index],
            )
            for layer in self.layers
        ]

    def reset(self) -> None:
        """Give every state its initial value, as a new Interpreter has it; ``state.py`` has which.

        Of a model without state, nothing.
        """
        self._memory = {state.index: state.initial[None] for state in self._states.values()}

    def run(self, *inputs: Array) -> list[Array]:
        """The model's outputs, in its order, for one array per model input.

        Each array has its tensor's dtype and shape, or samples as an axis before that shape; for
        a model of batch 1, samples may also take the place of the 1, and one sample may come
        without it. Outputs follow suit.
        Raises BadInput for anything else.
        """
        batch = split_batch(self.graph, inputs)
        groups = [
            [values[index] for index in self.graph.outputs]
            for values in self._evaluate(batch, keep=False)
        ]
        return [
            batch.restore(join(arrays), self.graph.tensors[index])
            for index, arrays in zip(self.graph.outputs, zip(*groups, strict=True), strict=True)
        ]

    def trace(self, *inputs: Array) -> Trace:
        """Every layer's outputs, for the same inputs as ``run``."""
        batch = split_batch(self.graph, inputs)
        groups = self._evaluate(batch, keep=True)

        def whole(index: int) -> Array:
            arrays = tuple(group[index] for group in groups)
            return batch.restore(join(arrays), self.graph.tensors[index])

        layers = [
            LayerTrace(
                layer.index,
                layer.node,
                [whole(index) for index in results(layer.node)],
                layer.params,
            )
            for layer in self.layers
        ]
        return Trace(
            layers, {index: whole(index) for index in self.graph.inputs}, self.numerics.name
        )

    def _evaluate(self, batch: Batch, keep: bool) -> list[dict[int, Array]]:
        """Tensor values, [samples, *shape], of one group of samples after the other.

        All of them, or only the outputs for certain.
        """
        groups = []
        with one_thread():
            for first in range(0, batch.samples, self._group):
                samples = min(self._group, batch.samples - first)
                values = dict(self._constants)
                for index, array in zip(self.graph.inputs, batch.arrays, strict=True):
                    values[index] = array[first : first + samples]
                for evaluate, params, operands, state, outputs, expires in self._steps:
                    arguments = [values[index] for index in operands]
                    if state:
                        arguments = [_repeated(array, samples) for array in arguments]
                        arguments += [self._memory[index] for index in state]
                    computed = evaluate(params, *arguments)
                    if not isinstance(computed, tuple):
                        computed = (computed,)
                    for (index, shape), result in zip(outputs, computed, strict=True):
                        values[index] = _repeated(result.reshape(-1, *shape), samples)
                    for index in state:
                        self._memory[index] = values[index][-1:].copy()
                    if not keep:
                        for index in expires:
                            del values[index]
                groups.append(values)
        return groups

    def _computed(self, layer: PreparedLayer) -> list[tuple[int, tuple[int, ...]]]:
        """What the eval of ``layer`` gives, as (tensor, shape): outputs, then state."""
        if not layer.op.computes:
            return []
        own = [self._states[index] for index in layer.op.state_indices(layer.node)]
        outputs = [(index, self.graph.tensors[index].shape) for index in layer.node.outputs]
        return outputs + [(state.index, state.tensor.shape) for state in own]

    def _last_uses(self) -> list[list[int]]:
        """For each layer, the tensors that nothing reads after it."""
        last: dict[int, int] = {}
        for layer in self.layers:
            for index in (*layer.node.inputs, *layer.node.outputs):
                last[index] = layer.index
        expires: list[list[int]] = [[] for _ in self.layers]
        for index, layer_index in last.items():
            if index in self.graph.outputs or index < 0 or index in self._constants:
                continue
            if not is_handle(self.graph.tensors[index]):
                expires[layer_index].append(index)
        return expires


def _repeated(array: Array, samples: int) -> Array:
    """[samples, *shape] of an array that has 1 in front if it was computed from constants alone."""
    if len(array) < samples:
        return np.broadcast_to(array, (samples, *array.shape[1:]))
    return array
