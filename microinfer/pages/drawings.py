"""The report's pictures as numbers that a template prints: histograms, channels, map, arena.

Colours are classes of the style sheet, so that light, dark and print have their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..debug.histogram import Histogram
from .rails import Rails

HEIGHT = 100  # of a histogram's own units; its width is one unit per bin
BARS = 96  # channels that a strip shows at most, one bar each
ROW, LANE = 28, 24  # of the map, in pixels
STOP_WIDTH = 34


@dataclass(frozen=True)
class Bars:
    """A histogram's outline as an SVG path, ``low`` and ``high`` its end bars; "" without values.

    The tallest bar but for spikes fills the height; ``spikes`` are those that are cut off there,
    as (first integer of the bin, share of all values).
    """

    bins: int
    outline: str
    low: str
    high: str
    zero: float | None
    spikes: tuple[tuple[int, float], ...]


def bars(histogram: Histogram, zero_point: int | None = None) -> Bars:
    """The outline of ``histogram``, with a line at ``zero_point``."""
    counts = [int(count) for count in histogram.counts]
    ends = {_bin(histogram, histogram.low), _bin(histogram, histogram.high)}
    special = ends if zero_point is None else ends | {_bin(histogram, zero_point)}
    others = max((count for i, count in enumerate(counts) if i not in special), default=0)
    tallest = max(counts) if others == 0 else 1.25 * others
    heights = [min(HEIGHT, math.ceil(HEIGHT * count / tallest)) if count else 0 for count in counts]
    total = sum(counts)
    spikes = [
        (histogram.lowest + histogram.width * i, count / total)
        for i, count in enumerate(counts)
        if count > tallest
    ]
    first, last = min(ends), max(ends)
    inner = [0 if i in ends else height for i, height in enumerate(heights)]
    return Bars(
        bins=len(counts),
        outline=_outline(inner),
        low=_bar(first, heights[first]),
        high=_bar(last, heights[last]),
        zero=None if zero_point is None else _bin(histogram, zero_point) + 0.5,
        spikes=tuple(spikes),
    )


def _bin(histogram: Histogram, value: int) -> int:
    place = (value - histogram.lowest) // histogram.width
    return min(max(place, 0), len(histogram.counts) - 1)


def _outline(heights: Sequence[int]) -> str:
    """Bars side by side, each one unit wide, standing on HEIGHT."""
    used = [i for i, height in enumerate(heights) if height]
    if not used:
        return ""
    path, last, run = [f"M{used[0]} {HEIGHT}"], 0, 0
    for height in [*heights[used[0] : used[-1] + 1], 0]:
        if height != last:
            path.append((f"h{run}" if run else "") + f"V{HEIGHT - height}")
            last, run = height, 0
        run += 1
    return "".join(path) + "Z"


def _bar(place: int, height: int) -> str:
    return f"M{place} {HEIGHT}v-{height}h1v{height}Z" if height else ""


def strip(values: Sequence[float]) -> list[float]:
    """Heights in percent of at most BARS bars; each is the largest of its share of ``values``."""
    each = -(-len(values) // BARS) if values else 1
    tallest = max(values, default=0.0)
    groups = [max(values[i : i + each]) for i in range(0, len(values), each)]
    return [round(100 * value / tallest, 1) if tallest else 0.0 for value in groups]


def rail_paths(drawn: Rails) -> list[str]:
    """Each rail as an SVG path: out of its stop, down along its lane, into the next stop."""
    paths = []
    for rail in drawn.rails:
        (x, y), (to_x, to_y) = (_centre(*place) for place in (rail.start, rail.end))
        along = _centre(rail.lane, 0)[0]
        path = f"M{x} {y}"
        if along != x:
            path += _bend(x, y, along, y + ROW)
            y += ROW
        if along != to_x:
            path += f"V{to_y - ROW}" + _bend(along, to_y - ROW, to_x, to_y)
        else:
            path += f"V{to_y}"
        paths.append(path)
    return paths


def _centre(lane: int, row: int) -> tuple[int, int]:
    """Of a stop, in pixels."""
    return lane * LANE + STOP_WIDTH // 2 + 2, row * ROW + ROW // 2


def _bend(x: int, y: int, to_x: int, to_y: int) -> str:
    middle = (y + to_y) // 2
    return f"C{x} {middle} {to_x} {middle} {to_x} {to_y}"


@dataclass(frozen=True)
class Box:
    """A rectangle in percent of its picture."""

    left: float
    top: float
    width: float
    height: float


def arena_box(
    offset: int, nbytes: int, first: int, last: int, arena_bytes: int, layers: int
) -> Box:
    """Bytes of the arena over layers -1 .. ``layers``: time to the right, addresses upwards."""
    moments = layers + 2
    return Box(
        left=round(100 * (first + 1) / moments, 3),
        top=round(100 * (1 - (offset + nbytes) / arena_bytes), 3),
        width=round(100 * (last - first + 1) / moments, 3),
        height=round(100 * nbytes / arena_bytes, 3),
    )


SQNR_LIMITS = (40.0, 30.0, 20.0, 10.0)  # dB, from good to bad
SHARE_LIMITS = (0.0, 0.001, 0.01, 0.1)  # of values that differ, from good to bad


def sqnr_shade(db: float | None) -> str:
    """The class of a signal-to-noise ratio: s0 is good, s4 bad, "none" unknown."""
    if db is None or math.isnan(db):
        return "none"
    return f"s{sum(db < limit for limit in SQNR_LIMITS)}"


def share_shade(share: float | None) -> str:
    """The class of a share of values that differ."""
    if share is None:
        return "none"
    return f"s{sum(share > limit for limit in SHARE_LIMITS)}"
