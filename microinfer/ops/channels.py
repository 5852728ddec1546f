"""What convolutions share: scales per channel, multipliers, bias, and the output stage.

A convolution's params are a geometry of its own and a stage, which is that of int8 or of int16
activations. Weights are int8 or int4; int4 is a way to store them (the C keeps them packed), and
computes as int8 does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import (
    Int64Array,
    quantize_multipliers,
    real_multiplier,
    requantize,
    requantize_int64,
)
from ..graph import Tensor
from .accumulate import (
    INT8_LIMITS,
    INT16_LIMITS,
    product_interval,
    require_int32_accumulator,
    require_int64_accumulator,
)
from .activation import activation_range
from .layer import Array, Layer
from .step_function import Staircase, StepFunction


class Stage:
    """Requantizes the products of a convolution's weights with its raw inputs, or, where
    ``centred``, with input - zero point."""

    centred: ClassVar[bool] = False
    limits: ClassVar[tuple[int, int]]  # of the inputs
    weights: NDArray[np.int8]

    @property
    def columns(self) -> NDArray[np.int8]:
        """The weights as (taps, output channels)."""
        raise AssertionError("each operator has its own layout")


@dataclass(frozen=True)
class Int8Stage(Stage):
    """clamp(requantize(acc, multiplier, shift) + output_zero_point)."""

    input_zero_point: int
    output_zero_point: int
    activation_min: int
    activation_max: int
    weights: NDArray[np.int8]
    bias: NDArray[np.int32] | None
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int8]

    limits = INT8_LIMITS

    @cached_property
    def steps(self) -> StepFunction:
        return requantize_steps(self, self.columns, self.centred)


@dataclass(frozen=True)
class Int16Stage(Stage):
    """clamp(requantize(acc)), zero points being 0, in one of two ways.

    double_rounding  1: an int32 accumulator, as of int8, which is what an int32 bias asks for;
                     0: an int64 accumulator, a multiplier of 16 bits and one rounding.
    """

    activation_min: int
    activation_max: int
    double_rounding: int
    weights: NDArray[np.int8]
    bias: NDArray[np.int64] | None
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int8]

    limits = INT16_LIMITS
    input_zero_point: ClassVar[int] = 0

    def steps(self, products: NDArray[Any]) -> NDArray[np.int16]:
        """int16 outputs of exact float products (rows, channels)."""
        acc = products.astype(np.int64)
        if self.bias is not None:
            acc += self.bias
        form = requantize if self.double_rounding else requantize_int64
        outputs = form(acc, self.multipliers, self.shifts)
        return np.clip(outputs, self.activation_min, self.activation_max).astype(np.int16)


def output_stage(
    layer: Layer,
    source: Tensor,
    filters: Tensor,
    bias_tensor: Tensor | None,
    output: Tensor,
    axis: int,
    bias_types: Sequence[str] = ("INT64", "INT32"),
) -> Int8Stage | Int16Stage:
    """The stage of a convolution whose weights have their output channels along ``axis``.

    ``bias_types`` are what may go with int16 activations; an absent bias counts as INT64 where
    INT32 is not among them.
    """
    assert filters.data is not None
    assert source.quantization is not None
    assert output.quantization is not None
    weights = filters.data
    channels = weights.shape[axis]
    wide = source.type == "INT16"
    bias = bias_values(layer, bias_tensor, channels, bias_types if wide else ("INT32",))
    scales = channel_scales(layer, filters, channels, axis)
    multipliers, shifts = conv_multipliers(layer, filters, source, scales, output)
    activation_min, activation_max = activation_range(layer, output)
    taps = np.moveaxis(weights, axis, -1).reshape(-1, channels)
    if not wide:
        zero_point = source.quantization.zero_point
        require_int32_accumulator(layer, filters, taps, bias, zero_point)
        layer.settle()
        return Int8Stage(
            input_zero_point=zero_point,
            output_zero_point=output.quantization.zero_point,
            activation_min=activation_min,
            activation_max=activation_max,
            weights=weights,
            bias=bias,
            multipliers=multipliers,
            shifts=shifts,
        )
    double_rounding = bias_type(layer, bias_tensor) == "INT32" and "INT32" in bias_types
    if double_rounding:
        require_int32_accumulator(layer, filters, taps, bias, 0, INT16_LIMITS)
    else:
        reals = real_multiplier(multipliers, shifts)
        require_int64_accumulator(layer, filters, taps, bias, reals)
        int64_multiplier_fits(layer, filters, shifts, reals)
    layer.settle()
    return Int16Stage(
        activation_min=activation_min,
        activation_max=activation_max,
        double_rounding=int(double_rounding),
        weights=weights,
        bias=None if bias is None else bias.astype(np.int64),
        multipliers=multipliers,
        shifts=shifts,
    )


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
        f"has zero point {zero_points[np.argmax(zero_points != 0)]};"
        f" {weights.type.lower()} weights need 0",
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


def int64_multiplier_fits(
    layer: Layer, tensor: Tensor, shifts: NDArray[np.int8], reals: NDArray[np.float64]
) -> None:
    """Require shifts that ``requantize_int64`` takes."""
    layer.require(
        bool((shifts < 8).all()),
        tensor,
        f"needs the real multiplier {reals.max():g}, expected less than 128 for int16",
        "the scales around this layer are out of proportion; check the calibration data",
    )


def bias_type(layer: Layer, bias: Tensor | None) -> str:
    """The type of a bias; of an absent one, what the layer's option says it would have been."""
    if bias is not None:
        return bias.type
    stated: str = layer.options.get("quantized_bias_type", "INT64")
    return stated


def bias_values(
    layer: Layer, bias: Tensor | None, channels: int, types: Sequence[str] = ("INT32",)
) -> NDArray[Any] | None:
    """The bias as [channels], of one of ``types``, or None if the layer has none."""
    if bias is None:
        return None
    values = layer.constant(bias, types)
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
