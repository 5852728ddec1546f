"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED in reals.

The products are the operator's own eval, given real weights, inputs with a zero point of 0, and
an output stage that leaves them as they are: what is padded, strided and dilated is written once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph
from ..prepare import PreparedLayer
from .constants import BIASES, Constants
from .float_ops import activated
from .weighted import WEIGHTED

Array = NDArray[Any]

__all__ = ["WEIGHTED", "FloatWeighted"]


class _RealParams:
    """The params of a layer, with weights that are reals."""

    input_zero_point = 0

    def __init__(self, layer: PreparedLayer, weights: Array) -> None:
        self._params = p = layer.params
        if layer.node.op == "CONV_2D":
            groups = p.input_channels // p.group_channels
            rows = weights.reshape(groups, p.output_channels // groups, p.kernel_height, -1)
            self.matrix = np.ascontiguousarray(rows.transpose(0, 2, 3, 1))
        elif layer.node.op == "DEPTHWISE_CONV_2D":
            self.taps = weights.reshape(-1, p.output_channels)
            columns = (p.output_width - 1) * p.stride_width + 1
            repeated = np.tile(self.taps, (1, columns))
            self.row_taps = repeated.reshape(p.kernel_height, p.kernel_width, -1)
        elif layer.node.op == "TRANSPOSE_CONV":
            rows = weights.transpose(3, 1, 2, 0).reshape(p.input_channels, -1)
            self.matrix = np.ascontiguousarray(rows)
        else:
            self.matrix = np.ascontiguousarray(weights.T)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._params, name)

    @staticmethod
    def steps(products: Array) -> Array:
        return products


class FloatWeighted:
    """One such layer: ``finish(products(x), bias)`` is its output; ``bias`` None for none."""

    def __init__(self, layer: PreparedLayer, graph: Graph, constants: Constants) -> None:
        self._layer = layer
        output = layer.node.outputs[0]
        self._shape = graph.tensors[output].shape
        self._params = _RealParams(layer, constants.tensors[layer.node.inputs[1]])
        self.bias = constants.biases.get((layer.index, BIASES[layer.node.op][0][0]))

    def products(self, x: Array) -> Array:
        """Real [batch, *input shape] to [batch, *output shape], without bias."""
        products: Array = self._layer.op.eval(self._params, x)  # type: ignore[assignment]
        return products.reshape(-1, *self._shape)

    def finish(self, products: Array, bias: Array | None) -> Array:
        """With bias [channels] and the fused activation; a new array."""
        summed = products.copy() if bias is None else products + bias
        return activated(self._layer.node.options, summed)

    def __call__(self, x: Array) -> Array:
        return self.finish(self.products(x), self.bias)
