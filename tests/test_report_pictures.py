"""The report's pictures in numbers: map, histograms, arena, colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from command_line import MODELS
from microinfer.debug.histogram import Histogram
from microinfer.pages.drawings import arena_box, bars, share_shade, sqnr_shade, strip
from microinfer.pages.rails import Rail, rails
from microinfer.pages.report import percent

OPERATORS = sorted((MODELS / "operators").glob("*.tflite"))


def test_a_residual_passes_by_in_a_lane_of_its_own() -> None:
    drawn = rails([0], [([0], [1]), ([1], [2]), ([2], [3]), ([1, 3], [4])], [4])
    assert [(stop.kind, stop.number, stop.row, stop.lane) for stop in drawn.stops] == [
        ("input", 0, 0, 0), ("layer", 0, 1, 0), ("layer", 1, 2, 0), ("layer", 2, 3, 0),
        ("layer", 3, 4, 0), ("output", 0, 5, 0),
    ]  # fmt: skip
    assert Rail((0, 1), 1, (0, 4)) in drawn.rails
    assert drawn.lanes == 2


def test_branches_of_a_split_are_side_by_side() -> None:
    drawn = rails([0], [([0], [1, 2]), ([1], [3]), ([2], [4]), ([3, 4], [5])], [5])
    assert [stop.lane for stop in drawn.stops] == [0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("path", OPERATORS, ids=lambda path: path.stem)
def test_the_map_has_every_edge_and_no_two_things_in_one_place(path: Path) -> None:
    graph = mi.load(path)
    layers = [(node.inputs, node.outputs) for node in graph.nodes]
    drawn = rails(graph.inputs, layers, graph.outputs)
    rows = [((), (i,)) for i in graph.inputs] + layers + [((i,), ()) for i in graph.outputs]
    edges = {
        (first, row)
        for row, (read, _) in enumerate(rows)
        for first, (_, made) in enumerate(rows[:row])
        if set(read) & set(made)
    }
    assert {(rail.start[1], rail.end[1]) for rail in drawn.rails} == edges
    place = {stop.row: stop.lane for stop in drawn.stops}
    taken: dict[tuple[int, int], object] = {(lane, row): "stop" for row, lane in place.items()}
    for rail in drawn.rails:
        assert (rail.start[0], rail.end[0]) == (place[rail.start[1]], place[rail.end[1]])
        for row in range(rail.start[1] + 1, rail.end[1]):
            assert taken.setdefault((rail.lane, row), rail) is rail


def test_bars_stand_where_the_values_are() -> None:
    own = Histogram(-2, 1, -2, 1, np.array([40, 2, 4, 1]))
    drawn = bars(own, zero_point=0)
    # -2 and 1 are the ends, 0 the zero point: 2 of -1 are the tallest of the others.
    assert drawn.spikes == ((-2, 40 / 47), (0, 4 / 47))
    assert drawn.outline == "M1 100V20h1V0h1V100Z"
    assert (drawn.low, drawn.high) == ("M0 100v-100h1v100Z", "M3 100v-40h1v40Z")
    assert drawn.zero == 2.5


def test_a_histogram_of_nothing_is_an_empty_picture() -> None:
    drawn = bars(Histogram(-128, 1, -128, 127, np.zeros(256, np.int64)))
    assert (drawn.outline, drawn.low, drawn.high, drawn.spikes) == ("", "", "", ())


def test_a_strip_shows_the_largest_of_each_share() -> None:
    assert strip([1.0, 2.0, 4.0]) == [25.0, 50.0, 100.0]
    assert strip([0.0, 0.0]) == [0.0, 0.0]
    many = strip([float(i) for i in range(1, 193)])
    assert len(many) == 96
    assert many[-1] == 100.0
    assert many[0] == round(100 * 2 / 192, 1)


def test_arena_boxes() -> None:
    box = arena_box(0, 50, -1, 0, 100, 2)
    assert (box.left, box.top, box.width, box.height) == (0, 50, 50, 50)
    box = arena_box(75, 25, 2, 2, 100, 2)
    assert (box.left, box.top, box.width, box.height) == (75, 0, 25, 25)


def test_shades() -> None:
    steps = (float("inf"), 40, 39.9, 20, 19, 10, -3)
    assert [sqnr_shade(db) for db in steps] == ["s0", "s0", "s1", "s2", "s3", "s3", "s4"]
    assert sqnr_shade(None) == sqnr_shade(float("nan")) == "none"
    assert [share_shade(x) for x in (0, 1e-6, 0.005, 0.05, 0.5)] == ["s0", "s1", "s2", "s3", "s4"]


def test_a_share_that_is_not_0_does_not_look_so() -> None:
    shares = (0, 1e-9, 0.0012, 0.5, 0.99999, 1)
    said = ["0 %", "<0.01 %", "0.12 %", "50 %", ">99.99 %", "100 %"]
    assert [percent(share) for share in shares] == said
