"""microinfer: an int8 .tflite as a NumPy interpreter and as standalone C, equal bit for bit."""

from __future__ import annotations

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
from .trace import Trace

__all__ = [
    "BadFile",
    "BadInput",
    "Graph",
    "Interpreter",
    "MicroinferError",
    "Node",
    "Quantization",
    "Tensor",
    "ToolchainError",
    "Trace",
    "TraceMismatch",
    "UnsupportedModel",
    "load",
]
