"""What explain's page knows of a model: tensors, layers with params, the arena, recorded runs.

Plain dicts, lists, numbers and texts, as they become JSON; arrays are
``{"type": dtype, "shape": [...], "data": base64 of little-endian elements}``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..emit import plan
from ..emit.view import layer_view
from ..graph import Graph, Tensor
from ..interpreter import Interpreter
from ..ops import results
from ..ops.add_sub import LEFT_SHIFT, AddParams
from ..ops.lookup import LookupParams
from ..ops.mean import MeanParams
from ..ops.movement import MovementParams
from ..ops.mul import MulParams
from ..ops.pool_2d import Pool2DParams
from ..ops.softmax import SoftmaxParams
from ..prepare import PreparedLayer
from ..state import states
from ..trace import Trace
from .page_texts import Start, explained
from .weighted import is_weighted

Array = NDArray[Any]
Json = dict[str, Any]

NAME = "model"  # of the generated C whose calls the page shows


def array(values: Array) -> Json:
    """An array for JSON; int64 as float64, which a browser's numbers are."""
    if values.dtype == np.int64:
        assert int(np.abs(values).max(initial=0)) < 2**53, "float64 would round it"
        values = values.astype(np.float64)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    return {
        "type": values.dtype.name,
        "shape": list(values.shape),
        "data": base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii"),
    }


def params_data(params: Any) -> Json:
    """A params dataclass, field for field."""
    data: Json = {}
    for field in fields(params):
        value = getattr(params, field.name)
        if isinstance(value, np.ndarray):
            value = array(value)
        elif isinstance(value, np.generic):
            value = value.item()
        data[field.name] = value
    return data


def tensor_data(tensor: Tensor) -> Json:
    quantization = tensor.port_quantization
    scale = zero_point = None
    if quantization is not None and not quantization.per_channel:
        scale, zero_point = quantization.scale, quantization.zero_point
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "type": tensor.dtype.name,
        "scale": scale,
        "zero_point": zero_point,
    }


def kind(layer: PreparedLayer) -> str:
    """How the page computes an element of ``layer``: the name of one of its functions.

    "" where it can only show operands and outputs.
    """
    params, op = layer.params, layer.node.op
    if layer.op.state or not layer.op.computes:
        return ""
    if is_weighted(layer):
        return "weighted"
    if isinstance(params, Pool2DParams):
        return "maximum" if op == "MAX_POOL_2D" else "average"
    for type_, name in (
        (MeanParams, "mean"),
        (AddParams, "add"),
        (MulParams, "mul"),
        (LookupParams, "lookup"),
        (MovementParams, "moved"),
    ):
        if isinstance(params, type_):
            return name
    if isinstance(params, SoftmaxParams) and params.dtype == np.int8:
        return "softmax"
    return "moved" if op in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS") else ""


def layer_data(layer: PreparedLayer, graph: Graph) -> Json:
    how = kind(layer)
    operands = list(layer.op.operand_indices(layer.node))
    data: Json = {
        "op": layer.node.op,
        "location": layer.node.location,
        "kind": how,
        "inputs": operands,
        "outputs": list(results(layer.node)),
        "padding": layer.node.options.get("padding"),
        "activation": layer.node.options.get("fused_activation_function", "NONE"),
        "params": {},
    }
    if how and how != "moved" and is_dataclass(layer.params):
        data["params"] = params_data(layer.params)
    if how == "softmax":
        data["params"]["exponentials"] = array(layer.params.exponentials)
        data["params"]["addends"] = array(layer.params.addends)
    if how == "add":
        data["params"]["left_shift"] = LEFT_SHIFT[graph.tensors[operands[0]].dtype.name]
    if how == "moved":
        data["sources"] = [array(values) for values in sources(layer, graph)]
    return data


def sources(layer: PreparedLayer, graph: Graph) -> list[NDArray[np.int32]]:
    """Where a layer that only moves elements takes each output element from, per output.

    A number counts the elements of all operands, one after the other; -1 is none of them, as in a
    padding. Found by moving numbers: each byte of them alone, and once more inverted, which tells
    what the layer writes by itself.
    """
    operands = [graph.tensors[index] for index in layer.op.operand_indices(layer.node)]
    starts = np.cumsum([0, *(tensor.size for tensor in operands)])
    assert starts[-1] < 2**24

    def moved(byte: int, inverted: int) -> list[Array]:
        arguments = []
        for start, tensor in zip(starts, operands, strict=False):
            numbers = np.arange(start, start + tensor.size)
            part = ((numbers >> (8 * byte)) & 255 ^ inverted).astype(np.uint8)
            dtype = np.dtype(np.uint8) if tensor.dtype == np.bool_ else tensor.dtype
            arguments.append(part.astype(dtype).reshape(1, *tensor.shape))  # int8: wraps
        computed = layer.op.eval(layer.params, *arguments)
        outputs = computed if isinstance(computed, tuple) else (computed,)
        return [values.reshape(-1).astype(np.int64) & 255 for values in outputs]

    planes = [(moved(byte, 0), moved(byte, 255)) for byte in range(3)]
    found = []
    for output in range(len(planes[0][0])):
        number = sum(plain[output] << (8 * byte) for byte, (plain, _) in enumerate(planes))
        own = np.any([plain[output] + other[output] != 255 for plain, other in planes], axis=0)
        found.append(np.where(own, -1, number).astype(np.int32))
    return found


def arena_data(interpreter: Interpreter) -> tuple[Json, list[Json]]:
    """The arena's buffers; and per layer the statements of C that compute it, with its notes."""
    planned = plan(interpreter.graph, interpreter.numerics.name)
    own_states = {state.index: state.tensor for state in planned.states}
    arena = {
        "bytes": planned.arena_bytes,
        "buffers": [
            {
                "tensors": list(buffer.tensors),
                "names": [
                    own_states.get(index, planned.tensor(index)).name for index in buffer.tensors
                ],
                "bytes": buffer.nbytes,
                "offset": buffer.offset,
                "first": buffer.first,
                "last": buffer.last,
                "state": bool(own_states.keys() & set(buffer.tensors)),
            }
            for buffer in planned.buffers
        ],
    }
    texts = []
    for layer in planned.layers:
        view = layer_view(planned, layer, NAME)
        texts.append({"c": view.statements, "notes": view.notes})
    return arena, texts


def recorded(trace: Trace, indices: Sequence[int], sample: int) -> dict[str, str]:
    """Each computed tensor of one sample, as base64."""
    return {str(index): array(trace.tensor(index)[sample])["data"] for index in indices}


def model_data(interpreter: Interpreter, trace: Trace, samples: int, start: Start) -> Json:
    """All but the title and the WebAssembly. ``trace`` has [samples, *shape] of each tensor."""
    graph = interpreter.graph
    arena, texts = arena_data(interpreter)
    layers = [
        {**layer_data(layer, graph), **text}
        for layer, text in zip(interpreter.layers, texts, strict=True)
    ]
    others = [
        layer.index
        for layer, data in zip(interpreter.layers, layers, strict=True)
        if not data["kind"] and layer.op.computes and layer.node.outputs
    ]
    for index, texts_of in explained(interpreter, trace, samples, others, start).items():
        layers[index]["explained"] = texts_of
    computed = sorted({*graph.inputs, *(i for layer in layers for i in layer["outputs"])})
    used = sorted({*computed, *(i for layer in layers for i in layer["inputs"] if i >= 0)})
    tensors = {}
    for index in used:
        tensor = graph.tensors[index]
        tensors[str(index)] = tensor_data(tensor)
        if tensor.data is not None:
            tensors[str(index)]["data"] = array(tensor.data)["data"]
    return {
        "numerics": interpreter.numerics.name,
        "runtime": interpreter.numerics.runtime,
        "sha256": graph.sha256,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "tensors": tensors,
        "layers": layers,
        "arena": arena,
        "has_state": bool(states(graph)),
        "samples": [recorded(trace, computed, sample) for sample in range(samples)],
    }
