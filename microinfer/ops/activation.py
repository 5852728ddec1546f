"""Fused activations: a clamp in units of the quantized output."""

from __future__ import annotations

import numpy as np

from ..fixedpoint import round_half_away
from ..graph import Tensor
from .layer import Layer

# Real limits of each fused activation; None leaves the type's own limit.
LIMITS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
}


def activation_range(layer: Layer, output: Tensor) -> tuple[int, int]:
    """activation_min, activation_max of the layer's fused activation, in units of ``output``.

    The quotient limit / scale is formed and rounded in float32, ties away from zero.
    [TFLM] kernels/kernel_util.cc, CalculateActivationRangeQuantized.
    """
    name = layer.options["fused_activation_function"]
    layer.require(
        name in LIMITS,
        None,
        f"has fused activation {name}, expected one of {', '.join(LIMITS)}",
        "use a separate activation layer",
    )
    layer.settle()
    return clamp_range(layer, output, *LIMITS[name])


def clamp_range(
    layer: Layer, output: Tensor, low: float | None, high: float | None
) -> tuple[int, int]:
    """The real interval [low, high] in units of ``output``, cut to its type's range."""
    assert output.quantization is not None
    limits = np.iinfo(output.dtype)
    scale = np.float32(output.quantization.scale)
    zero_point = output.quantization.zero_point

    def quantized(value: float) -> int:
        with np.errstate(over="ignore", invalid="ignore"):
            steps = float(round_half_away(np.float32(value) / scale))
        if not abs(steps) < 2**31:
            layer.refuse(output, f"has scale {scale:g}, too small for the activation's limit")
            layer.settle()
        return zero_point + int(steps)

    minimum = int(limits.min) if low is None else max(int(limits.min), quantized(low))
    maximum = int(limits.max) if high is None else min(int(limits.max), quantized(high))
    return minimum, maximum
