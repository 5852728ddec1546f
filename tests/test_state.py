"""State in Python: samples are invocations in a row, a reset begins anew, traces show the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import microinfer as mi
import recurrent
from compared import Compared
from microinfer.cli import main
from microinfer.emit import generate
from microinfer.graph import Graph, Node, Tensor
from microinfer.ops import results
from microinfer.state import states
from microinfer.tflite import read, write
from one_op import activation, one_op, quantization
from oracles import ORACLES, differing

ENGINES: dict[str, Callable[[Graph], Any]] = {"numpy": mi.Interpreter, "c": mi.compile}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Any:
    """One of ``everything``, for all tests: each begins with a reset."""
    return ENGINES[request.param](recurrent.everything())


def samples(count: int = 6) -> np.ndarray:
    return np.random.default_rng(3).integers(-128, 128, (count, 1, 2)).astype(np.int8)


def test_samples_are_invocations_in_a_row(engine: Any) -> None:
    engine.reset()
    (together,) = engine.run(samples())
    engine.reset()
    one_by_one = [engine.run(sample)[0] for sample in samples()]
    np.testing.assert_array_equal(together, np.stack(one_by_one))
    engine.reset()
    parts = [engine.run(samples()[:1])[0], engine.trace(samples()[1:4]).layers[-1].outputs[0]]
    parts.append(engine.run(samples()[4:])[0])
    np.testing.assert_array_equal(together, np.concatenate(parts))


def test_the_order_of_samples_matters_and_a_reset_begins_anew(engine: Any) -> None:
    engine.reset()
    (first,) = engine.run(samples())
    (second,) = engine.run(samples())
    assert (first != second).any()
    engine.reset()
    np.testing.assert_array_equal(engine.run(samples())[0], first)
    engine.reset()
    (backwards,) = engine.run(samples()[::-1])
    assert (backwards[::-1] != first).any()


def test_a_new_one_is_reset() -> None:
    graph = recurrent.everything()
    used, new = mi.Interpreter(graph), mi.Interpreter(graph)
    used.run(samples())
    used.reset()
    np.testing.assert_array_equal(used.run(samples())[0], new.run(samples())[0])


def test_two_do_not_share_their_state() -> None:
    graph = recurrent.everything()
    (expected,) = mi.Interpreter(graph).run(samples())
    a, b = mi.Interpreter(graph), mi.Interpreter(graph)
    for sample, output in zip(samples(), expected, strict=True):
        np.testing.assert_array_equal(a.run(sample)[0], output)
        b.run(sample[::-1])


def test_groups_of_samples_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = recurrent.everything()
    (expected,) = mi.Interpreter(graph).run(samples())
    model = recurrent.lstm(
        (0.04, 1), [(np.ones((3, 2)), 0.1)] * 4 + [(np.ones((3, 3)), 0.1)] * 4,
        np.zeros((4, 3)), (0.008, -2), -12, steps=2,
    )  # fmt: skip
    x = np.random.default_rng(3).integers(-128, 128, (9, 1, 2, 2)).astype(np.int8)
    (whole,) = mi.Interpreter(model).run(x)
    monkeypatch.setattr("microinfer.interpreter.GROUP_ELEMENTS", 16)
    np.testing.assert_array_equal(mi.Interpreter(graph).run(samples())[0], expected)
    np.testing.assert_array_equal(mi.Interpreter(model).run(x)[0], whole)


def test_what_a_run_gives_and_takes_is_not_the_state(engine: Any) -> None:
    engine.reset()
    expected = [engine.run(sample)[0] for sample in samples()]
    engine.reset()
    for sample, output in zip(samples().copy(), expected, strict=True):
        (mine,) = engine.run(sample)
        np.testing.assert_array_equal(mine, output)
        mine[:], sample[:] = 99, 99


@pytest.mark.parametrize("numerics", ORACLES)
def test_a_chain_with_state_equals_the_runtimes(numerics: str, compared: Compared) -> None:
    """LiteRT without the SVDF of an int8 state, which it cannot run."""
    rng = np.random.default_rng(6)
    gates = [(rng.integers(-127, 128, (3, 6)), 0.01)] * 4
    gates += [(rng.integers(-127, 128, (3, 3)), 0.01)] * 4
    graph = recurrent.everything()
    if numerics == "litert":
        queue = recurrent.queue(4, 2, (0.1, 3), first=[5, 6, 7, 8])
        cells = recurrent.lstm((0.1, 3), gates, rng.integers(-999, 999, (4, 3)), (0.01, 0), -11)
        graph = recurrent.chain(queue, cells)
    x = samples(30)
    theirs = ORACLES[numerics](write(graph), x)
    trace = mi.Interpreter(graph, numerics).trace(x)
    assert set(theirs) == {index for node in graph.nodes for index in results(node)}
    wrong = sum(differing(trace.tensor(index), values) for index, values in theirs.items())
    elements = sum(values.size for values in theirs.values())
    compared("a chain with state", numerics, f"{len(x)} inputs", elements, wrong)
    assert wrong == 0


def test_traces_have_the_state_after_its_layer(tmp_path: Path) -> None:
    graph = recurrent.svdf((1.0, 0), ([[1]], 1.0), ([[1, 10]], 1.0), (1.0, 0), (1.0, 0), [0])
    trace = mi.Interpreter(graph).trace(np.array([[[1]], [[2]]], np.int8))
    (layer,) = trace.layers
    state = layer.node.inputs[4]
    assert [array.tolist() for array in layer.outputs] == [[[[10]], [[21]]], [[[0, 1]], [[1, 2]]]]
    assert trace.tensor(state).tolist() == [[[0, 1]], [[1, 2]]]
    trace.save(tmp_path / "a.npz")
    loaded = mi.Trace.load(tmp_path / "a.npz")
    assert loaded.tensor(state).tolist() == [[[0, 1]], [[1, 2]]]
    assert mi.diff(trace, loaded).identical
    other = mi.Interpreter(graph).trace(np.array([[[3]], [[2]]], np.int8))
    assert mi.diff(trace, other).differing == 2 + 2


def test_a_device_sends_its_state_as_well() -> None:
    graph = recurrent.svdf((1.0, 0), ([[1]], 1.0), ([[1, 10]], 1.0), (1.0, 0), (1.0, 0), [0])
    dump = bytes([10]) + np.array([0, 1], "<i2").tobytes()
    trace = mi.Trace.from_bytes(graph, dump, np.array([[1]], np.int8))
    assert mi.diff(trace, mi.Interpreter(graph).trace(np.array([[1]], np.int8))).identical


@pytest.mark.parametrize("engine_of", ENGINES.values(), ids=ENGINES)
def test_a_constant_input_is_one_of_every_invocation(engine_of: Callable[[Graph], Any]) -> None:
    """The SVDF sees only a constant, but as often as the model is invoked."""
    inner = recurrent.svdf((1.0, 0), ([[1]], 1.0), ([[1, 10]], 1.0), (1.0, 0), (1.0, 0), [0])
    tensors = list(inner.tensors)
    tensors[0] = replace(tensors[0], data=np.array([[3]], np.int8))
    x = activation((1, 1))
    y = replace(x, name="y")
    add = recurrent.node("ADD", [len(tensors), inner.outputs[0]], [len(tensors) + 1])
    graph = read(write(Graph(
        (*tensors, x, y), (*inner.nodes, add), (len(tensors),), (len(tensors) + 1,), "main",
    )))  # fmt: skip
    (outputs,) = engine_of(graph).run(np.array([[[0]], [[1]]], np.int8))
    assert outputs.tolist() == [[[30]], [[34]]]


# -- what a reset gives ---------------------------------------------------------------------


def test_first_values() -> None:
    """int8 variable tensors their zero point, int16 0; variables by CALL_ONCE or TFLM's rule."""
    graph = recurrent.everything()
    first = {state.tensor.name: state.initial.ravel().tolist() for state in states(graph).values()}
    assert first["hidden"] == [-2] * 4
    assert first["cell"] == [0] * 4
    assert first["queue"] == [1, -2, 3, -4]
    kept = {(s.tensor.type, *s.initial.ravel().tolist()) for s in states(graph).values()}
    assert {("INT16", *[0] * 18), ("INT8", *[4] * 15)} <= kept
    (state,) = states(recurrent.queue(2, 1, (0.5, -3))).values()
    assert state.initial.tolist() == [[-3, -3]]
    (state,) = states(recurrent.queue(2, 1, (0.5, 3), type="INT16")).values()
    assert state.initial.tolist() == [[0x0303, 0x0303]]


# -- refused --------------------------------------------------------------------------------


def problems(graph: Graph, numerics: str = "tflm") -> str:
    with pytest.raises(mi.UnsupportedModel) as caught:
        mi.Interpreter(graph, numerics)
    with pytest.raises(mi.UnsupportedModel):
        generate(graph, "m", numerics=numerics)
    return str(caught.value)


def gates(count: int = 1) -> list[tuple[np.ndarray, float]]:
    return [(np.ones((count, count)), 0.1)] * 8


def lstm(**changes: Any) -> Graph:
    own: dict[str, Any] = {"biases": np.zeros((4, 1)), "hidden": (0.01, 0), "power": -12}
    return recurrent.lstm((0.1, 0), gates(), **{**own, **changes})


def with_input(graph: Graph, position: int, tensor: Tensor | None) -> Graph:
    """The one node's input at ``position`` replaced."""
    (node,) = graph.nodes
    inputs = list(node.inputs)
    inputs[position] = -1 if tensor is None else len(graph.tensors)
    tensors = graph.tensors if tensor is None else (*graph.tensors, tensor)
    return replace(graph, tensors=tensors, nodes=(replace(node, inputs=tuple(inputs)),))


def with_tensor(graph: Graph, name: str, **changes: Any) -> Graph:
    tensors = [replace(t, **changes) if t.name == name else t for t in graph.tensors]
    return replace(graph, tensors=tuple(tensors))


def svdf(**changes: Any) -> Graph:
    own: dict[str, Any] = {"state": (1.0, 0), "bias": [0]}
    return recurrent.svdf(
        (1.0, 0), ([[1]], 1.0), ([[1, 10]], 1.0), output=(1.0, 0), **{**own, **changes}
    )


def once(node: Node | None = None, **changes: Any) -> Graph:
    """A queue with a beginning whose subgraph is changed, or has one more node."""
    graph = recurrent.queue(2, 1, first=[1, 2])
    (called,) = graph.subgraphs
    nodes = called.nodes if node is None else (*called.nodes, node)
    tensors = tuple(replace(t, **changes) if t.name == "first" else t for t in called.tensors)
    return replace(graph, subgraphs=(replace(called, nodes=nodes, tensors=tensors),))


def reading(output: Tensor) -> Graph:
    graph = recurrent.queue(2, 1)
    tensors = (*graph.tensors, output)
    read_ = recurrent.node("READ_VARIABLE", [7], [len(graph.tensors)])
    return replace(graph, tensors=tensors, nodes=(*graph.nodes, read_))


WIDE = Tensor("p", (1,), "INT16", quantization(2.0**-10), np.ones(1, np.int16))
REFUSED: dict[str, tuple[Callable[[], Graph], str]] = {
    "peepholes": (lambda: with_input(lstm(), 9, WIDE), "belongs to peepholes"),
    "projection": (lambda: with_input(lstm(), 16, WIDE), "belongs to a projection"),
    "layer norm": (lambda: with_input(lstm(), 20, WIDE), "belongs to layer normalization"),
    "coupled": (lambda: with_input(lstm(), 1, None), "couples its input and forget gate"),
    "no bias": (lambda: with_input(lstm(), 13, None), "input 13 is absent"),
    "relu": (lambda: lstm(fused_activation_function="RELU"), "activation RELU, expected TANH"),
    "cell scale": (lambda: lstm(power=-8), "expected a power of two in 2^-15..2^-9"),
    "cell clip": (lambda: lstm(cell_clip=1e-9), "has cell_clip 1e-09"),
    "no variable": (lambda: with_tensor(lstm(), "cell", is_variable=False), "no variable tensor"),
    "cell type": (lambda: with_tensor(lstm(), "cell", type="INT8"), "type INT8, expected INT16"),
    "zero point": (
        lambda: with_tensor(lstm(), "w3", quantization=quantization(0.1, 1)),
        "has zero point 1, expected 0",
    ),
    "state shape": (lambda: with_tensor(svdf(), "state", shape=(1, 3)), "has shape (1, 3)"),
    "state zero point": (lambda: svdf(state=(1.0, 5)), "has zero point 5, expected 0"),
    "rank": (lambda: svdf(rank=2, bias=[]), "does not fit rank 2"),
    "int8 state, no bias": (lambda: svdf(type="INT8", bias=None), "no runtime computes"),
    "variable output": (
        lambda: replace(svdf(), outputs=(4,)), "is a model output that no layer computes"
    ),
    "variable input": (
        lambda: with_tensor(one_op("RELU", [activation((1,))], activation((1,))), "x",
                            is_variable=True),
        "is a model input and a variable tensor",
    ),
    "another's state": (
        lambda: replace(svdf(), nodes=(svdf().nodes[0], recurrent.node("RELU", [4], [5]))),
        "is a variable tensor, and not the layer's state",
    ),
    "unassigned": (
        lambda: replace(recurrent.queue(2, 1), nodes=recurrent.queue(2, 1).nodes[:-1]),
        'is read from "queue", which nothing assigns',
    ),
    "two types": (lambda: reading(activation((1, 2), None)), "but its variable holds INT8 (1, 2)"),
    "two shapes": (lambda: reading(activation((1, 3))), "but its variable holds INT8 (1, 2)"),
    "computed first": (lambda: once(data=None), "is computed in an initialisation"),
    "first does more": (
        lambda: once(recurrent.node("RELU", [1], [1])), "calls a subgraph with RELU"
    ),
    "no subgraph": (
        lambda: replace(recurrent.queue(2, 1, first=[1, 2]), subgraphs=()),
        "calls subgraph 1, which is not there",
    ),
    "too late": (
        lambda: replace(once(), nodes=(*once().nodes[1:], once().nodes[0])),
        "comes after a layer that uses variables",
    ),
    "no handle": (
        lambda: with_tensor(recurrent.queue(2, 1), "handle", type="INT32", shape=(1,)),
        "has type INT32, expected a handle",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    graph, reason = REFUSED[name]
    assert reason in problems(graph())


def test_one_state_of_two_layers_is_refused() -> None:
    graph = svdf()
    (node,) = graph.nodes
    second = replace(
        node, inputs=(node.outputs[0], *node.inputs[1:]), outputs=(len(graph.tensors),)
    )
    y = replace(graph.tensors[node.outputs[0]], name="z")
    twice = replace(graph, tensors=(*graph.tensors, y), nodes=(node, second))
    assert "is the state of layer 0 already" in problems(twice)


def test_litert_needs_the_intermediate_tensors() -> None:
    graph = lstm()
    bare = replace(graph, nodes=(replace(graph.nodes[0], intermediates=()),))
    mi.Interpreter(bare, "tflm")
    assert "has 0 intermediate tensors, LiteRT needs 5" in problems(bare, "litert")


# -- the command line -----------------------------------------------------------------------


def test_the_command_line_runs_and_verifies_invocations(tmp_path: Path) -> None:
    model, file = tmp_path / "m.tflite", tmp_path / "x.npy"
    model.write_bytes(write(recurrent.everything()))
    np.save(file, samples())
    (expected,) = mi.Interpreter(recurrent.everything()).run(samples())

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(main, [*arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    said("run", str(model), "--input", str(file), "--output", str(tmp_path / "y.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy").reshape(-1), expected.reshape(-1))
    assert "identical" in said("verify", str(model), "--input", str(file))
    assert "bytes of arena, " in said("inspect", str(model))
    assert '"state_bytes":' in said("inspect", str(model), "--json")
    for verb in ("run", "verify"):
        assert "consecutive invocations" in " ".join(said(verb, "--help").split())


def test_no_state_no_reset_in_c() -> None:
    files = generate(one_op("RELU", [activation((1, 4))], activation((1, 4), name="y")), "m")
    assert "reset" not in (files["m.c"] + files["m.h"]).lower()
