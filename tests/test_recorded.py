"""Runs in files of arrays and traces, and what is wrong with each."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from command_line import DIGITS, DIGITS_INPUTS, GESTURE
from dumped import dumped
from microinfer.debug.recorded import observed, read_recorded
from microinfer.errors import BadInput
from microinfer.graph import Graph
from one_op import activation, one_op


@pytest.fixture(scope="module")
def graph() -> Graph:
    return mi.load(DIGITS)


@pytest.fixture(scope="module")
def x() -> Any:
    return np.load(DIGITS_INPUTS)[:1]


@pytest.fixture(scope="module")
def trace(graph: Graph, x: Any) -> mi.Trace:
    return mi.Interpreter(graph).trace(x)


def name_by_layer(graph: Graph, index: int) -> str:
    return f"layer_{index}"


def name_by_tensor(graph: Graph, index: int) -> str:
    return f"tensor_{graph.nodes[index].outputs[0]}"


def name_by_file(graph: Graph, index: int) -> str:
    name = graph.tensors[graph.nodes[index].outputs[0]].name
    return "".join(c if c.isalnum() else "_" for c in name)


def name_by_number(graph: Graph, index: int) -> str:
    return str(index)


def name_by_index(graph: Graph, index: int) -> str:
    return str(graph.nodes[index].outputs[0])


@pytest.mark.parametrize(
    "name", [name_by_layer, name_by_tensor, name_by_file, name_by_number, name_by_index]
)
@pytest.mark.parametrize("folder", [True, False])
def test_arrays_by_name(
    graph: Graph, x: Any, trace: mi.Trace, tmp_path: Path, name: Any, folder: bool
) -> None:
    arrays = {name(graph, index): trace[index].outputs[0] for index in (2, 9)}
    if folder:
        for stem, array in arrays.items():
            np.save(tmp_path / stem, array)
    else:
        np.savez(tmp_path / "a.npz", **arrays)
    told = observed(graph, tmp_path if folder else tmp_path / "a.npz", x)
    assert [layer.index for layer in told if layer.outputs] == [2, 9]
    report = mi.diff(trace, told)
    assert report.identical
    assert report.elements == 1536 + 10
    assert [layer.index for layer in report.missing] == [0, 1, 3, 4, 5, 6, 7, 8, 10]


def test_the_models_own_names_and_ports(graph: Graph, trace: mi.Trace, tmp_path: Path) -> None:
    names = {graph.tensors[i].name: trace.tensor(i) for i in (*graph.inputs, *graph.outputs)}
    np.savez(tmp_path / "names.npz", **names)
    np.savez(
        tmp_path / "ports.npz",
        input_0=trace.tensor(graph.inputs[0]),
        output_0=trace.tensor(graph.outputs[0]).reshape(-1),
    )
    for file in ("names.npz", "ports.npz"):
        assert mi.diff(trace, observed(graph, tmp_path / file)).elements == 10


def test_all_bytes_of_a_trace_hook(graph: Graph, trace: mi.Trace, x: Any, tmp_path: Path) -> None:
    data = b"".join(output.tobytes() for layer in trace for output in layer.outputs)
    (tmp_path / "a.bin").write_bytes(data)
    assert mi.diff(trace, observed(graph, tmp_path / "a.bin", x)).elements == len(data)
    (tmp_path / "a.bin").write_bytes(data[:-1])
    with pytest.raises(BadInput, match=r"has 8,899 bytes, expected 8,900 per sample"):
        observed(graph, tmp_path / "a.bin", x)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": np.zeros(10, np.int8)}, "no array is called layer_3, .*there are: y$"),
        ({"layer_11": np.zeros(10, np.int8)}, "there is no layer 11: the model has 11"),
        ({"layer_10": np.zeros(10, np.int16)}, r"got int16 \(10,\), .* convert it, .astype\(numpy"),
        ({"layer_10": np.zeros(10, np.uint8)}, r"convert it, .view\(numpy.int8\)"),
        ({"layer_10": np.zeros(10)}, r"got float64 \(10,\), .* is int8 \(1, 10\)$"),
        (
            {"layer_0": np.zeros((1, 24, 8, 8), np.int8)},
            r"got shape \(1, 24, 8, 8\), .*\(1, 8, 8, 24\)",
        ),
        ({"11": np.zeros(10, np.int8)}, "arrays called 11 fit neither tensors .* nor layers"),
        (
            {"layer_9": np.zeros((2, 10), np.int8), "layer_10": np.zeros((3, 10), np.int8)},
            "it has 2 samples of .* and 3 of",
        ),
        (
            {"layer_10": np.zeros((1, 10), np.int8), "output_0": np.zeros((1, 10), np.int8)},
            "two arrays are of tensor",
        ),
        ({"input_0": np.zeros((1, 8, 8, 1), np.int8)}, "no layer's output in it"),
        ({"layer_10": np.zeros((2, 10), np.int8)}, "is of 2 samples, got inputs for 1"),
        ({"layer_10": np.array([None])}, "is not a whole .npz of numbers"),
    ],
)
def test_what_is_wrong_with_arrays(
    graph: Graph, x: Any, tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadInput, match=message):
        observed(graph, tmp_path / "a.npz", x)


def test_numbers_that_may_be_either_are_refused(tmp_path: Path) -> None:
    x, y = activation([1, 4], 1.0, 0, "x"), activation([1, 4], 1.0, 0, "y")
    np.savez(tmp_path / "a.npz", **{"0": np.zeros((1, 4), np.int8)})
    with pytest.raises(BadInput, match="fit both tensors of these indices and layers"):
        observed(one_op("RELU", [x], y), tmp_path / "a.npz")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_text_as_windows_saves_it(
    graph: Graph, x: Any, trace: mi.Trace, tmp_path: Path, encoding: str
) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "log").write_text(mark + dumped(trace, [0, 9]), encoding)
    assert mi.diff(trace, observed(graph, tmp_path / "log", x)).elements == 1536 + 10


def test_a_file_that_may_not_be_read(
    graph: Graph, x: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    np.save(tmp_path / "layer_0.npy", x)
    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(BadInput, match=r"cannot read layer_0\.npy: Permission denied"):
        observed(graph, tmp_path / "layer_0.npy", x)


def test_files_that_are_nothing_of_the_kind(graph: Graph, x: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.npz").write_bytes(b"PK")
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "model").write_bytes(DIGITS.read_bytes())
    (tmp_path / "nothing.txt").write_text("")
    for name, message in (
        ("empty", "there is no .npy in this folder"),
        ("a.npz", "is not a .npz"),
        ("a.npy", "a.npy is not a whole .npy"),
        ("model", "is neither text nor a .npz"),
        ("nothing.txt", "no whole layer"),
        ("absent", "no such file or folder"),
    ):
        with pytest.raises(BadInput, match=message):
            observed(graph, tmp_path / name, x)


def test_a_trace_of_another_model(graph: Graph, trace: mi.Trace, tmp_path: Path) -> None:
    trace.save(tmp_path / "a.npz")
    with pytest.raises(BadInput, match="is a trace of another model: 11 layers, expected 9"):
        observed(mi.load(GESTURE), tmp_path / "a.npz")
    told = observed(graph, tmp_path / "a.npz")
    assert mi.diff(trace, told).identical


def test_what_is_no_tensor_is_noted(graph: Graph, trace: mi.Trace, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", layer_10=trace[10].outputs[0], loss=np.zeros(1))
    told = read_recorded(graph, tmp_path / "a.npz")
    assert told.notes == ["loss is no tensor of the model: not compared"]
    assert sorted(told.tensors) == [graph.outputs[0]]


def test_a_damaged_byte_is_an_error(graph: Graph, trace: mi.Trace, tmp_path: Path) -> None:
    """At any place: zip's and deflate's structures, names, and checksums."""
    trace.save(tmp_path / "whole.npz")
    data = (tmp_path / "whole.npz").read_bytes()
    for place in range(0, len(data), 97):
        damaged = bytearray(data)
        damaged[place] ^= 0xFF
        (tmp_path / "board.npz").write_bytes(damaged)
        try:
            told = read_recorded(graph, tmp_path / "board.npz")
        except BadInput:
            continue
        assert told.samples == 1


def test_text_as_powershell_saves_it(x: Any, graph: Graph, tmp_path: Path) -> None:
    text = "layer 9\n1 2 3 4 5 6 7 8 9 10\n"
    (tmp_path / "board.log").write_text(text, "utf-16", newline="\r\n")
    told = read_recorded(graph, tmp_path / "board.log").tensors[graph.nodes[9].outputs[0]]
    assert told.tolist() == [[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]]
