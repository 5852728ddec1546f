"""Everything that a layer can have done wrong: one small function each, in tables by family.

The order is that of simplicity: where two reproduce an output alike, the first is named first.
"""

from __future__ import annotations

from .geometry import GEOMETRY
from .layout import IMAGES, WEIGHTS
from .limits import LIMITS_OF_OUTPUTS
from .memory import MEMORY, MemoryHypothesis, Scene, bytes_of
from .remembered import STATE
from .replay import STAGES, Evidence, Hypothesis, Replay, Source, Variant, joined
from .rounding import ROUNDING
from .scales import SCALES
from .zero_points import ZERO_POINTS, ZERO_POINTS_OF_UINT8

HYPOTHESES: tuple[Hypothesis, ...] = (
    *STATE,
    *ROUNDING,
    *ZERO_POINTS,
    *SCALES,
    *LIMITS_OF_OUTPUTS,
    *IMAGES,
    *ZERO_POINTS_OF_UINT8,
    *GEOMETRY,
    *WEIGHTS,
)

__all__ = [
    "HYPOTHESES",
    "MEMORY",
    "STAGES",
    "Evidence",
    "Hypothesis",
    "MemoryHypothesis",
    "Replay",
    "Scene",
    "Source",
    "Variant",
    "bytes_of",
    "joined",
]
