"""With MICROINFER_REQUIRE_TOOLS=1 a skipped test has failed: CI has every tool there is.

On your machine a missing compiler skips what needs it; `.ci/run` sets the variable.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

STRICT = os.environ.get("MICROINFER_REQUIRE_TOOLS") == "1"

Report = pytest.TestReport | pytest.CollectReport


def refuse_skip(report: Report) -> None:
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\n(a skip is a failure here: MICROINFER_REQUIRE_TOOLS=1)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report
