"""FULLY_CONNECTED on int8 or int16, weights quantized per tensor or per output channel.

    acc[o]    = bias[o] + sum over i of
                (weights[o, i] - weights_zero_point) * (input[i] - input_zero_point)
    output[o] = clamp(round(acc[o] * real_multiplier[o]) + output_zero_point)

input    int8, or int16 with zero point 0, flattened to [rows, input_size]
weights  int8 or int4 [output_size, input_size]; int8 may, per tensor and with int8 inputs, have a
         zero point other than 0
bias     int32 [output_size], of int16 int64 or int32; optional
output   [rows, output_size], or input.shape[:-1] + [output_size] with keep_num_dims; of the
         input's type

Profiles differ in round(): multiplier and shift with double rounding, of int16 with an int64 bias a
multiplier of 16 bits and one rounding ([TFLM] micro/kernels/fully_connected.cc), or one float64
product rounded half away from zero ([LITERT] kernels/fully_connected.cc, BUILTIN_REF).
C twins: runtime_c/mi_fully_connected.h and mi_fully_connected_s16.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import (
    Int64Array,
    quantize_multipliers,
    real_multiplier,
    requantize,
    requantize_int64,
    round_half_away,
)
from ..graph import Tensor
from .accumulate import (
    INT16_LIMITS,
    float_dtype,
    product_interval,
    require_int32_accumulator,
    require_int64_accumulator,
)
from .activation import activation_range
from .channels import bias_type, bias_values, int64_multiplier_fits
from .layer import Array, Layer, Op
from .step_function import Staircase, StepFunction


class _Rounding:
    """round(acc * real_multiplier) by the profile's arithmetic."""

    def rounded(self, acc: Int64Array) -> Int64Array:
        raise AssertionError("each kind of rounding has its own")

    def reals(self) -> NDArray[np.float64]:
        raise AssertionError("each kind of rounding has its own")


@dataclass(frozen=True)
class _Dense(_Rounding):
    rows: int
    input_size: int
    output_size: int
    input_zero_point: int
    weights_zero_point: int
    output_zero_point: int
    activation_min: int
    activation_max: int
    per_channel: int  # 1: one scale per output channel; 0: one for all
    weights: NDArray[np.int8]  # [output_size, input_size]
    bias: NDArray[np.int32] | None

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """weights - zero point as floats [input_size, output_size], exact for sums."""
        wide = (self.weights.astype(np.int64) - self.weights_zero_point).T
        return np.ascontiguousarray(wide.astype(float_dtype(wide)))

    @cached_property
    def steps(self) -> StepFunction:
        def exact(acc: Int64Array) -> Int64Array:
            outputs = self.rounded(acc) + self.output_zero_point
            return np.clip(outputs, self.activation_min, self.activation_max)

        wide = self.matrix.astype(np.int64)
        bias = 0 if self.bias is None else self.bias.astype(np.int64)
        low, high = product_interval(wide, 0)
        return StepFunction(
            Staircase(
                exact=exact,
                real=np.broadcast_to(self.reals(), (self.output_size,)),
                offset=bias - self.input_zero_point * wide.sum(axis=0),
                product_low=low,
                product_high=high,
                zero_point=self.output_zero_point,
                output_min=self.activation_min,
                output_max=self.activation_max,
            )
        )


@dataclass(frozen=True)
class _DenseS16(_Rounding):
    """On int16, all zero points 0; |acc| < 2^47."""

    rows: int
    input_size: int
    output_size: int
    activation_min: int
    activation_max: int
    per_channel: int  # 1: one scale per output channel; 0: one for all
    weights: NDArray[np.int8]  # [output_size, input_size]
    bias: NDArray[np.int64] | None

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """weights as floats [input_size, output_size], exact for sums."""
        columns = self.weights.T
        return np.ascontiguousarray(columns.astype(float_dtype(columns, INT16_LIMITS)))

    def steps(self, products: NDArray[Any]) -> NDArray[np.int16]:
        """int16 outputs of exact float products (rows, output_size)."""
        acc = products.astype(np.int64)
        if self.bias is not None:
            acc += self.bias
        outputs = self.rounded(acc)
        return np.clip(outputs, self.activation_min, self.activation_max).astype(np.int16)


@dataclass(frozen=True)
class FullyConnectedParams(_Dense):
    """Double rounding: one multiplier and shift, or one per channel."""

    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int8]

    def rounded(self, acc: Int64Array) -> Int64Array:
        return requantize(acc, self.multipliers.astype(np.int64), self.shifts.astype(np.int64))

    def reals(self) -> NDArray[np.float64]:
        return real_multiplier(self.multipliers, self.shifts)


@dataclass(frozen=True)
class FullyConnectedS16Params(_DenseS16):
    """One multiplier and shift, or one per channel.

    double_rounding  as of int8, or 0: a multiplier of 16 bits and one rounding.
    """

    double_rounding: int
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int8]

    def rounded(self, acc: Int64Array) -> Int64Array:
        form = requantize if self.double_rounding else requantize_int64
        return form(acc, self.multipliers, self.shifts)

    def reals(self) -> NDArray[np.float64]:
        return real_multiplier(self.multipliers, self.shifts)


class _Float64(_Rounding):
    """round_half_away(float64 product): real multiplier = mantissa * 2^-shift, 53-bit mantissa."""

    mantissas: NDArray[np.int64]
    shifts: NDArray[np.int16]

    def rounded(self, acc: Int64Array) -> Int64Array:
        return round_half_away(acc.astype(np.float64) * self.reals()).astype(np.int64)

    def reals(self) -> NDArray[np.float64]:
        return np.ldexp(self.mantissas.astype(np.float64), -self.shifts.astype(np.int32))


@dataclass(frozen=True)
class FullyConnectedF64Params(_Float64, _Dense):
    """On int8, one float64 product."""

    mantissas: NDArray[np.int64]
    shifts: NDArray[np.int16]


@dataclass(frozen=True)
class FullyConnectedF64S16Params(_Float64, _DenseS16):
    """On int16, one float64 product."""

    mantissas: NDArray[np.int64]
    shifts: NDArray[np.int16]


AnyFullyConnectedParams = (
    FullyConnectedParams
    | FullyConnectedF64Params
    | FullyConnectedS16Params
    | FullyConnectedF64S16Params
)


def prepare(layer: Layer) -> AnyFullyConnectedParams:
    layer.count((2, 3))
    source, filters, output = layer.input(0), layer.input(1), layer.output()
    layer.activations(source, output)
    layer.rank_is(filters, 2)
    weights = layer.constant(filters, ["INT8", "INT4"])
    layout = layer.options["weights_format"]
    layer.require(layout == "DEFAULT", filters, f"has weights_format {layout}, expected DEFAULT")
    output_size, input_size = weights.shape
    layer.require(
        weights.size > 0 and source.size % input_size == 0 and source.size > 0,
        filters,
        f"has shape {weights.shape}, which does not fit {source.size} inputs",
    )
    layer.settle()
    rows = source.size // input_size
    if layer.options["keep_num_dims"]:
        layer.require(
            source.shape[-1:] == (input_size,), source, f"has shape {source.shape}, expected "
            f"{input_size} as its last extent"
        )  # fmt: skip
        layer.shape_is(output, (*source.shape[:-1], output_size))
    else:
        layer.expect(output, (rows, output_size))
        layer.require(
            output.size == rows * output_size and output.shape[-1:] == (output_size,),
            output,
            f"has shape {output.shape}, expected {(rows, output_size)}",
        )
    layer.settle()
    bias_tensor = layer.optional_input(2)
    wide = source.type == "INT16"
    types = ("INT64", "INT32") if wide else ("INT32",)
    bias = bias_values(layer, bias_tensor, output_size, types)
    scales, weights_zero_point = _weight_scales(layer, filters, output_size)
    activation_min, activation_max = activation_range(layer, output)
    assert source.quantization is not None
    assert output.quantization is not None
    if len(scales) == 1 and bias_tensor is not None:
        _bias_scale_fits(layer, source, scales[0], bias_tensor, output)
    reals = source.quantization.scale * scales / output.quantization.scale
    layer.multiplier_fits(filters, reals)
    input_zero_point = source.quantization.zero_point
    narrow = not wide or bias_type(layer, bias_tensor) == "INT32"
    if wide:
        require_int64_accumulator(layer, filters, weights.T, bias, reals)
    if wide and narrow:
        require_int32_accumulator(layer, filters, weights.T, bias, 0, INT16_LIMITS)
    if not wide:
        taps = (weights.astype(np.int16) - np.int16(weights_zero_point)).T
        require_int32_accumulator(layer, filters, taps, bias, input_zero_point)
    layer.settle()
    shape: dict[str, Any] = dict(
        rows=rows,
        input_size=input_size,
        output_size=output_size,
        activation_min=activation_min,
        activation_max=activation_max,
        per_channel=int(len(scales) > 1),
        weights=weights,
        bias=bias if bias is None or not wide else bias.astype(np.int64),
    )
    if not wide:
        shape.update(
            input_zero_point=input_zero_point,
            weights_zero_point=weights_zero_point,
            output_zero_point=output.quantization.zero_point,
        )
    if layer.numerics.fully_connected == "float64":
        fractions, exponents = np.frexp(reals)
        shape.update(
            mantissas=np.ldexp(fractions, 53).astype(np.int64),
            shifts=(53 - exponents).astype(np.int16),
        )
        return FullyConnectedF64S16Params(**shape) if wide else FullyConnectedF64Params(**shape)
    shape["multipliers"], shape["shifts"] = quantize_multipliers(reals)
    if not wide:
        return FullyConnectedParams(**shape)
    if not narrow:
        int64_multiplier_fits(layer, filters, shape["shifts"], reals)
        layer.settle()
    return FullyConnectedS16Params(**shape, double_rounding=int(narrow))


def _weight_scales(layer: Layer, weights: Tensor, channels: int) -> tuple[NDArray[np.float64], int]:
    """The scales (one, or one per channel) in double, and the zero point (0 when per channel)."""
    quantization = weights.quantization
    if quantization is None:
        layer.refuse(weights, "has no quantization", "convert with full-integer quantization")
        layer.settle()
        raise AssertionError("unreachable")
    layer.scales_are_usable(weights)
    if not quantization.per_channel:
        layer.per_tensor(weights)
        layer.require(
            quantization.zero_point == 0 or (weights.type, layer.input(0).type) == ("INT8", "INT8"),
            weights,
            f"has zero point {quantization.zero_point}; {weights.type.lower()} weights of"
            f" {layer.input(0).type.lower()} inputs need 0",
            "convert again: weights have to be quantized symmetrically",
        )
        layer.settle()
        return quantization.scales.astype(np.float64), quantization.zero_point
    count = len(quantization.scales)
    layer.require(
        count == channels and quantization.axis == 0,
        weights,
        f"has {count} scales along axis {quantization.axis}, expected {channels} along axis 0",
    )
    layer.require(
        not quantization.zero_points.any(),
        weights,
        "has zero points other than 0; weights quantized per channel need 0",
    )
    layer.settle()
    return quantization.scales.astype(np.float64), 0


def _bias_scale_fits(
    layer: Layer, source: Tensor, weights_scale: float, bias: Tensor, output: Tensor
) -> None:
    """Require a bias scale of input x weights, within 2 % of an output step.

    [TFLM] kernels/kernel_util.cc, GetQuantizedConvolutionMultipler.
    """
    if bias.quantization is None:
        return
    assert source.quantization is not None
    assert output.quantization is not None
    expected = source.quantization.scale * weights_scale
    stated = float(bias.quantization.scales[0])
    layer.require(
        abs(expected - stated) / output.quantization.scale <= 0.02,
        bias,
        f"has scale {stated:g}, expected input x weights = {expected:g}",
    )


def eval(params: AnyFullyConnectedParams, x: Array) -> Array:
    """[batch, *input shape] to outputs [batch * rows, output_size]."""
    rows = x.reshape(-1, params.input_size).astype(params.matrix.dtype)
    return params.steps(np.dot(rows, params.matrix))


OP = Op("FULLY_CONNECTED", prepare, eval)
