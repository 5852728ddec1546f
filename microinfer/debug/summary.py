"""A report in words: what the model is, whether it is what it should be, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator

from .accuracy import Accuracy
from .diff import INPUT
from .report_facts import Difference, ModelReport, Port

LITTLE = 0.05  # dB, as good as nothing


def sentences(report: ModelReport) -> Iterator[str]:
    """The model first, then what was found; each stands for itself."""
    yield _model(report)
    if report.difference:
        yield from _difference(report.difference, report)
    if report.accuracy:
        yield from _accuracy(report.accuracy)
    yield _cost(report)


def _model(report: ModelReport) -> str:
    ports = " and ".join(_port(port) for port in report.inputs)
    made = " and ".join(_port(port) for port in report.outputs)
    return (
        f"{_counted(len(report.layers), 'layer')} make {made} of {ports}."
        f" {_counted(report.samples, 'sample')} ran in the arithmetic of {report.numerics}"
        f" ({report.runtime})."
    )


def _port(port: Port) -> str:
    return f"{port.type.lower()} {'x'.join(map(str, port.shape)) or 'scalar'}"


def _difference(found: Difference, report: ModelReport) -> Iterator[str]:
    layers = [layer for layer in report.layers if layer.difference]
    missing = f" Not compared, as it has none: layers {_listed(found.missing)}." * bool(
        found.missing
    )
    if found.first is None:
        compared = len(layers) - len(found.missing)
        yield (
            f"Identical to {found.against}: {_counted(found.elements, 'value')} in"
            f" {_counted(compared, 'layer')}.{missing}"
        )
        return
    differing = sum(
        layer.difference is not None and layer.difference.differing > 0 for layer in layers
    )
    first = found.first
    place = "input" if first.layer.node.op == INPUT else "layer"
    op = "" if first.layer.node.op == INPUT else f" {first.layer.node.op}"
    yield (
        f"Different from {found.against}: {found.differing:,} of"
        f" {_counted(found.elements, 'value')}, in {differing} of {_counted(len(layers), 'layer')}."
        f" It begins in {place} {first.layer.index}{op}, sample {first.sample}, element"
        f" {first.element}: {first.expected} here, {first.observed} there.{missing}"
    )
    if first.layer.unseen:
        yield f"It may come from layers that were not compared: {_listed(first.layer.unseen)}."
    if first.layer.node.op == INPUT:
        yield "The two sides ran on other inputs: compare what feeds the model."
    elif found.causes:
        cause, *others = found.causes
        share = "all" if cause.exact else f"{cause.matching:,} of"
        text = (
            f"Likely cause: {sentence(cause.sentence)} It reproduces {share}"
            f" {_counted(cause.elements, 'value')} that were looked at."
            f" What to do: {sentence(cause.fix)}"
        )
        same = [other.name for other in others if other.exact]
        if cause.exact and same:
            text += f" The samples cannot tell it apart from: {', '.join(same)}."
        yield text
    else:
        yield "The cause is none of those that are known."


def _accuracy(found: Accuracy) -> Iterator[str]:
    own = found.output
    text = f"Against the {found.reference} the output has a signal-to-noise ratio of"
    text += f" {own.sqnr_db:.1f} dB" if own.sqnr_db != float("inf") else " infinity: no error"
    if own.agreement is not None:
        text += f"; the largest output is the same in {100 * own.agreement:.4g} % of the samples"
    if own.top1 is not None and own.float_top1 is not None:
        text += (
            f"; it is the label in {100 * own.top1:.4g} %, that of the reference in"
            f" {100 * own.float_top1:.4g} %"
        )
    yield text + "."
    for own_input in found.inputs:
        clipped = own_input.clipped_low + own_input.clipped_high
        if clipped > 0:
            yield (
                f"The input {own_input.name} cuts off {100 * clipped:.3g} % of the samples' values:"
                f" its integers reach from {own_input.low:.4g} to {own_input.high:.4g}."
            )
    for place, advice in enumerate(found.advice):
        where = "the input" if advice.index is None else f"layer {advice.index}"
        text = f"Look at {where}: {sentence(advice.sentence)}"
        best = max(advice.trials, key=lambda trial: trial.sqnr_gain_db, default=None)
        if best is not None and best.sqnr_gain_db >= LITTLE:
            tensor = found.judged.split(";")[0]
            text += f" What helps most: {best.sentence} ({best.sqnr_gain_db:+.1f} dB at {tensor}"
            text += ", once the layers above are without error)." if place else ")."
        yield text
    if found.together is not None:
        own_gain = found.together.sqnr_gain_db
        yield f"What can be had of that together: {own_gain:+.1f} dB by {found.together.sentence}."


def _cost(report: ModelReport) -> str:
    text = (
        f"It takes {report.arena_bytes:,} bytes of RAM (arena), {report.constant_bytes:,} bytes of"
        f" constants in flash and {report.macs:,} multiply-accumulates"
    )
    if report.target:
        cycles = report.target.cycles
        text += f"; on {report.target.target} {report.target.instructions:,} instructions"
        text += "" if cycles is None else f", {cycles:,} cycles"
    return text + "."


def sentence(text: str) -> str:
    """With a beginning and an end."""
    text = text[:1].upper() + text[1:].rstrip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def _listed(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return shown + (f" and {len(numbers) - 10} more" if len(numbers) > 10 else "")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
