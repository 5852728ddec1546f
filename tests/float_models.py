"""An integer model's float form, for LiteRT to run: what its integers stand for, written out here
from the quantization alone, as numbers are read in a .tflite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from microinfer.graph import Graph, Tensor
from one_op import Array

_QUANTIZED = ("INT8", "INT16", "UINT8", "INT4")
# (position of a bias, positions of the tensors whose scales' product is its own)
_BIASES = {
    "CONV_2D": ((2, 0, 1),),
    "DEPTHWISE_CONV_2D": ((2, 0, 1),),
    "FULLY_CONNECTED": ((2, 0, 1),),
    "TRANSPOSE_CONV": ((3, 2, 1),),
    "SVDF": ((3, 4, 2),),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": ((12, 0, 1), (13, 0, 2), (14, 0, 3), (15, 0, 4)),
}


def reals(tensor: Tensor, values: Array) -> Array:
    """float32 of integers [..., *shape] of a tensor; other values as they are."""
    if tensor.type not in _QUANTIZED or tensor.quantization is None:
        return values
    q = tensor.quantization
    scales, zero_points = q.scales.astype(np.float64), q.zero_points
    if len(scales) > 1:
        shape = [1] * len(tensor.shape)
        shape[q.axis] = len(scales)
        scales, zero_points = scales.reshape(shape), zero_points.reshape(shape)
    else:
        scales, zero_points = scales[0], zero_points[0]
    return ((values.astype(np.float64) - zero_points) * scales).astype(np.float32)


def float_model(graph: Graph) -> Graph:
    """``graph`` with all quantized tensors as float32."""
    tensors = list(graph.tensors)
    for index, tensor in enumerate(graph.tensors):
        if tensor.type in _QUANTIZED and tensor.quantization is not None:
            data = None if tensor.data is None else reals(tensor, tensor.data)
            tensors[index] = replace(tensor, type="FLOAT32", quantization=None, data=data)
    for node in graph.nodes:
        for position, *factors in _BIASES.get(node.op, ()):
            place = node.inputs[position] if position < len(node.inputs) else -1
            if place < 0:
                continue
            bias = graph.tensors[place]
            assert bias.data is not None
            scale = np.ones(1)
            for factor in factors:
                own = graph.tensors[node.inputs[factor]].quantization
                assert own is not None
                scale = scale * own.scales.astype(np.float64)
            data = (bias.data.reshape(-1) * scale).astype(np.float32).reshape(bias.shape)
            tensors[place] = replace(bias, type="FLOAT32", quantization=None, data=data)
    nodes = tuple(replace(node, intermediates=()) for node in graph.nodes)
    return replace(graph, tensors=tuple(tensors), nodes=nodes)
