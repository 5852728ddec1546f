"""Two runs side by side: where they part."""

from __future__ import annotations

from .diff import LayerDiff, Report, diff

__all__ = ["LayerDiff", "Report", "diff"]
