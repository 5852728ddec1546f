"""What `inspect` and `run` print and write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from command_line import DIGITS, DIGITS_INPUTS, GESTURE, MODELS, Said, microinfer
from microinfer.graph import Graph, Node, Tensor
from microinfer.ops.quantize import dequantize
from microinfer.tflite import write
from one_op import quantization

GESTURE_REPORT = """\
gesture_int8.tflite: 9 layers, SHA-256 705ff99336db343e...
arithmetic: tflm (TensorFlow Lite Micro, reference kernels or CMSIS-NN)

          tensor                     dtype  shape         scale  zero point
input 0   serving_default_motion:0   int8   1x50x6  0.007843138          -1
output 0  StatefulPartitionedCall:0  int8   1x3      0.00390625        -128

layer  operator         output      MACs  const bytes  multiplier
    0  RESHAPE          1x1x50x6                       (same bytes)
    1  CONV_2D          1x1x50x8   7,200          312  0.00335..0.00546
    2  MAX_POOL_2D      1x1x25x8                   56
    3  CONV_2D          1x1x25x16  9,600          624  0.00167..0.00294
    4  MAX_POOL_2D      1x1x12x16                  56
    5  RESHAPE          1x192                          (same bytes)
    6  FULLY_CONNECTED  1x16       3,072        3,268  0.000209..0.00118
    7  FULLY_CONNECTED  1x3           48          127  0.00154..0.00205
    8  SOFTMAX          1x3                        20

RAM       700  bytes of arena, 12 of them scratch of kernels
flash   4,463  bytes of constants; the code comes on top
work   19,920  multiply-accumulates (MACs)

Memory map: a row per buffer, a column per layer, # where it is in use.
i: inputs are filled, o: outputs are read, +1: another tensor in the same bytes.

   bytes  tensor                          i0    5   o
  0..400  gesture_1/conv1_1/Relu          ..##.......
  0..400  gesture_1/conv2_1/Relu          ....##.....
  0.. 16  gesture_1/hidden_1/MatMul       .......##..
  0.. 12  (scratch of layer 8)            .........#.
 16.. 19  gesture_1/classify_1/MatMul +1  ........###
400..700  serving_default_motion:0 +1     ###........
400..600  gesture_1/pool1_1/MaxPool1d     ...##......
400..592  gesture_1/pool2_1/MaxPool1d +1  .....###...
     700  most bytes in use                 ^
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_inspect() -> None:
    assert microinfer("inspect", GESTURE) == Said(0, GESTURE_REPORT, "")


@pytest.mark.parametrize("model", [DIGITS, GESTURE, MODELS / "vibration_int8.tflite"])
@pytest.mark.parametrize("numerics", ["tflm", "litert"])
def test_inspect_json_is_the_plan(model: Path, numerics: str) -> None:
    planned = mi.plan(mi.load(model), numerics)
    facts = microinfer("inspect", model, "--json", "--numerics", numerics).json
    assert facts["sha256"] == planned.graph.sha256
    assert facts["arena_bytes"] == planned.arena_bytes
    assert facts["scratch_bytes"] == planned.scratch_bytes
    assert facts["constant_bytes"] == planned.constant_bytes
    assert facts["macs"] == planned.macs
    layers = facts["layers"]
    assert [layer["op"] for layer in layers] == [node.op for node in planned.graph.nodes]
    assert sum(layer["constant_bytes"] for layer in layers) == planned.constant_bytes
    assert sum(layer["macs"] for layer in layers) == planned.macs
    assert max(buffer["offset"] + buffer["bytes"] for buffer in facts["buffers"]) == (
        planned.arena_bytes
    )
    (port,) = facts["inputs"]
    tensor = planned.tensor(planned.graph.inputs[0])
    assert tensor.quantization is not None
    assert (port["scale"], port["zero_point"]) == (
        tensor.quantization.scale,
        tensor.quantization.zero_point,
    )


def test_inspect_says_the_same_real_multipliers_as_the_model() -> None:
    graph = mi.load(GESTURE)
    layer = microinfer("inspect", GESTURE, "--json").json["layers"][1]
    x, w, y = (graph.tensors[i].quantization for i in (*layer["inputs"][:2], *layer["outputs"]))
    assert x is not None
    assert w is not None
    assert y is not None
    np.testing.assert_allclose(layer["multipliers"], x.scale * w.scales / y.scale, rtol=1e-6)


def chain(layers: int) -> Path:
    """A model of many layers whose tensors have long names."""
    scale = quantization(0.5)
    scopes = "/".join(["a_rather_long_scope"] * 4)
    tensors = tuple(
        Tensor(f"{scopes}/{i};fused/{i}", (1, 96, 96, 64), "INT8", scale) for i in range(layers + 1)
    )
    nodes = tuple(Node("RELU", (i,), (i + 1,)) for i in range(layers))
    path = Path("chain.tflite")
    path.write_bytes(write(Graph(tensors, nodes, (0,), (layers,))))
    return path


@pytest.mark.parametrize(
    ("layers", "each"),
    [(1, "layer"), (30, "layer"), (38, "layer"), (39, "2 layers"), (500, "13 layers")],
)
def test_inspect_fits_80_columns(layers: int, each: str) -> None:
    said = microinfer("inspect", chain(layers))
    assert said.code == 0
    lines = said.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"Memory map: a row per buffer, a column per {each}, # where it is in use." in lines
    assert f"a_rather_long_scope/{layers}" in said.stdout


def test_inspect_uses_the_width_that_there_is() -> None:
    said = microinfer("inspect", chain(100), columns=200)
    assert "a column per layer," in said.stdout
    assert 150 < max(map(len, said.stdout.splitlines())) <= 200


def test_run_prints_one_sample() -> None:
    np.save("x.npy", np.load(DIGITS_INPUTS)[:1])
    assert (
        microinfer("run", DIGITS, "-i", "x.npy").stdout
        == """\
digits_int8.tflite, 1 sample of x.npy, arithmetic of tflm

output 0 "StatefulPartitionedCall:0", int8 1x10
element  int8    real
      0  -128       0
      1  -128       0
      2  -128       0
      3  -128       0
      4   127  0.9961
      5  -128       0
      6  -128       0
      7  -128       0
      8  -128       0
      9  -128       0
"""
    )


def test_run_prints_the_largest_of_many_elements() -> None:
    samples = np.load(MODELS / "vibration_inputs.npy")
    (outputs,) = mi.Interpreter(mi.load(MODELS / "vibration_int8.tflite")).run(samples[:1])
    np.save("x.npy", samples[:1])
    lines = microinfer("run", MODELS / "vibration_int8.tflite", "-i", "x.npy").stdout.splitlines()
    shown = [[int(word) for word in line.split()[:2]] for line in lines[4:9]]
    order = np.argsort(-outputs[0].astype(int), kind="stable")[:5]
    assert shown == [[int(i), int(outputs[0, i])] for i in order]
    assert lines[9].startswith(f"... and 123 smaller ones, down to {outputs.min()} = ")


def test_run_prints_many_samples() -> None:
    said = microinfer("run", DIGITS, "-i", DIGITS_INPUTS)
    lines = said.stdout.splitlines()
    assert lines[3:5] == [
        "sample  largest          second       third",
        "     0  4: 127 = 0.9961  0: -128 = 0  1: -128 = 0",
    ]
    assert lines[14:] == [
        "... and 90 more samples; --json prints all, --output saves them",
        "largest element of all 100 samples: 0 in 9, 1 in 10, 2 in 11, 3 in 10, 4 in 11,",
        "  5 in 9, 6 in 10, 7 in 10, 8 in 9, 9 in 11",
    ]
    assert max(map(len, lines)) <= 80


def test_run_saves_outputs_and_trace() -> None:
    samples = np.load(DIGITS_INPUTS)
    interpreter = mi.Interpreter(mi.load(DIGITS))
    (expected,) = interpreter.run(samples)
    said = microinfer("run", DIGITS, "-i", DIGITS_INPUTS, "-o", "out.npy", "--trace", "t.npz")
    assert said.stderr == "wrote out.npy\nwrote t.npz\n"
    np.testing.assert_array_equal(np.load("out.npy"), expected)
    trace = mi.Trace.load("t.npz")
    assert mi.diff(trace, interpreter.trace(samples)).identical

    assert microinfer("run", DIGITS, "-i", DIGITS_INPUTS, "-o", "out.npz").code == 0
    np.testing.assert_array_equal(np.load("out.npz")["output_0"], expected)
    microinfer("run", DIGITS, "-i", DIGITS_INPUTS, "-o", "real.npy", "--dequantize-output")
    np.testing.assert_array_equal(np.load("real.npy"), dequantize(expected, 1 / 256, -128))
    assert sorted(path.name for path in Path().iterdir()) == [
        "out.npy",
        "out.npz",
        "real.npy",
        "t.npz",
    ]


@pytest.mark.parametrize(
    ("option", "name", "error"),
    [
        ("-o", "no/out.npy", "there is no folder no"),
        ("-o", "folder.npy", "it is a folder, expected a file name"),
        ("-o", "out.txt", "its name has to end in .npy or .npz"),
        ("--trace", "no/t.npz", "there is no folder no"),
        ("--trace", "trace", "its name has to end in .npz"),
        ("--trace", "t.npy", "its name has to end in .npz"),
        ("--trace", "x.npz", "the run reads it; choose another name"),
        ("-o", "folder.npy/../x.npz", "the run reads it; choose another name"),
        ("-o", "t.npz", "the trace goes there; choose another name"),
    ],
)
def test_run_refuses_a_place_before_it_runs(option: str, name: str, error: str) -> None:
    Path("folder.npy").mkdir()
    np.savez("x.npz", x=np.load(DIGITS_INPUTS))
    options = [option, name] + (["--trace", "t.npz"] if name == "t.npz" else [])
    said = microinfer("run", DIGITS, "-i", "x.npz:x", *options)
    assert said == Said(2, "", f"error: cannot write {name}: {error}\n")
    assert sorted(path.name for path in Path().iterdir()) == ["folder.npy", "x.npz"]


def test_run_does_not_overwrite_its_model() -> None:
    Path("model.npz").write_bytes(DIGITS.read_bytes())
    Path("link.npz").symlink_to("model.npz")
    for name in ("model.npz", "link.npz"):
        said = microinfer("run", "model.npz", "--random", "1", "--trace", name)
        error = f"cannot write {name}: the run reads it; choose another name"
        assert said == Said(2, "", f"error: {error}\n")
    assert Path("model.npz").read_bytes() == DIGITS.read_bytes()


def test_run_leaves_no_half_written_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(file: Any, array: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    Path("out.npy").write_text("earlier")
    monkeypatch.setattr(np, "save", failing)
    said = microinfer("run", DIGITS, "-i", DIGITS_INPUTS, "-o", "out.npy")
    assert said == Said(2, "", "error: cannot write out.npy: No space left on device\n")
    assert [path.name for path in Path().iterdir()] == ["out.npy"]
    assert Path("out.npy").read_text() == "earlier"
