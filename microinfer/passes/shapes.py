"""The shapes that a node's outputs have to have, by its own ``prepare``.

Every operator checks its outputs against the shapes that it computes, and a Layer keeps what they
were compared with: so there is no second account of how shapes follow from each other.
"""

from __future__ import annotations

from contextlib import suppress

from ..errors import Problem
from ..graph import Graph
from ..numerics import profile
from ..ops import OPS, Layer, LayerRefused

Shape = tuple[int, ...]


def expected(graph: Graph, index: int) -> dict[int, Shape]:
    """Shapes by tensor index; nothing of a node that does not say, for it cannot be prepared."""
    node = graph.nodes[index]
    if node.op not in OPS:
        return {}
    problems: list[Problem] = []
    layer = Layer(graph, index, profile("tflm"), problems)
    with suppress(LayerRefused):
        OPS[node.op].prepare(layer)
    shapes = {}
    for tensor in node.outputs:
        shape = layer.expected.get(id(graph.tensors[tensor]))
        if shape is not None and min(shape, default=1) >= 0:
            shapes[tensor] = tuple(int(extent) for extent in shape)
    return shapes
