"""Layers computed by Arm's CMSIS-NN: which, by what call, with how much scratch.

The library is used for a layer only where it computes the layer's own integers, bit for bit, for
every input; elsewhere the layer keeps its kernel of runtime_c. Since this looks at integers only,
it holds for every numeric profile: where LiteRT rounds otherwise, params are of another class.

The library has three forms, by the instructions that a core has; ``core`` names one of ``CORES``
or is ``ANY``. Code that is generated for any core has scratch and constants for each.
"""

from __future__ import annotations

from .choose import call
from .scratch import ANY, CORES

__all__ = ["ANY", "CORES", "call"]
