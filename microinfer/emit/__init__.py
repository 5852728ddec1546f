"""From a Graph to C: choose kernels, plan memory, print."""

from __future__ import annotations

from .plan import CMSIS_NN, KERNELS, OWN, Plan, plan
from .render import generate

__all__ = ["CMSIS_NN", "KERNELS", "OWN", "Plan", "generate", "plan"]
