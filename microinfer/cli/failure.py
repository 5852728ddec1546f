"""What a user reads when something goes wrong: ``error: FILE: what, where, and what to do``."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import click

from ..errors import BadInput, MicroinferError, Problem, ToolchainError, UnsupportedModel

WIDTH = 80
INLINE_FIX = 100  # characters of a line that may include its fix


class Located(MicroinferError):
    """An error about a file: its message begins with the file's name."""


@contextmanager
def about(file: str | Path) -> Iterator[None]:
    """Name ``file`` in front of errors raised inside, unless they name one or are not about it."""
    try:
        yield
    except (Located, ToolchainError):
        raise
    except MicroinferError as error:
        raise Located(f"{file}: {error_text(error)}") from error


def report(text: str) -> None:
    """An error, on stderr."""
    label = "error:"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        label = click.style(label, fg="red", bold=True)
    click.echo(f"{label} {printable(text)}", err=True)


def note(text: str) -> None:
    """Something that is neither data nor an error, on stderr."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """``text`` without characters that could steer a terminal; names in models are anyone's."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def counted(number: int, noun: str) -> str:
    """A number and its noun, such as "1 sample" or "2,000 samples"."""
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"


def short_name(name: str, width: int) -> str:
    """A tensor's name in at most ``width`` characters.

    Converters join the names of fused tensors by semicolons and those of scopes by slashes: the
    first tensor's innermost scopes tell the most.
    """
    name = printable(name).replace("\n", "?").split(";", 1)[0]
    if len(name) <= width:
        return name
    tail = name[-width:].partition("/")[2]
    return tail if 3 * len(tail) >= 2 * width else f"...{name[3 - width :]}"


def require_file(path: Path) -> None:
    """Raise BadInput, with the name that may have been meant, unless ``path`` is a file."""
    if path.is_dir():
        raise Located(f"{path}: is a folder, expected a file")
    if path.exists():
        return
    folder = path.parent
    beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    close = get_close_matches(path.name, beside, n=1, cutoff=0.75)
    hint = f"; did you mean {folder / close[0]}?" if close else ""
    raise Located(f"{path}: no such file{hint}")


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises BadInput if it cannot be read."""
    require_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read it: {error.strerror}") from None


def error_text(error: MicroinferError) -> str:
    """The message of an error; the problems of a model are put together where they are alike."""
    if not isinstance(error, UnsupportedModel):
        return str(error)
    groups: dict[tuple[bool, str, str], list[Problem]] = {}
    for problem in error.problems:
        key = (problem.layer < 0, problem.op, problem.reason)
        groups.setdefault(key, []).append(problem)
    lines = []
    hints: list[str] = []
    for group in groups.values():
        line = f"  {_where(group)}: {group[0].reason}"
        fixes = sorted({problem.fix for problem in group if problem.fix})
        elsewhere = {p.fix for p in error.problems if p.op != group[0].op} & set(fixes)
        if len(fixes) == 1 and not elsewhere and len(line) + len(fixes[0]) < INLINE_FIX:
            line += f"; {fixes[0]}"
        else:
            hints.extend(fix for fix in fixes if fix not in hints)
        lines.append(line)
    for hint in hints:
        lines.extend(textwrap.wrap(f"hint: {hint}", WIDTH, subsequent_indent="  "))
    return "\n".join([str(error).split("\n", 1)[0], *lines])


def _where(group: list[Problem]) -> str:
    """The layers and tensors that problems of one kind are about."""
    tensors = list(dict.fromkeys(problem.tensor for problem in group if problem.tensor))
    layers = sorted({problem.layer for problem in group})
    if layers[0] < 0:
        where = "the model"
    else:
        where = f"{'layer' if len(layers) == 1 else 'layers'} {ranges(layers)} {group[0].op}"
    if len(tensors) > 1:
        return f"{where}, {len(tensors)} tensors"
    return f'{where} "{short_name(tensors[0], 40)}"' if tensors else where


def ranges(numbers: Iterable[int]) -> str:
    """0, 1, 2, 5 as "0-2, 5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
