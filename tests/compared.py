"""What was compared with whom, summed up at the end of a run: a pytest plugin.

A test that compares with an outside runtime asks for ``compared`` and notes what it compared,
before it asserts anything; so the table also shows what differed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest

import operators_table

NOTE = "compared"
COUNT = "counted"
Side = Literal["numpy", "c"]


class Compared(Protocol):
    """``compared(name, runtime, runs, elements, differing)``; ``runs`` is such as "100 models".

    Of models of one operator also ``op``, the numeric profile, and whose elements they were: they
    are counted in docs/OPERATORS.md (``operators_table.py``).
    """

    def __call__(
        self,
        name: str,
        runtime: str,
        runs: str,
        elements: int,
        differing: int,
        op: str = "",
        profile: str = "",
        side: Side = "numpy",
    ) -> None: ...


@pytest.fixture
def compared(record_property: Callable[[str, object], None]) -> Compared:
    def note(
        name: str,
        runtime: str,
        runs: str,
        elements: int,
        differing: int,
        op: str = "",
        profile: str = "",
        side: Side = "numpy",
    ) -> None:
        record_property(NOTE, [name, runtime, runs, elements, differing])
        if op:
            record_property(COUNT, [op, profile, side, runtime, elements, differing])

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    properties = [
        (key, value)
        for outcome in ("passed", "failed", "xfailed", "xpassed")
        for report in terminalreporter.stats.get(outcome, [])
        for key, value in getattr(report, "user_properties", [])
        if report.when == "call"
    ]
    notes = sorted(value for key, value in properties if key == NOTE)
    if not notes:
        return
    terminalreporter.section("elements compared with outside runtimes")
    width = max(len(name) for name, *_ in notes)
    for name, runtime, runs, elements, differing in notes:
        terminalreporter.write_line(
            f"{name:{width}}  {runtime:6}  {runs:>12}  {elements:11,} elements"
            f"  {differing:6,} differ"
        )
    total, wrong = sum(note[3] for note in notes), sum(note[4] for note in notes)
    terminalreporter.write_line(f"{total:,} elements in all, {wrong:,} differ")
    table = os.environ.get("MICROINFER_OPERATORS")
    if table:
        counts = [value for key, value in properties if key == COUNT]
        failed = bool(terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"))
        terminalreporter.write_line(operators_table.write(Path(table), counts, failed))
