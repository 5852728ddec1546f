"""A model as a railway map: a row per layer in the order of execution, a lane per branch.

A residual connection leaves its layer to a lane of its own and comes back where it is added; so
do the branches of a split and the skips of a U-Net. The rows are those of a table of layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Tensors = Sequence[int]


@dataclass(frozen=True)
class Stop:
    """A model input, a layer or a model output. ``number`` counts within its kind."""

    kind: str  # "input", "layer" or "output"
    number: int
    row: int
    lane: int


@dataclass(frozen=True)
class Rail:
    """What one stop hands to a later one: from (lane, row), along ``lane``, to (lane, row)."""

    start: tuple[int, int]
    lane: int
    end: tuple[int, int]


@dataclass(frozen=True)
class Rails:
    stops: tuple[Stop, ...]
    rails: tuple[Rail, ...]
    lanes: int


def rails(inputs: Tensors, layers: Sequence[tuple[Tensors, Tensors]], outputs: Tensors) -> Rails:
    """The map of a model with these tensors as inputs and outputs, of itself and of each layer."""
    kinds = [("input", number) for number in range(len(inputs))]
    kinds += [("layer", number) for number in range(len(layers))]
    kinds += [("output", number) for number in range(len(outputs))]
    lanes: dict[int, int] = {}  # of each row so far
    taken: list[int] = []  # the last row that each lane is taken in
    waiting: dict[int, list[tuple[int, int]]] = {}  # row to its (earlier row, lane)
    found = []
    later = _edges([*(((), (i,)) for i in inputs), *layers, *(((i,), ()) for i in outputs)])
    for row in range(len(kinds)):
        arriving = waiting.pop(row, [])
        lane = min((lane for _, lane in arriving), default=-1)
        if lane < 0:
            lane = _free(taken, row)
        lanes[row] = lane
        found += [Rail((lanes[first], first), along, (lane, row)) for first, along in arriving]
        for _, along in arriving:
            taken[along] = row
        taken[lane] = row
        for place, end in enumerate(later[row]):
            # The nearest reader goes straight on; the others are passed by in lanes of their own.
            along = lane if place == 0 else _free(taken, row + 1)
            taken[along] = end
            waiting.setdefault(end, []).append((row, along))
    stops = tuple(Stop(kind, number, row, lanes[row]) for row, (kind, number) in enumerate(kinds))
    return Rails(stops, tuple(found), len(taken))


def _edges(rows: Sequence[tuple[Tensors, Tensors]]) -> list[list[int]]:
    """For each row, the rows that read what it makes, nearest first; ``rows`` are of the tensors
    that they read and make."""
    maker: dict[int, int] = {}
    later: list[list[int]] = []
    for row, (read, made) in enumerate(rows):
        later.append([])
        for first in sorted({maker[index] for index in read if index in maker}):
            later[first].append(row)
        maker.update(dict.fromkeys(made, row))
    return later


def _free(taken: list[int], row: int) -> int:
    """The lowest lane that nothing takes at ``row``; a new one if need be."""
    for lane, until in enumerate(taken):
        if until < row:
            return lane
    taken.append(-1)
    return len(taken) - 1
