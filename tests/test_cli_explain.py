"""``microinfer explain``: what it prints for a reader with a pencil, and for programs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from command_line import DIGITS, DIGITS_INPUTS, MODELS, microinfer

UNET = MODELS / "operators" / "unet_int8.tflite"
LSTM = MODELS / "operators" / "lstm_int8.tflite"


def told(*arguments: str | Path, model: Path = DIGITS) -> str:
    said = microinfer("explain", model, *arguments)
    assert (said.code, said.stderr) == (0, "")
    return said.stdout


def refused(*arguments: str, model: Path = DIGITS) -> str:
    said = microinfer("explain", model, *arguments)
    assert (said.code, said.stdout) == (2, "")
    return said.stderr.removeprefix("error: ").rstrip("\n")


def test_without_a_layer_all_are_listed() -> None:
    lines = told().splitlines()
    assert lines[0].split() == ["layer", "operator", "output", "name"]
    interpreter = mi.Interpreter(mi.load(DIGITS))
    assert len(interpreter.layers) == 11
    for layer, text in zip(interpreter.layers, lines[1:12], strict=True):
        assert text.split()[:2] == [str(layer.index), layer.node.op]
    assert "--layer" in lines[-1]
    assert max(map(len, lines)) <= 80


def test_a_layer_of_many_outputs_takes_one_line() -> None:
    lines = told(model=MODELS / "operators" / "gru_int8.tflite").splitlines()
    assert lines[2].split()[:5] == ["1", "UNPACK", "4", "of", "1x16"]
    assert max(map(len, lines)) <= 80


def test_a_depthwise_element_is_told_with_its_padding() -> None:
    """In the corner five of nine taps are padding, and count as the zero point, -128."""
    text = told("--input", DIGITS_INPUTS, "--layer", "1", "--at", "0,0,5")
    trace = mi.Interpreter(mi.load(DIGITS)).trace(np.load(DIGITS_INPUTS)[0])
    value = int(trace[1].outputs[0].reshape(1, 8, 8, 24)[0, 0, 0, 5])
    lines = text.splitlines()
    assert lines[1].startswith(f"element 0,0,0,5 of 1x8x8x24 = {value}, that is ")
    padded = [line for line in lines if line.endswith("  padding")]
    assert len(padded) == 5
    assert all(line.split()[2:4] == ["-128", "0"] for line in padded)
    assert "5 of 9 lie outside the input" in text
    products = [int(line.split()[5]) for line in lines if re.match(r" *0,-?\d,-?\d,5 ", line)]
    assert len(products) == 9
    assert f"= {sum(products)}" in text or f" {sum(products)}   4 of 9" in text
    assert lines[lines.index("in C") - 2].endswith(f"= {value}")


def test_the_lines_of_c_are_those_of_the_generated_files() -> None:
    text = told("--input", DIGITS_INPUTS, "--layer", "0")
    files = mi.generate(mi.load(DIGITS), "digits_int8")
    places = re.findall(r"^  (\S+):(\d+)$", text, re.M)
    assert places[0][0] == "digits_int8.c"
    written = [files[file].split("\n")[int(line) - 1].strip() for file, line in places]
    assert written[0].startswith("mi_conv_2d_s8(&digits_int8_layer_0_params, ")
    assert any(line.startswith("acc += w[i] *") for line in written)
    assert any("mi_requantize(acc, p->multipliers[o]" in line for line in written)
    assert any("mi_output_s8(" in line for line in written)


@pytest.mark.parametrize("layer", range(11))
def test_every_line_fits_80_columns_and_has_no_colour(layer: int) -> None:
    text = told("--input", DIGITS_INPUTS, "--layer", str(layer))
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_a_large_window_is_abbreviated_and_all_shows_it() -> None:
    arguments = ("--random", "1", "--layer", "1", "--at", "7,7,3")
    text = told(*arguments, model=UNET)
    assert "... and 28 smaller ones" in text
    assert re.search(r"row 16 +padding +padding +padding", text)
    whole = told(*arguments, "--all", model=UNET)
    rows = re.findall(r"^ *0,\d+,\d+,\d +3,\d,\d,\d .*$", whole, re.M)
    assert len(rows) == 36
    assert sum(row.endswith("padding") for row in rows) == 20
    assert "smaller ones" not in whole


def test_the_sample_of_a_model_with_state_follows_those_before_it() -> None:
    """By numbers of the interpreter, run from a reset to the sample."""
    layer = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    said = microinfer(
        "explain", LSTM, "--random", "3", "--layer", layer, "--at", "0,5", "--sample", "2", "--json"
    )
    shown = said.json
    random = np.random.default_rng(0)
    interpreter = mi.Interpreter(mi.load(LSTM))
    (index,) = interpreter.graph.inputs
    shape = (3, *interpreter.graph.tensors[index].shape)
    trace = interpreter.trace(random.integers(-128, 127, shape, np.int8, endpoint=True))
    own = next(own for own in trace if own.node.op == layer)
    assert shown["sample"] == 2
    assert shown["output"] == own.outputs[0].reshape(3, -1, 12)[2, 0, 5]


def test_json_has_terms_steps_and_c() -> None:
    said = microinfer(
        "explain", DIGITS, "--input", DIGITS_INPUTS, "--layer", "9", "--at", "4", "--json"
    )
    assert (said.code, said.stderr) == (0, "")
    shown = said.json
    assert (shown["op"], shown["element"]["at"]) == ("FULLY_CONNECTED", [0, 4])
    assert len(shown["terms"]) == 48
    stage = shown["arithmetic"]
    assert (
        stage["accumulator"]
        == sum(term["values"]["product"] for term in shown["terms"])
        + (shown["operands"][2]["value"])
    )
    assert shown["steps"][-1]["value"] == shown["output"] == stage["output"]
    assert shown["c"][0]["file"] == "digits_int8.c"


def test_a_layer_by_operator_or_by_name() -> None:
    by_number = told("--random", "1", "--layer", "8")
    assert told("--random", "1", "--layer", "mean") == by_number
    graph = mi.Interpreter(mi.load(DIGITS)).graph
    name = graph.tensors[graph.nodes[8].outputs[0]].name
    assert told("--random", "1", "--layer", name) == by_number


def test_what_cannot_be_is_said() -> None:
    assert refused("--layer", "11", "--random", "1").endswith("got --layer 11, expected 0..10")
    assert refused("--layer", "conv_2d", "--random", "1").endswith(
        "4 layers are CONV_2D; choose among 0, 2, 5, 7"
    )
    assert "no layer has this number, output or operator" in refused(
        "--layer", "x", "--random", "1"
    )
    assert "--at says nothing without --layer" in refused("--at", "1,2")
    assert "choose one of --input FILE and --random N" in refused("--layer", "3")
    assert "expected indices such as" in refused("--layer", "3", "--random", "1", "--at", "a")
    assert "got 8 on axis 1, expected 0..7" in refused(
        "--layer", "3", "--random", "1", "--at", "8,0,0"
    )
    assert "got --sample 1, expected 0..0" in refused(
        "--layer", "3", "--random", "1", "--sample", "1"
    )
    assert "--all says nothing with --json" in refused(
        "--layer", "3", "--random", "1", "--all", "--json"
    )
