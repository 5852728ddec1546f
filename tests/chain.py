"""A graph that grows layer by layer, for ``chains.py``: what the layers add themselves to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from microinfer.graph import Graph, Node, Tensor
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import ACTIVATIONS, VERSIONS, Array, Numbers, activation

T = TypeVar("T")

LARGE = 450  # elements: of as many, nothing further is made


@dataclass(frozen=True, repr=False)
class Model:
    """A graph, its .tflite bytes, and arrays [samples, *shape] for its inputs."""

    graph: Graph
    data: bytes
    inputs: tuple[Array, ...]

    def __repr__(self) -> str:
        tensors = self.graph.tensors

        def text(index: int) -> str:
            tensor = tensors[index]
            return f"{tensor.name} {tensor.type}{list(tensor.shape)}"

        lines = [f"inputs {', '.join(map(text, self.graph.inputs))}"]
        for node in self.graph.nodes:
            operands = ", ".join(tensors[index].name for index in node.inputs if index >= 0)
            lines.append(f"{text(node.outputs[0])} = {node.op}({operands}) {dict(node.options)}")
        lines.append(f"outputs {', '.join(tensors[index].name for index in self.graph.outputs)}")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class Chain:
    """A graph that grows layer by layer; tensors are named by their index."""

    def __init__(self, numbers: Numbers) -> None:
        self.n = numbers
        self.draw = numbers.draw
        self.tensors: list[Tensor] = []
        self.nodes: list[Node] = []
        self.inputs: list[int] = []
        self.values: list[int] = []  # the int8 tensors that a layer can take

    def add(self, tensor: Tensor) -> int:
        index = len(self.tensors)
        self.tensors.append(replace(tensor, name=f"{tensor.name}{index}"))
        if tensor.data is None and tensor.type == "INT8" and tensor.size < LARGE:
            self.values.append(index)
        return index

    def layer(
        self,
        op: str,
        inputs: Sequence[int | Tensor],
        *outputs: Tensor,
        version: int = 0,
        **options: Any,
    ) -> int:
        """Add a node, and give its first output; what is not yet in the graph is a constant."""
        indices = tuple(self.add(t) if isinstance(t, Tensor) else t for t in inputs)
        kind = OPERATORS[op]
        known = {**(defaults(kind) if kind else {}), **options}
        made = tuple(self.add(output) for output in outputs)
        location = len(self.nodes)
        version = version or VERSIONS.get(op, 1)
        self.nodes.append(Node(op, indices, made, known, location, version))
        return made[0]

    def fitting(self, fits: Callable[[Tensor], bool]) -> list[int]:
        """The tensors that fit, newest first."""
        return [index for index in reversed(self.values) if fits(self.tensors[index])]

    def pick(self, indices: list[int]) -> int:
        """Half of the time the newest, else any."""
        return int(self.draw(st.just(indices[0]) | st.sampled_from(indices)))

    # Details are not worth Hypothesis' attention, which would repeat many of them.

    def one_of(self, options: Sequence[T]) -> T:
        return options[int(self.n.rng.integers(len(options)))]

    def flip(self) -> bool:
        return self.one_of((False, True))

    def between(self, low: int, high: int) -> int:
        return int(self.n.rng.integers(low, high + 1))

    def zero_point(self) -> int:
        return self.one_of((-128, 0, *(self.between(-70, 40) for _ in range(6))))

    def tensor(self, shape: tuple[int, ...], scale: float | None = None) -> Tensor:
        own = self.n.scale(2.0**-6, 2.0) if scale is None else self.n.near(scale)
        return activation(shape, min(max(own, 2.0**-8), 8.0), self.zero_point(), "t")

    def like(self, index: int, shape: tuple[int, ...]) -> Tensor:
        return Tensor("t", shape, "INT8", self.tensors[index].quantization)

    def shape(self, index: int) -> tuple[int, ...]:
        return self.tensors[index].shape

    def scale(self, index: int) -> float:
        own = self.tensors[index].quantization
        assert own is not None
        return own.scale

    def fused(self) -> str:
        return self.one_of(("NONE", "NONE", "NONE", *ACTIVATIONS))
