"""microinfer: an int8 .tflite as a NumPy interpreter and as standalone C, equal bit for bit."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .emit import generate, plan
from .errors import (
    BadFile,
    BadInput,
    MicroinferError,
    ToolchainError,
    TraceMismatch,
    UnsupportedModel,
)
from .graph import Graph, Node, Quantization, Tensor
from .interpreter import Interpreter
from .load import load
from .native import Native, compile
from .passes import strip_float_io
from .trace import Trace

if TYPE_CHECKING:
    from .debug.accuracy import accuracy
    from .debug.diagnose import diagnose
    from .debug.diff import diff
    from .debug.explain import explain
    from .debug.isolate import isolate
    from .debug.page import explain_page
    from .debug.recorded import observed
    from .debug.report import report
    from .pages.report import report_page

# Imported when they are first asked for: what only runs a model does not wait for them.
_LATER = {
    "accuracy": ".debug.accuracy",
    "diagnose": ".debug.diagnose",
    "diff": ".debug.diff",
    "explain": ".debug.explain",
    "explain_page": ".debug.page",
    "isolate": ".debug.isolate",
    "observed": ".debug.recorded",
    "report": ".debug.report",
    "report_page": ".pages.report",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name], __name__), name)


__all__ = [
    "BadFile",
    "BadInput",
    "Graph",
    "Interpreter",
    "MicroinferError",
    "Native",
    "Node",
    "Quantization",
    "Tensor",
    "ToolchainError",
    "Trace",
    "TraceMismatch",
    "UnsupportedModel",
    "accuracy",
    "compile",
    "diagnose",
    "diff",
    "explain",
    "explain_page",
    "generate",
    "isolate",
    "load",
    "observed",
    "plan",
    "report",
    "report_page",
    "strip_float_io",
]
