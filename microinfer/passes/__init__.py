"""Exact rewrites of a Graph, one per file; each is proved by running before and after.

    runnable        what every run and every generator begins with: shapes that the exporter left
                    open are settled, and what then depends on no input becomes a constant
    with_batch      another batch, for models that were exported with an open one
    strip_float_io  float32 inputs and outputs become the integers behind them

Tensors keep the file's indices and nodes their ``location``, whatever a pass does.
"""

from __future__ import annotations

from .batch import with_batch
from .runnable import runnable
from .strip_float_io import strip_float_io

__all__ = ["runnable", "strip_float_io", "with_batch"]
