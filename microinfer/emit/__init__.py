"""From a Graph to C: choose kernels, plan memory, print."""

from __future__ import annotations

from .plan import Plan, plan
from .render import generate

__all__ = ["Plan", "generate", "plan"]
