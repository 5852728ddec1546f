"""Ops that only move elements: what they refuse, several outputs, and the runtimes' own bugs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import microinfer as mi
from cases import TABLES
from microinfer.emit.kernels import calls
from microinfer.graph import Graph, Tensor
from microinfer.tflite import write
from one_op import activation, constant, int32, one_op
from oracles import ORACLES, Refused, tflm_tensors

X = activation((2, 3))
RUN_TIME = Tensor("n", (2,), "INT32")


def y(*shape: int) -> Tensor:
    return activation(shape, name="y")


# op, inputs, outputs, options, what the message says
REFUSED: list[tuple[str, list[Tensor], Tensor | list[Tensor], dict[str, Any], str]] = [
    ("SLICE", [X, RUN_TIME, int32([1, 1])], y(1, 1), {}, r'"n".*computed at run time.*constant'),
    ("SLICE", [X, int32([1, 2]), int32([1, 2])], y(1, 2), {}, r"extent 3 on axis 1.*2\.\.4 is"),
    ("SLICE", [X, int32([1]), int32([1])], y(1), {}, r"is \[1\], expected 2 integers"),
    ("SLICE", [X, int32([0, 0]), int32([1, 1])], y(1, 2), {}, r"shape \(1, 2\), expected \(1, 1\)"),
    (
        "STRIDED_SLICE",
        [X, int32([0, 0]), int32([2, 3]), int32([1, 0])],
        y(2, 3),
        {},
        "stride of 0",
    ),
    (
        "STRIDED_SLICE",
        [X, int32([5, 0]), int32([6, 3]), int32([1, 1])],
        y(3),
        {"shrink_axis_mask": 1},
        "extent 2 on axis 0, of which index 5",
    ),
    (
        "STRIDED_SLICE",
        [X, int32([0, 0, 0]), int32([1, 1, 1]), int32([1, 1, 1])],
        y(1, 1, 1),
        {},
        "rank 2, which 3 items",
    ),
    ("SPLIT", [int32(1), X], [y(2, 1), y(2, 1)], {"num_splits": 2}, "not 2 equal pieces"),
    ("SPLIT", [int32(2), X], [y(2, 3)], {"num_splits": 1}, r"axis 2, expected -2\.\.1"),
    (
        "SPLIT_V",
        [X, int32([1, 1]), int32(1)],
        [y(2, 1), y(2, 1)],
        {"num_splits": 2},
        r"does not split into \[1, 1\]",
    ),
    ("PACK", [X, activation((3, 2))], y(2, 2, 3), {"values_count": 2}, r"expected \(2, 3\)"),
    ("UNPACK", [X], [y(3)], {"num": 1}, "extent 2 on axis 0, expected 1"),
    ("GATHER", [X, int32([2])], y(1, 3), {}, r"indices 0\.\.2, expected 0\.\.1"),
    ("GATHER", [X, Tensor("n", (2,), "INT64")], y(2, 3), {}, "type INT64, expected INT32"),
    ("GATHER", [X, int32([0])], y(1, 3), {"batch_dims": 1}, "does not share 1 batch axes"),
    ("GATHER_ND", [X, int32([[0, 3]])], y(1), {}, r"indices 0\.\.3, expected 0\.\.2"),
    ("TILE", [X, RUN_TIME], y(2, 3), {}, "computed at run time"),
    ("BROADCAST_TO", [X, int32([4, 3])], y(4, 3), {}, "does not broadcast"),
    ("FILL", [RUN_TIME, activation(())], y(2, 3), {}, "computed at run time"),
    ("PADV2", [X, int32([[0, 0]] * 2), X], y(2, 3), {}, "expected one element"),
    (
        "MIRROR_PAD",
        [X, int32([[2, 0], [0, 0]])],
        y(4, 3),
        {"mode": "REFLECT"},
        "extent 2 on axis 0, which cannot mirror 2",
    ),
    ("SPACE_TO_DEPTH", [activation((1, 3, 2, 1))], y(1, 1, 1, 4), {"block_size": 2}, "multiple"),
    (
        "SPACE_TO_BATCH_ND",
        [activation((1, 3, 1)), int32([2]), int32([[0, 0]])],
        y(2, 1, 1),
        {},
        "does not follow",
    ),
    ("RESIZE_BILINEAR", [X, int32([2, 3])], y(2, 3), {}, "expected rank 4"),
    (
        "TILE",
        [activation((2,) * 4), int32([2] * 4)],
        y(4, 4, 4, 4),
        {},
        "needs 7 nested loops, at most 5",
    ),
]


@pytest.mark.parametrize(("op", "inputs", "outputs", "options", "message"), REFUSED)
def test_refused(
    op: str,
    inputs: list[Tensor],
    outputs: Tensor | list[Tensor],
    options: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(mi.UnsupportedModel, match=rf"layer 0 {op}[\s\S]*{message}"):
        mi.Interpreter(one_op(op, inputs, outputs, **options))


def test_outputs_of_other_quantization_are_refused() -> None:
    graph = one_op("UNPACK", [X], [y(3), activation((3,), 0.5, name="z")], num=2)
    with pytest.raises(mi.UnsupportedModel, match=r"UNPACK.*does not rescale"):
        mi.Interpreter(graph)


def test_every_sample_gets_what_is_made_of_constants() -> None:
    filled = one_op("FILL", [int32([2]), constant(7, 1.0)], y(2))
    source, output = activation((2,)), activation((2,), name="sum")
    added = one_op("ADD", [source, y(2)], output)
    tensors = (*filled.tensors, added.tensors[0], added.tensors[2])
    nodes = (filled.nodes[0], _moved_to(added, (3, 2), (4,)))
    graph = Graph(tensors, nodes, inputs=(3,), outputs=(4,))
    x = np.array([[1, 2], [3, 4], [5, 6]], np.int8)
    expected = [[8, 9], [10, 11], [12, 13]]
    assert mi.Interpreter(graph).run(x)[0].tolist() == expected
    assert mi.compile(graph).run(x)[0].tolist() == expected


def _moved_to(graph: Graph, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Any:
    from dataclasses import replace

    return replace(graph.nodes[0], inputs=inputs, outputs=outputs)


def test_a_contiguous_move_is_one_run() -> None:
    """What a user would write as memcpy is one."""
    graph = one_op("SPLIT", [int32(0), X], [y(1, 3), y(1, 3)], num_splits=2)
    (layer,) = mi.Interpreter(graph).layers
    assert [(call.params.run, call.params.extents) for call in calls(layer, graph)] == [
        (3, (1,) * 5)
    ] * 2
    assert [call.outputs for call in calls(layer, graph)] == [(0,), (1,)]


# -- recorded, not reproduced: ARITHMETIC.md ------------------------------------------------


def test_tflm_pads_space_to_batch_with_what_is_in_memory() -> None:
    (case,) = (c for c in TABLES["SPACE_TO_BATCH_ND"] if c.name == "padding_is_the_zero_point")
    (theirs,) = tflm_tensors(write(case.graph), *case.samples()).values()
    (ours,) = case.outputs("tflm")
    data = ours != -7
    np.testing.assert_array_equal(theirs[data], ours[data])
    assert (theirs[~data] != -7).all()


@pytest.mark.parametrize("numerics", ORACLES)
def test_runtimes_resize_from_beyond_the_last_pixel(numerics: str) -> None:
    source = activation((1, 2, 1, 1))
    graph = one_op("RESIZE_BILINEAR", [source, int32([2, 65])], y(1, 2, 65, 1))
    x = np.array([10, 50], np.int8).reshape(1, 1, 2, 1, 1)
    (theirs,) = ORACLES[numerics](write(graph), x).values()
    assert theirs[0, 0, 0, :, 0].tolist() == [10] * 64 + [50]  # the last is of the next row
    assert mi.Interpreter(graph, numerics).run(x)[0].ravel().tolist() == [10] * 65 + [50] * 65


@pytest.mark.parametrize("numerics", ORACLES)
def test_runtimes_reverse_only_neighbouring_axes(numerics: str) -> None:
    case = next(c for c in TABLES["REVERSE_V2"] if c.name == "axes_that_are_no_neighbours")
    with pytest.raises(Refused):
        ORACLES[numerics](write(case.graph), *case.samples())
