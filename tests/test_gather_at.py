"""Indices that are known at run time only: checked before anything is computed, or refused."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from c_build import C_WARNINGS, need
from microinfer.errors import BadInput, UnsupportedModel
from microinfer.graph import Graph, Node, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import activation, constant, int32

TABLE = constant([[1, 2], [3, 4], [5, 6]], 0.5, 3, name="table")


def node(op: str, inputs: tuple[int, ...], output: int, **options: object) -> Node:
    kind = OPERATORS[op]
    return Node(op, inputs, (output,), {**(defaults(kind) if kind else {}), **options}, version=2)


def words() -> Graph:
    """A batch of words, by a RESHAPE, into rows of TABLE."""
    tensors = (
        Tensor("words", (1, 4), "INT32"),
        int32([4]),
        Tensor("flat", (4,), "INT32"),
        TABLE,
        activation((4, 2), 0.5, 3, "y"),
    )
    nodes = (node("RESHAPE", (0, 1), 2), node("GATHER", (3, 2), 4))
    return read(write(Graph(tensors, nodes, (0,), (4,))))


@pytest.mark.parametrize("engine", [mi.Interpreter, mi.compile])
@pytest.mark.parametrize("wrong", [3, -1, 2**31 - 1])
def test_an_index_outside_is_an_error_before_anything_runs(engine: type, wrong: int) -> None:
    model = engine(words())
    right = np.array([[2, 0, 1, 2]], np.int32)
    assert model.run(right)[0].tolist() == [[5, 6], [1, 2], [3, 4], [5, 6]]
    with pytest.raises(BadInput, match=r'"words" is taken as indices: got .*, expected 0\.\.2'):
        model.run(np.array([[0, wrong, 0, 0]], np.int32))
    with pytest.raises(BadInput, match="taken as indices"):
        model.trace(np.array([[0, wrong, 0, 0]], np.int32))


@pytest.mark.parametrize("arena", ["static", "caller"])
def test_in_c_invoke_refuses_it_and_writes_nothing(tmp_path: Path, arena: str) -> None:
    for file, text in mi.generate(words(), "words", arena=arena).items():  # type: ignore[arg-type]
        (tmp_path / file).write_text(text)
    passed, size = ("arena, ", "arena, sizeof arena") if arena == "caller" else ("", "")
    alone = passed.rstrip(", ")
    (tmp_path / "try.c").write_text(
        f"""
        #include "words.h"
        #include <string.h>
        int try_it(int32_t index, int8_t *out);
        {"static int64_t arena[(WORDS_ARENA_SIZE + 7) / 8];" if passed else ""}
        int try_it(int32_t index, int8_t *out)
        {{
            const int32_t words[4] = {{0, 1, index, 0}};
            int status;
            {"memset(arena, 77, sizeof arena);" if alone else ""}
            memcpy(words_input({passed}0), words, sizeof words);
            status = words_invoke({size});
            memcpy(out, words_output({passed}0), 8);
            return status;
        }}
        """
    )
    command = [need("gcc"), "-std=c99", *C_WARNINGS, "-shared", "-fPIC", "-o", "try.so"]
    subprocess.run([*command, "words.c", "try.c"], cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "try.so"))
    out = (ctypes.c_int8 * 8)()
    assert library.try_it(2, out) == 0
    assert list(out) == [1, 2, 3, 4, 5, 6, 1, 2]
    before = list(out)
    assert library.try_it(3, out) == library.try_it(-1, out) == -5
    if arena == "static":
        assert list(out) == before


def test_the_place_of_an_extreme_is_an_index() -> None:
    """ARG_MAX over three classes names a row of three."""
    tensors = (
        activation((4, 3), 1.0, 0, "scores"),
        int32(1),
        Tensor("best", (4,), "INT32"),
        TABLE,
        activation((4, 2), 0.5, 3, "y"),
    )
    nodes = (node("ARG_MAX", (0, 1), 2), node("GATHER", (3, 2), 4))
    graph = read(write(Graph(tensors, nodes, (0,), (4,))))
    scores = np.array([[1, 2, 3], [9, 2, 3], [1, 7, 3], [0, 0, 0]], np.int8)
    for model in (mi.Interpreter(graph), mi.compile(graph)):
        assert model.run(scores)[0].tolist() == [[5, 6], [1, 2], [3, 4], [1, 2]]


def test_other_computed_indices_are_refused() -> None:
    """ARG_MAX over four classes may name a fourth row, which TABLE does not have."""
    tensors = (
        activation((4, 4), 1.0, 0, "scores"),
        int32(1),
        Tensor("best", (4,), "INT32"),
        TABLE,
        activation((4, 2), 0.5, 3, "y"),
    )
    nodes = (node("ARG_MAX", (0, 1), 2), node("GATHER", (3, 2), 4))
    graph = read(write(Graph(tensors, nodes, (0,), (4,))))
    with pytest.raises(
        UnsupportedModel, match=r'"best": has indices that ARG_MAX computes.*0\.\.2'
    ):
        mi.Interpreter(graph)


def test_the_self_test_stays_within() -> None:
    assert "% 256u % 3u" in mi.generate(words(), "words")["words.c"]
