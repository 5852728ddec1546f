"""What a device printed of a run, in every form, and what is wrong with it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microinfer as mi
from command_line import DIGITS, DIGITS_INPUTS, GESTURE
from dumped import FORMS, dumped
from microinfer.debug.dump import read_dump
from microinfer.debug.recorded import observed
from microinfer.errors import BadInput
from microinfer.graph import Graph
from microinfer.targets import protocol
from one_op import activation, one_op
from recurrent import everything
from test_harness import BOARD, MUTE, built

LAYERS = 11


@pytest.fixture(scope="module")
def graph() -> Graph:
    return mi.load(DIGITS)


@pytest.fixture(scope="module")
def x() -> Any:
    return np.load(DIGITS_INPUTS)[:1]


@pytest.fixture(scope="module")
def trace(graph: Graph, x: Any) -> mi.Trace:
    return mi.Interpreter(graph).trace(x)


def ramp(type: str = "INT8") -> Graph:
    """RELU of four values: a model whose tensors are easily written by hand."""
    x, y = (activation([1, 4], 1.0, 0, name, type) for name in "xy")
    return one_op("RELU", [x], y)


def values(text: str, graph: Graph | None = None) -> list[list[Any]]:
    """The samples of the one layer of ``ramp`` in ``text``."""
    own = graph or ramp()
    return read_dump(own, text).tensors[own.outputs[0]].reshape(-1, 4).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "layer 0\n1 -2 3 -128\n",
        "layer 0\n1,-2,3,-128",
        "layer 0\n1;\n-2;\n3;\n\n-128;\n",
        "layer 0: {1, -2, 3, -128};\n",
        "layer 0, 1, -2, 3, -128\n",
        "layer 0: 1 -2\n3 -128\n",
        "layer 0 0\n[1 -2 3 -128]\n",
        "LAYER 0\n+1 -2 +3 -128\n",
        "output 0: 1 -2 3 -128\n",
        'tensor "y": 1 -2 3 -128\n',
        "tensor 1: 1 -2 3 -128\n",
        "layer 0\n0x01 0xfe 0x3 0x80\n",
        "layer 0\n0x1 0xfffffffe 3 0xff80\n",
        "layer 0 hex\n01fe0380\n",
        "layer 0 hex: 01 FE 03 80\n",
        "layer 0 hex\n0x01, 0xfe,\n0x03, 0x80\n",
        "\ufeffboot 1.2\r\nlayer 0\r\n1 -2 3 -128\r\ntook 12 us\r\n> \r\n",
        "\x1b[32mlayer 0\x1b[0m\n1 -2 3 -128\n\x1b[0m$ ",
        "layer 3 took 5 ms\nlayer 0\n1 -2 3 -128\nall layers done\n",
        "layer 0 starts\nlayer 0\n1 -2 3 -128\nlayer 0 of 1: 12 ms\nheap\n1 2 3 4\n",
    ],
)
def test_forms_of_text(text: str) -> None:
    assert values(text) == [[1, -2, 3, -128]]


def test_a_layer_that_comes_again_is_the_next_sample() -> None:
    assert values("layer 0\n1 2 3 4\nlayer 0\n5 6 7 8\n") == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_bytes_of_int16_are_little_endian() -> None:
    assert values("layer 0 hex\n0100 feff 0080 ff7f", ramp("INT16")) == [[1, -2, -32768, 32767]]
    assert values("layer 0\n0x1 0xfffe 0xffff8000 32767", ramp("INT16")) == [[1, -2, -32768, 32767]]


def test_floats_are_read_to_the_bit() -> None:
    own = one_op("DEQUANTIZE", [activation([1, 4], 0.5, 1, "x")], activation([1, 4], None))
    got = read_dump(own, "layer 0\n0.100000001 -1e-3 nan inf\n").tensors[own.outputs[0]]
    expected = np.array([0.1, -1e-3, np.nan, np.inf], np.float32)
    np.testing.assert_array_equal(got.reshape(-1), expected)
    with pytest.raises(BadInput, match="line 2: got 0x1, "):
        read_dump(own, "layer 0\n0x1 0 0 0\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'no whole layer in it; expected lines "layer 3" with its values below'),
        ("hello\n1 2 3 4\n", "no whole layer in it"),
        ("layer 0\n1 2 3", "no whole layer in it.*layer 0 has 3 of 4 values where it ends"),
        ("layer 0\n1 2 3\nlayer 0\n1 2 3 4", "line 3: layer 0 has 3 of 4 values before 'layer 0'"),
        ("layer 0\n1 2\nHardFault\n1 2\n", "line 3: layer 0 has 2 of 4 values before 'HardFault'"),
        ("layer 0\n1 2 3 4\n5 6", "line 3: layer 0 has 6 of 4 values: too many"),
        (
            "layer 0\n1 2 3 200",
            "line 2: got 200, layer 0 is int8, -128 to 127; print it signed, or as hex",
        ),
        ("layer 0\n1 2 3 2000", "line 2: got 2000, .* int8, -128 to 127$"),
        ("layer 0\n1 2 3 0x1ff", "line 2: 0x1ff has more than the 8 bits of layer 0"),
        ("layer 0\n1 2 3 4.5", "line 2: got 4.5, layer 0 is int8"),
        ("layer 0 hex\n01fffffffe0304", "7 of 4 bytes: too many; is ffffff a sign. print .uint8_t"),
        ("layer 0 hex\n01fffe030405", "6 of 4 bytes: too many$"),
        ("layer 1\n1 2 3 4", "line 1: there is no layer 1: the model has 1, from 0"),
        ("layer 0 1\n1 2 3 4", "line 1: layer 0 RELU has no output 1"),
        ("tensor 7\n1 2 3 4", "line 1: there is no tensor 7"),
        ('tensor "z"\n1 2 3 4', 'line 1: the model has no tensor called "z"'),
        ("I (12) log: layer 0\nI (12) log: 1 2 3 4\n", "line 1 names one, but not at its begin"),
        (
            "layer 0: 1 2 3 " + "9" * 5000,
            "no whole layer in it; .* layer 0 has 0 of 4 values where",
        ),
        ("layer " + "9" * 5000, "no whole layer in it"),
        ("layer 0 1 2 3 4\n", 'line 1: values on the line of "layer 0" need a colon'),
        (
            "layer 0\n1 2 3 4\n== layer 0 ==\n5 6 7 8",
            "line 4: .* line 3, '== layer 0 ==', which",
        ),
        ("Layer 0.0\n1 2 3 4", "line 2: these values belong to line 1, 'Layer 0.0', which is not"),
        ("layer 0 RELU\n1 2 3 4", "line 2: these values belong to line 1, 'layer 0 RELU', which"),
        ("layer_0:\n1 2 3 4", "line 2: these values belong to line 1, 'layer_0:', which is not"),
        ("layer #0 hex\n01fe0380", "line 2: these values belong to line 1, 'layer #0 hex', which"),
        ("tensor y\n1 2 3 4", "line 2: these values belong to line 1, 'tensor y', which is not"),
        ('"layer 0",1,2,3,4', "line 1: '\"layer 0\",1,2,3,4', which is not understood"),
        ("layer 0 (RELU): 1 2 3 4", "line 1: .* which is not understood: expected lines"),
        ("layer,index,value\n0,0,1", "line 2: these values belong to line 1, 'layer,index,value'"),
        ("layer 0 0 9\n010203", "line 1: layer 0 0 has 9 bytes, the model's takes 4"),
        ("layer 0 0 4\n01020304\ncrc 00000000", "line 3: layer 0 0: got 'crc 00000000', but what"),
        (
            "layer 0 0 4\n01020304\nlayer 0 0 4\n",
            "line 3: layer 0 0 has 4 of 4 bytes, and no check",
        ),
        ("microinfer 1 x abc tflm 1\n", "line 1: the device has the model with SHA-256 abc"),
    ],
)
def test_what_is_wrong_with_text(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_dump(ramp(), text)


def test_names_behind_other_text_are_told() -> None:
    dump = read_dump(ramp(), "layer 0\n1 2 3 4\nI (3) layer 0\nI (4) 5 6 7 8\n")
    assert dump.notes == ["line 3 names a tensor behind other text: passed over"]


def test_numbers_of_nothing_are_told() -> None:
    dump = read_dump(ramp(), "layer 0\n1 2 3 4\nlayer 0 (RELU)\nshape: 4\n5 6 7 8\n")
    assert dump.notes == ["line 5 has numbers that belong to no tensor: passed over"]


def test_samples_with_other_layers_are_refused(graph: Graph, trace: mi.Trace) -> None:
    text = dumped(trace, [0, 1, 9]) + dumped(trace, [0, 9])
    with pytest.raises(BadInput, match=r"tensor .* is there in sample 0, but not in sample 1"):
        read_dump(graph, text)


def test_a_board_that_stops_is_compared_up_to_there(graph: Graph, trace: mi.Trace) -> None:
    text = dumped(trace, range(4), "memory") + dumped(trace, [4], "memory")[:99]
    dump = read_dump(graph, text)
    assert sorted(dump.tensors) == sorted(trace[i].node.outputs[0] for i in range(4))
    assert dump.notes == ["layer 4 has 43 of 384 bytes where it ends: not compared"]


@pytest.mark.parametrize("form", FORMS)
def test_text_of_a_whole_run(
    graph: Graph, x: Any, trace: mi.Trace, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "board.txt"
    path.write_text("boot\n" + dumped(trace, range(LAYERS), form) + "bye\n", newline="")
    told = observed(graph, path, x)
    for layer, other in zip(trace, told, strict=True):
        np.testing.assert_array_equal(layer.outputs[0], other.outputs[0])


def test_state_comes_behind_the_outputs(tmp_path: Path) -> None:
    """Outputs, then variable tensors, of three invocations in a row."""
    own = mi.Interpreter(everything()).graph
    shape = own.tensors[own.inputs[0]].shape
    x = np.random.default_rng(0).integers(-128, 128, (3, *shape)).astype(np.int8)
    trace = mi.Interpreter(own).trace(x)
    text = "".join(
        f"layer {layer.index} {k} hex\n{FORMS['memory'][1](values[sample])}"
        for sample in range(3)
        for layer in trace
        for k, values in enumerate(layer.outputs)
    )
    assert "\nlayer 11 2 hex\n" in text
    (tmp_path / "log").write_text(text)
    told = observed(own, tmp_path / "log", x)
    assert mi.diff(trace, told).identical
    assert not mi.diff(trace, told).missing
    assert mi.isolate(mi.Interpreter(own), told).identical


LINES = st.sampled_from(
    [
        *(
            "layer 0",
            "layer 0 hex",
            "layer 0 0 4",
            "layer 0: 1 2",
            "output 0",
            "input 0",
            'tensor "y"',
        ),
        *("1 2 3 4", "0x1, 2", "01020304", "crc b63cfbcd", "crc 00000000", "done 0", "done -2"),
        *(
            "ready",
            "error no",
            "microinfer 1 a - tflm 1",
            "microinfer 1",
            "layer 9",
            "-",
            ",",
            "nan",
        ),
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=12)), max_size=12))
def test_any_text_gives_whole_tensors_or_an_error(lines: list[str]) -> None:
    try:
        dump = read_dump(ramp(), "\n".join(lines))
    except BadInput:
        return
    for index, values in dump.tensors.items():
        assert values.shape[1:] == ramp().tensors[index].shape
        assert values.dtype == np.int8


# -- the log of a harness ---------------------------------------------------------------------


def spoken(board: Path, text: str) -> str:
    return subprocess.run([board], input=text, capture_output=True, text=True, check=True).stdout


def test_the_log_of_a_harness(tmp_path: Path) -> None:
    gesture = mi.load(GESTURE)
    samples = np.load(GESTURE.parent / "gesture_inputs.npy")[:3]
    commands = "".join(protocol.run_command([sample]) for sample in samples)
    log = spoken(built(tmp_path, BOARD), commands + "quit\n")
    expected = mi.Interpreter(gesture).trace(samples)
    for text in (
        log,
        f"Welcome to minicom\r\n\r\n{log}\n[EOT]\n".replace("ready\n", "ready\r\n\x1b[0m\r\n"),
        log[log.index("layer 0") :],  # the terminal was opened late
    ):
        (tmp_path / "log").write_text(text, newline="")
        assert mi.diff(expected, observed(gesture, tmp_path / "log", samples)).identical
    damaged = log.replace("layer 3 0", "layer 3 1", 1)
    (tmp_path / "log").write_text(damaged)
    with pytest.raises(BadInput, match=r"line \d+: layer 3 .* has no output 1"):
        observed(gesture, tmp_path / "log", samples)
    digits = log.index("\n", log.index("layer 2 ")) + 1
    lost = log[:digits] + ("1" if log[digits] == "0" else "0") + log[digits + 1 :]
    (tmp_path / "log").write_text(lost)
    with pytest.raises(BadInput, match=r"line \d+: layer 2 0: got 'crc"):
        observed(gesture, tmp_path / "log", samples)


def test_the_log_of_a_harness_that_cannot_listen(tmp_path: Path) -> None:
    gesture = mi.load(GESTURE)
    log = tmp_path / "log"
    log.write_text(spoken(built(tmp_path, MUTE), ""))
    told = observed(gesture, log)
    shape = gesture.tensors[gesture.inputs[0]].shape
    known = ((np.arange(np.prod(shape)) * 37 + 11) % 256 - 128).astype(np.int8).reshape(shape)
    np.testing.assert_array_equal(told.inputs[gesture.inputs[0]].reshape(shape), known)
    assert mi.diff(mi.Interpreter(gesture).trace(known[None]), told).identical
    assert told.numerics == "tflm"
