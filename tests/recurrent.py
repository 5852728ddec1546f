"""Models with state, from explicit values: SVDF, LSTM, and a queue in a resource variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microinfer.graph import DTYPES, Graph, Node, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import VERSIONS, activation, constant, int32, one_op, quantization

Quantized = tuple[float, int]  # scale, zero point


def variable(name: str, shape: Sequence[int], own: Quantized, type: str = "INT8") -> Tensor:
    return Tensor(name, tuple(shape), type, quantization(*own), is_variable=True)


def svdf(
    source: Quantized,
    feature: tuple[ArrayLike, float],
    time: tuple[ArrayLike, float],
    state: Quantized,
    output: Quantized,
    bias: ArrayLike | None = None,
    rank: int = 1,
    batches: int = 1,
    type: str = "INT16",
) -> Graph:
    """``feature`` [filters, input_size] and ``time`` [filters, memory], with their scales."""
    weights = np.asarray(feature[0], np.int8)
    memory = np.asarray(time[0], DTYPES[type])
    filters, size = weights.shape
    units = filters // rank
    own = float(np.float32(state[0]) * np.float32(time[1]))
    operands = [
        activation((batches, size), *source),
        constant(weights, feature[1], name="feature"),
        constant(memory, time[1], name="time"),
        None if bias is None else int32(bias, own, "bias"),
        variable("state", (batches, memory.size), state, type),
    ]
    y = activation((batches, units), *output, name="y")
    return one_op("SVDF", operands, y, rank=rank, fused_activation_function="RELU", version=3)


def lstm(
    source: Quantized,
    weights: Sequence[tuple[ArrayLike, float]],
    biases: ArrayLike,
    hidden: Quantized,
    power: int,
    batches: int = 1,
    steps: int = 1,
    time_major: bool = False,
    written: Quantized | None = None,
    **options: Any,
) -> Graph:
    """``weights``: of the input [units, size], then recurrent, for the input, forget, cell and
    output gate, with their scales; ``biases`` [4, units]; the cell's scale is 2^``power``.

    ``written``: quantization of the fifth intermediate tensor where it is not ``hidden``.
    """
    arrays = [np.asarray(values, np.int8) for values, _ in weights]
    units, size = arrays[0].shape
    rows = (steps, batches) if time_major else (batches, steps)
    operands: list[Tensor | None] = [activation((*rows, size), *source)]
    operands += [
        constant(array, scale, name=f"w{number}")
        for number, (array, (_, scale)) in enumerate(zip(arrays, weights, strict=True))
    ]
    operands += [None] * 3
    operands += [int32(bias, 1e-3, f"b{number}") for number, bias in enumerate(np.array(biases))]
    operands += [
        *(None, None),
        variable("hidden", (batches, units), hidden),
        variable("cell", (batches, units), (2.0**power, 0), "INT16"),
        *[None] * 4,
    ]
    y = activation((*rows, units), *hidden, name="y")
    graph = one_op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        operands,
        y,
        version=3,
        **{"fused_activation_function": "TANH", "time_major": time_major, **options},
    )
    inner = [Tensor(f"pre{gate}", (0,), "INT16", quantization(2.0**-12)) for gate in range(4)]
    inner.append(Tensor("new hidden", (0,), "INT8", quantization(*(written or hidden))))
    first = len(graph.tensors)
    node = replace(graph.nodes[0], intermediates=tuple(range(first, first + 5)))
    return read(write(replace(graph, tensors=(*graph.tensors, *inner), nodes=(node,))))


def node(op: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> Node:
    kind = OPERATORS[op]
    own = {**(defaults(kind) if kind else {}), **options}
    return Node(op, tuple(inputs), tuple(outputs), own, version=VERSIONS.get(op, 1))


def handle(place: int, name: str = "queue") -> Node:
    return node("VAR_HANDLE", [], [place], shared_name=name, container="")


def queue(
    length: int,
    news: int,
    own: Quantized = (0.5, 0),
    type: str = "INT8",
    first: ArrayLike | None = None,
    handles: int = 1,
) -> Graph:
    """What a streaming convolution does: the variable's ``length`` elements and ``news`` of the
    input become the output, and the last ``length`` of these the variable.

    ``first``: CALL_ONCE assigns that. ``handles``: of the one variable, up to one for each use.
    """
    kind = quantization(*own) if type != "FLOAT32" else None
    x = Tensor("x", (1, news), type, kind)
    memory = Tensor("memory", (1, length), type, kind)
    joined = Tensor("joined", (1, length + news), type, kind)
    named = [Tensor("handle", (), "RESOURCE") for _ in range(handles)]
    places = [int32([0, news]), int32([1, length + news]), int32([1, 1])]
    tensors = (x, memory, joined, replace(memory, name="new"), *places, *named)
    reads, assigns = 7, 6 + handles
    nodes = [
        *(handle(7 + place) for place in range(handles)),
        node("READ_VARIABLE", [reads], [1]),
        node("CONCATENATION", [1, 0], [2], axis=1),
        node("STRIDED_SLICE", [2, 4, 5, 6], [3]),
        node("ASSIGN_VARIABLE", [assigns, 3], []),
    ]
    called: tuple[Graph, ...] = ()
    if first is not None:
        values: NDArray[Any] = np.asarray(first, DTYPES[type]).reshape(1, length)
        given = Tensor("first", (1, length), type, kind, values)
        inside = (handle(0), node("ASSIGN_VARIABLE", [0, 1], []))
        called = (Graph((named[0], given), inside, (), (), name="begin"),)
        nodes.insert(0, node("CALL_ONCE", [], [], init_subgraph_index=1))
    return read(write(Graph(tensors, tuple(nodes), (0,), (2,), name="main", subgraphs=called)))


def chain(*graphs: Graph) -> Graph:
    """One model after the other, with a RESHAPE between; a variable's name is its own."""
    tensors: list[Tensor] = []
    nodes: list[Node] = []
    called: list[Graph] = []
    output = -1
    for graph in graphs:
        (source,), first = graph.inputs, len(tensors)

        def moved(index: int, first: int = first) -> int:
            return index + first if index >= 0 else -1

        tensors += graph.tensors
        if output >= 0:
            shape = graph.tensors[source].shape
            nodes.append(node("RESHAPE", [output], [moved(source)], new_shape=shape))
            joint = tensors[output]
            tensors[moved(source)] = replace(
                tensors[moved(source)], quantization=joint.quantization
            )
        for one in graph.nodes:
            options = dict(one.options)
            if one.op == "CALL_ONCE":
                options["init_subgraph_index"] += len(called)
            nodes.append(
                replace(
                    one,
                    inputs=tuple(map(moved, one.inputs)),
                    outputs=tuple(map(moved, one.outputs)),
                    intermediates=tuple(map(moved, one.intermediates)),
                    options=options,
                )
            )
        called += graph.subgraphs
        output = moved(graph.outputs[0])
    inputs = graphs[0].inputs
    once = [one for one in nodes if one.op == "CALL_ONCE"]
    ordered = once + [one for one in nodes if one.op != "CALL_ONCE"]
    whole = Graph(tuple(tensors), tuple(ordered), inputs, (output,), "main", tuple(called))
    return read(write(whole))


def everything(begun: bool = True) -> Graph:
    """A queue with or without a beginning, an SVDF of each state, an LSTM."""
    rng = np.random.default_rng(4)

    def weights(*shape: int) -> NDArray[Any]:
        return rng.integers(-127, 128, shape)

    first = [1, -2, 3, -4] if begun else None
    gates = [(weights(4, 3), 0.01)] * 4 + [(weights(4, 4), 0.01)] * 4
    return chain(
        queue(4, 2, (0.1, 3), first=first),
        svdf(
            (0.1, 3), (weights(6, 6), 0.01), (weights(6, 3) * 200, 2e-4), (1e-3, 0), (0.05, -9),
            [100, 200, 300], rank=2,
        ),
        svdf(
            (0.05, -9), (weights(3, 3), 0.01), (weights(3, 5), 0.01), (0.05, 4), (0.04, 1),
            [10, 20, 30], type="INT8",
        ),
        lstm((0.04, 1), gates, rng.integers(-999, 999, (4, 4)), (0.008, -2), -12),
    )  # fmt: skip
