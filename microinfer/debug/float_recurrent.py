"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM in reals, with states that are reals.

Formulas as in ``ops/svdf.py`` and ``ops/lstm.py``, without scales and limits; the cell's own limit
(the option cell_clip) stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph
from ..prepare import PreparedLayer
from .constants import Constants
from .float_ops import Form, activated, sigmoid

Array = NDArray[Any]


def svdf(layer: PreparedLayer, graph: Graph, constants: Constants) -> Form:
    p = layer.params
    feature, time = (constants.tensors[layer.node.inputs[i]] for i in (1, 2))
    bias = constants.biases.get((layer.index, 3))

    def form(x: Array, state: Array) -> tuple[Array, Array]:
        """[samples, *input] and the state [1, *] before: outputs, and the state after each."""
        features = x.reshape(len(x), p.batches, p.input_size) @ feature.T
        shape = (p.batches, p.filters, p.memory_size)
        history = np.concatenate([state.reshape(shape), features.transpose(1, 2, 0)], axis=2)
        windows = np.lib.stride_tricks.sliding_window_view(history[:, :, 1:], p.memory_size, axis=2)
        after = np.ascontiguousarray(windows.transpose(2, 0, 1, 3))
        units = (after * time).sum(axis=3).reshape(len(x), p.batches, -1, p.rank).sum(axis=3)
        return activated(layer.node.options, units if bias is None else units + bias), after

    return form


def lstm(layer: PreparedLayer, graph: Graph, constants: Constants) -> Form:
    p, inputs = layer.params, layer.node.inputs
    weights = [constants.tensors[inputs[1 + gate]].T for gate in range(4)]
    recurrent = [constants.tensors[inputs[5 + gate]].T for gate in range(4)]
    biases = [constants.biases[layer.index, 12 + gate] for gate in range(4)]
    clip = layer.node.options["cell_clip"] or np.inf
    rows = np.arange(p.steps)[:, None] * p.step_stride + np.arange(p.batches) * p.batch_stride

    def form(x: Array, hidden: Array, cell: Array) -> tuple[Array, Array, Array]:
        """[samples, *input] and states [1, *] before: outputs, and the states after each."""
        ordered = x.reshape(len(x), -1, p.input_size)[:, rows.reshape(-1)]
        steps = ordered.reshape(-1, p.batches, p.input_size)
        terms = [steps @ own + bias for own, bias in zip(weights, biases, strict=True)]
        h, c = (state.reshape(p.batches, p.units) for state in (hidden, cell))
        hiddens, cells = [], []
        for step in range(len(steps)):
            pre = [term[step] + h @ own for term, own in zip(terms, recurrent, strict=True)]
            taken, kept, shown = (sigmoid(pre[gate]) for gate in (0, 1, 3))
            c = np.clip(kept * c + taken * np.tanh(pre[2]), -clip, clip)
            h = np.tanh(c) * shown
            hiddens.append(h)
            cells.append(c)
        outputs = np.empty((len(x), rows.size, p.units), x.dtype)
        outputs[:, rows.reshape(-1)] = np.reshape(hiddens, outputs.shape)
        last = slice(p.steps - 1, None, p.steps)
        return outputs, np.array(hiddens[last]), np.array(cells[last])

    return form
