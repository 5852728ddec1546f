"""Pytest's own set-up, for all tests.

A test that measures something says so with ``record_property("note", "...")``: the line appears
under the results, whichever worker ran it.
"""

from __future__ import annotations

import pytest

pytest_plugins = ["strict_skips"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    notes = [
        value for report in reports for name, value in report.user_properties if name == "note"
    ]
    if notes:
        terminalreporter.section("measured")
        for note in notes:
            terminalreporter.write_line(str(note))
