"""What can go wrong, drawn as a tree.

    MicroinferError
    ├── BadFile            not a .tflite, or damaged: at which offset, what was expected there
    ├── UnsupportedModel   .problems lists every layer that cannot be run exactly
    ├── BadInput           an array or a file handed in: what it is, what it should be
    ├── ToolchainError     a compiler or another tool is missing or failed
    └── TraceMismatch      two runs that should be equal are not; raised by assert_identical only

They are for a user's mistake; our own are caught by ``assert``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class MicroinferError(Exception):
    """Any error that microinfer reports to its user."""


class BadFile(MicroinferError):
    """A file that is not a well-formed .tflite.

    ``offset`` is the byte where reading stopped, or None if no single byte is to blame.
    """

    def __init__(self, reason: str, offset: int | None = None) -> None:
        self.reason = reason
        self.offset = offset
        super().__init__(reason if offset is None else f"at byte {offset}: {reason}")


@dataclass(frozen=True)
class Problem:
    """One reason why a model cannot be run exactly, and what its author can do about it."""

    layer: int
    op: str
    tensor: str
    reason: str
    fix: str = ""

    def __str__(self) -> str:
        where = "model" if self.layer < 0 else f"layer {self.layer} {_short(self.op)}"
        tensor = f' "{_short(self.tensor)}"' if self.tensor else ""
        return f"{where}{tensor}: {self.reason}" + (f"; {self.fix}" if self.fix else "")


def _short(name: str) -> str:
    """A name as one readable piece: exporters join the names of all that they fused."""
    return name if len(name) <= 80 else f"{name[:77]}..."


class UnsupportedModel(MicroinferError):
    """A well-formed model that microinfer cannot run exactly. ``problems`` has every reason."""

    def __init__(self, problems: Sequence[Problem], layers: int) -> None:
        self.problems = list(problems)
        refused = len({problem.layer for problem in self.problems if problem.layer >= 0})
        head = f"cannot run {refused} of {layers} layers" if refused else "cannot run this model"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class BadInput(MicroinferError):
    """An array or file that does not fit: says what was given, what is expected and a hint."""


class ToolchainError(MicroinferError):
    """A compiler or other tool is missing or failed; the message names it and how to get it."""


class TraceMismatch(MicroinferError):
    """Two traces differ where they must be equal."""
