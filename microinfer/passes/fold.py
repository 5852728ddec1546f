"""Fold: the value of a node that depends on no input of the model.

Three kinds of nodes are computed here, none of which the numeric profiles treat differently:
SHAPE and RANK, whose input's shape is known; movement, QUANTIZE and DEQUANTIZE of constants, by
their own ``eval``; and integer arithmetic on constants (``integers.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Problem
from ..graph import DTYPES, Graph, Tensor
from ..numerics import profile
from ..ops import OPS, Layer, LayerRefused
from ..ops.movement import MovementParams
from ..prepare import MAX_TENSOR_BYTES
from .integers import COMPUTE

Array = NDArray[Any]

OF_SHAPES = ("SHAPE", "RANK")
RESCALING = ("QUANTIZE", "DEQUANTIZE")


def is_constant(tensor: Tensor) -> bool:
    return tensor.data is not None and not tensor.is_variable


def _is_integer(tensor: Tensor) -> bool:
    """Whether the numbers mean themselves: those that stand for reals are not added as they are."""
    return tensor.type in ("INT32", "INT64", "BOOL") and tensor.quantization is None


def values(graph: Graph, index: int) -> Sequence[Array] | None:
    """The values of node ``index``'s outputs, or None if they are not known before a run.

    The shapes of its inputs and, where all are constants, of its outputs are settled already.
    """
    node = graph.nodes[index]
    inputs = [graph.tensors[i] for i in node.inputs if i >= 0]
    if node.op in OF_SHAPES:
        return _of_shape(graph, index)
    if not node.outputs or not inputs or not all(map(is_constant, inputs)):
        return None
    if any(graph.tensors[i].nbytes > MAX_TENSOR_BYTES for i in node.outputs):
        return None
    known = _by_its_own_eval(graph, index)
    everything = (*inputs, *(graph.tensors[i] for i in node.outputs))
    if known is None and node.op in COMPUTE and all(map(_is_integer, everything)):
        known = _by_numpy(graph, index)
    if known is None:
        return None
    own = [graph.tensors[i] for i in node.outputs]
    fits = all(x.dtype == t.dtype for x, t in zip(known, own, strict=True))
    return known if fits else None


def _of_shape(graph: Graph, index: int) -> Sequence[Array] | None:
    node = graph.nodes[index]
    if len(node.inputs) != 1 or node.inputs[0] < 0 or len(node.outputs) != 1:
        return None
    shape = graph.tensors[node.inputs[0]].shape
    if node.op == "RANK":
        return [np.array(len(shape), np.int32)]
    return [np.array(shape, DTYPES.get(str(node.options.get("out_type")), np.int32))]


def _by_its_own_eval(graph: Graph, index: int) -> Sequence[Array] | None:
    node = graph.nodes[index]
    if node.op not in OPS:
        return None
    problems: list[Problem] = []
    try:
        params = OPS[node.op].prepare(Layer(graph, index, profile("tflm"), problems))
    except LayerRefused:
        return None
    if problems or not (isinstance(params, MovementParams) or node.op in RESCALING):
        return None
    operands = [graph.tensors[i].data for i in OPS[node.op].operand_indices(node)]
    results = OPS[node.op].eval(params, *[x[None] for x in operands if x is not None])
    results = results if isinstance(results, tuple) else (results,)
    return [
        np.asarray(x[0]).reshape(graph.tensors[i].shape)
        for x, i in zip(results, node.outputs, strict=True)
    ]


def _by_numpy(graph: Graph, index: int) -> Sequence[Array] | None:
    node = graph.nodes[index]
    try:
        found = COMPUTE[node.op](node, *[graph.tensors[i].data for i in node.inputs])
    except (ValueError, TypeError):  # shapes that do not broadcast, inputs that are missing
        return None
    return None if found is None else [np.asarray(found)]
