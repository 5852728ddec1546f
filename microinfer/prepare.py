"""From a Graph to layers that can run: every op's params, or every reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
        for tensor in (graph.tensors[i] for i in op.operand_indices(node)):
            if tensor.data is not None and not np.isfinite(tensor.data).all():
                layer.refuse(tensor, "is a constant with a value that is not finite")
        layers.append(PreparedLayer(index, node, op, params))
    if problems:
        raise UnsupportedModel(problems, len(graph.nodes))
    return tuple(layers)


_UNKNOWN = "this operator is not supported"

INPUT_TYPES = ("INT8", "INT16", "INT32", "INT64", "FLOAT32", "BOOL")
MAX_TENSOR_BYTES = 2**27  # a hundred times what microcontrollers have


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
        tensor = graph.tensors[index]
        if index in constants:
            refuse(-1, index, "is a model input and a constant")
        if tensor.size == 0:
            refuse(-1, index, f"is a model input of shape {tensor.shape}")
        if tensor.type not in INPUT_TYPES:
            expected = " or ".join(INPUT_TYPES)
            refuse(-1, index, f"is a model input of type {tensor.type}, expected {expected}")
    for index in sorted(set(graph.inputs) | {i for node in graph.nodes for i in node.outputs}):
        if index >= 0 and graph.tensors[index].nbytes > MAX_TENSOR_BYTES:
            nbytes = graph.tensors[index].nbytes
            refuse(-1, index, f"takes {nbytes:,} bytes, expected at most {MAX_TENSOR_BYTES:,}")
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
    for what, found in (("operators", graph.nodes), ("inputs", graph.inputs)):
        if not found:
            problems.append(Problem(-1, "", "", f"the model has no {what}"))
    return problems
