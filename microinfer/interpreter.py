"""The interpreter: prepare once, run many. NumPy integers that equal the device's, bit for bit."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from .batch import Batch, join, split_batch
from .graph import Graph
from .numerics import profile
from .prepare import prepare
from .trace import LayerTrace, Trace

Array = NDArray[Any]

# Samples are run in groups whose largest tensor has about this many elements: as floats they
# then stay in the processor's cache between the passes over them.
GROUP_ELEMENTS = 1 << 17


@cache
def _blas() -> ThreadpoolController:
    """The loaded BLAS libraries. Their threads cost more than they bring at these sizes."""
    return ThreadpoolController()


class Interpreter:
    """Runs a Graph with one numeric profile.

    Raises UnsupportedModel, with every problem of the model, if it cannot be run exactly.
    ``layers`` has each node's prepared params.
    """

    def __init__(self, graph: Graph, numerics: str = "tflm") -> None:
        self.graph = graph
        self.numerics = profile(numerics)
        self.layers = prepare(graph, self.numerics)
        largest = max(tensor.size for tensor in graph.tensors if tensor.data is None)
        self._group = max(1, GROUP_ELEMENTS // largest)
        self._constants = {
            index: tensor.data[None]
            for index, tensor in enumerate(graph.tensors)
            if tensor.data is not None
        }
        self._expires = self._last_uses()

    def run(self, *inputs: Array) -> list[Array]:
        """The model's outputs, in its order, for one array per model input.

        Each array has its tensor's dtype and shape, or samples as an axis before that shape; for
        a model of batch 1, samples may also take the place of the 1. Outputs follow suit.
        Raises BadInput for anything else.
        """
        batch = split_batch(self.graph, inputs)
        groups = []
        for first in range(0, batch.samples, self._group):
            values = self._evaluate(batch, first, keep=False)
            groups.append([values[index] for index in self.graph.outputs])
        return [
            batch.restore(join(arrays), self.graph.tensors[index])
            for index, arrays in zip(self.graph.outputs, zip(*groups, strict=True), strict=True)
        ]

    def trace(self, *inputs: Array) -> Trace:
        """Every layer's outputs, for the same inputs as ``run``."""
        batch = split_batch(self.graph, inputs)
        groups = [
            self._evaluate(batch, first, keep=True)
            for first in range(0, batch.samples, self._group)
        ]

        def whole(index: int) -> Array:
            arrays = tuple(group[index] for group in groups)
            return batch.restore(join(arrays), self.graph.tensors[index])

        layers = [
            LayerTrace(
                layer.index,
                layer.node,
                [whole(index) for index in layer.node.outputs],
                layer.params,
            )
            for layer in self.layers
        ]
        return Trace(
            layers, {index: whole(index) for index in self.graph.inputs}, self.numerics.name
        )

    def _evaluate(self, batch: Batch, first: int, keep: bool) -> dict[int, Array]:
        """Values of the computed tensors, [samples, *shape], for one group of samples."""
        values = {
            index: array[first : first + self._group]
            for index, array in zip(self.graph.inputs, batch.arrays, strict=True)
        }
        samples = len(next(iter(values.values()))) if values else 1
        tensors = self.graph.tensors
        with _blas().limit(limits=1):
            for layer in self.layers:
                arguments = [
                    self._constants[index] if index in self._constants else values[index]
                    for index in layer.op.operand_indices(layer.node)
                ]
                results = layer.op.eval(layer.params, *arguments)
                if not isinstance(results, tuple):
                    results = (results,)
                for index, result in zip(layer.node.outputs, results, strict=True):
                    values[index] = result.reshape(samples, *tensors[index].shape)
                if not keep:
                    for index in self._expires[layer.index]:
                        values.pop(index, None)
        return values

    def _last_uses(self) -> list[list[int]]:
        """For each layer, the tensors that nothing reads after it."""
        last: dict[int, int] = {}
        for layer in self.layers:
            for index in (*layer.node.inputs, *layer.node.outputs):
                last[index] = layer.index
        expires: list[list[int]] = [[] for _ in self.layers]
        for index, layer_index in last.items():
            if index not in self.graph.outputs:
                expires[layer_index].append(index)
        return expires
