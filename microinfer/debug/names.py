"""What files call a tensor, and how many samples of it an array has.

tensor_12     the tensor of that index in the model
layer_3       the first output of layer 3, as `inspect` counts; layer_3_1 the second: outputs,
              then variable tensors after the layer
input_0, output_0   the model's
a tensor's own name, also with _ for all that is neither letter nor digit
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..graph import Graph, Tensor
from ..ops import results

Array = NDArray[Any]

KINDS = ("layer", "tensor", "input", "output")
NAMES_HELP = "layer_3, tensor_12, input_0, output_0 or a tensor's name"

_NUMBERED = re.compile(rf"({'|'.join(KINDS)})[ _](\d+)(?:[ _](\d+))?", re.IGNORECASE)


def numbered(graph: Graph, kind: str, number: int, output: int = 0) -> int:
    """The tensor that a kind and numbers stand for. Raises BadInput for one that is not there."""
    kind = kind.lower()
    if kind == "layer":
        if number >= len(graph.nodes):
            raise BadInput(f"there is no layer {number}: the model has {len(graph.nodes)}, from 0")
        node = graph.nodes[number]
        if output >= len(results(node)):
            raise BadInput(
                f"layer {number} {node.op} has no output {output}: {len(results(node))}, from 0"
            )
        return results(node)[output]
    own: Sequence[int] = {"input": graph.inputs, "output": graph.outputs}.get(
        kind, range(len(graph.tensors))
    )
    if number >= len(own):
        raise BadInput(f"there is no {kind} {number}: the model has {len(own)}, from 0")
    return own[number]


def named(graph: Graph, name: str) -> int | None:
    """The tensor that ``name`` stands for, or None. Raises BadInput as ``numbered`` does."""
    exact = [index for index, tensor in enumerate(graph.tensors) if tensor.name == name]
    alike = [index for index, tensor in enumerate(graph.tensors) if plain(tensor.name) == name]
    for found in (exact, alike):
        if len(found) == 1:
            return found[0]
    match = _NUMBERED.fullmatch(name)
    if match is None or (match[3] and match[1].lower() != "layer"):
        return None
    return numbered(graph, match[1], int(match[2]), int(match[3] or 0))


def plain(name: str) -> str:
    """A tensor's name as one of a file: only letters, digits and _."""
    return re.sub(r"\W", "_", name)


def traced(graph: Graph) -> set[int]:
    """The tensors that a trace can have."""
    return {index for node in graph.nodes for index in results(node)} | set(graph.inputs)


def bare_numbers(graph: Graph, arrays: dict[str, Array]) -> dict[str, int]:
    """Names that are nothing but numbers, as tensors: indices, layers or names, whichever fits.

    Raises BadInput if several or none fit.
    """
    ways: list[Callable[[str], int | None]] = [
        lambda name: numbered(graph, "tensor", int(name)),
        lambda name: numbered(graph, "layer", int(name)),
        lambda name: named(graph, name),
    ]
    found: list[dict[str, int]] = []
    for way in ways:
        try:
            indices = {name: index for name in arrays if (index := way(name)) is not None}
            for name, index in indices.items():
                samples_of(arrays[name], graph.tensors[index], name)
        except BadInput:
            continue
        whole = len(indices) == len(arrays) and traced(graph).issuperset(indices.values())
        if whole and indices not in found:
            found.append(indices)
    if len(found) != 1:
        fit, both = ("fit both", "and") if found else ("fit neither", "nor")
        raise BadInput(
            f"arrays called {', '.join(sorted(arrays, key=int))} {fit} tensors of these indices"
            f" {both} layers of these numbers: call them tensor_N or layer_N"
        )
    return found[0]


def samples_of(array: Array, tensor: Tensor, name: str) -> Array:
    """``array`` as [samples, *shape] of ``tensor``. Raises BadInput if it does not fit."""
    wanted = f'"{tensor.name}" is {tensor.dtype} {tensor.shape}'
    if array.dtype != tensor.dtype:
        hint = ""
        if array.dtype.kind in "iu" and tensor.dtype.kind in "iu":
            same = array.dtype.itemsize == tensor.dtype.itemsize
            hint = f"; convert it, .{'view' if same else 'astype'}(numpy.{tensor.dtype})"
        raise BadInput(f"{name}: got {array.dtype} {array.shape}, {wanted}{hint}")
    shapes: Collection[tuple[int, ...]] = [tensor.shape]
    if tensor.shape[:1] == (1,):
        shapes = [tensor.shape, tensor.shape[1:]]
    fits = any(array.shape == shape or array.shape[1:] == shape for shape in shapes)
    flat = array.ndim == 1 and tensor.size and array.size % tensor.size == 0
    if not (fits or flat):
        raise BadInput(
            f"{name}: got shape {array.shape}, {wanted}: expected that, samples in front of it, or"
            " all values in one row, in that order"
        )
    return np.ascontiguousarray(array).reshape(-1, *tensor.shape)
