"""RESIZE_BILINEAR: weights in 1024ths, and one rounding."""

from __future__ import annotations

from typing import Any

from microinfer.graph import Graph
from one_op import activation, int32, one_op

from .case import Case


def resize(width: int, output: int, **options: Any) -> Graph:
    """A row of pixels of one channel, zero point -7."""
    operands = [activation((1, 1, width, 1), 0.5, -7), int32([1, output])]
    y = activation((1, 1, output, 1), 0.5, -7, "y")
    return one_op("RESIZE_BILINEAR", operands, y, version=3, **options)


def pixels(*values: int) -> list[Any]:
    return [[[[[value] for value in values]]]]


CASES = (
    Case(
        "twice_as_wide",
        resize(2, 4),
        pixels(0, 100),
        [0, 50, 100, 100],
        "1.5 lies beyond the last pixel, which is then both neighbours",
    ),
    Case(
        "ties_away_from_zero",
        resize(3, 6),
        pixels(-4, 1, 2),
        [-4, -2, 1, 2, 2, 2],
        "-1.5 to -2 and 1.5 to 2: of the integers, whatever the zero point",
    ),
    Case(
        "half_pixel_centres",
        resize(2, 4, half_pixel_centers=True),
        pixels(0, 100),
        [0, 25, 75, 100],
        "-0.25 and 1.25 are clamped to the image",
    ),
    Case(
        "corners_aligned",
        resize(2, 3, align_corners=True),
        pixels(0, 100),
        [0, 50, 100],
        "the last pixel is the last pixel",
    ),
    Case(
        "one_pixel_to_many",
        resize(1, 65),
        pixels(9),
        [9] * 65,
        "the rounded scale, 16, leads to 64 * 16, beyond the pixel, where the runtimes read",
        confirmed_by=(),
    ),
    Case(
        "a_scale_that_is_no_1024th",
        resize(2, 3),
        pixels(0, 127),
        [0, 85, 127],
        "683/1024: 84.7 to 85; 1366/1024 is beyond the last pixel",
    ),
)
