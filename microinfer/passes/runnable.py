"""Runnable: every shape settled, and everything computed that no input decides.

An exporter that leaves the batch open writes 1 for what it does not know (``shape_signature`` has
-1 there), and computes with shapes at run time: SHAPE, STRIDED_SLICE, PACK, RESHAPE. Here the
stored shapes of the inputs are taken as they are, and from there on each node, in order,

1. gets the shapes that follow from its inputs, where its outputs' sizes were left open or those
   of an input have changed;
2. is folded into constants, if no input of the model has a say in it.

Nodes that were there for such nodes alone go too. Shapes that the exporter did fix are never
touched: where they contradict the computation, ``prepare`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from ..graph import Graph, Node, Tensor
from ..prepare import MAX_TENSOR_BYTES
from . import fold, shapes


def runnable(graph: Graph) -> Graph:
    """``graph``, ready for ``prepare``; one that is comes back as it is."""
    return settle(graph, {})


def settle(graph: Graph, inputs: Mapping[int, shapes.Shape]) -> Graph:
    """``runnable``, with other shapes for some of the model's inputs, by tensor index."""
    tensors = list(graph.tensors)
    for index in graph.inputs:
        tensors[index] = _settled_input(tensors[index], inputs.get(index))
    changed = {index for index, shape in inputs.items() if shape != graph.tensors[index].shape}
    kept: list[Node] = []
    now = replace(graph, tensors=cast("tuple[Tensor, ...]", tensors))  # a view: not one per node
    shown, room = set(graph.outputs), MAX_TENSOR_BYTES
    for place, node in enumerate(graph.nodes):
        if any(tensors[i].data is not None or i in graph.inputs for i in node.outputs):
            kept.append(node)  # writes what holds a value already: for prepare to refuse
            continue
        known = all(fold.is_constant(tensors[i]) for i in node.inputs if i >= 0)
        open_ = any(tensors[i].is_open for i in node.outputs)
        if known or open_ or not changed.isdisjoint(node.inputs):
            for index, shape in shapes.expected(now, place).items():
                if shape != tensors[index].shape:
                    tensors[index] = replace(tensors[index], shape=shape)
                    changed.add(index)
        for index in node.outputs:
            if tensors[index].is_open:
                tensors[index] = replace(tensors[index], shape_signature=None)
        values = None
        if (known or node.op in fold.OF_SHAPES) and shown.isdisjoint(node.outputs):
            values = fold.values(now, place)
        size = sum(value.nbytes for value in values or ())
        if values is None or size > room:
            kept.append(node)
            continue
        room -= size
        for index, value in zip(node.outputs, values, strict=True):
            data = np.array(value, order="C")
            data.flags.writeable = False
            tensors[index] = replace(tensors[index], shape=data.shape, data=data)
    same = all(a is b for a, b in zip(tensors, graph.tensors, strict=True))
    if same and len(kept) == len(graph.nodes):
        return graph
    return replace(graph, tensors=tuple(tensors), nodes=_without_dead(graph, kept))


def _settled_input(tensor: Tensor, shape: shapes.Shape | None) -> Tensor:
    if shape is not None:
        tensor = replace(tensor, shape=shape)
    decided = tensor.is_open and not tensor.is_undecided
    return replace(tensor, shape_signature=None) if decided else tensor


def _without_dead(graph: Graph, kept: Sequence[Node]) -> tuple[Node, ...]:
    """``kept`` without nodes whose outputs only nodes that are gone have read."""
    read_before = {index for node in graph.nodes for index in node.inputs}
    needed = set(graph.outputs)
    alive: list[Node] = []
    for node in reversed(kept):
        results = set(node.outputs)
        if needed.isdisjoint(results) and results & read_before:
            continue
        needed.update(node.inputs)
        alive.append(node)
    return tuple(reversed(alive))
