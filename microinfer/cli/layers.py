"""Layers that were compared: as a table, as the first difference in full, and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ..debug.compare import First
from ..debug.diagnose import Cause
from ..debug.diff import INPUT, LayerDiff, Report, place
from ..graph import Graph
from .failure import counted, ranges, short_name
from .output import line, table, width

UNDECIDED, UNSEEN = "----", "????"  # in place of PASS or FAIL

LEGEND = {
    UNDECIDED: "inherited: it differs, but so does what it reads; look at FAIL first",
    UNSEEN: "differs, but what it reads was not compared: the cause may lie before it",
}
SHORTEST, NAME = 13, 18  # columns: the fewest of differences, and what they leave to a name


def verdict(layer: LayerDiff) -> str:
    """FAIL is only for layers that made a difference of equal inputs."""
    if layer.identical:
        return "PASS" if layer.elements else ""
    if layer.inputs_differ:
        return UNDECIDED
    return UNSEEN if layer.unseen else "FAIL"


def print_layers(graph: Graph, report: Report) -> None:
    """The table, with what its marks mean."""
    layers = [*report.inputs, *report.layers]
    own = [
        [verdict(layer), str(layer.index), layer.node.op, _output(graph, layer)] for layer in layers
    ]
    titles = ["", "layer", "operator", "output"]
    if report.identical and not report.missing:
        counts = [[f"{layer.elements:,}", f"{layer.differing:,}"] for layer in layers]
        rows = [[*a, *b] for a, b in zip(own, counts, strict=True)]
        table("< > < ~ > >", [*titles, "elements", "differing"], rows)
        return
    counts = [[_differing(layer)] for layer in layers]
    rows = [[*a[:3], *b] for a, b in zip(own, counts, strict=True)]
    taken = sum(2 + max(len(cell) for cell in column) for column in zip(*rows, strict=True))
    room = max(SHORTEST, width() - taken - NAME)
    rows = [
        [*a, *b, differences(layer, room)] for a, b, layer in zip(own, counts, layers, strict=True)
    ]
    table("< > < ~ > <", [*titles, "differing", "differences"], rows)
    for mark, meaning in LEGEND.items():
        if any(row[0] == mark for row in own):
            line(f"{mark}  {meaning}")


def _output(graph: Graph, layer: LayerDiff) -> str:
    return graph.tensors[layer.tensor].name if layer.tensor >= 0 else ""


def _differing(layer: LayerDiff) -> str:
    if not layer.elements:
        return "" if layer.compared else "not compared"
    return f"{layer.differing:,} of {layer.elements:,}"


def differences(layer: LayerDiff, room: int) -> str:
    """The histogram as -2:1 -1:14 +1:9, or in ``room`` its two ends and its most frequent part."""
    if layer.identical:
        return ""
    if not layer.histogram:
        return f"{layer.largest:g} at most"
    whole = _histogram(layer.histogram)
    if len(whole) <= room:
        return whole
    by_count = sorted(layer.histogram.items(), key=lambda item: -item[1])
    ends = f"{min(layer.histogram):+}..{max(layer.histogram):+}"
    text = ends
    for some in range(1, len(by_count)):
        longer = f"{ends}, {_histogram(dict(by_count[:some]))} ..."
        if len(longer) > room:
            break
        text = longer
    return text


def _histogram(histogram: Mapping[int, int]) -> str:
    return " ".join(f"{step:+}:{count}" for step, count in sorted(histogram.items()))


def print_first(
    graph: Graph, first: First, labels: Sequence[str], expected: str, observed: str
) -> None:
    """The first difference in full. ``expected`` and ``observed`` name the two sides."""
    layer, stage = first.layer, first.arithmetic
    tensor = graph.tensors[layer.tensor]
    title = f"first difference: {place(layer)}"
    line(f'{title} "{short_name(tensor.name, width() - len(title) - 3)}"')
    rows = [
        ["sample, element", f"{labels[first.sample]}, {first.element}"],
        [expected, str(first.expected)],
        [observed, str(first.observed)],
    ]
    if stage is not None:
        offset = f"{stage.real:.6g} + zero point {stage.zero_point}"
        real = stage.multiplier * 2.0 ** (stage.shift - 31)
        rows += [
            ["accumulator", f"{stage.accumulator:,}"],
            ["multiplier", f"{stage.multiplier:,} * 2^{stage.shift - 31}, that is {real:.6g}"],
            ["shift", str(stage.shift)],
            ["before rounding", f"{stage.real + stage.zero_point:.6f} = {offset}"],
            ["clamp", f"{stage.clamp[0]}..{stage.clamp[1]}"],
        ]
    left = max(len(row[0]) for row in rows)
    for name, value in rows:
        line(f"  {name:{left}}  {value}")
    how_many = (
        f"{layer.differing:,} of {layer.elements:,} values differ, by {layer.largest:,g} at most"
    )
    if layer.histogram:
        how_many += f"; difference:values {differences(layer, width())}"
    print_wrapped(how_many)
    if layer.unseen:
        one = len(layer.unseen) == 1
        print_wrapped(
            f"layer{'' if one else 's'} {ranges(layer.unseen)} before it {'was' if one else 'were'}"
            f" not compared: the difference may be {'its' if one else 'theirs'}"
        )


def print_causes(first: First, causes: Sequence[Cause]) -> None:
    """What may have gone wrong in the layer, or that nothing known explains it."""
    if first.layer.node.op == INPUT:
        print_wrapped("the two sides ran on other inputs: compare what feeds the model")
    elif not causes:
        element = ",".join(map(str, first.element))
        print_wrapped(
            "likely cause: none that is known explains it; what the element is made of:"
            f" microinfer explain --layer {first.layer.index} --at {element}"
        )
    for number, cause in enumerate(causes):
        print_wrapped(f"{'or' if number else 'likely cause'}: {cause.sentence}")
        share = "all" if cause.exact else f"{cause.matching:,} of"
        print_wrapped(f"gives {share} {cause.elements:,} values as observed; {cause.fix}", "    ")


def cause_facts(cause: Cause) -> dict[str, Any]:
    """A cause for programs."""
    return {
        "name": cause.name,
        "sentence": cause.sentence,
        "fix": cause.fix,
        "matching": cause.matching,
        "elements": cause.elements,
        "exact": cause.exact,
    }


def print_wrapped(text: str, indent: str = "  ") -> None:
    """A sentence in lines of the terminal's width, indented."""
    for part in textwrap.wrap(text, width(), initial_indent=indent, subsequent_indent=indent):
        line(part)


def print_missing(report: Report) -> None:
    """Which layers were not compared."""
    if report.missing:
        numbers = [layer.index for layer in report.missing]
        line(
            f"not compared: {counted(len(numbers), 'layer')} of {len(report.layers)}:"
            f" {ranges(numbers)}"
        )


def layer_facts(layer: LayerDiff) -> dict[str, Any]:
    """A layer for programs."""
    return {
        "index": layer.index,
        "op": layer.node.op,
        "tensor": layer.tensor,
        "identical": None if layer.missing and not layer.elements else layer.identical,
        "elements": layer.elements,
        "differing": layer.differing,
        "largest": layer.largest,
        "histogram": [list(item) for item in layer.histogram.items()],
        "inputs_differ": layer.inputs_differ,
        "not_compared": list(layer.missing),
        "unseen": list(layer.unseen),
        "first": _place_facts(layer),
    }


def _place_facts(layer: LayerDiff) -> dict[str, Any] | None:
    if layer.first is None:
        return None
    (sample, *element), expected, observed = layer.first
    return {"sample": sample, "element": element, "expected": expected, "observed": observed}


def first_facts(first: First | None) -> dict[str, Any] | None:
    """The first difference for programs."""
    if first is None:
        return None
    stage = first.arithmetic
    return {
        "layer": None if first.layer.node.op == INPUT else first.layer.index,
        "input": first.layer.index if first.layer.node.op == INPUT else None,
        "op": first.layer.node.op,
        "tensor": first.layer.tensor,
        "sample": first.sample,
        "element": list(first.element),
        "expected": first.expected,
        "observed": first.observed,
        "arithmetic": None
        if stage is None
        else {
            "accumulator": stage.accumulator,
            "multiplier": stage.multiplier,
            "shift": stage.shift,
            "before_rounding": stage.real + stage.zero_point,
            "zero_point": stage.zero_point,
            "clamp": list(stage.clamp),
        },
    }
