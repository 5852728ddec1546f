"""``microinfer explain --html``: the file, what it shows first, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from browser import Open
from command_line import DIGITS, DIGITS_INPUTS, MODELS, microinfer

pytestmark = pytest.mark.xdist_group("browser")  # one worker, one browser

EXPLAIN = ("explain", DIGITS, "--input", DIGITS_INPUTS)
STREAMING = (
    *("explain", MODELS / "operators/streaming_int8.tflite", "--random", "2", "--html", "p.html"),
)
LSTM = ("explain", MODELS / "operators/lstm_int8.tflite", "--random", "30")


def test_the_page_opens_at_the_element_that_was_asked_for(show: Open, tmp_path: Path) -> None:
    file = tmp_path / "digits.html"
    place = ("--layer", "2", "--at", "3,4,5", "--sample", "90")
    said = microinfer(*EXPLAIN, *place, "--html", file)
    note = "note: the page has 10 samples from sample 90 on, of 100"
    assert (said.code, said.stdout, said.stderr) == (0, "", f"{note}\nwrote {file}\n")
    page = show(file.read_text("utf-8"))
    assert "digits_int8.tflite" in page.inner_text("h1")
    assert "output[0, 3, 4, 5]" in page.inner_text("#element")
    assert page.evaluate("view.layer") == 2
    options = page.locator("#sample option").all_inner_texts()
    assert options == [f"sample {index}" for index in range(90, 100)]
    shown = page.evaluate("Array.from(model.recorded[0][model.inputs[0]])")
    np.testing.assert_array_equal(np.array(shown), np.load(DIGITS_INPUTS)[90].reshape(-1))


def test_a_clang_without_webassembly_leaves_the_recorded_values(
    show: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apple's is one."""
    for tool, code in (("clang", "echo no target wasm32 >&2; exit 1"), ("wasm-ld", "exit 1")):
        (tmp_path / tool).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    file = tmp_path / "page.html"
    said = microinfer(*EXPLAIN, "--html", file)
    assert said.code == 0
    assert "note: the page has recorded values alone: clang failed" in said.stderr
    assert "no target wasm32" in said.stderr
    assert show(file.read_text("utf-8")).evaluate("model.wasm") is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*EXPLAIN, "--html", "page.txt"), "its name has to end in .html"),
        ((*EXPLAIN, "--html", "no-such-folder/page.html"), "there is no folder no-such-folder"),
        ((*EXPLAIN, "--layer", "1", "--force"), "--force says nothing without --html"),
        ((*EXPLAIN, "--html", "p.html", "--json"), "--json says nothing with --html"),
        ((*EXPLAIN, "--html", "p.html", "--all"), "--all says nothing with --html"),
        ((*EXPLAIN, "--html", "p.html", "--at", "1,2,3"), "--at says nothing without --layer"),
        ((*EXPLAIN, "--html", "p.html", "--sample", "100"), "expected 0..99"),
        ((*EXPLAIN, "--html", "p.html", "--layer", "1", "--at", "9,9,9"), "expected 0..7"),
        (("explain", DIGITS, "--html", "p.html"), "choose one of --input FILE and --random N"),
        ((*STREAMING, "--layer", "1", "--at", "0"), "layer 1 VAR_HANDLE gives no values"),
        ((*LSTM, "--sample", "20", "--html", "p.html"), "a page has samples 0..15"),
    ],
)
def test_what_makes_no_page(
    arguments: tuple[str | Path, ...],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = microinfer(*arguments)
    assert (said.code, said.stdout) == (2, "")
    assert complaint in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_page_replaces_a_page_and_nothing_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<title>my page</title>")
    arguments = (*EXPLAIN, "--html", mine)
    said = microinfer(*arguments)
    assert (said.code, said.stdout) == (2, "")
    assert "it exists and is no page of explain of microinfer; choose another" in said.stderr
    assert mine.read_text() == "<title>my page</title>"
    assert microinfer(*arguments, "--force").code == 0
    first = mine.read_bytes()
    assert microinfer(*arguments, "--sample", "3").code == 0
    assert mine.read_bytes() != first
    assert list(tmp_path.iterdir()) == [mine]
