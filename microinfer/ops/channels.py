"""What layers with weights share: scales per channel, multipliers, bias, the output stage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import Int64Array, quantize_multipliers, real_multiplier, requantize
from ..graph import Tensor
from .accumulate import product_interval
from .layer import Array, Layer
from .step_function import Staircase, StepFunction


def channel_scales(layer: Layer, weights: Tensor, channels: int, axis: int) -> NDArray[np.float64]:
    """One scale per output channel, widened to double; zero points have to be 0."""
    quantization = weights.quantization
    if quantization is None:
        layer.refuse(weights, "has no quantization", "convert with full-integer quantization")
        layer.settle()
        raise AssertionError("unreachable")
    layer.scales_are_usable(weights)
    zero_points = quantization.zero_points
    layer.require(
        not zero_points.any(),
        weights,
        f"has zero point {zero_points[np.argmax(zero_points != 0)]}; int8 weights need 0",
        "convert again: weights have to be quantized symmetrically",
    )
    count = len(quantization.scales)
    layer.require(count in (1, channels), weights, f"has {count} scales, expected 1 or {channels}")
    layer.require(
        count == 1 or quantization.axis == axis,
        weights,
        f"is quantized along axis {quantization.axis}, expected {axis}",
    )
    layer.settle()
    return np.broadcast_to(quantization.scales.astype(np.float64), (channels,))


def conv_multipliers(
    layer: Layer, weights: Tensor, source: Tensor, scales: NDArray[np.float64], output: Tensor
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Multiplier and shift of s_input * s_weights[o] / s_output, formed in double.

    [TFLM] kernels/kernel_util.cc, PopulateConvolutionQuantizationParams.
    """
    assert source.quantization is not None
    assert output.quantization is not None
    reals = source.quantization.scale * scales / output.quantization.scale
    layer.multiplier_fits(weights, reals)
    layer.settle()
    return quantize_multipliers(reals)


def bias_values(layer: Layer, bias: Tensor | None, channels: int) -> NDArray[np.int32] | None:
    """The bias as int32 [channels], or None if the layer has none."""
    if bias is None:
        return None
    values = layer.constant(bias, ["INT32"])
    layer.require(bias.size == channels, bias, f"has {bias.size} values, expected {channels}")
    layer.settle()
    return values.reshape(-1)


def requantize_steps(params: Any, weights: Array, centred: bool = False) -> StepFunction:
    """The output stage of a layer with ``weights`` (taps, channels) and per-channel multipliers.

    Its products are those of the raw inputs or, ``centred``, of input - zero point.
    """
    zero_point = params.input_zero_point
    multipliers = params.multipliers.astype(np.int64)
    shifts = params.shifts.astype(np.int64)

    def exact(acc: Int64Array) -> Int64Array:
        outputs = requantize(acc, multipliers, shifts) + params.output_zero_point
        limited: Int64Array = np.clip(outputs, params.activation_min, params.activation_max)
        return limited

    bias = np.zeros(weights.shape[1], np.int64) if params.bias is None else params.bias
    sums = weights.astype(np.int64).sum(axis=0)
    low, high = product_interval(weights, zero_point if centred else 0)
    return StepFunction(
        Staircase(
            exact=exact,
            real=real_multiplier(params.multipliers, params.shifts),
            offset=bias.astype(np.int64) - (0 if centred else zero_point) * sums,
            product_low=low,
            product_high=high,
            zero_point=params.output_zero_point,
            output_min=params.activation_min,
            output_max=params.activation_max,
        )
    )
