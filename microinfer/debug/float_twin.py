"""The float model that an integer model was converted from: whose weights are whose.

Converters keep neither names nor the order of layers for certain, but rounding moves weights by
little. So each layer with constants takes those of the layer of the float model that has the same
operator, constants of the same shapes, and the least distance |w - w_float| / |w_float|, which has
to be below ``NEAR``; each is taken once, the nearest pair first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..graph import Graph, Node
from ..prepare import PreparedLayer
from ..tflite import write
from .constants import BIASES, REALS, Constants, dequantized, is_real, steps_to_reals

Array = NDArray[Any]

NEAR = 0.5  # rounding to int4 gives about 0.1
SAME = 1e-3  # relative difference of outputs, above which two float models are not the same


@dataclass(frozen=True)
class Match:
    """The float model's constants by the integer model's indices; the layers that found theirs,
    and those with weights that did not, by index; the types other than floats that the float model
    stores weights in."""

    constants: Constants
    found: frozenset[int]
    missed: tuple[int, ...]
    rounded: tuple[str, ...]
    notes: tuple[str, ...]


def match(graph: Graph, layers: Sequence[PreparedLayer], float_graph: Graph) -> Match:
    """Find the constants of each layer in the float model. Raises BadInput where none is found."""
    for place, node in enumerate(float_graph.nodes):
        for tensor in (float_graph.tensors[i] for i in node.outputs if node.op in BIASES):
            if tensor.type != "FLOAT32":
                raise BadInput(
                    f"the float model is none: its layer {place} {node.op} gives {tensor.type}"
                )
    values = _values(float_graph)
    own = dequantized(graph, tuple(layers), np.float64)
    every = {layer.index: _constants(layer, own) for layer in layers}
    wanted = {index: weights for index, weights in every.items() if weights}
    pairs = []
    for index, weights in wanted.items():
        op = layers[index].node.op
        for place, node in enumerate(float_graph.nodes):
            if node.op == op and (far := _distance(weights, node, values)) < NEAR:
                # Of equals, those at the same place: layers may share their weights.
                pairs.append((far, abs(place - layers[index].node.location), index, place))
    found: dict[int, int] = {}
    for _, _, index, place in sorted(pairs):
        if index not in found and place not in found.values():
            found[index] = place
    if wanted and not found:
        raise BadInput(
            "the float model is not that of this integer model: none of its layers has weights"
            f" like those of the {len(wanted)} layers with weights here; the two were not made of"
            " one training"
        )
    constants = Constants({}, {})
    for index, place in found.items():
        node = float_graph.nodes[place]
        for position, (target, rounded) in wanted[index].items():
            if position in _bias_positions(layers[index].node):
                value = _bias(node, position, values)
                constants.biases[index, position] = (
                    np.zeros_like(rounded) if value is None else value
                )
            else:
                constants.tensors[target] = values[node.inputs[position]]
    missed = tuple(index for index in wanted if index not in found)
    types = _rounded(float_graph, list(found.values()))
    notes = [
        f"layer {index} {layers[index].node.op} has no match in the float model: its weights count"
        " as exact"
        for index in missed
    ] + [
        f"the float model stores weights as {kind} (it was converted with dynamic-range"
        " quantization): what that rounded away is not counted"
        for kind in types
    ]
    return Match(constants, frozenset(found), missed, types, tuple(notes))


def _rounded(graph: Graph, places: Sequence[int]) -> tuple[str, ...]:
    """The integer types of the weights of some layers."""
    weights = [graph.tensors[graph.nodes[place].inputs[1]] for place in places
               if graph.nodes[place].op in BIASES]  # fmt: skip
    return tuple(sorted({tensor.type for tensor in weights if tensor.type in REALS}))


def _bias_positions(node: Node) -> tuple[int, ...]:
    return tuple(position for position, *_ in BIASES.get(node.op, ()))


def _constants(layer: PreparedLayer, own: Constants) -> dict[int, tuple[int, Array]]:
    """Tensor and real value of each constant of a layer, by position."""
    biases = _bias_positions(layer.node)
    found = {}
    for position, tensor in enumerate(layer.node.inputs):
        if position in biases and (layer.index, position) in own.biases:
            found[position] = (tensor, own.biases[layer.index, position])
        elif tensor in own.tensors and own.tensors[tensor].dtype == np.float64:
            found[position] = (tensor, own.tensors[tensor])
    return found


def _values(graph: Graph) -> dict[int, Array]:
    """The constants of the float model, by tensor: also those behind a DEQUANTIZE, and rounded."""
    values: dict[int, Array] = {}
    for index, tensor in enumerate(graph.tensors):
        if tensor.data is None:
            continue
        if tensor.type in ("FLOAT32", "FLOAT16", "FLOAT64"):
            values[index] = tensor.data.astype(np.float64)
        elif (
            is_real(tensor) and tensor.quantization is not None and tensor.quantization.scales.size
        ):
            values[index] = steps_to_reals(tensor.data, tensor.quantization, np.float64)
    for node in graph.nodes:
        if node.op == "DEQUANTIZE" and node.inputs[0] in values:
            values[node.outputs[0]] = values[node.inputs[0]]
    return values


def _bias(node: Node, position: int, values: dict[int, Array]) -> Array | None:
    """A float layer's bias; None where it has none."""
    if position >= len(node.inputs) or node.inputs[position] not in values:
        return None
    return values[node.inputs[position]].reshape(-1)


def _distance(
    constants: dict[int, tuple[int, Array]], node: Node, values: dict[int, Array]
) -> float:
    """|w - w_float| / |w_float| over the weights; inf where they cannot be each other's."""
    gap = size = 0.0
    for position, (_, own) in constants.items():
        if position in _bias_positions(node):
            bias = _bias(node, position, values)
            if bias is not None and bias.shape != own.shape:
                return np.inf
            continue
        other = values.get(node.inputs[position]) if position < len(node.inputs) else None
        if other is None or other.shape != own.shape:
            return np.inf
        gap += float(np.square(own - other).sum())
        size += float(np.square(other).sum())
    if size == 0:
        return 0.0 if gap == 0 else np.inf
    return float(np.sqrt(gap / size))


def run_by_litert(float_graph: Graph, inputs: Sequence[Array]) -> Array | None:
    """The float model's first output for real inputs [samples, *shape], by LiteRT.

    None where the package is missing, or the model does not take them.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError:
        return None
    tensors = [float_graph.tensors[index] for index in float_graph.inputs]
    shapes = [tensor.shape for tensor in tensors]
    if shapes != [x.shape[1:] for x in inputs] or any(t.type != "FLOAT32" for t in tensors):
        return None
    interpreter = Interpreter(
        model_content=write(float_graph),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    places = [detail["index"] for detail in interpreter.get_input_details()]
    outputs = []
    for sample in zip(*inputs, strict=True):
        for place, value in zip(places, sample, strict=True):
            interpreter.set_tensor(place, value.astype(np.float32))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy())
    return np.stack(outputs)
