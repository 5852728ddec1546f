"""``microinfer accuracy``: what it prints, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from command_line import DIGITS, DIGITS_INPUTS, MODELS, microinfer
from microinfer.tflite import read_file, write
from perceptron import Perceptron

DIM = MODELS / "digits_dim_int8.tflite"
FLOAT = MODELS / "digits_float32.tflite"
LABELS = MODELS / "digits_labels.npy"


def test_a_row_per_layer_and_columns_that_fit_into_100() -> None:
    said = microinfer(
        "accuracy", DIGITS, "--inputs", DIGITS_INPUTS, "--float", FLOAT, "--labels", LABELS,
        columns=100,
    )  # fmt: skip
    assert said.code == 0
    assert said.stderr == ""
    lines = said.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    found = mi.accuracy(mi.load(DIGITS), np.load(DIGITS_INPUTS), read_file(FLOAT), np.load(LABELS))
    header = next(i for i, text in enumerate(lines) if text.startswith("layer  operator"))
    assert lines[header].split()[2:9] == "alone total max weight bias clip round".split()
    for layer, text in zip(found.layers, lines[header + 1 :], strict=False):
        cells = text.split()
        assert cells[:2] == [str(layer.index), layer.node.op]
        assert cells[2:4] == [f"{layer.sqnr_db:.1f}", f"{layer.accumulated_sqnr_db:.1f}"]
        assert cells[4] == f"{layer.max_error_steps:.2f}"
        assert cells[8] == f"{layer.split.activation:.2f}"
    assert "right (top-1): 97.00% in integers, 97.00% in floats" in said.stdout
    assert "the same class as in floats: 100 of 100 samples" in lines
    assert "no change of it that was tried gains 1 dB" in lines[:header]
    for place, advice in enumerate(found.advice):
        assert f"{place + 1}. layer {advice.index} " in said.stdout


def test_without_the_float_model_weights_are_said_to_be_unseen() -> None:
    said = microinfer("accuracy", DIGITS, "--inputs", DIGITS_INPUTS)
    assert said.code == 0
    assert "cannot be seen without --float" in " ".join(said.stdout.split())
    header = next(x for x in said.stdout.splitlines() if x.startswith("layer  operator"))
    assert "weight" not in header
    assert "right (top-1)" not in said.stdout


def test_json_has_every_figure() -> None:
    said = microinfer("accuracy", DIGITS, "-i", DIGITS_INPUTS, "--labels", LABELS, "--json")
    facts = said.json
    assert facts["count"] == 100
    assert facts["inputs"] == []
    assert facts["reference"] == "dequantized weights"
    found = mi.accuracy(mi.load(DIGITS), np.load(DIGITS_INPUTS), labels=np.load(LABELS))
    assert [layer["op"] for layer in facts["layers"]] == [x.node.op for x in found.layers]
    for layer, own in zip(facts["layers"], found.layers, strict=True):
        assert layer["sqnr_db"] == own.sqnr_db
        assert layer["split"]["weight"] is None
        assert layer["split"]["activation"] == own.split.activation
    assert facts["output"]["top1"] == found.output.top1
    assert len(facts["advice"]) == len(found.advice)
    assert facts["advice"][0]["trials"][0]["remedy"] == found.advice[0].trials[0].remedy


def test_of_real_numbers_the_input_is_a_row_of_its_own() -> None:
    reals = MODELS / "digits_inputs_float32.npy"
    given = ("-i", reals, "--quantize-input", "--float", FLOAT, "--labels", LABELS)
    said = microinfer("accuracy", DIM, *given, columns=100)
    assert said.code == 0
    assert said.stderr == ""
    lines = said.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[3] == "right (top-1): 67.00% in integers, 97.00% in floats"
    text = " ".join(said.stdout.split())
    name = '"serving_default_image:0"'
    assert f"costs the most: the input {name}. Clipping: 29.28% above what the input can" in text
    assert "try first: calibrate the input to 0..16; the model has 0..8 (simulated: +" in text
    assert "% of samples right)" in text
    assert "cannot be seen" not in text
    header = next(i for i, line in enumerate(lines) if line.startswith("layer  operator"))
    (own,) = mi.accuracy(mi.load(DIM), np.load(reals)).inputs
    row = lines[header + 1].split()
    assert row[:5] == ["input", "...g_default_image:0", *[f"{own.sqnr_db:.1f}"] * 2,
                       f"{own.max_error_steps:.0f}"]  # fmt: skip
    assert row[5:] == [f"{own.split.clipping:.0f}", f"{own.split.activation:.2f}", "29.28%", "100%"]
    assert lines[header + 1].index("29.28%") == lines[header + 2].index(" 0.05%")
    assert f"1. the input {name}: +" in text
    trial = next(line for line in lines if "  calibrate the input to 0..16" in line)
    gain = float(trial.split()[2].removesuffix("%"))
    assert 27 <= gain <= 33
    facts = microinfer("accuracy", DIM, *given, "--json").json
    assert facts["inputs"][0]["clipped_high"] == own.clipped_high
    assert facts["advice"][0]["input"] == 0
    assert facts["advice"][0]["index"] is None
    assert 100 * facts["advice"][0]["trials"][0]["top1_gain"] == pytest.approx(gain)
    assert facts["output"]["float_top1"] == 0.97


def test_of_integers_the_input_is_said_to_be_unseen() -> None:
    said = microinfer("accuracy", DIGITS, "-i", DIGITS_INPUTS)
    text = " ".join(said.stdout.split())
    assert (
        'Rounding and clipping of the input "serving_default_image:0" cannot be seen: its samples'
        " were integers already."
    ) in text
    assert not any(line.startswith("input ") for line in said.stdout.splitlines())
    refused = microinfer("accuracy", DIGITS, "-i", MODELS / "digits_inputs_float32.npy")
    assert refused.code == 2
    assert "pass --quantize-input" in refused.stderr


def test_pixels_are_reals(tmp_path: Path) -> None:
    """And text is, with --quantize-input; not both kinds of samples at once."""
    pixels, text = tmp_path / "pixels.npy", tmp_path / "reals.csv"
    values = np.load(MODELS / "digits_inputs_float32.npy")[:4]
    np.save(pixels, np.rint(values * 255 / 16).astype(np.uint8))
    np.savetxt(text, values.reshape(4, -1), delimiter=",")
    bright = microinfer("accuracy", DIM, "-i", pixels, "--image-range", "0,16", "--json").json
    of_text = microinfer("accuracy", DIM, "-i", text, "--quantize-input", "--json").json
    (one,), (other,) = bright["inputs"], of_text["inputs"]
    seen = np.rint(values * 255 / 16) * 16 / 255  # half of 16 is no pixel: 128 is more
    end = 8 + 0.5 * 8 / 255
    assert one["clipped_high"] == (seen > end).mean()
    assert other["clipped_high"] == (values > end).mean()
    both = microinfer("accuracy", DIM, "-i", pixels, "-i", DIGITS_INPUTS, "--image-range", "0,16")
    assert both.code == 2
    assert "pixels.npy has float32" in both.stderr
    assert "digits_inputs.npy int8: samples are integers or real numbers, not both" in both.stderr


@pytest.mark.parametrize("name", ["lstm_int8", "streaming_int8", "attention_int16"])
def test_long_names_leave_the_table_narrow(name: str) -> None:
    path = MODELS / "operators" / f"{name}.tflite"
    said = microinfer("accuracy", path, "-i", f"{path.with_suffix('.npz')}:input", columns=100)
    assert said.code == 0
    assert max(map(len, said.stdout.splitlines())) <= 100


def test_what_integer_arithmetic_costs_is_not_passed_over() -> None:
    path = MODELS / "operators" / "lstm_int8.tflite"
    said = microinfer("accuracy", path, "-i", f"{path.with_suffix('.npz')}:input")
    assert "costs the most, integer arithmetic aside (see note): layer 2" in said.stdout
    assert "note: remedies were simulated with real arithmetic" in said.stdout


def test_labels_may_be_text(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("label\n" + "\n".join(map(str, np.load(LABELS))) + "\n")
    said = microinfer("accuracy", DIGITS, "-i", DIGITS_INPUTS, "--labels", path, "--json")
    assert said.json["output"]["top1"] == 0.97


def test_what_it_advises(tmp_path: Path) -> None:
    network = Perceptron.random()
    model, inputs = tmp_path / "narrow.tflite", tmp_path / "x.npy"
    model.write_bytes(write(network.int8_graph(range_of_hidden=0.4)))
    np.save(inputs, network.integers())
    said = microinfer("accuracy", model, "-i", inputs, columns=100)
    text = " ".join(said.stdout.split())
    assert '1. layer 0 FULLY_CONNECTED "hidden": +' in text
    assert "Clipping: " in text
    assert "above what its output can hold" in text
    assert "% calibrate its output to 0.." in text
    assert "Together: +" in text


def test_of_a_model_with_variables_nothing_is_tried() -> None:
    model = MODELS / "operators" / "streaming_int8.tflite"
    said = microinfer("accuracy", model, "-i", f"{model.with_suffix('.npz')}:input")
    assert said.code == 0
    assert "note: no remedies were tried" in said.stdout
    assert "No layer stands out" not in said.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "missing option"),
        (["-i", DIGITS_INPUTS, "--float", DIGITS], "the float model is none: its layer 0 CONV_2D"),
        (["-i", DIGITS_INPUTS, "--float", MODELS / "no.tflite"], "no.tflite: no such file"),
        (["-i", DIGITS_INPUTS, "--labels", DIGITS], "expected .npy or .csv"),
        (
            ["-i", DIGITS_INPUTS, "--labels", MODELS / "gesture_labels.npy"],
            "labels: got 75, expected 100, one per sample",
        ),
        (["-i", DIGITS_INPUTS, "--labels", DIGITS_INPUTS], "labels: got 6400, expected 100"),
    ],
)
def test_what_is_refused(arguments: list[str | Path], says: str) -> None:
    said = microinfer("accuracy", DIGITS, *arguments)
    assert said.code == 2
    assert says in said.stderr
    assert said.stdout == ""
