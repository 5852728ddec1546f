"""The report as one self-contained HTML page: what the template needs besides the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..debug.diff import INPUT
from ..debug.report_facts import LayerReport, ModelReport
from ..debug.summary import sentence
from . import render
from .drawings import (
    LANE,
    ROW,
    SQNR_LIMITS,
    STOP_WIDTH,
    arena_box,
    bars,
    rail_paths,
    share_shade,
    sqnr_shade,
    strip,
)
from .rails import Stop, rails

MARK = "- report of microinfer</title>"  # in each page's head: what tells it from other files
GAPS = 9  # differences that are listed
TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
NOTHING, INFINITE = "\N{EN DASH}", "\N{INFINITY}"
DOTS = "\N{HORIZONTAL ELLIPSIS}"
OPEN_LAYERS = 12  # a model of more has its layers' values folded
FIGURE, LABEL = (56, 280)  # pixels beside the map for a layer's name and figure


@dataclass(frozen=True)
class Look:
    """A way to colour the map. ``key`` is its class; ``title`` stands in the choice."""

    key: str
    title: str


def report_page(report: ModelReport) -> str:
    """The page of ``report``: HTML that needs no other file and no network."""
    looks = _looks(report)
    return render(
        "report.html.j2",
        report=report,
        looks=looks,
        map=_map(report),
        shades={layer.index: _shades(layer) for layer in report.layers},
        figures={layer.index: _figures(layer) for layer in report.layers},
        folded=len(report.layers) > OPEN_LAYERS,
        noted=_noted(report),
        peak=_peak(report),
        begins=_begins(report),
        gaps=_gaps,
        bars=bars,
        strip=strip,
        arena_box=arena_box,
        limits=SQNR_LIMITS,
        infinity=math.inf,
        sqnr_shade=sqnr_shade,
        verdict=_verdict,
        n=number,
        sentence=sentence,
        counted=counted,
        db=decibel,
        gain=gain,
        pct=percent,
        real=real,
        extents=extents,
        short=short,
    )


def _begins(report: ModelReport) -> int | None:
    """The layer in which a difference begins."""
    first = report.difference.first if report.difference else None
    return first.layer.index if first and first.layer.node.op != INPUT else None


def _noted(report: ModelReport) -> list[int | None]:
    """The layers that a reader is sent to, whose values are shown unfolded."""
    advised = [advice.index for advice in report.accuracy.advice] if report.accuracy else []
    return [*advised, _begins(report)]


def _peak(report: ModelReport) -> str:
    """When the most bytes of the arena are in use, in words."""
    used = [
        sum(own.bytes for own in report.buffers if own.first_layer <= layer <= own.last_layer)
        for layer in range(-1, len(report.layers) + 1)
    ]
    layer = used.index(max(used)) - 1
    when = "before the first layer" if layer < 0 else f"in layer {layer}"
    when = "after the last layer" if layer == len(report.layers) else when
    return f"{when}, {counted(max(used), 'byte')}"


def _gaps(histogram: Mapping[int, int]) -> list[tuple[str, int]]:
    """How often each difference occurs, the most frequent of them, in their order."""
    often = sorted(histogram, key=lambda gap: -histogram[gap])[:GAPS]
    shown = [(f"{gap:+d}", histogram[gap]) for gap in sorted(often)]
    rest = sum(histogram.values()) - sum(count for _, count in shown)
    return [*shown, ("others", rest)] if rest else shown


def _looks(report: ModelReport) -> list[Look]:
    """The first is shown at first."""
    looks = []
    if report.accuracy is not None:
        looks.append(Look("accumulated", "error, accumulated (dB)"))
        looks.append(Look("isolated", "error of the layer alone (dB)"))
    if report.difference is not None:
        looks.insert(
            len(looks) if report.difference.identical else 0, Look("difference", "difference")
        )
    return looks


def _share(layer: LayerReport) -> float | None:
    """The share of the layer's values that differ; None where none was compared."""
    own = layer.difference
    return own.differing / own.elements if own and own.elements else None


def _verdict(layer: LayerReport) -> str:
    """What the comparison found of the layer."""
    own = layer.difference
    if own is None or (own.identical and own.missing):
        return "not compared"
    if own.identical:
        return "same"
    if own.inputs_differ:
        return "inherited"
    return "unsure" if own.unseen else "differs"


def _shades(layer: LayerReport) -> str:
    """The layer's colour in each look, as properties of its style."""
    own = layer.accuracy
    shades = {
        "difference": share_shade(_share(layer)),
        "accumulated": sqnr_shade(own.accumulated_sqnr_db if own else None),
        "isolated": sqnr_shade(own.sqnr_db if own else None),
    }
    return "".join(
        f"--{look}:var(--{shade});--{look}-ink:var(--{shade}-ink);"
        for look, shade in shades.items()
    )


def _figures(layer: LayerReport) -> dict[str, str]:
    """The layer's figure in each look."""
    own, share = layer.accuracy, _share(layer)
    return {
        "difference": percent(share) if share else "same" if share == 0 else NOTHING,
        "accumulated": decibel(own.accumulated_sqnr_db) if own else "",
        "isolated": decibel(own.sqnr_db) if own else "",
    }


@dataclass(frozen=True)
class Map:
    """The railway map, in pixels."""

    stops: tuple[Stop, ...]
    paths: list[str]
    width: int
    height: int
    label: int  # where labels begin: a layer's figure, and behind it
    name: int  # its name
    row: int = ROW
    lane: int = LANE
    stop_width: int = STOP_WIDTH


def _map(report: ModelReport) -> Map:
    drawn = rails(
        [port.tensor for port in report.inputs],
        [(layer.inputs, layer.outputs) for layer in report.layers],
        [port.tensor for port in report.outputs],
    )
    label = (drawn.lanes - 1) * LANE + STOP_WIDTH + 12
    return Map(
        drawn.stops, rail_paths(drawn), label + LABEL, len(drawn.stops) * ROW, label, label + FIGURE
    )


def number(value: float | None) -> str:
    """With thousands separated; what is not there is empty."""
    return "" if value is None else f"{value:,}"


def counted(count: int, noun: str) -> str:
    """A number and its noun, such as "1 sample" or "2,000 samples"."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def gain(value: float) -> str:
    """Decibels that a change brings, with a sign; and no -0.0."""
    return f"+{INFINITE}" if value == math.inf else f"{round(value, 1) + 0.0:+.1f}"


def decibel(value: float | None) -> str:
    """One digit behind the point; no error at all is the sign of infinity."""
    if value is None or math.isnan(value):
        return NOTHING
    return INFINITE if value == math.inf else f"{value:.1f}".replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share of 1; what is not 0 % and not 100 % does not look so."""
    if share is None or math.isnan(share):
        return NOTHING
    if 0 < share < 0.0001:
        return "<0.01 %"
    if 0.9999 < share < 1:
        return ">99.99 %"
    digits = 2 if share < 0.01 else 1
    return f"{100 * share:.{digits}f}".rstrip("0").rstrip(".") + " %"


def real(value: float) -> str:
    """A real number in four digits."""
    return f"{value:.4g}".replace("-", MINUS)


def extents(shape: tuple[int, ...]) -> str:
    """A shape as in 1x8x8x24, with a real sign."""
    return TIMES.join(map(str, shape)) if shape else "scalar"


def short(name: str, width: int) -> str:
    """The end of a tensor's name, which tells the most, in at most ``width`` characters."""
    name = name.split(";", 1)[0]
    return name if len(name) <= width else DOTS + name[1 - width :]
