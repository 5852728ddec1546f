"""An explanation as text, for a reader with a pencil: 80 columns, and no more than is needed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..debug.c_source import SourceLine
from ..debug.explain import Explanation
from ..debug.explaining import Operand, Step, Term
from ..debug.explaining.steps import minus
from .failure import short_name
from .output import SHORTEST_NAME, line, shape_text, table, width

ALL_TERMS = 12  # of a receptive field, up to which all are shown
LARGEST = 8  # shown of more
MAP_COLUMNS = 6  # of a window that is shown
TITLE = 24  # columns of a step's title


def print_explanation(
    own: Explanation, lines: Sequence[SourceLine], label: str, everything: bool
) -> None:
    """All of it; ``label`` names the sample. ``everything``: each term of a large field, too."""
    layer, run = f"layer {own.layer} {own.op}", f"{label}, {own.numerics}"
    room = width() - len(layer) - len(run) - len(' "", ')
    line(f'{layer} "{short_name(own.element.name, max(room, SHORTEST_NAME))}", {run}')
    line(f"element {_at(own.at)} of {shape_text(own.element.shape)} = {own.output}{_real(own)}")
    line()
    for text in own.formula.split("\n"):
        _wrapped(text.lstrip(), " " * (2 + len(text) - len(text.lstrip())), " " * 8)
    line()
    _print_operands([*own.operands, own.element])
    for place, operand in enumerate(own.operands):
        terms = [term for term in own.terms if term.operand == place]
        if terms:
            line()
            _print_terms(terms, operand.role, everything)
    line()
    for number, step in enumerate(own.steps, 1):
        _print_step(number, step)
    if own.coarse:
        line()
        _wrapped(f"note: {own.coarse}")
    line()
    if not lines:
        line("in C: nothing, the output lies where the input does")
    else:
        line("in C")
        for own_line in lines:
            _print_source(own_line)


def _at(at: Sequence[int]) -> str:
    return ",".join(map(str, at))


def _real(own: Explanation) -> str:
    if own.real is None:
        return ""
    steps = minus(own.output, own.element.zero_point)
    return f", that is {own.element.scale:.6g} * {steps} = {own.real:.6g}"


def _print_operands(operands: Sequence[Operand]) -> None:
    rows = []
    for own in operands:
        scale = "" if own.scale is None else f"{own.scale:.6g}"
        zero_point = "" if own.scale is None else str(own.zero_point)
        at = "" if own.at is None else _at(own.at)
        value = "" if own.value is None else str(own.value)
        kind = f"{own.type.lower()} {shape_text(own.shape)}"
        rows.append([own.role, kind, scale, zero_point, at, value])
    table("< < > > > >", ["", "type", "scale", "zero point", "at", "value"], rows)


def _print_terms(terms: Sequence[Term], role: str, everything: bool) -> None:
    """The receptive field in one operand: all of it, or the largest terms."""
    adds = terms[0].adds
    shown = list(terms)
    if len(terms) > ALL_TERMS and not everything:
        shown = sorted(terms, key=lambda term: -sum(map(abs, _added(term))))[:LARGEST]
    titles = list(terms[0].values)
    weighted = any(term.weight_at for term in terms)
    other = "right side at" if role == "left side" else "weight at"  # of BATCH_MATMUL
    head = [f"{role} at", *([other] if weighted else []), *titles, ""]
    rows = []
    for term in shown:
        weight = [_at(term.weight_at or ())] if weighted else []
        values = [_number(value) for value in term.values.values()]
        rows.append([_at(term.at), *weight, *values, "padding" if term.padded else ""])
    totals = [sum(column) for column in zip(*map(_added, terms), strict=True)]
    rest = len(terms) - len(shown)
    if adds > 1:
        empty = [""] * (len(head) - 2 - adds)
        rows.append([f"all {len(terms)}", *empty, *map(_number, totals), ""])
    table(" ".join([">"] * (len(head) - 1) + ["<"]), head, rows)
    if rest and adds > 1:
        _wrapped(f"... and {rest:,} smaller ones; --all shows them")
    elif rest:
        (total,) = totals
        others = total - sum(term.value for term in shown)
        _wrapped(
            f"... and {rest:,} smaller ones, which add {others:,} up to {total:,}; --all shows them"
        )
        _print_window(terms)
    padded = sum(term.padded for term in terms)
    if padded:
        _wrapped(
            f"{padded} of {len(terms)} lie outside the input: padding counts as the zero point,"
            " and adds nothing"
        )


def _added(term: Term) -> list[float]:
    """What a term adds to each of its sums."""
    return list(term.values.values())[-term.adds :]


def _number(value: float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _print_window(terms: Sequence[Term]) -> None:
    """What each position of a window adds, all channels together."""
    sums: dict[tuple[int, int], float] = {}
    outside = set()
    for term in terms:
        if len(term.at) != 4 or len(term.weight_at or ()) != 4:
            return
        position = term.at[1], term.at[2]
        sums[position] = sums.get(position, 0) + term.value
        if term.padded:
            outside.add(position)
    rows, columns = (sorted({position[axis] for position in sums}) for axis in (0, 1))
    if len(sums) < 2 or len(columns) > MAP_COLUMNS:
        return
    line()
    line("what each position of the window adds, all channels together")
    cells = [
        [
            f"row {row}",
            *(
                "padding" if (row, column) in outside else f"{sums.get((row, column), 0)}"
                for column in columns
            ),
        ]
        for row in rows
    ]
    titles = ["", *(f"column {column}" for column in columns)]
    table(" ".join([">"] * len(titles)), titles, cells)


def _print_step(number: int, step: Step) -> None:
    value = f"{step.value:.9g}" if isinstance(step.value, float) else str(step.value)
    sign = "->" if " = " in step.formula else "="
    text = f"{step.formula} {sign} {value}" if step.formula else value
    if step.note:
        text += f"   {step.note}"
    head = f"{number:3}. {step.title}".ljust(TITLE + 5)
    if len(head) + 1 + len(text) <= width():
        line(f"{head} {text}")
    else:
        line(head.rstrip())
        _wrapped(text, " " * 7)
    for detail in step.detail:
        _wrapped(detail, " " * 7)


def _wrapped(text: str, indent: str = "", further: str = "  ") -> None:
    filled = textwrap.wrap(
        text,
        width(),
        initial_indent=indent,
        subsequent_indent=indent + further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for own in filled:
        line(own)


def _print_source(own: SourceLine) -> None:
    line(f"  {own.file}:{own.line}")
    _wrapped(own.text, " " * 6)
