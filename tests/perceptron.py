"""A network of two dense layers that a test quantizes itself, well or badly in a known way.

    hidden = relu(first @ x + 0.1)        24 values
    y      = second @ hidden              10 values

Plain NumPy, TFLite's rules: activations int8 with a zero point, weights symmetric, bias int32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from microinfer.graph import Graph, Node, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import Array, activation, constant, int32

INPUTS, HIDDEN, CLASSES, SAMPLES = 16, 24, 10, 200


@dataclass(frozen=True)
class Perceptron:
    """Float weights, and samples that are multiples of the input's scale: exact in int8."""

    first: Array
    second: Array
    samples: Array
    bias: float = 0.1

    @classmethod
    def random(cls, sizes: Array | None = None, inverse: bool = False) -> Perceptron:
        """``sizes`` scale the hidden values; with ``inverse`` the second layer makes up for it."""
        rng = np.random.default_rng(5)
        first = rng.normal(0, 0.5, (HIDDEN, INPUTS))
        second = rng.normal(0, 0.5, (CLASSES, HIDDEN))
        if sizes is not None:
            first = first * sizes[:, None]
            second = second / sizes if inverse else second
        samples = np.round(rng.normal(0, 0.5, (SAMPLES, INPUTS)) * 64).clip(-128, 127) / 64
        return cls(first, second, samples)

    def hidden(self) -> Array:
        return np.maximum(self.samples @ self.first.T + self.biases(), 0)

    def biases(self) -> Array:
        return self.bias * np.abs(self.first).max(axis=1)

    def outputs(self) -> Array:
        return self.hidden() @ self.second.T

    def integers(self) -> Array:
        """The samples in int8."""
        return (self.samples * 64).astype(np.int8)[:, None]

    def float_graph(self) -> Graph:
        tensors = (
            activation((1, INPUTS), None, name="x"),
            constant(self.first.astype(np.float32), name="first"),
            constant(self.biases().astype(np.float32), name="bias"),
            activation((1, HIDDEN), None, name="hidden"),
            constant(self.second.astype(np.float32), name="second"),
            activation((1, CLASSES), None, name="y"),
        )
        return _two_layers(tensors)

    def int8_graph(self, per_channel: bool = True, range_of_hidden: float = 1.0) -> Graph:
        """``range_of_hidden``: share of the hidden layer's range that its integers cover."""
        hidden, outputs = self.hidden(), self.outputs()
        top = float(hidden.max()) * range_of_hidden
        low, high = min(outputs.min(), 0.0), max(outputs.max(), 0.0)
        step = (high - low) / 255
        first, first_scales = _symmetric(self.first, per_channel)
        second, second_scales = _symmetric(self.second, per_channel)
        biases = np.rint(self.biases() * 64 / first_scales).astype(np.int32)
        tensors = (
            activation((1, INPUTS), 1 / 64, name="x"),
            constant(first, first_scales, name="first"),
            int32(np.broadcast_to(biases, HIDDEN), first_scales / 64, name="bias"),
            activation((1, HIDDEN), top / 255, -128, name="hidden"),
            constant(second, second_scales, name="second"),
            activation((1, CLASSES), step, int(np.rint(-128 - low / step)), name="y"),
        )
        return _two_layers(tensors)

    def equalised(self) -> Perceptron:
        """The same network with hidden values of equal sizes."""
        sizes = self.hidden().max(axis=0)
        factors = np.where(sizes > 0, sizes.max() / np.where(sizes > 0, sizes, 1), 1)
        return replace(self, first=self.first * factors[:, None], second=self.second / factors)


def _symmetric(weights: Array, per_channel: bool) -> tuple[Array, Array]:
    largest = np.abs(weights).max(axis=1) if per_channel else np.abs(weights).max()[None]
    scales = (largest / 127).astype(np.float32).astype(np.float64)
    rounded = np.rint(weights / scales[:, None])
    return rounded.clip(-127, 127).astype(np.int8), scales


def _two_layers(tensors: tuple[Tensor, ...]) -> Graph:
    kind = OPERATORS["FULLY_CONNECTED"]
    assert kind is not None
    options = defaults(kind)
    nodes = (
        Node(
            "FULLY_CONNECTED",
            (0, 1, 2),
            (3,),
            {**options, "fused_activation_function": "RELU"},
            0,
            4,
        ),
        Node("FULLY_CONNECTED", (3, 4, -1), (5,), options, 1, 4),
    )
    if tensors[0].type == "FLOAT32":
        nodes = tuple(replace(node, version=1) for node in nodes)
    return read(write(Graph(tensors, nodes, (0,), (5,), name="perceptron")))
