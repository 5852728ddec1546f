"""All faults, each of which ``diagnose`` has to name."""

from __future__ import annotations

from faults_layout import PLACEMENT
from faults_rounding import ARITHMETIC
from faults_scaling import SCALING

FAULTS = [*ARITHMETIC, *SCALING, *PLACEMENT]
