"""Models with float32 at their edges: whole, and without the layers that convert."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from command_line import microinfer
from microinfer.graph import Graph, Node, Signature
from microinfer.ops.quantize import dequantize, quantize
from one_op import activation
from oracles import ORACLES, differing
from test_passes import FOLDER, data, samples

MODELS = ("reshape_float", "two_ports_float")


def _whole(name: str) -> Graph:
    return mi.load(FOLDER / f"{name}.tflite")


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("name", MODELS)
def test_the_caller_can_do_what_the_layers_did(name: str, numerics: str) -> None:
    whole = _whole(name)
    stripped = mi.strip_float_io(whole)
    ports = [stripped.tensors[i] for i in (*stripped.inputs, *stripped.outputs)]
    assert {tensor.type for tensor in ports} == {"INT8"}
    reals = samples(whole)
    integers = []
    for array, index in zip(reals, stripped.inputs, strict=True):
        own = stripped.tensors[index].quantization
        assert own is not None
        integers.append(quantize(array, np.float32(own.scale), own.zero_point))
    expected = mi.Interpreter(whole, numerics).run(*reals)
    native = mi.compile(stripped, numerics, flags=["-O1"])
    for outputs in (mi.Interpreter(stripped, numerics).run(*integers), native.run(*integers)):
        for output, index, real in zip(outputs, stripped.outputs, expected, strict=True):
            own = stripped.tensors[index].quantization
            assert own is not None
            assert differing(dequantize(output, own.scale, own.zero_point), real) == 0


def test_says_what_the_caller_has_to_do() -> None:
    (rewrite,) = mi.strip_float_io(_whole("two_ports_float")).rewrites
    assert rewrite.option == "--strip-float-io"
    assert len(rewrite.notes) == 4
    first, last = rewrite.notes[0], rewrite.notes[-1]
    assert first.startswith('Input 0, "serving_default_')
    assert "was float32 and is int8 now: q = round(real / 0.0" in first
    assert first.endswith(", saturated")
    assert last.startswith('Output 1, "StatefulPartitionedCall')
    assert " now: real = 0.0" in last


def _graph(*nodes: Node, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Graph:
    """Tensors 0 to 3 are float32, 4 to 9 int8."""
    floats = [activation((1, 2), None, name=f"f{i}") for i in range(4)]
    integers = [activation((1, 2), 0.5, 3, name=f"q{i}") for i in range(6)]
    placed = [replace(node, location=place) for place, node in enumerate(nodes)]
    names = {"x": inputs[0]}, {"y": outputs[0]}
    return Graph(
        tuple(floats + integers),
        tuple(placed),
        inputs,
        outputs,
        signatures=(Signature("main", *names),),
    )


def test_an_input_that_comes_as_int8_stays_and_so_does_one_that_has_two_readers() -> None:
    graph = _graph(
        Node("QUANTIZE", (0,), (4,)),
        Node("QUANTIZE", (1,), (5,)),
        Node("QUANTIZE", (1,), (6,)),
        Node("MAXIMUM", (4, 9), (7,)),
        Node("MAXIMUM", (5, 6), (8,)),
        Node("DEQUANTIZE", (7,), (2,)),
        inputs=(0, 1, 9),
        outputs=(2, 8),
    )
    stripped = mi.strip_float_io(graph)
    assert stripped.inputs == (4, 1, 9)
    assert stripped.outputs == (7, 8)
    assert [node.location for node in stripped.nodes] == [1, 2, 3, 4]
    assert (stripped.signatures[0].inputs, stripped.signatures[0].outputs) == ({"x": 4}, {"y": 7})
    assert len(stripped.rewrites[0].notes) == 2
    mi.Interpreter(stripped)


def test_a_float_result_that_is_used_further_stays() -> None:
    graph = _graph(
        Node("QUANTIZE", (0,), (4,)),
        Node("DEQUANTIZE", (4,), (1,)),
        Node("QUANTIZE", (1,), (5,)),
        inputs=(0,),
        outputs=(1, 5),
    )
    stripped = mi.strip_float_io(graph)
    assert (stripped.inputs, stripped.outputs) == ((4,), (1, 5))


def test_a_model_that_only_converts_keeps_a_layer() -> None:
    graph = _graph(
        Node("QUANTIZE", (0,), (4,)), Node("DEQUANTIZE", (4,), (1,)), inputs=(0,), outputs=(1,)
    )
    stripped = mi.strip_float_io(graph)
    assert (stripped.inputs, stripped.outputs, len(stripped.nodes)) == ((4,), (1,), 1)


def test_a_model_of_integers_is_given_back() -> None:
    graph = mi.load("models/gesture_int8.tflite")
    assert mi.strip_float_io(graph).rewrites == ()


# -- the command line -----------------------------------------------------------------------


@pytest.fixture
def floats(tmp_path: Path) -> str:
    (array,) = samples(_whole("reshape_float"))
    np.save(tmp_path / "x.npy", array[:, 0])
    return str(tmp_path / "x.npy")


MODEL = str(FOLDER / "reshape_float.tflite")


def test_run_takes_floats_and_gives_floats(floats: str, tmp_path: Path) -> None:
    place = tmp_path / "y.npy"
    assert microinfer("run", MODEL, "-i", floats, "-o", str(place)).code == 0
    (expected,) = mi.Interpreter(_whole("reshape_float")).run(np.load(floats))
    assert differing(np.load(place), expected) == 0


def test_run_without_the_layers(floats: str, tmp_path: Path) -> None:
    place = tmp_path / "y.npy"
    options = ["--strip-float-io", "--quantize-input", "--dequantize-output"]
    result = microinfer("run", MODEL, *options, "-i", floats, "-o", str(place))
    assert result.code == 0
    assert "was float32 and is int8 now: q = round(real / " in result.stderr
    (expected,) = mi.Interpreter(_whole("reshape_float")).run(np.load(floats))
    assert differing(np.load(place), expected) == 0
    refused = microinfer("run", MODEL, "--strip-float-io", "-i", floats)
    assert refused.code == 2
    assert "if these are real values, pass --quantize-input" in refused.stderr


def test_float64_for_a_float32_input_says_how_to_save_it(floats: str) -> None:
    np.save(floats, np.load(floats).astype(np.float64))
    result = microinfer("run", MODEL, "-i", floats)
    assert result.code == 2
    assert "save them as float32, values.astype(numpy.float32)" in result.stderr


@pytest.mark.parametrize("options", [[], ["--strip-float-io"], ["--batch", "3"]])
def test_verify_and_inspect(options: list[str]) -> None:
    result = microinfer("verify", MODEL, "--random", "2", "--numerics", "all", "--json", *options)
    assert json.loads(result.stdout)["identical"]
    facts = json.loads(microinfer("inspect", MODEL, "--json", *options).stdout)
    (port,) = facts["inputs"]
    assert port["dtype"] == ("int8" if "--strip-float-io" in options else "float32")
    assert port["shape"][0] == (3 if "--batch" in options else 1)


def test_codegen_says_it_in_the_header_and_in_its_command(tmp_path: Path) -> None:
    options = ["--batch", "2", "--strip-float-io", "--name", "net"]
    assert microinfer("codegen", MODEL, *options, "-o", str(tmp_path)).code == 0
    header = (tmp_path / "net.h").read_text()
    assert (
        "microinfer codegen reshape_float.tflite --name net --batch 2 --strip-float-io\n" in header
    )
    assert " *       q = round(real / 0.0" in header
    assert "was float32 and is int8 now:\n" in header
    assert "#define NET_INPUT_SIZE 288\n" in header
    whole = mi.generate(mi.load(MODEL), "net")["net.h"]
    assert "was float32" not in whole


def test_nothing_to_strip_and_no_batch_to_choose() -> None:
    result = microinfer("inspect", "models/gesture_int8.tflite", "--strip-float-io")
    assert result.code == 0
    assert "no float32 input or output to strip" in result.stderr
    result = microinfer("inspect", "models/gesture_int8.tflite", "--batch", "2")
    assert result.code == 2
    assert "exported with fixed shapes" in result.stderr
    assert microinfer("inspect", MODEL, "--batch", "0").code == 2


def test_tflm_gives_the_floats_of_a_whole_model() -> None:
    graph = _whole("two_ports_float")
    inputs = samples(graph)
    theirs = ORACLES["tflm"](data("two_ports_float"), *inputs)
    for index, output in zip(graph.outputs, mi.compile(graph).run(*inputs), strict=True):
        assert differing(output, theirs[index]) == 0
