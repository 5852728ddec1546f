"""Where two runs part, and how a number of one came about."""

from __future__ import annotations

from .diff import LayerDiff, Report, diff
from .explain import Explanation, explain
from .page import explain_page

__all__ = ["Explanation", "LayerDiff", "Report", "diff", "explain", "explain_page"]
