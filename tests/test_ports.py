"""Inputs and outputs of other types than int8: pointers, macros, converters, self-test, samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from c_build import C_WARNINGS, SANITIZERS, WARNINGS, need, run, write
from command_line import microinfer
from microinfer.emit.selftest import pattern
from microinfer.graph import Graph, Node
from microinfer.ops.quantize import dequantize, quantize
from microinfer.tflite import read
from microinfer.tflite import write as write_tflite
from one_op import activation, one_op
from oracles import ORACLES, differing

# Scale and zero point of each type.
QUANTIZED = {"INT16": (0.001, 0), "INT8": (0.5, -3), "UINT8": (0.5, 130)}
REALS = [-1e9, -40.0, -32.7685, -0.0005, 0.0, 0.0004, 0.0015, 0.25, 32.7665, 1e30]


def two_ports(first: str, second: str) -> Graph:
    """Two inputs of two types, each reshaped to an output."""
    tensors = [
        activation(shape, *QUANTIZED[type_], name=f"{name}_{type_.lower()}", type=type_)
        for name, shape in (("x", (1, 10)), ("y", (10,)))
        for type_ in (first, second)
    ]
    options = {"new_shape": (10,)}
    nodes = tuple(Node("RESHAPE", (i,), (i + 2,), options, i) for i in range(2))
    return read(write_tflite(Graph(tuple(tensors), nodes, (0, 1), (2, 3), name="ports")))


MAIN = """
#include <stdio.h>
#include "m.h"
int main(void)
{
    static const float reals[10] = {%s};
    float back[10];
    int layer;
    if (m_selftest(&layer) != M_OK) {
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        if (m_quantize_input(i, reals) != M_OK) {
            return 2;
        }
    }
    if (m_invoke() != M_OK) {
        return 3;
    }
    for (int i = 0; i < 2; i++) {
        if (m_dequantize_output(i, back) != M_OK) {
            return 4;
        }
        for (int k = 0; k < 10; k++) {
            printf("%%a\\n", (double)back[k]);
        }
    }
    return 0;
}
"""


@pytest.mark.parametrize(
    "types", [("INT16", "INT16"), ("INT16", "UINT8"), ("UINT8", "UINT8")], ids="-".join
)
def test_converters_and_self_test_of_every_type(types: tuple[str, str], tmp_path: Path) -> None:
    need("gcc")
    graph = two_ports(*types)
    main = MAIN % ", ".join(f"{real!r}f" for real in np.float32(REALS).tolist())
    folder = write(tmp_path, {**mi.generate(graph, "m"), "main.c": main})
    flags = ["-std=c99", *C_WARNINGS, *SANITIZERS, "-DM_SELFTEST", "-o", "main"]
    run(["gcc", *flags, "m.c", "main.c"], folder)
    said = [float.fromhex(line) for line in run(["./main"], folder).stdout.split()]
    expected = []
    for type_ in types:
        scale, zero_point = QUANTIZED[type_]
        q = quantize(np.float32(REALS), np.float32(scale), zero_point, type_.lower())
        expected += dequantize(q, scale, zero_point).tolist()
    assert said == expected


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "types", [("INT16", "INT16"), ("INT8", "UINT8"), ("UINT8", "UINT8")], ids="-".join
)
def test_no_warnings(types: tuple[str, str], compiler: str, tmp_path: Path) -> None:
    need(compiler)
    plusplus = need({"gcc": "g++", "clang": "clang++"}[compiler])
    for arena in ("static", "caller"):
        folder = write(tmp_path / arena, mi.generate(two_ports(*types), "m", arena=arena))  # type: ignore[arg-type]
        common = ["-DM_TRACE", "-DM_SELFTEST", "-O2", "-c", "m.c", "-o", "m.o"]
        run([compiler, "-std=c99", *C_WARNINGS, *common], folder)
        run([plusplus, "-std=c++17", "-x", "c++", *WARNINGS, *common], folder)


def test_int16_runs_from_arrays_of_int16_only() -> None:
    graph = two_ports("INT16", "INT8")
    samples = np.arange(-15, 15, dtype=np.int16).reshape(3, 10) * np.int16(2000)
    other = np.zeros((3, 10), np.int8)
    for engine in (mi.Interpreter(graph), mi.compile(graph)):
        wide, _ = engine.run(samples, other)
        assert wide.dtype == np.int16
        assert wide.tolist() == samples.tolist()
        with pytest.raises(mi.BadInput, match=r"got dtype float64, expected int16; quantize it"):
            engine.run(samples / 2, other)


def test_the_self_tests_input_covers_the_whole_type() -> None:
    assert sorted(pattern(256, np.dtype(np.int8))) == list(range(-128, 128))
    assert sorted(pattern(65536, np.dtype(np.int16))) == list(range(-32768, 32768))


def uint8_edges() -> Graph:
    """What a converter makes of a model with uint8 inputs and outputs, around a RELU."""
    shape = (1, 2, 3)
    tensors = [
        activation(shape, 0.5, 100, "image", "UINT8"),
        activation(shape, 0.5, -28, "quantized"),
        activation(shape, 0.5, -28, "relu"),
        activation(shape, 0.25, 7, "raw", "UINT8"),
        activation((6,), 0.25, 7, "result", "UINT8"),
    ]
    nodes = (
        Node("QUANTIZE", (0,), (1,), {}, 0, version=2),
        Node("RELU", (1,), (2,), {}, 1, version=2),
        Node("QUANTIZE", (2,), (3,), {}, 2, version=2),
        Node("RESHAPE", (3,), (4,), {"new_shape": (6,)}, 3),
    )
    return read(write_tflite(Graph(tuple(tensors), nodes, (0,), (4,), name="uint8")))


def float_edges() -> Graph:
    """Reals that are reshaped before they are quantized, and after."""
    tensors = [
        activation((1, 2, 3), None, name="x"),
        activation((1, 6), None, name="flat"),
        activation((1, 6), 0.5, -28, "quantized"),
        activation((1, 6), 0.5, -28, "relu"),
        activation((1, 6), None, name="real"),
        activation((1, 3, 2), None, name="y"),
    ]
    nodes = (
        Node("RESHAPE", (0,), (1,), {"new_shape": (1, 6)}, 0),
        Node("QUANTIZE", (1,), (2,), {}, 1, version=2),
        Node("RELU", (2,), (3,), {}, 2, version=2),
        Node("DEQUANTIZE", (3,), (4,), {}, 3, version=2),
        Node("RESHAPE", (4,), (5,), {"new_shape": (1, 3, 2)}, 4),
    )
    return read(write_tflite(Graph(tuple(tensors), nodes, (0,), (5,), name="floats")))


def int16_inside() -> Graph:
    """Reals to int16, a gate, a norm, and reals again: shares memory between types."""
    shape, fine = (2, 5), 2.0**-15
    wide = {"type": "INT16"}
    tensors = [
        activation(shape, None, name="x"),
        activation(shape, 0.0003, name="quantized", **wide),
        activation(shape, fine, name="gate", **wide),
        activation(shape, 0.0002, name="gated", **wide),
        activation(shape, 0.0005, name="sum", **wide),
        activation(shape, fine, name="shares", **wide),
        activation(shape, None, name="y"),
    ]
    plain = {"fused_activation_function": "NONE", "pot_scale_int16": False}
    nodes = (
        Node("QUANTIZE", (0,), (1,), {}, 0, version=2),
        Node("LOGISTIC", (1,), (2,), {}, 1, version=2),
        Node("MUL", (1, 2), (3,), {"fused_activation_function": "NONE"}, 2, version=2),
        Node("ADD", (3, 1), (4,), plain, 3, version=2),
        Node("SOFTMAX", (4,), (5,), {"beta": 1.0}, 4, version=2),
        Node("DEQUANTIZE", (5,), (6,), {}, 5, version=2),
    )
    return read(write_tflite(Graph(tuple(tensors), nodes, (0,), (6,), name="int16")))


SAMPLES = {
    int16_inside: np.linspace(-9.0, 9.0, 10, dtype=np.float32).reshape(2, 5),
    uint8_edges: np.array([[[0, 100, 101], [130, 200, 255]]], np.uint8),
    float_edges: np.array([[[-3.0, 0.25, 0.2], [1.75, 60.0, 1e9]]], np.float32),
}
EXPECTED = {
    uint8_edges: [7, 7, 9, 67, 207, 255],
    float_edges: [0.0, 0.5, 0.0, 2.0, 60.0, 77.5],
}


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("model", SAMPLES, ids=lambda model: model.__name__)
def test_models_with_other_edges_run_whole(model: Callable[[], Graph], numerics: str) -> None:
    graph, sample = model(), SAMPLES[model]
    traces = [engine(graph, numerics).trace(sample) for engine in (mi.Interpreter, mi.compile)]
    theirs = ORACLES[numerics](write_tflite(graph), sample[None])
    for trace in traces:
        if model in EXPECTED:
            assert trace.tensor(graph.outputs[0]).reshape(-1).tolist() == EXPECTED[model]
        assert len(theirs) == len(graph.nodes)
        for index, expected in theirs.items():
            assert not differing(trace.tensor(index), expected[0])


def test_a_model_quantized_to_uint8_is_refused_with_what_to_do() -> None:
    x, y = (activation((1, 4), 0.5, 128, name, "UINT8") for name in "xy")
    with pytest.raises(mi.UnsupportedModel) as refusal:
        mi.plan(one_op("RELU", [x], y))
    (first, *_) = refusal.value.problems
    assert (first.layer, first.op, first.tensor) == (0, "RELU", "x")
    assert first.reason == "has type UINT8, expected INT8 or INT16"
    assert "convert the model again with int8" in first.fix


@pytest.mark.parametrize(("type_", "real"), [("INT16", 32.767), ("UINT8", 62.5)])
def test_the_command_line_takes_and_gives_reals_of_every_type(
    type_: str, real: float, tmp_path: Path
) -> None:
    x, y = (activation((1, 4), *QUANTIZED[type_], name, type_) for name in "xy")
    model = tmp_path / "ports.tflite"
    model.write_bytes(write_tflite(one_op("RESHAPE", [x], y, new_shape=(1, 4))))
    np.save(tmp_path / "reals.npy", np.float32([[-1.0, 0.5, 7.0, 1000.0]]))
    said = microinfer("run", model, "-i", tmp_path / "reals.npy", "--quantize-input", "--json")
    scale, zero_point = QUANTIZED[type_]
    (output,) = said.json["outputs"]
    assert (output["dtype"], output["zero_point"]) == (type_.lower(), zero_point)
    top = np.iinfo(type_.lower()).max
    assert output["values"] == [[[*(round(v / scale) + zero_point for v in (-1, 0.5, 7)), top]]]
    arguments = ["-i", tmp_path / "reals.npy", "--quantize-input", "--dequantize-output", "--json"]
    reals = microinfer("run", model, *arguments).json["outputs"][0]["values"][0][0]
    np.testing.assert_allclose(reals, [-1.0, 0.5, 7.0, real], rtol=1e-6)
    assert f"{type_.lower()} 1x4" in microinfer("run", model, "--random", "1").stdout
    assert microinfer("verify", model, "--random", "3").code == 0
    assert type_.lower() in microinfer("inspect", model).stdout
    assert microinfer("codegen", model, "-o", tmp_path / "c", "--name", "ports").code == 0


@pytest.mark.parametrize("type_", ["INT16", "UINT8"])
def test_files_of_every_type(type_: str, tmp_path: Path) -> None:
    x, y = (activation((1, 4), *QUANTIZED[type_], name, type_) for name in "xy")
    model = tmp_path / "ports.tflite"
    model.write_bytes(write_tflite(one_op("RESHAPE", [x], y, new_shape=(1, 4))))
    values = np.array([[0, 1, 200, 255]], type_.lower())
    (tmp_path / "x.csv").write_text(",".join(map(str, values[0])))
    (tmp_path / "x.bin").write_bytes(values.tobytes())
    np.save(tmp_path / "x.npy", values)
    for file in ("x.csv", "x.bin", "x.npy"):
        said = microinfer("run", model, "-i", tmp_path / file, "--json")
        assert said.json["outputs"][0]["values"] == [values.tolist()], (file, said)


def test_pixels_for_a_uint8_input_are_quantized_on_request(tmp_path: Path) -> None:
    """0 and 255 stand for 0 and 2.55 there, and 0.5 is a step of the model's."""
    x, y = (activation((1, 3), *QUANTIZED["UINT8"], name, "UINT8") for name in "xy")
    model = tmp_path / "ports.tflite"
    model.write_bytes(write_tflite(one_op("RESHAPE", [x], y, new_shape=(1, 3))))
    np.save(tmp_path / "x.npy", np.uint8([[0, 100, 255]]))
    said = microinfer("run", model, "-i", tmp_path / "x.npy", "--image-range", "0,2.55", "--json")
    assert said.json["outputs"][0]["values"] == [[[130, 132, 135]]]
