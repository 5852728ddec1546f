"""Passes change no bit: rewritten graphs against both runtimes, in NumPy and in C.

LiteRT runs the files as they are, shapes computed at run time and all. TFLM takes some of them
only after the rewriting, which it then runs as an ordinary model.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import microinfer as mi
from cases import TABLES
from cases.case import Case
from compared import Compared
from microinfer.graph import Graph, Node
from microinfer.passes import runnable, shapes, with_batch
from microinfer.passes.fold import values
from microinfer.tflite import read, write
from mutate import mutants
from one_op import activation, constant, int32
from oracles import ORACLES, Refused, differing, litert_tensors, tflm_tensors

FOLDER = Path(__file__).resolve().parent / "dynamic_models"
MODELS = {
    "attention": 23,
    "class_token": 7,
    "gru": 71,
    "halves": 3,
    "reshape_float": 6,
    "two_ports_float": 10,
    "unet": 5,
}  # and the layers that are left


FUZZED = 3000 if os.environ.get("MICROINFER_FULL") == "1" else 150


def data(name: str) -> bytes:
    return (FOLDER / f"{name}.tflite").read_bytes()


def samples(graph: Graph, count: int = 4) -> list[NDArray[np.generic]]:
    """Per input [count, *shape]: noise over all of int8, or normal for floats."""
    rng = np.random.default_rng(7)
    arrays: list[NDArray[np.generic]] = []
    for tensor in (graph.tensors[index] for index in graph.inputs):
        shape = (count, *tensor.shape)
        noise = (
            rng.normal(0, 2, shape) if tensor.type == "FLOAT32" else rng.integers(-128, 128, shape)
        )
        arrays.append(noise.astype(tensor.dtype))
    return arrays


def wrong(trace: mi.Trace, theirs: dict[int, NDArray[np.generic]]) -> dict[str, int]:
    """How many elements of which layer's outputs differ."""
    return {
        f"{layer.node.location} {layer.node.op}": count
        for layer in trace
        for index, array in zip(layer.node.outputs, layer.outputs, strict=True)
        if (count := differing(array, theirs[index]))
    }


def c_is_equal(graph: Graph, trace: mi.Trace, *inputs: NDArray[np.generic]) -> bool:
    native = mi.compile(graph, trace.numerics, flags=["-O1"])
    return mi.diff(trace, native.trace(*inputs)).identical


@pytest.mark.parametrize("name", MODELS)
def test_litert_on_the_file_gives_the_same_tensors(name: str, compared: Compared) -> None:
    graph = read(data(name))
    rewritten = runnable(graph)
    assert runnable(rewritten) is rewritten
    assert len(rewritten.nodes) == MODELS[name]
    inputs = samples(graph)
    theirs = litert_tensors(data(name), *inputs)
    trace = mi.Interpreter(graph, "litert").trace(*inputs)
    elements = sum(array.size for layer in trace for array in layer.outputs)
    found = wrong(trace, theirs)
    compared(name, "litert", "4 inputs", elements, sum(found.values()))
    assert not found
    assert c_is_equal(graph, trace, *inputs)
    folded = {
        i for node in graph.nodes for i in node.outputs if rewritten.tensors[i].data is not None
    }
    for index in folded:
        value = rewritten.tensors[index].data
        assert value is not None
        assert differing(np.stack([value] * 4), theirs[index]) == 0, graph.tensors[index]


@pytest.mark.parametrize("name", MODELS)
def test_tflm_gives_the_same_tensors(name: str, compared: Compared) -> None:
    graph = read(data(name))
    inputs = samples(graph)
    try:
        theirs, whole = tflm_tensors(data(name), *inputs), True
    except Refused:  # shapes that it would have to compute
        theirs, whole = tflm_tensors(write(runnable(graph)), *inputs), False
    assert whole == (name in ("two_ports_float", "unet"))
    trace = mi.Interpreter(graph, "tflm").trace(*inputs)
    elements = sum(array.size for layer in trace for array in layer.outputs)
    found = wrong(trace, theirs)
    compared(name, "tflm", "4 inputs", elements, sum(found.values()))
    assert not found
    assert c_is_equal(graph, trace, *inputs)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_another_batch_is_what_litert_makes_of_it(
    name: str, batch: int, compared: Compared
) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    graph = mi.load(FOLDER / f"{name}.tflite", batch=batch)
    inputs = [array[0] for array in samples(graph)]
    interpreter = litert.Interpreter(
        model_content=data(name),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    for index, array in zip(graph.inputs, inputs, strict=True):
        interpreter.resize_tensor_input(index, array.shape)
    interpreter.allocate_tensors()
    for index, array in zip(graph.inputs, inputs, strict=True):
        interpreter.set_tensor(index, array)
    interpreter.invoke()
    trace = mi.Interpreter(graph, "litert").trace(*inputs)
    theirs = {i: interpreter.get_tensor(i) for node in graph.nodes for i in node.outputs}
    elements = sum(array.size for array in theirs.values())
    found = wrong(trace, theirs)
    compared(name, "litert", f"batch {batch}", elements, sum(found.values()))
    assert not found
    assert c_is_equal(graph, trace, *inputs)
    one_by_one = mi.Interpreter(read(data(name)), "litert").run(*inputs)
    for ours, single in zip(mi.Interpreter(graph, "litert").run(*inputs), one_by_one, strict=True):
        assert differing(ours.reshape(-1), single.reshape(-1)) == 0


def test_what_the_file_says_stays_to_be_seen() -> None:
    graph = mi.load(FOLDER / "unet.tflite")
    assert graph == read(data("unet"))
    assert [node.op for node in graph.nodes].count("SHAPE") == 1
    interpreter = mi.Interpreter(graph)
    left = [node.location for node in interpreter.graph.nodes]
    assert [node.op for node in graph.nodes if node.location not in left] == [
        "SHAPE",
        "STRIDED_SLICE",
        "PACK",
    ]


# -- shapes ---------------------------------------------------------------------------------

WINDOWS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")  # their channels come from weights


def _cases() -> list[tuple[str, Case]]:
    return [(op, case) for op, cases in TABLES.items() for case in cases]


def test_every_prepare_says_which_shapes_its_outputs_have() -> None:
    """But of variables, whose shape is the file's: cases of several nodes."""
    for op, case in _cases():
        graph, tensors = case.graph, list(case.graph.tensors)
        if len(graph.nodes) > 1:
            assert op.endswith("_VARIABLE") or op in ("CALL_ONCE", "VAR_HANDLE")
            continue
        (node,) = graph.nodes
        for index in node.outputs:
            own = tensors[index].shape
            last = own[-1:] if node.op in WINDOWS else (1,) * len(own[-1:])
            tensors[index] = replace(tensors[index], shape=(1,) * len(own[:-1]) + last)
        found = shapes.expected(replace(graph, tensors=tuple(tensors)), 0)
        assert found == {i: graph.tensors[i].shape for i in node.outputs}, (op, case.name)


def test_sizes_that_no_pass_can_know_are_refused_with_the_tensor_and_its_signature() -> None:
    with pytest.raises(mi.UnsupportedModel) as caught:
        mi.load(FOLDER / "any_size.tflite")
    text = str(caught.value)
    assert "open sizes besides the batch, (-1, -1, -1, 3); export the model with fixed" in text
    assert caught.value.problems[0].tensor.startswith("serving_default_keras_tensor")


def test_a_batch_that_the_model_does_not_leave_open() -> None:
    with pytest.raises(mi.BadInput, match=r"exported with fixed shapes, .* \[1, 8, 8, 1\]"):
        mi.load("models/digits_int8.tflite", batch=2)
    with pytest.raises(mi.BadInput, match="got a batch of 0, expected 1 or more"):
        mi.load(FOLDER / "unet.tflite", batch=0)


def test_a_layer_that_cannot_follow_the_batch_is_refused() -> None:
    x = replace(activation((1, 4)), shape_signature=(-1, 4))
    y = activation((2, 2), name="y")
    graph = Graph((x, int32([2, 2]), y), (Node("RESHAPE", (0, 1), (2,)),), (0,), (2,))
    mi.Interpreter(graph)
    with pytest.raises(
        mi.UnsupportedModel, match=r"has 4 elements \(shape \(2, 2\)\), its input has 12"
    ):
        mi.Interpreter(with_batch(graph, 3))


# -- folding --------------------------------------------------------------------------------


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("numerics", ORACLES)
def test_weights_behind_movement_are_weights(numerics: str, transposed: bool) -> None:
    rng = np.random.default_rng(3)
    weights = constant(rng.integers(-127, 128, (3, 4) if transposed else (2, 6)), 0.1, name="w")
    moved = replace(activation((4, 3), 0.1, name="m"))
    x, y = activation((1, 3), 0.5, 3), activation((1, 4), 2.0, -5, name="y")
    operand = int32([1, 0] if transposed else [4, 3])
    node = Node(
        "TRANSPOSE" if transposed else "RESHAPE", (1, 2), (3,), version=2 if transposed else 1
    )
    dense = {
        "fused_activation_function": "NONE",
        "weights_format": "DEFAULT",
        "keep_num_dims": False,
    }
    layer = Node("FULLY_CONNECTED", (0, 3, -1), (4,), dense, location=1, version=4)
    graph = Graph((x, weights, operand, moved, y), (node, layer), (0,), (4,))
    rewritten = runnable(graph)
    assert [n.op for n in rewritten.nodes] == ["FULLY_CONNECTED"]
    inputs = samples(graph)
    theirs = ORACLES[numerics](write(rewritten), *inputs)
    if numerics == "litert":  # which takes such weights as they are
        theirs = litert_tensors(write(graph), *inputs)
    trace = mi.Interpreter(graph, numerics).trace(*inputs)
    assert wrong(trace, theirs) == {}
    assert c_is_equal(graph, trace, *inputs)


def test_a_result_that_only_its_shape_was_asked_of_is_not_computed() -> None:
    tensors = (
        activation((1, 4)),
        activation((1, 4), name="abs"),
        replace(int32([0, 0]), data=None, name="shape"),
        activation((1, 4), name="y"),
        activation((1, 4), name="unread"),
    )
    nodes = (
        Node("ABS", (0,), (1,), version=2),
        Node("SHAPE", (1,), (2,), {"out_type": "INT32"}, location=1),
        Node("RESHAPE", (0, 2), (3,), {}, location=2),
        Node("ABS", (0,), (4,), location=3),
    )
    rewritten = runnable(Graph(tensors, nodes, (0,), (3,)))
    assert [node.location for node in rewritten.nodes] == [2, 3]  # the file's own dead end stays


def test_what_a_model_gives_is_not_folded_away() -> None:
    tensors = (activation((1, 2)), int32([[1, 2]]), activation((1, 2), name="y"))
    tensors = (*tensors, replace(int32([[1], [2]]), data=None, name="z"), int32([1, 0]))
    nodes = (Node("ABS", (0,), (2,), version=2), Node("TRANSPOSE", (1, 4), (3,), location=1))
    graph = Graph(tensors, nodes, (0,), (2, 3))
    assert runnable(graph) is graph
    assert mi.Interpreter(graph).run(np.int8([[3, 4]]))[1].tolist() == [[1], [2]]


def test_what_a_node_writes_over_is_left_alone() -> None:
    """An output that is a constant or an input already: malformed, and for ``prepare`` to say."""
    tensors = (activation((1, 2)), int32([3]), int32([1, 2, 3]))
    nodes = (Node("SHAPE", (0,), (1,), {"out_type": "INT32"}), Node("ABS", (0,), (0,)))
    graph = Graph(tensors, nodes, (0,), (0,))
    assert runnable(graph) is graph
    with pytest.raises(mi.UnsupportedModel, match="is written, but holds a value already"):
        mi.Interpreter(graph)


def test_a_huge_result_is_left_to_be_refused() -> None:
    shape = (2**14, 2**15)
    tensors = (activation((1,)), int32(shape), int32(7), replace(int32(0), data=None, shape=shape))
    nodes = (Node("FILL", (1, 2), (3,)), Node("SHAPE", (3,), (4,), {"out_type": "INT32"}))
    graph = Graph((*tensors, int32([0, 0])), nodes, (0,), (0,))
    assert values(graph, 0) is None


# -- damaged files --------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_damaged_file_is_refused_or_run(name: str) -> None:
    """Graphs that contradict themselves: no pass may stumble before ``prepare`` says so."""
    survived = 0
    for damaged in mutants(data(name), seed=4, count=FUZZED):
        try:
            graph = read(damaged)
            for rewritten in (runnable(graph), mi.strip_float_io(graph), with_batch(graph, 2)):
                mi.Interpreter(rewritten)
            survived += 1
        except mi.MicroinferError:
            pass
    assert survived > 0
