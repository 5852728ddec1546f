"""Many models side by side in one, so that one program runs them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from microinfer.graph import Graph, Node, Tensor
from microinfer.tflite import read, write


def together(graphs: Sequence[Graph]) -> Graph:
    """One graph whose inputs, nodes and outputs are those of ``graphs``, in their order."""
    tensors: list[Tensor] = []
    nodes: list[Node] = []
    inputs: list[int] = []
    outputs: list[int] = []
    for graph in graphs:
        first = len(tensors)

        def moved(indices: Sequence[int], first: int = first) -> tuple[int, ...]:
            return tuple(index + first if index >= 0 else index for index in indices)

        nodes += [
            replace(
                node,
                inputs=moved(node.inputs),
                outputs=moved(node.outputs),
                intermediates=moved(node.intermediates),
            )
            for node in graph.nodes
        ]
        inputs += moved(graph.inputs)
        outputs += moved(graph.outputs)
        tensors += graph.tensors
    return read(write(Graph(tuple(tensors), tuple(nodes), tuple(inputs), tuple(outputs))))
