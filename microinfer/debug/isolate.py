"""Judge every layer alone: recompute it from what the other side itself gave it to read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch, split_batch
from ..interpreter import GROUP_ELEMENTS, Interpreter
from ..one_thread import one_thread
from ..ops import results
from ..prepare import PreparedLayer
from ..state import states
from ..trace import Trace
from .diff import Report, layer_diff, require_some

Array = NDArray[Any]
Values = dict[int, Array]  # [samples, *shape], by tensor


def isolate(interpreter: Interpreter, other: Trace) -> Report:
    """Compare each layer of ``other`` with the interpreter's from ``other``'s own inputs.

    No layer inherits a difference, so each that shows one made it. A model with state is taken to
    begin with a reset; what a layer remembers is what ``other`` says that it remembered. A layer
    whose inputs or state ``other`` lacks is listed as missing. Raises BadInput as ``diff`` does.
    """
    graph = interpreter.graph
    batch = split_batch(graph, [other.tensor(index) for index in graph.inputs])
    report = Isolating(interpreter).judge(other, batch)[0]
    require_some(report)
    return report


class Isolating:
    """Judges layers alone over more and more samples, and keeps what the other side remembers."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._graph = interpreter.graph
        self._layers = interpreter.layers
        self._numerics = interpreter.numerics.name
        self._states = states(self._graph)
        self._memory: dict[int, Array | None] = {  # None: unknown
            state.index: state.initial[None] for state in self._states.values()
        }

    def judge(self, other: Trace, batch: Batch) -> tuple[Report, Trace]:
        """The next samples of ``batch``, run by ``other``; and what was expected of each layer."""
        graph, samples = self._graph, batch.samples
        observed = {
            index: other.tensor(index).reshape(samples, *tensor.shape)
            for index, tensor in enumerate(graph.tensors)
            if other.has(index)
        }
        parts: list[Values] = []
        with one_thread():
            size = self._at_once()
            for first in range(0, samples, size):
                own = {i: array[first : first + size] for i, array in observed.items()}
                parts.append(self._expected(own, min(size, samples - first)))
        known = set.intersection(*(set(part) for part in parts))
        values = {index: np.concatenate([part[index] for part in parts]) for index in known}
        expected = Trace.from_tensors(graph, batch, values, self._numerics)
        layers = []
        for layer in other:
            there = [i for i in results(layer.node) if i in known and other.has(i)]
            pairs = [(i, expected.tensor(i), other.tensor(i)) for i in there]
            layers.append(layer_diff(layer.index, layer.node, pairs, samples))
        return Report(layers), expected

    def _at_once(self) -> int:
        """Samples to compute at a time: with state one, as it is known after each."""
        if self._states:
            return 1
        largest = max(tensor.size for tensor in self._graph.tensors if tensor.data is None)
        return max(1, GROUP_ELEMENTS // largest)

    def _expected(self, observed: Values, samples: int) -> Values:
        """Every layer's results from ``observed``, as far as what it reads is known."""
        values = observed | {
            index: tensor.data[None]
            for index, tensor in enumerate(self._graph.tensors)
            if tensor.data is not None
        }
        expected: Values = {}
        for layer in self._layers:
            state = [self._states[i].index for i in layer.op.state_indices(layer.node)]
            computed = self._eval(layer, values, state, samples)
            for index, array in zip(results(layer.node), computed, strict=False):
                shape = (samples, *self._graph.tensors[index].shape)
                expected[index] = np.broadcast_to(array.reshape(-1, *shape[1:]), shape)
            for index, position in zip(state, range(-len(state), 0), strict=True):
                if layer.op.resource:
                    self._memory[index] = computed[position] if computed else None
                else:
                    self._memory[index] = observed.get(index)
        return expected

    def _eval(
        self, layer: PreparedLayer, values: Values, state: list[int], samples: int
    ) -> tuple[Array, ...]:
        """What the layer computes: outputs, then state; nothing if it reads what is unknown."""
        operands = [values.get(index) for index in layer.op.operand_indices(layer.node)]
        remembered = [self._memory[index] for index in state]
        known = [array for array in (*operands, *remembered) if array is not None]
        if not layer.op.computes or len(known) < len(operands) + len(remembered):
            return ()
        if state:  # constants too have to have the samples' axis
            known = [np.broadcast_to(array, (samples, *array.shape[1:])) for array in known]
        computed = layer.op.eval(layer.params, *known)
        return computed if isinstance(computed, tuple) else (computed,)
