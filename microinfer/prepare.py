"""From a Graph to layers that can run: every op's params, or every reason why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .errors import Problem, UnsupportedModel
from .graph import Graph, Node, Tensor
from .numerics import Numerics
from .ops import OPS, Layer, LayerRefused, Op
from .state import is_variable, states


@dataclass(frozen=True)
class PreparedLayer:
    """One node, its operator, and its params: all that a run or a generator needs.

    ``graph`` and ``numerics`` are what it was prepared from.
    """

    index: int
    node: Node
    op: Op
    params: Any
    graph: Graph
    numerics: Numerics


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
            fix = "" if known else _REPLACE
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
        layers.append(PreparedLayer(index, node, op, params, graph, numerics))
    if problems:
        # By place in the file, which passes may have taken other nodes out of.
        places = {index: node.location for index, node in enumerate(graph.nodes)}
        problems = [replace(p, layer=places.get(p.layer, p.layer)) for p in problems]
        raise UnsupportedModel(problems, len(graph.nodes))
    return tuple(layers)


_UNKNOWN = "this operator is not supported"
_REPLACE = (
    "build the model from others before the export, or cut it there and compute this part outside;"
    f" docs/OPERATORS.md lists the {len(OPS)} that run"
)

INPUT_TYPES = ("INT8", "INT16", "UINT8", "INT32", "INT64", "FLOAT32", "BOOL")
MAX_TENSOR_BYTES = 2**27  # a hundred times what microcontrollers have


def _structure(graph: Graph) -> list[Problem]:
    """Problems of the graph itself: what is read before it exists, or written twice."""
    problems: list[Problem] = []

    def refuse(layer: int, tensor: int, reason: str, fix: str = "") -> None:
        op = graph.nodes[layer].op if layer >= 0 else ""
        problems.append(Problem(layer, op, graph.tensors[tensor].name, reason, fix))

    constants = {i for i, tensor in enumerate(graph.tensors) if tensor.data is not None}
    variables = {i for i in _states(graph, problems) if is_variable(graph.tensors[i])}
    known = constants | set(graph.inputs) | variables
    for index, tensor in enumerate(graph.tensors):
        if tensor.sparse:
            refuse(-1, index, "is stored sparse", "convert the model without sparsity")
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if index in constants:
            refuse(-1, index, "is a model input and a constant")
        if is_variable(tensor):
            refuse(-1, index, "is a model input and a variable tensor")
        if tensor.size == 0:
            refuse(-1, index, f"is a model input of shape {tensor.shape}")
        if tensor.is_undecided:
            refuse(
                -1,
                index,
                f"is a model input with open sizes besides the batch, {tensor.shape_signature}",
                "export the model with fixed sizes: give its input a full shape, as in"
                " keras.Input((96, 96, 3)), or a concrete function with one",
            )
        if tensor.type not in INPUT_TYPES:
            expected = " or ".join(INPUT_TYPES)
            refuse(-1, index, f"is a model input of type {tensor.type}, expected {expected}")
    computed = {i for node in graph.nodes for i in node.outputs}
    for index in sorted(set(graph.inputs) | variables | computed):
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
        if index not in known or index in constants | variables:
            refuse(-1, index, "is a model output that no layer computes")
    for what, found in (("operators", graph.nodes), ("inputs", graph.inputs)):
        if not found:
            problems.append(Problem(-1, "", "", f"the model has no {what}"))
    return problems


def _states(graph: Graph, problems: list[Problem]) -> list[int]:
    """The tensors that stand for state; of each variable tensor, that it is one layer's state."""

    def refuse(layer: int, tensor: Tensor | None, reason: str, fix: str) -> None:
        op = graph.nodes[layer].op if layer >= 0 else ""
        problems.append(Problem(layer, op, tensor.name if tensor else "", reason, fix))

    found = states(graph, refuse)
    owner: dict[int, int] = {}
    for layer, node in enumerate(graph.nodes):
        positions = OPS[node.op].state if node.op in OPS else ()
        for position, index in enumerate(node.inputs):
            if index not in found or not is_variable(tensor := graph.tensors[index]):
                continue
            if position not in positions:
                refuse(layer, tensor, "is a variable tensor, and not the layer's state", "")
            elif owner.setdefault(index, layer) != layer:
                refuse(layer, tensor, f"is the state of layer {owner[index]} already", "")
    return list(found)
