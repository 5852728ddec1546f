"""RESIZE_NEAREST_NEIGHBOR: which pixel is the nearest."""

from __future__ import annotations

from typing import Any

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case


def resize(width: int, output: int, **options: Any) -> Graph:
    """A row of pixels of one channel."""
    operands = [activation((1, 1, width, 1), 0.5, -7), int32([1, output])]
    y = activation((1, 1, output, 1), 0.5, -7, "y")
    return one_op("RESIZE_NEAREST_NEIGHBOR", operands, y, version=3, **options)


def row(*pixels: int) -> list[int]:
    return list(pixels)


def pixels(*values: int) -> list[Any]:
    return [[[[[value] for value in values]]]]


CASES = (
    Case("twice_as_wide", resize(2, 4), pixels(1, 2), row(1, 1, 2, 2), "i / 2, down"),
    Case("narrower", resize(5, 2), pixels(1, 2, 3, 4, 5), row(1, 3), "1 * 2.5, down"),
    Case(
        "narrower_by_centres",
        resize(5, 2, half_pixel_centers=True),
        pixels(1, 2, 3, 4, 5),
        row(2, 4),
        "0.5 * 2.5 and 1.5 * 2.5, down",
    ),
    Case(
        "corners_aligned",
        resize(2, 4, align_corners=True),
        pixels(1, 2),
        row(1, 1, 2, 2),
        "0, 1/3, 2/3, 1, to the nearest",
    ),
    Case(
        "corners_aligned_at_a_tie",
        resize(2, 3, align_corners=True),
        pixels(1, 2),
        row(1, 2, 2),
        "0.5 rounds up",
    ),
    Case(
        "corners_of_one_pixel",
        resize(3, 1, align_corners=True),
        pixels(1, 2, 3),
        row(1),
        "the scale is then 3 / 1",
    ),
)
