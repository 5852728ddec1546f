"""Graphs of one operator, from explicit values: what the case tables and the strategies build on.

    x = activation((1, 4), scale=0.5, zero_point=-1)
    y = activation((1, 2), scale=1.0)
    graph = one_op("FULLY_CONNECTED", [x, constant(w, scale=0.25), None], y)

Inputs without data become the model's inputs, in the order of their first use; None is an absent
one. The graph is read back from its own .tflite bytes, so it is what a user's file would give.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from microinfer.graph import DTYPES, Graph, Node, Quantization, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults

Array = NDArray[Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]


# The operator's version from which on both runtimes take int8, where that is not the first.
VERSIONS = {
    "ABS": 2,
    "ADD": 2,
    "AVERAGE_POOL_2D": 2,
    "BROADCAST_TO": 2,
    "CONCATENATION": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 2,
    "EQUAL": 2,
    "EXP": 2,
    "FULLY_CONNECTED": 4,
    "GREATER": 2,
    "GREATER_EQUAL": 2,
    "LESS": 2,
    "LESS_EQUAL": 2,
    "LOG": 2,
    "LOGISTIC": 2,
    "MAXIMUM": 2,
    "MAX_POOL_2D": 2,
    "ARG_MAX": 2,
    "ARG_MIN": 2,
    "MEAN": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "SUM": 2,
    "LOG_SOFTMAX": 2,
    "L2_NORMALIZATION": 2,
    "MINIMUM": 2,
    "MUL": 2,
    "NOT_EQUAL": 2,
    "PAD": 2,
    "RELU": 2,
    "RELU6": 2,
    "RSQRT": 2,
    "SOFTMAX": 2,
    "SQRT": 2,
    "SQUARED_DIFFERENCE": 2,
    "SUB": 2,
    "TANH": 2,
    "TRANSPOSE": 2,
    "TRANSPOSE_CONV": 4,
}

# The same of int16.
INT16_VERSIONS: dict[str, int] = {}

_NAMES = ("FLOAT32", "INT32", "INT64", "INT16", "INT8", "UINT8", "BOOL")
_TYPES = {DTYPES[name]: name for name in _NAMES}


def quantization(scale: ArrayLike, zero_point: ArrayLike = 0, axis: int = 0) -> Quantization:
    """One scale, or one per channel along ``axis``."""
    scales = np.atleast_1d(np.asarray(scale, np.float32))
    zero_points = np.broadcast_to(np.asarray(zero_point, np.int64), scales.shape)
    return Quantization(scales, zero_points, axis)


def activation(
    shape: Sequence[int],
    scale: float | None = 1.0,
    zero_point: int = 0,
    name: str = "x",
    type: str = "INT8",
) -> Tensor:
    """A tensor of ``type`` that is computed or fed; float32 if ``scale`` is None."""
    if scale is None:
        return Tensor(name, tuple(shape), "FLOAT32")
    return Tensor(name, tuple(shape), type, quantization(scale, zero_point))


def constant(
    values: ArrayLike,
    scale: ArrayLike | None = None,
    zero_point: ArrayLike = 0,
    axis: int = 0,
    name: str = "constant",
) -> Tensor:
    """A constant: int8 by default, or of another type that its array says (not int64)."""
    data = np.asarray(values)
    if data.dtype == np.int64:
        data = data.astype(np.int8)
    own = None if scale is None else quantization(scale, zero_point, axis)
    return Tensor(name, data.shape, _TYPES[data.dtype], own, np.array(data, order="C"))


def int32(values: ArrayLike, scale: ArrayLike | None = None, name: str = "int32") -> Tensor:
    """A constant of int32: a bias, axes, a shape."""
    return constant(np.asarray(values, np.int32), scale, name=name)


def int64(values: ArrayLike, scale: ArrayLike | None = None, name: str = "int64") -> Tensor:
    """A constant of int64: the bias of an int16 layer."""
    data = np.asarray(values, np.int64)
    own = None if scale is None else quantization(scale)
    return Tensor(name, data.shape, "INT64", own, data)


def int4(values: ArrayLike, scale: ArrayLike, axis: int = 0, name: str = "int4") -> Tensor:
    """A constant of int4: weights."""
    data = np.asarray(values, np.int8)
    assert data.size == 0 or (data.min() >= -8 and data.max() <= 7), values
    return Tensor(name, data.shape, "INT4", quantization(scale, 0, axis), data)


def one_op(
    op: str,
    inputs: Sequence[Tensor | None],
    outputs: Tensor | Sequence[Tensor],
    version: int = 0,
    **options: Any,
) -> Graph:
    """A model of one operator; ``options`` that are not given keep the schema's defaults."""
    tensors: list[Tensor] = []
    indices = []
    for tensor in inputs:
        if tensor is None:
            indices.append(-1)
            continue
        known = [place for place, own in enumerate(tensors) if own is tensor]
        indices.append(known[0] if known else len(tensors))
        if not known:
            tensors.append(tensor)
    fed = tuple(
        index
        for index, tensor in enumerate(tensors)
        if tensor.data is None and not tensor.is_variable
    )
    results = [outputs] if isinstance(outputs, Tensor) else outputs
    places = range(len(tensors), len(tensors) + len(results))
    kind = OPERATORS[op]
    wide = any(tensor.type == "INT16" for tensor in (*tensors, *results))
    versions = {**VERSIONS, **INT16_VERSIONS} if wide else VERSIONS
    node = Node(
        op,
        tuple(indices),
        tuple(places),
        {**(defaults(kind) if kind else {}), **options},
        version=version or versions.get(op, 1),
    )
    draft = Graph((*tensors, *results), (node,), fed, tuple(places), name=op.lower())
    return read(write(draft))


def int8(values: ArrayLike) -> NDArray[np.int8]:
    """Values of an int8 tensor; refuses those that do not fit, as a wrapped case tests nothing."""
    wide = np.asarray(values)
    assert wide.size == 0 or (wide.min() >= -128 and wide.max() <= 127), values
    return wide.astype(np.int8)


ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")


@dataclass(frozen=True, repr=False)
class OneOp:
    """A graph of one node (with variables: several), and an array [samples, *shape] per input."""

    graph: Graph
    inputs: tuple[Array, ...]

    @property
    def data(self) -> bytes:
        return write(self.graph)

    def __repr__(self) -> str:
        if len(self.graph.nodes) > 1:
            return f"{[node.op for node in self.graph.nodes]} of {self.graph.tensors}"
        (node,) = self.graph.nodes

        def text(index: int) -> str:
            if index < 0:
                return "absent"
            tensor = self.graph.tensors[index]
            own = tensor.quantization
            scales = "" if own is None else f" {own.scales.tolist()} {own.zero_points.tolist()}"
            constant = "" if tensor.data is None else f" = {tensor.data.ravel()[:8].tolist()}.."
            return f"{tensor.type}{list(tensor.shape)}{scales}{constant}"

        operands = ", ".join(text(index) for index in node.inputs)
        return f"{node.op}({operands}) -> {text(node.outputs[0])} {dict(node.options)}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class Numbers:
    """Scales, zero points and values of one model, drawn together.

    ``mode`` is what the scales are for: "few bits" make exact ties by the dozen; "ties" puts one
    output so close to a tie that any other way to form the multiplier would move it; "any".
    Activations are of ``type``; int16 ones have zero point 0.
    """

    def __init__(self, draw: Draw, type: str = "INT8") -> None:
        self.type = type
        limits = np.iinfo(DTYPES[type])
        self.low, self.high = int(limits.min), int(limits.max)
        self._draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.mode = self.draw(st.sampled_from(("few bits", "any", "ties")))
        some = self.rng.integers(self.low, self.high + 1, 4)
        self.everywhere = int(self.rng.choice([self.low, self.high, *some]))

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        """Draw, and let ``rng`` depend on it: Hypothesis likes to vary one choice at a time."""
        value = self._draw(strategy)
        mixed = zlib.crc32(repr(value).encode())
        self.rng = np.random.default_rng([mixed, int(self.rng.integers(2**32))])
        return value

    def near(self, value: float) -> float:
        """A float32 near ``value``; a power of two, or 3 or 5 times one, with "few bits"."""
        if self.mode == "few bits":
            odd = self.rng.choice([1.0, 1.0, 1.0, 0.75, 1.25])
            return float(2.0 ** round(math.log2(value)) * odd)
        return float(np.float32(value * self.rng.uniform(0.7, 1.4)))

    def scale(self, low: float = 2.0**-12, high: float = 8.0) -> float:
        return self.near(2.0 ** self.rng.uniform(math.log2(low) + 1, math.log2(high) - 1))

    def output(
        self,
        shape: tuple[int, ...],
        scale: float,
        real: float = 0.0,
        acc: int = 0,
        smallest: float = 0.0,
    ) -> Tensor:
        """An output with a scale near ``scale``, or one that takes ``real`` next to a tie.

        Of a multiplier that acts on an integer ``acc``, the tie is where double rounding has it:
        half a unit before the right shift lower. Some ties are of an activation's limits.
        """
        zero_point = self.zero_point()
        if self.mode == "ties" and self.draw(st.sampled_from((False, False, True))):
            steps = int(self.rng.integers(100)) + 0.5
            own = float(np.float32(self.rng.choice([1, 6]) / steps))
        elif self.mode == "ties" and real != 0:
            room = self.high - 1 - zero_point if real > 0 else zero_point - self.low - 1
            steps = int(self.rng.integers(max(room, 0) + 1)) + 0.5
            shift = math.frexp(steps / abs(acc))[1] if acc else 0
            steps -= 2.0 ** (shift - 1) if shift < 0 else 0
            own = float(np.float32(abs(real) / steps))
        else:
            own = self.near(scale)
        return activation(shape, max(own, smallest), zero_point, "y", self.type)

    def zero_point(self) -> int:
        if self.type == "INT16":
            return 0
        return self.draw(st.sampled_from((-128, -1, 0, 127)) | st.integers(-128, 127))

    def tensor(self, shape: tuple[int, ...], name: str = "x") -> Tensor:
        return activation(shape, self.scale(), self.zero_point(), name, self.type)

    def values(self, shape: tuple[int, ...], zero_point: int = 0) -> Array:
        """[4, *shape] of the activations' type: anything, extremes, around the zero point,
        ``everywhere``."""
        rng = self.rng
        kinds = (
            rng.integers(self.low, self.high + 1, shape),
            rng.choice([self.low, self.high, zero_point], shape),
            np.clip(np.rint(rng.normal(zero_point, 3, shape)), self.low, self.high),
            np.full(shape, self.everywhere),
        )
        return np.stack(kinds).astype(DTYPES[self.type])

    def model(self, op: str, inputs: list[Tensor | None], output: Tensor, **options: Any) -> OneOp:
        graph = one_op(op, inputs, output, **options)
        values = []
        for index in graph.inputs:
            own = graph.tensors[index].quantization
            assert own is not None
            values.append(self.values(graph.tensors[index].shape, own.zero_point))
        return OneOp(graph, tuple(values))
