"""What was compared with whom, summed up at the end of a run: a pytest plugin.

A test that compares with an outside runtime asks for ``compared`` and notes what it compared,
before it asserts anything; so the table also shows what differed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

NOTE = "compared"

# name, runtime, what was run ("100 models"), elements, elements that differ
Compared = Callable[[str, str, str, int, int], None]


@pytest.fixture
def compared(record_property: Callable[[str, object], None]) -> Compared:
    """``compared(name, runtime, runs, elements, differing)``."""

    def note(name: str, runtime: str, runs: str, elements: int, differing: int) -> None:
        record_property(NOTE, [name, runtime, runs, elements, differing])

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    notes = sorted(
        value
        for outcome in ("passed", "failed", "xfailed", "xpassed")
        for report in terminalreporter.stats.get(outcome, [])
        for key, value in getattr(report, "user_properties", [])
        if key == NOTE and report.when == "call"
    )
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
