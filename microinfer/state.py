"""What a model remembers from one invocation to the next: variable tensors and resource variables.

A variable tensor (``Tensor.is_variable``) is the state of the one SVDF or LSTM that has it as an
input. A resource variable is named by VAR_HANDLE, whose output, the handle, stands for it in
READ_VARIABLE and ASSIGN_VARIABLE; several handles may name the same one.

A reset gives int8 variable tensors their zero point and others 0; resource variables what
CALL_ONCE assigns, else in each byte the zero point of what the model assigns first.
[TFLM] micro/micro_interpreter_graph.cc, ResetTensorData; micro/micro_resource_variable.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graph import Graph, Node, Tensor

# (layer, tensor or None, reason, fix)
Refuse = Callable[[int, Tensor | None, str, str], None]


@dataclass(frozen=True)
class State:
    """``index``: the tensor that stands for it, a variable tensor or a resource's first handle.

    ``tensor`` has type, shape and quantization of the value. A reset gives it ``constant`` or,
    without one, ``fill`` in each byte.
    """

    index: int
    tensor: Tensor
    fill: int = 0
    constant: NDArray[Any] | None = None

    @property
    def initial(self) -> NDArray[Any]:
        """The value after a reset."""
        if self.constant is not None:
            return self.constant
        raw = np.full(self.tensor.nbytes, self.fill, np.uint8)
        return raw.view(self.tensor.dtype).reshape(self.tensor.shape)


def states(graph: Graph, refuse: Refuse | None = None) -> dict[int, State]:
    """Every state of ``graph``, by the index of each tensor that stands for it.

    ``refuse`` is told of what cannot be a state; a prepared graph has none of that.
    """
    say = refuse or _assert
    read = {index for node in graph.nodes for index in node.inputs if index >= 0}
    found = {
        index: State(index, tensor, _zero_point(tensor) if tensor.type == "INT8" else 0)
        for index, tensor in enumerate(graph.tensors)
        if index in read and index not in graph.inputs and is_variable(tensor)
    }
    found.update(_resources(graph, say))
    return found


def is_variable(tensor: Tensor) -> bool:
    """Whether the tensor itself persists."""
    return tensor.is_variable and tensor.data is None


def is_handle(tensor: Tensor) -> bool:
    """Whether the tensor names a resource variable."""
    return tensor.type == "RESOURCE"


def _assert(layer: int, tensor: Tensor | None, reason: str, fix: str) -> None:
    raise AssertionError(f"layer {layer}: {reason}")


def _zero_point(tensor: Tensor) -> int:
    """The low byte of the zero point."""
    if tensor.quantization is None:
        return 0
    return int(tensor.quantization.zero_points[0]) & 0xFF


def _handles(graph: Graph) -> dict[int, tuple[str, str]]:
    """Container and name of the variable behind each handle."""
    return {
        handle: (node.options["container"] or "", node.options["shared_name"] or "")
        for node in graph.nodes
        if node.op == "VAR_HANDLE"
        for handle in node.outputs
    }


def _assigns(node: Node, names: dict[int, tuple[str, str]]) -> bool:
    """Whether the node assigns a tensor to one of the variables ``names``."""
    return (
        node.op == "ASSIGN_VARIABLE"
        and len(node.inputs) == 2
        and node.inputs[0] in names
        and node.inputs[1] >= 0
    )


def _resources(graph: Graph, say: Refuse) -> dict[int, State]:
    """The resource variables, by handle."""
    names = _handles(graph)
    once = _assigned_once(graph, say)
    values: dict[tuple[str, str], Tensor] = {}
    for layer, node in enumerate(graph.nodes):
        if _assigns(node, names):
            value = graph.tensors[node.inputs[1]]
            known = values.setdefault(names[node.inputs[0]], value)
            _same_bytes(layer, known, value, say)
    for name, value in once.items():
        _same_bytes(-1, values.setdefault(name, value), value, say)
    for layer, node in enumerate(graph.nodes):
        reads = node.op == "READ_VARIABLE" and node.outputs and node.inputs
        if reads and node.inputs[0] in names:
            output = graph.tensors[node.outputs[0]]
            name = names[node.inputs[0]]
            if name not in values:
                say(layer, output, f'is read from "{name[1]}", which nothing assigns', "")
                continue
            _same_bytes(layer, values[name], output, say)
    first: dict[tuple[str, str], State] = {}
    handles = {}
    for handle, name in names.items():
        if name in values:
            tensor = replace(values[name], name=name[1], data=None)
            constant = once[name].data if name in once else None
            state = State(handle, tensor, _zero_point(tensor), constant)
            handles[handle] = first.setdefault(name, state)
    return handles


def _same_bytes(layer: int, known: Tensor, other: Tensor, say: Refuse) -> None:
    if (known.type, known.shape) != (other.type, other.shape):
        say(
            layer,
            other,
            f"is {other.type} {other.shape}, but its variable holds {known.type} {known.shape}",
            "a variable needs one type and one shape",
        )


def _assigned_once(graph: Graph, say: Refuse) -> dict[tuple[str, str], Tensor]:
    """The constants that CALL_ONCE's subgraphs assign, by the variable's name."""
    constants = {}
    begun = False
    for layer, node in enumerate(graph.nodes):
        begun = begun or node.op in ("READ_VARIABLE", "ASSIGN_VARIABLE")
        if node.op != "CALL_ONCE":
            continue
        if begun:
            say(layer, None, "comes after a layer that uses variables", "it has to come first")
        place = node.options["init_subgraph_index"] - 1
        if not 0 <= place < len(graph.subgraphs):
            say(layer, None, f"calls subgraph {place + 1}, which is not there", "")
            continue
        called = graph.subgraphs[place]
        names = _handles(called)
        for inner in called.nodes:
            if inner.op == "VAR_HANDLE":
                continue
            if not _assigns(inner, names):
                say(layer, None, f"calls a subgraph with {inner.op}", "it may assign constants")
                continue
            value = called.tensors[inner.inputs[1]]
            if value.data is None:
                say(layer, value, "is computed in an initialisation", "it may assign constants")
                continue
            constants[names[inner.inputs[0]]] = value
    return constants
