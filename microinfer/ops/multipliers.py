"""The real factors that a layer's integers stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import real_multiplier
from .softmax import SoftmaxParams


def real_multipliers(params: Any) -> NDArray[np.float64] | None:
    """The factors from accumulator to output, one or one per channel; None if there are none."""
    if isinstance(params, SoftmaxParams):  # its multiplier is a step within
        return None
    if hasattr(params, "mantissas"):
        reals: NDArray[np.float64] = params.reals()
        return reals
    for multiplier, shift in (
        ("multipliers", "shifts"),
        ("multiplier", "shift"),
        ("output_multiplier", "output_shift"),
    ):
        if hasattr(params, multiplier):
            values = real_multiplier(getattr(params, multiplier), getattr(params, shift))
            return np.atleast_1d(values)
    return None
