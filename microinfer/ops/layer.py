"""What an op's ``prepare`` sees of the model, and how it refuses.

``prepare`` turns one node into a frozen params dataclass or says why it cannot. It records every
problem that it can see before it gives up, and the model's other layers are still prepared, so
that a user reads all reasons at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Problem
from ..graph import Graph, Node, Tensor
from ..numerics import Numerics

INT8_MIN, INT8_MAX = -128, 127

Array = NDArray[Any]


@dataclass(frozen=True)
class Op:
    """One operator: its name in the schema, and its three functions.

    ``prepare(layer)`` checks the node and returns its params, integers only.
    ``operands`` are the inputs that ``eval`` and the C kernel are given, by position (None: all);
    the others, such as weights, are part of the params.
    ``eval(params, *operands)`` computes: every array has a leading batch axis before the tensor's
    own shape; constants have 1 there, and broadcast. Returns one array, or a tuple of them, whose
    elements are in the output's order; the interpreter gives them the output's shape.
    ``in_place``: the output may lie where the input of the same size lay, as the C kernel reads
    each element before it writes there.
    ``state`` are the inputs, by position, that persist: variable tensors and handles of resource
    variables. ``eval`` is given their values before the first sample after the operands, with an
    axis of 1 in front, and returns those after each sample after its outputs.
    ``resource``: the state is a resource variable, and the first input its handle.
    ``computes``: whether the outputs are values, and not handles.
    """

    name: str
    prepare: Callable[[Layer], Any]
    eval: Callable[..., Array | tuple[Array, ...]]
    operands: tuple[int, ...] | None = (0,)
    in_place: bool = False
    state: tuple[int, ...] = ()
    resource: bool = False
    computes: bool = True

    def operand_indices(self, node: Node) -> tuple[int, ...]:
        """Tensor indices of the operands of ``node``."""
        if self.operands is None:
            return node.inputs
        return tuple(node.inputs[position] for position in self.operands)

    def state_indices(self, node: Node) -> tuple[int, ...]:
        """Tensor indices of the state of ``node``."""
        return tuple(node.inputs[position] for position in self.state)


class LayerRefused(Exception):
    """Stops the preparation of one layer; its problems are already recorded."""


class Layer:
    """One node with its tensors, and the profile it is prepared for.

    Without ``tables`` a rescale from int8 to int8 is not made a table: its params say how each
    value comes about.
    """

    def __init__(
        self,
        graph: Graph,
        index: int,
        numerics: Numerics,
        problems: list[Problem],
        tables: bool = True,
    ) -> None:
        self.graph = graph
        self.index = index
        self.numerics = numerics
        self.tables = tables
        self.node = graph.nodes[index]
        self.options = self.node.options
        self.expected: dict[
            int, tuple[int, ...]
        ] = {}  # by id of a tensor: what its shape has to be
        self._problems = problems
        self._recorded_before = len(problems)

    # -- refusing ---------------------------------------------------------------------------

    def refuse(self, tensor: Tensor | None, reason: str, fix: str = "") -> None:
        """Record a problem and go on."""
        name = tensor.name if tensor else ""
        self._problems.append(Problem(self.index, self.node.op, name, reason, fix))

    def require(self, condition: bool, tensor: Tensor | None, reason: str, fix: str = "") -> None:
        """Record a problem unless ``condition`` holds."""
        if not condition:
            self.refuse(tensor, reason, fix)

    def settle(self) -> None:
        """Give this layer up if anything was recorded for it."""
        if len(self._problems) > self._recorded_before:
            raise LayerRefused

    # -- tensors ----------------------------------------------------------------------------

    def count(self, inputs: int | tuple[int, int], outputs: int = 1) -> None:
        """Require the number of inputs (exact, or from-to) and of outputs."""
        low, high = (inputs, inputs) if isinstance(inputs, int) else inputs
        n_in, n_out = len(self.node.inputs), len(self.node.outputs)
        expected = f"{low}" if low == high else f"{low} to {high}"
        self.require(low <= n_in <= high, None, f"has {n_in} inputs, expected {expected}")
        self.require(n_out == outputs, None, f"has {n_out} outputs, expected {outputs}")
        for position in range(min(low, n_in)):
            self.require(self.node.inputs[position] >= 0, None, f"input {position} is absent")
        self.settle()

    def input(self, position: int) -> Tensor:
        return self.graph.tensors[self.node.inputs[position]]

    def optional_input(self, position: int) -> Tensor | None:
        """The tensor at ``position``, or None if it is absent (-1, or beyond the list)."""
        if position >= len(self.node.inputs) or self.node.inputs[position] < 0:
            return None
        return self.input(position)

    def output(self, position: int = 0) -> Tensor:
        return self.graph.tensors[self.node.outputs[position]]

    def constant(self, tensor: Tensor, types: Sequence[str]) -> Array:
        """The value of a tensor that has to be in the file, of one of ``types``."""
        self.type_is(tensor, *types)
        if tensor.data is None:
            self.refuse(tensor, "is computed at run time", "it has to be a constant of the model")
            raise LayerRefused
        self.settle()
        return tensor.data

    def variable(self, position: int, *types: str) -> Tensor:
        """A tensor at ``position`` that keeps its value between invocations."""
        tensor = self.optional_input(position)
        if tensor is None:
            self.refuse(None, f"input {position}, its state, is absent")
            raise LayerRefused
        self.type_is(tensor, *types)
        self.require(
            tensor.is_variable and tensor.data is None,
            tensor,
            "is the layer's state, but no variable tensor",
            "convert again with a current converter",
        )
        return tensor

    # -- checks that many ops share ---------------------------------------------------------

    def type_is(self, tensor: Tensor, *types: str) -> None:
        fixes = {
            "FLOAT32": "convert the model with full-integer int8 quantization",
            "UINT8": "this is the older uint8 quantization: convert the model again with int8",
        }
        if "INT8" in types and "INT16" not in types:
            fixes["INT16"] = (
                "keep this layer in int8: a QUANTIZE to int8 before it, one back after it"
            )
        expected = " or ".join(types)
        self.require(
            tensor.type in types,
            tensor,
            f"has type {tensor.type}, expected {expected}",
            fixes.get(tensor.type, ""),
        )

    def int8(self, *tensors: Tensor) -> None:
        """Require int8 activations with one finite positive scale and a zero point in range."""
        for tensor in tensors:
            self.type_is(tensor, "INT8")
            if tensor.type == "INT8":
                self.per_tensor(tensor)

    def activations(self, *tensors: Tensor) -> None:
        """Require activations that are all int8, or all int16 with a zero point of 0."""
        for tensor in tensors:
            self.type_is(tensor, "INT8", "INT16")
            if tensor.type not in ("INT8", "INT16"):
                continue
            self.per_tensor(tensor)
            self.require(
                tensor.type == tensors[0].type,
                tensor,
                f'has type {tensor.type}, but "{tensors[0].name}" has {tensors[0].type}',
                "insert a QUANTIZE, or convert again with one type for all activations",
            )
            if tensor.type == "INT16":
                self.symmetric(tensor)

    def symmetric(self, tensor: Tensor) -> None:
        """Require a zero point of 0, as the runtimes do of int16."""
        if tensor.quantization is not None and tensor.quantization.zero_points.any():
            zero_point = int(tensor.quantization.zero_points[0])
            self.refuse(
                tensor,
                f"is {tensor.type} with zero point {zero_point}, expected 0",
                "convert again with symmetric int16 activations (16x8)",
            )

    def per_tensor(self, tensor: Tensor) -> None:
        """Require one finite positive scale and a zero point that the type can hold."""
        quantization = tensor.quantization
        if quantization is None:
            self.refuse(tensor, "has no quantization", "convert with full-integer quantization")
            return
        if quantization.per_channel:
            self.refuse(
                tensor,
                f"is quantized per channel ({len(quantization.scales)} scales)",
                "activations need one scale and one zero point",
            )
            return
        self.scales_are_usable(tensor)
        if tensor.dtype.kind in "iu":
            limits = np.iinfo(tensor.dtype)
            self.require(
                bool(limits.min <= quantization.zero_point <= limits.max),
                tensor,
                f"has zero point {quantization.zero_point}, expected {limits.min}..{limits.max}",
            )

    def scales_are_usable(self, tensor: Tensor) -> None:
        """Require finite positive scales."""
        assert tensor.quantization is not None
        scales = tensor.quantization.scales
        bad = ~(np.isfinite(scales) & (scales > 0))
        if bad.any():
            channel = int(np.argmax(bad))
            self.refuse(tensor, f"has scale {scales[channel]}, expected a finite positive number")

    def same_quantization(self, a: Tensor, b: Tensor) -> None:
        """Require that two int8 tensors share scale and zero point: their bytes are moved."""
        if a.quantization is None or b.quantization is None:
            return
        same = (
            a.quantization.scales.tobytes() == b.quantization.scales.tobytes()
            and (a.quantization.zero_points == b.quantization.zero_points).all()
        )
        self.require(
            same,
            b,
            f'is quantized otherwise than "{a.name}", and {self.node.op} does not rescale',
            "insert a QUANTIZE, or convert again with a current converter",
        )

    def expect(self, tensor: Tensor, shape: tuple[int, ...]) -> None:
        """State what follows for a tensor's shape; ``passes`` give it to those left open."""
        self.expected[id(tensor)] = shape

    def shape_is(self, tensor: Tensor, expected: tuple[int, ...]) -> None:
        self.expect(tensor, expected)
        self.require(
            tensor.shape == expected, tensor, f"has shape {tensor.shape}, expected {expected}"
        )

    def rank_is(self, tensor: Tensor, rank: int) -> None:
        self.require(
            len(tensor.shape) == rank, tensor, f"has shape {tensor.shape}, expected rank {rank}"
        )

    def multiplier_fits(self, tensor: Tensor, real: float | Array, limit: float = 2.0**31) -> None:
        """Require real multipliers that have a fixed-point form, below ``limit``."""
        worst = float(np.max(real))
        self.require(
            bool(np.all(np.isfinite(real))) and worst < limit,
            tensor,
            f"needs the real multiplier {worst:g}, expected less than {limit:g}",
            "the scales around this layer are out of proportion; check the calibration data",
        )
