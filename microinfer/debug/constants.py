"""The constants of a quantized model as the reals that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph, Quantization, Tensor
from ..prepare import PreparedLayer

Array = NDArray[Any]

REALS = ("INT8", "INT16", "UINT8", "INT4")  # where they have a quantization

# Where a bias stands among a node's inputs, with those of the two factors whose scales' product is
# its own: what it is added to.
BIASES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "CONV_2D": ((2, 0, 1),),
    "DEPTHWISE_CONV_2D": ((2, 0, 1),),
    "FULLY_CONNECTED": ((2, 0, 1),),
    "TRANSPOSE_CONV": ((3, 2, 1),),
    "SVDF": ((3, 4, 2),),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": tuple((12 + gate, 0, 1 + gate) for gate in range(4)),
}


@dataclass(frozen=True)
class Constants:
    """Real values: of constant tensors by index, of biases by layer and position."""

    tensors: dict[int, Array]
    biases: dict[tuple[int, int], Array]


def is_real(tensor: Tensor) -> bool:
    """Whether the tensor's elements stand for reals, and are not indices, booleans or handles."""
    return tensor.type == "FLOAT32" or (tensor.type in REALS and tensor.quantization is not None)


def dequantized(graph: Graph, layers: tuple[PreparedLayer, ...], dtype: type) -> Constants:
    """All of a graph's constants, in ``dtype``; those that are no reals as they are."""
    tensors: dict[int, Array] = {}
    for index, tensor in enumerate(graph.tensors):
        if tensor.data is None:
            continue
        if is_real(tensor) and tensor.quantization is not None:
            tensors[index] = steps_to_reals(tensor.data, tensor.quantization, dtype)
        elif is_real(tensor):
            tensors[index] = tensor.data.astype(dtype)
        else:
            tensors[index] = tensor.data
    biases: dict[tuple[int, int], Array] = {
        (layer.index, position): (bias.reshape(-1) * scales).astype(dtype)
        for layer in layers
        for position, bias, scales in _biases(graph, layer)
    }
    return Constants(tensors, biases)


def steps_to_reals(values: Array, quantization: Quantization, dtype: type) -> Array:
    """scale * (q - zero_point), along the quantization's axis; formed in double."""
    shape = [1] * values.ndim
    if quantization.per_channel:
        shape[quantization.axis] = len(quantization.scales)
    scales = quantization.scales.astype(np.float64).reshape(shape if values.ndim else [])
    zero_points = quantization.zero_points.reshape(shape if values.ndim else [])
    reals: Array = ((values.astype(np.float64) - zero_points) * scales).astype(dtype)
    return reals


def _biases(graph: Graph, layer: PreparedLayer) -> Iterator[tuple[int, Array, Array]]:
    """Position, value and real scales of each bias.

    The scales are those that the layer adds it with, whatever the tensor itself says.
    """
    for position, *factors in BIASES.get(layer.node.op, ()):
        if position >= len(layer.node.inputs) or layer.node.inputs[position] < 0:
            continue
        data = graph.tensors[layer.node.inputs[position]].data
        scales = np.ones(1)
        for factor in factors:
            quantization = graph.tensors[layer.node.inputs[factor]].quantization
            assert quantization is not None
            scales = scales * quantization.scales.astype(np.float64)
        assert data is not None
        yield position, data, scales
