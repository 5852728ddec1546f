"""Times that a test measured, shown at the end of a run: a pytest plugin.

``record_property("measured", "...")``: the line appears whichever worker ran the test.
"""

from __future__ import annotations

from typing import Any

NOTE = "measured"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    notes = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for key, value in report.user_properties
        if key == NOTE
    ]
    if notes:
        terminalreporter.section("measured")
    for note in notes:
        terminalreporter.write_line(note)
