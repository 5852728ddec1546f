"""microinfer: an int8 .tflite as a NumPy interpreter and as standalone C, equal bit for bit."""

from __future__ import annotations

from .debug import diagnose, diff, explain, explain_page, isolate, observed
from .debug.accuracy import accuracy
from .debug.report import report
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
from .pages.report import report_page
from .passes import strip_float_io
from .trace import Trace

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
