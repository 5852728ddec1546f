"""What verbs print: tables and JSON on stdout, progress on stderr; and files, all or nothing."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..errors import BadInput
from .failure import WIDTH, printable, short_name

PATIENCE = 2.0  # seconds of work before a progress bar appears
GAP = 2  # between the columns of a table
SHORTEST_NAME = 8
UNLIMITED = 10_000
HEAD = 4096  # bytes at the beginning of a page that are searched for its mark
STYLES = {"PASS": "green", "FAIL": "bold red"}  # of cells, in a terminal


def width() -> int:
    """Columns to print in: the terminal's; in a pipe or file $COLUMNS; but 80 at least."""
    if sys.stdout.isatty():
        return max(WIDTH, Console().width)
    columns = os.environ.get("COLUMNS", "")
    return max(WIDTH, int(columns)) if columns.isdecimal() else WIDTH


def table(alignments: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, without a header if all titles are empty.

    ``alignments`` has one of "<", ">" and "~" per column; "~" has names of tensors, which are
    shortened to the room that is left. Nothing else is cut: a narrow terminal breaks the lines.
    """
    marks = alignments.split()
    rows = _fitted(marks, titles, rows)
    grid = Table(
        box=None,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
        header_style="bold",
        show_header=any(titles),
    )
    for alignment, title in zip(marks, titles, strict=True):
        justify: JustifyMethod = "right" if alignment == ">" else "left"
        grid.add_column(title, justify=justify, no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    console = Console(width=UNLIMITED, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(grid)
    click.echo("\n".join(text.rstrip() for text in capture.get().splitlines()))


def _fitted(
    marks: Sequence[str], titles: Sequence[str], rows: Sequence[Sequence[str]]
) -> list[list[str]]:
    """The rows with their names as short as the other columns need."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if "~" not in marks:
        return cells
    position = marks.index("~")
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    room = max(SHORTEST_NAME, width() - sum(widths) + widths[position] - GAP * (len(widths) - 1))
    for row in cells:
        row[position] = short_name(row[position], room)
    return cells


def line(text: str = "") -> None:
    """Print a line of data."""
    click.echo(printable(text))


def print_json(value: dict[str, Any]) -> None:
    """Print data for programs. Numbers that JSON lacks (NaN, infinities) become null."""
    text = json.dumps(_plain(value), indent=2, allow_nan=False)
    # A list of plain values goes on one line. No string has a line break in it.
    click.echo(_FLAT.sub(lambda match: "[" + re.sub(r"\n\s+", " ", match[1]) + "]", text))


_FLAT = re.compile(r"\[\n\s+([^\[\]{}]*)\n\s+\]")


def _plain(value: Any) -> Any:
    """``value`` in JSON's types."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while the block runs, where a terminal shows it and it takes a while.

    Gives a function that is told how many steps were done. Without ``total`` only time passes.
    """
    columns = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if total is not None:
        columns.insert(2, MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=total)
    timer = threading.Timer(PATIENCE, bar.start)
    if bar.console.is_terminal:
        timer.start()
    try:
        yield lambda steps: bar.advance(task, steps)
    finally:
        timer.cancel()
        if timer.is_alive():
            timer.join()
        if bar.live.is_started:
            bar.stop()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``path`` when the block is done. Raises BadInput."""
    staged = path.with_name(f".{path.name}.microinfer-{os.getpid()}")
    try:
        yield staged
        os.replace(staged, path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        staged.unlink(missing_ok=True)


def require_place(path: Path) -> None:
    """Raise BadInput, before any work, where ``path`` cannot become a file."""
    if path.is_dir():
        raise BadInput(f"cannot write {path}: it is a folder, expected a file name")
    if not path.parent.is_dir():
        raise BadInput(f"cannot write {path}: there is no folder {path.parent}")


def require_page(path: Path, kind: str, mark: str, force: bool, read: Sequence[Path]) -> None:
    """Raise BadInput, before any work, where writing a page would fail or lose another's file.

    A page of the same ``kind``, which has ``mark`` in its head, may be replaced; none of the files
    that are ``read`` may.
    """
    require_place(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"cannot write {path}: its name has to end in .html")
    if any(path.exists() and other.exists() and path.samefile(other) for other in read):
        raise BadInput(f"cannot write {path}: it is read; choose another name")
    if force or not path.exists():
        return
    try:
        with path.open("rb") as file:
            ours = mark.encode("ascii") in file.read(HEAD)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    if not ours:
        raise BadInput(
            f"cannot write {path}: it exists and is no {kind} of microinfer; choose another name,"
            " or overwrite it with --force"
        )


def tuple_text(shape: Sequence[int]) -> str:
    """A shape as in Python, (1, 8, 8, 3): that of an array that a user passes."""
    return str(tuple(int(extent) for extent in shape))


def shape_text(shape: Sequence[int]) -> str:
    """A shape as in 1x8x8x3; a scalar's is empty, so it gets its own word."""
    return "x".join(map(str, shape)) if len(shape) else "scalar"
