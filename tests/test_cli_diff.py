"""What `diff` prints, of what it takes, and how it fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from c_build import need
from command_line import DIGITS, DIGITS_INPUTS, MODELS, Said, microinfer
from dumped import decimal, dumped
from microinfer.debug import oracles
from microinfer.tflite import write
from recurrent import everything
from shared_models import shared_model


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trace() -> mi.Trace:
    """Of the first sample, which is written into the folder."""
    x = np.load(DIGITS_INPUTS)[:1]
    np.save("x.npy", x)
    return mi.Interpreter(mi.load(DIGITS)).trace(x[0])


def diff(*arguments: str | Path, model: Path = DIGITS, columns: int | None = None) -> Said:
    return microinfer("diff", model, *arguments, columns=columns)


def rows(said: Said) -> dict[int, list[str]]:
    """The table, by layer: verdict ("" where there is none), operator, and the end of the line."""
    found = {}
    for line in said.stdout.splitlines():
        match = re.fullmatch(r"(PASS|FAIL|----|\?\?\?\?)? +(\d+)  (\w+) +(?:\S+)? +(.*)", line)
        if match:
            found[int(match[2])] = [match[1] or "", match[3], match[4].strip()]
    return found


def test_a_dump_with_a_wrong_value(trace: mi.Trace) -> None:
    wrong = trace[4].outputs[0].reshape(-1)
    right = int(wrong[7])
    wrong[7] = right - 3
    text = dumped(trace, range(11))
    Path("board.log").write_text(f"boot\n{text}done\n")
    said = diff("-i", "x.npy", "--against", "board.log")
    assert (said.code, said.stderr) == (1, "")
    lines = said.stdout.splitlines()
    assert lines[:2] == [
        "digits_int8.tflite, 1 sample of x.npy",
        "interpreter, tflm, against board.log",
    ]
    table = rows(said)
    assert table[4] == ["FAIL", "DEPTHWISE_CONV_2D", "1 of 384  -3:1"]
    assert [row[0] for index, row in table.items() if index != 4] == ["PASS"] * 10
    first = lines.index(
        'first difference: layer 4 DEPTHWISE_CONV_2D "block2_depthwise_relu_1/Relu"'
    )
    words = [line.split() for line in lines[first + 1 : first + 10]]
    assert words[0][2:] == ["sample", "0,", "(0,", "0,", "0,", "7)"]
    assert words[1] == ["interpreter,", "tflm", str(right)]
    assert words[2] == ["board.log", str(right - 3)]
    assert [own[0] for own in words[3:7]] == ["accumulator", "multiplier", "shift", "before"]
    before = float(words[6][2])
    assert round(before) == right
    assert lines[-1] == "different: 1 of 8,900 elements in 11 layers, 1 input"
    assert max(map(len, lines)) <= 80


def test_the_numbers_that_are_shown_are_those_of_the_equation(trace: mi.Trace) -> None:
    """Accumulator and real value of one element of FULLY_CONNECTED, worked out from the file."""
    trace[9].outputs[0].reshape(-1)[4] += 1
    Path("log").write_text(dumped(trace, [8, 9]))
    facts = diff("-i", "x.npy", "--against", "log", "--json").json
    graph = mi.load(DIGITS)
    node = graph.nodes[9]
    x, w, b = (graph.tensors[i] for i in node.inputs)
    y = graph.tensors[node.outputs[0]]
    assert w.data is not None
    assert b.data is not None
    values = trace[8].outputs[0].reshape(-1).astype(np.int64) - x.quantization.zero_point
    accumulator = int(values @ w.data[4].astype(np.int64) + b.data[4])
    scales = w.quantization.scales
    scale = x.quantization.scale * float(scales[4 if len(scales) > 1 else 0]) / y.quantization.scale
    first = facts["first"]
    assert (first["layer"], first["element"]) == (9, [0, 4])
    assert first["arithmetic"]["accumulator"] == accumulator
    assert first["arithmetic"]["before_rounding"] == pytest.approx(
        accumulator * scale + y.quantization.zero_point, rel=1e-6
    )
    assert first["observed"] == first["expected"] + 1


def test_json(trace: mi.Trace) -> None:
    values = trace[4].outputs[0].reshape(-1)
    high = int(np.argmax(values))  # not clamped
    assert (high > 7, values[7] > -126) == (True, True)
    values[7] += 2
    values[high] -= 1
    trace.save("a.npz")
    said = diff("--against", "a.npz", "--json")
    facts = said.json
    assert said.code == 1
    assert (facts["identical"], facts["elements"], facts["differing"]) == (False, 8900, 2)
    layer = facts["layers"][4]
    assert layer["histogram"] == [[-1, 1], [2, 1]]
    assert (layer["largest"], layer["differing"], layer["identical"]) == (2, 2, False)
    assert facts["first"]["layer"] == 4
    assert facts["first"]["element"] == [0, 0, 0, 7]
    assert facts["not_compared"] == []
    assert all(set(cause) >= {"name", "sentence", "fix", "exact"} for cause in facts["causes"])


def test_a_partial_dump_says_what_was_not_compared(trace: mi.Trace) -> None:
    trace[4].outputs[0].reshape(-1)[7] -= 1
    Path("log").write_text(dumped(trace, [2, 4, 10], "memory"))
    said = diff("-i", "x.npy", "--against", "log")
    table = rows(said)
    assert [table[i][0] for i in range(11)] == ["", "", "PASS", "", "????", *[""] * 5, "PASS"]
    assert all(table[i][2] == "not compared" for i in (0, 1, 3, 5, 6, 7, 8, 9))
    assert "layers 0, 3 before it were not compared: the difference may be theirs" in said.stdout
    assert "not compared: 8 layers of 11: 0-1, 3, 5-9\n" in said.stdout
    facts = diff("-i", "x.npy", "--against", "log", "--json").json
    assert facts["not_compared"] == [0, 1, 3, 5, 6, 7, 8, 9]
    assert facts["layers"][0]["identical"] is None


def test_a_gap_of_one_layer(trace: mi.Trace) -> None:
    """A fault in the gap is behind it, and nothing that is judged alone shows it."""
    trace[6].outputs[0].reshape(-1)[7] ^= 1
    Path("log").write_text(dumped(trace, [0, 1, 2, 3, 4, 6]))
    together = diff("-i", "x.npy", "--against", "log").stdout
    assert "layer 5 before it was not compared: the difference may be its" in together
    said = diff("-i", "x.npy", "--against", "log", "--isolate")
    alone = said.stdout.splitlines()
    assert alone[-3] == "not compared: 6 layers of 11: 5-10"
    assert alone[-2].startswith("identical where judged: ")
    assert alone[-1].startswith("but the runs differ: ")
    assert said.code == 1
    facts = diff("-i", "x.npy", "--against", "log", "--isolate", "--json").json
    assert facts["identical"] is False


def test_only_the_output(trace: mi.Trace) -> None:
    Path("out.csv").write_text("output 0," + ",".join(map(str, trace[10].outputs[0].reshape(-1))))
    said = diff("-i", "x.npy", "--against", "out.csv")
    assert said.code == 0
    assert said.stdout.splitlines()[-2:] == [
        "not compared: 10 layers of 11: 0-9",
        "identical: 10 elements in 1 layer, 1 input",
    ]


def test_a_board_that_stopped(trace: mi.Trace) -> None:
    Path("log").write_text(dumped(trace, range(3)) + "layer 3\n1, 2, 3\n")
    said = diff("-i", "x.npy", "--against", "log")
    assert said.code == 0
    assert said.stderr == "note: log: layer 3 has 3 of 1,536 values where it ends: not compared\n"


def test_many_samples_and_the_first_that_differs() -> None:
    samples = np.load(DIGITS_INPUTS)[:20]
    np.save("x.npy", samples)
    trace = mi.Interpreter(mi.load(DIGITS)).trace(samples)
    trace[7].outputs[0][13, 0, 0, 5] ^= 3
    trace.save("a.npz")
    said = diff("-i", "x.npy", "--against", "a.npz")
    assert said.code == 1
    assert re.search(r"sample, element +sample 13, \(0, 0, 0, 5\)", said.stdout)
    assert "20 inputs" in said.stdout.splitlines()[-1]


def test_each_layer_alone(trace: mi.Trace) -> None:
    """Layer 4 is wrong, and all after it follow from what it gave."""
    x = np.load("x.npy")
    graph = mi.load(DIGITS)
    interpreter = mi.Interpreter(graph)
    batch = interpreter.trace(x)
    tensors = {i: batch.tensor(i) for i in graph.inputs}
    for layer, node in zip(interpreter.layers, graph.nodes, strict=True):
        operands = [tensors[i].reshape(1, *graph.tensors[i].shape) for i in node.inputs[:1]]
        if node.op == "ADD":
            operands = [tensors[i].reshape(1, *graph.tensors[i].shape) for i in node.inputs]
        values = layer.op.eval(layer.params, *operands)
        assert isinstance(values, np.ndarray)
        tensors[node.outputs[0]] = values.reshape(graph.tensors[node.outputs[0]].shape)
        if layer.index == 4:
            tensors[node.outputs[0]][..., 3] ^= 9
    np.savez("a.npz", **{f"tensor_{i}": array for i, array in tensors.items()})
    together, alone = diff("--against", "a.npz"), diff("--against", "a.npz", "--isolate")
    assert [row[0] for row in rows(together).values()][4:8] == ["FAIL", "----", "----", "----"]
    assert [row[0] for row in rows(alone).values()] == ["PASS"] * 4 + ["FAIL"] + ["PASS"] * 6
    assert "each layer alone" in alone.stdout.splitlines()[1]
    assert "----  inherited" in together.stdout
    assert "inherited" not in alone.stdout


def test_other_inputs(trace: mi.Trace) -> None:
    trace.save("a.npz")
    x = np.load("x.npy")
    x[0, 3, 3, 0] ^= 4
    np.save("x.npy", x)
    said = diff("-i", "x.npy", "--against", "a.npz")
    assert said.code == 1
    assert 'first difference: input 0 "serving_default_image:0"' in said.stdout
    assert "the two sides ran on other inputs" in said.stdout
    alone = diff("-i", "x.npy", "--against", "a.npz", "--isolate")
    assert alone.code == 0
    assert "it ran on other inputs than --input" in alone.stderr


def test_other_inputs_and_nothing_else(trace: mi.Trace) -> None:
    x = np.load("x.npy")
    x[0, 3, 3, 0] ^= 4
    Path("log").write_text(f"input 0\n{decimal(x)}{dumped(trace, range(11))}")
    said = diff("-i", "x.npy", "--against", "log")
    assert said.code == 1
    last = "identical: 8,900 elements in 11 layers, 1 input; but the inputs differ"
    assert said.stdout.splitlines()[-1] == last


def test_against_the_c_and_a_profile() -> None:
    need("cc")
    assert diff("--against", "c", "-i", DIGITS_INPUTS).code == 0
    model = MODELS / "vibration_int8.tflite"
    samples = MODELS / "vibration_inputs.npy"
    said = diff("--against-profile", "litert", "-i", samples, model=model)
    theirs = mi.Interpreter(mi.load(model), "litert").trace(np.load(samples))
    same = mi.diff(mi.Interpreter(mi.load(model)).trace(np.load(samples)), theirs)
    assert said.code == int(not same.identical)
    assert diff("--against-profile", "litert", "--numerics", "litert", model=model).code == 0


def test_against_a_core() -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        need(tool)
    said = diff("--against", "cortex-m3", "--random", "1", model=MODELS / "gesture_int8.tflite")
    assert (said.code, said.stdout.splitlines()[1]) == (
        0,
        "interpreter, tflm, against C, tflm, cortex-m3",
    )


@pytest.mark.parametrize(
    ("name", "model", "op", "kind"),
    [
        ("xnnpack", "mlperf_ic_int8", "CONV_2D", "float32"),
        ("litert", "mlperf_ad_int8", "FULLY_CONNECTED", "float64"),
    ],
)
def test_against_a_runtime_that_disagrees(name: str, model: str, op: str, kind: str) -> None:
    """Two samples cannot tell the roundings apart; that of the runtime goes first."""
    pytest.importorskip(oracles.ORACLES[name][0])
    said = diff("--against", name, "--random", "2", model=shared_model(model))
    assert (said.code, said.stderr) == (1, "")
    verdicts = [row[0] for row in rows(said).values()]
    assert verdicts.count("FAIL") >= 1
    assert "----" in verdicts
    assert re.search(rf"first difference: layer \d {op} ", said.stdout)
    assert f"likely cause: the accumulator is multiplied in {kind} and rounded" in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= 80


def test_against_a_runtime_with_state() -> None:
    pytest.importorskip(oracles.ORACLES["tflm"][0])
    Path("m.tflite").write_bytes(write(everything()))
    for options in ([], ["--isolate"]):
        said = diff("--against", "tflm", "--random", "4", *options, model=Path("m.tflite"))
        assert (said.code, said.stderr) == (0, "")


def test_of_a_model_that_was_asked_to_be_otherwise() -> None:
    """Runtimes are then given a file that is written from the graph."""
    model = MODELS / "operators" / "open_batch_float32.tflite"
    for name, options in (("litert", ["--batch", "3"]), ("tflm", ["--strip-float-io"])):
        pytest.importorskip(oracles.ORACLES[name][0])
        said = diff("--against", name, "--numerics", name, *options, model=model)
        assert said.code == 0, said.stdout + said.stderr


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracles.importlib.util, "find_spec", lambda name: None)
    assert diff("--against", "xnnpack") == Said(
        2,
        "",
        "error: xnnpack needs the package ai-edge-litert: pip install ai-edge-litert, or"
        " pip install 'microinfer[oracles]'\n",
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "choose one of --against and --against-profile"),
        (["--against", "c", "--against-profile", "tflm"], "choose one of --against and"),
        (["--against", "c", "-i", "x.npy", "--random", "1"], "choose one of --input and --random"),
        (["--against", "log", "--random", "1"], "--random says nothing of what was recorded"),
        (["--against", "log", "--quantize-input"], "--quantize-input says nothing without --input"),
        (["--against-profile", "xnnpack"], "invalid value for '--against-profile'"),
        (["--against", "board"], "board: no such file or folder; expected a file or folder, c, "),
        (["--against", "log"], "log: has no inputs of the model: pass what it was run on, by"),
        (["--against", "empty"], "empty: there is no .npy in this folder"),
        (["--against", str(DIGITS)], f"{DIGITS}: is neither text nor a .npz"),
        (["--against", "short", "-i", "x.npy"], "short: line 2: layer 0 has 2 of 1,536 values b"),
        (
            ["--against", "log", "-i", str(DIGITS_INPUTS)],
            "log: is of 1 sample, but --input has 100: pass those that it was recorded with",
        ),
    ],
)
def test_what_is_wrong_is_said(trace: mi.Trace, arguments: list[str], error: str) -> None:
    Path("log").write_text(dumped(trace, range(11)))
    Path("short").write_text("layer 0: 1, 2\nlayer 1: 3\n")
    Path("empty").mkdir()
    said = diff(*arguments)
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"error: {error}")


def test_another_models_trace(trace: mi.Trace) -> None:
    trace.save("a.npz")
    said = diff("--against", "a.npz", model=MODELS / "gesture_int8.tflite")
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith(
        "error: a.npz: is a trace of another model: 11 layers, expected 9"
    )


def test_a_log_of_another_profile_is_noted(trace: mi.Trace) -> None:
    greeting = f"microinfer 1 digits {mi.load(DIGITS).sha256} litert 11\n"
    Path("log").write_text(greeting + dumped(trace, range(11)))
    said = diff("-i", "x.npy", "--against", "log")
    assert said.code == 0
    assert said.stderr == (
        "note: log: it follows the profile litert; this compares it with tflm: see --numerics\n"
    )


def differences(histogram: dict[int, int], room: int) -> str:
    from microinfer.cli.layers import differences as text
    from microinfer.debug.diff import LayerDiff

    layer: Any = LayerDiff(0, mi.Node("RELU", (0,), (1,)), 9, 9, 1.0, None, False, 1, histogram)
    return text(layer, room)


def test_a_histogram_in_the_room_there_is() -> None:
    assert differences({-2: 1, -1: 14, 1: 9}, 20) == "-2:1 -1:14 +1:9"
    many = {step: 100 - abs(step) for step in range(-9, 30) if step}
    assert differences(many, 17) == "-9..+29"
    assert differences(many, 22) == "-9..+29, -1:99 ..."
    assert differences(many, 34) == "-9..+29, -2:98 -1:99 +1:99 ..."
