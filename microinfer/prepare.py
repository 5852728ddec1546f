"""From a Graph to layers that can run: every op's params, or every reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import Problem, UnsupportedModel
from .graph import Graph, Node
from .numerics import Numerics
from .ops import OPS, Layer, LayerRefused, Op


@dataclass(frozen=True)
class PreparedLayer:
    """One node, its operator, and its params: all that a run or a generator needs."""

    index: int
    node: Node
    op: Op
    params: Any


def prepare(graph: Graph, numerics: Numerics) -> tuple[PreparedLayer, ...]:
    """Prepare all layers of ``graph`` for one numeric profile, before anything runs.

    Raises UnsupportedModel with every problem of every layer.
    """
    problems = _structure(graph)
    layers = []
    for index, node in enumerate(graph.nodes):
        op = OPS.get(node.op)
        if op is None:
            known = any(problem.reason == _UNKNOWN for problem in problems)
            fix = "" if known else f"supported are {', '.join(OPS)}"
            problems.append(Problem(index, node.op, "", _UNKNOWN, fix))
            continue
        layer = Layer(graph, index, numerics, problems)
        try:
            params = op.prepare(layer)
        except LayerRefused:
            continue
        layers.append(PreparedLayer(index, node, op, params))
    if problems:
        raise UnsupportedModel(problems, len(graph.nodes))
    return tuple(layers)


_UNKNOWN = "this operator is not supported"


def _structure(graph: Graph) -> list[Problem]:
    """Problems of the graph itself: what is read before it exists, or written twice."""
    problems = []

    def refuse(layer: int, tensor: int, reason: str, fix: str = "") -> None:
        op = graph.nodes[layer].op if layer >= 0 else ""
        problems.append(Problem(layer, op, graph.tensors[tensor].name, reason, fix))

    constants = {i for i, tensor in enumerate(graph.tensors) if tensor.data is not None}
    known = constants | set(graph.inputs)
    for index, tensor in enumerate(graph.tensors):
        if tensor.sparse:
            refuse(-1, index, "is stored sparse", "convert the model without sparsity")
    for index in graph.inputs:
        if index in constants:
            refuse(-1, index, "is a model input and a constant")
        if graph.tensors[index].size == 0:
            refuse(-1, index, f"is a model input of shape {graph.tensors[index].shape}")
    if len(set(graph.inputs)) != len(graph.inputs):
        refuse(-1, graph.inputs[0], "is listed twice among the model's inputs")
    for layer, node in enumerate(graph.nodes):
        for tensor_index in node.inputs:
            if tensor_index >= 0 and tensor_index not in known:
                refuse(layer, tensor_index, "is read before any layer has computed it")
        for tensor_index in node.outputs:
            if tensor_index < 0:
                problems.append(Problem(layer, node.op, "", "has an output without a tensor"))
            elif tensor_index in known:
                refuse(layer, tensor_index, "is written, but holds a value already")
            known.add(tensor_index)
    for index in graph.outputs:
        if index not in known or index in constants:
            refuse(-1, index, "is a model output that no layer computes")
    if not graph.nodes:
        problems.append(Problem(-1, "", "", "the model has no operators"))
    return problems
