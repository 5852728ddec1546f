"""Where two runs part, why, and how a number of one came about."""

from __future__ import annotations

from .diagnose import Cause, diagnose
from .diff import LayerDiff, Report, diff
from .explain import Explanation, explain
from .isolate import isolate
from .page import explain_page
from .recorded import observed

__all__ = [
    "Cause",
    "Explanation",
    "LayerDiff",
    "Report",
    "diagnose",
    "diff",
    "explain",
    "explain_page",
    "isolate",
    "observed",
]
