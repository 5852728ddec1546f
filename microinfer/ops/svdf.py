"""SVDF on int8: per filter a dot product over the input, then one over its last results in time.

    feature[f]  = clamp(requantize(sum_i weights_feature[f, i] * (input[i] - input_zero_point)))
    state[f]    = the last memory_size features of filter f, the newest last
    acc[u]      = bias[u] + sum over the rank filters f of unit u, and over m, of
                  weights_time[f, m] * (state[f, m] - state_zero_point)
    output[u]   = clamp(requantize(acc[u]) + output_zero_point)

input            int8 [batches, input_size]
weights_feature  int8 [filters, input_size], one scale, zero point 0
weights_time     of the state's type [filters, memory_size], one scale, zero point 0
bias             int32 [units], units = filters / rank; optional
state            int16 with zero point 0, or int8, [batches, filters * memory_size]
output           int8 [batches, units]

Scales are combined in the profile's precision. An int8 feature plus the zero point of its state
wraps, and so does acc, as in the runtimes; neither applies the fused activation to integers.
[TFLM] micro/kernels/svdf_common.cc; [LITERT] kernels/internal/reference/svdf.h, which for an int8
state destroys memory: both profiles compute TFLM's. Without a bias, which TFLM reads all the same,
both compute LiteRT's.
C twin: runtime_c/mi_svdf.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import quantize_multiplier, requantize, wrap_int32
from ..graph import Tensor
from .accumulate import require_int32_accumulator
from .channels import bias_values
from .layer import INT8_MAX, INT8_MIN, Array, Layer, Op


@dataclass(frozen=True)
class SvdfParams:
    batches: int
    input_size: int
    filters: int
    rank: int
    memory_size: int
    input_zero_point: int
    state_zero_point: int
    output_zero_point: int
    feature_multiplier: int
    feature_shift: int
    output_multiplier: int
    output_shift: int
    weights_feature: NDArray[np.int8]  # [filters, input_size]
    weights_time: NDArray[np.int16]  # [filters, memory_size]
    bias: NDArray[np.int32] | None  # [filters / rank]

    @cached_property
    def feature_matrix(self) -> NDArray[np.float64]:
        matrix: NDArray[np.float64] = self.weights_feature.T.astype(np.float64)
        return matrix


@dataclass(frozen=True)
class SvdfInt8Params(SvdfParams):
    """The same with an int8 state, and weights_time as in the file."""

    weights_time: NDArray[np.int8]  # type: ignore[assignment]


def prepare(layer: Layer) -> SvdfParams:
    layer.count((3, 5))
    source, output = layer.input(0), layer.output()
    state = layer.variable(4, "INT8", "INT16")
    layer.int8(source, output)
    layer.per_tensor(state)
    for tensor in (source, output, state, layer.input(1), layer.input(2)):
        layer.rank_is(tensor, 2)
    layer.settle()
    weights_feature = layer.constant(layer.input(1), ["INT8"])
    weights_time = layer.constant(layer.input(2), [state.type])
    for tensor in (layer.input(1), layer.input(2)):
        _symmetric(layer, tensor)
    if state.type == "INT16":
        _symmetric(layer, state)
    rank = layer.options["rank"]
    (batches, input_size), (filters, memory_size) = source.shape, weights_time.shape
    layer.require(
        rank > 0 and weights_time.size > 0 and filters % rank == 0 and input_size > 0,
        layer.input(2),
        f"has shape {weights_time.shape}, which does not fit rank {rank}",
    )
    layer.settle()
    layer.shape_is(layer.input(1), (filters, input_size))
    layer.shape_is(state, (batches, filters * memory_size))
    layer.shape_is(output, (batches, filters // rank))
    bias = bias_values(layer, layer.optional_input(3), filters // rank)
    scales = [tensor.quantization for tensor in (source, layer.input(1), state, layer.input(2))]
    real = _precision(layer, state, bias is not None)
    s_input, s_feature, s_state, s_time = [real(own.scale) for own in scales if own]
    assert source.quantization is not None
    assert state.quantization is not None
    assert output.quantization is not None
    with np.errstate(all="ignore"):
        feature = s_input * s_feature / s_state
        final = s_state * s_time / real(output.quantization.scale)
    layer.multiplier_fits(layer.input(1), float(feature))
    layer.multiplier_fits(layer.input(2), float(final))
    require_int32_accumulator(
        layer, layer.input(1), weights_feature.T, None, source.quantization.zero_point
    )
    layer.settle()
    feature_multiplier, feature_shift = quantize_multiplier(float(feature))
    output_multiplier, output_shift = quantize_multiplier(float(final))
    kind = SvdfParams if state.type == "INT16" else SvdfInt8Params
    return kind(
        batches=batches,
        input_size=input_size,
        filters=filters,
        rank=rank,
        memory_size=memory_size,
        input_zero_point=source.quantization.zero_point,
        state_zero_point=state.quantization.zero_point,
        output_zero_point=output.quantization.zero_point,
        feature_multiplier=feature_multiplier,
        feature_shift=feature_shift,
        output_multiplier=output_multiplier,
        output_shift=output_shift,
        weights_feature=weights_feature,
        weights_time=weights_time,
        bias=bias,
    )


def _precision(layer: Layer, state: Tensor, biased: bool) -> type[np.float32] | type[np.float64]:
    """In which the scales are combined: that of the runtime which computes this SVDF."""
    layer.require(
        biased or state.type == "INT16",
        state,
        "is int8, and there is no bias, which no runtime computes",
        "convert with a bias, or with an int16 state",
    )
    if state.type == "INT8":
        return np.float64
    return layer.numerics.recurrent_float if biased else np.float32


def _symmetric(layer: Layer, tensor: Tensor) -> None:
    layer.per_tensor(tensor)
    layer.settle()
    assert tensor.quantization is not None
    zero_point = tensor.quantization.zero_point
    layer.require(zero_point == 0, tensor, f"has zero point {zero_point}, expected 0")


def eval(params: SvdfParams, x: Array, state: Array) -> tuple[Array, Array]:
    """int8 [samples, *input], state [1, *] before the first: outputs, and the state after each."""
    p = params
    samples, dtype = len(x), state.dtype
    centred = x.reshape(-1, p.input_size).astype(np.float64) - p.input_zero_point
    acc = (centred @ p.feature_matrix).astype(np.int64)
    limits = np.iinfo(dtype)
    steps = requantize(acc, p.feature_multiplier, p.feature_shift)
    feature = (np.clip(steps, limits.min, limits.max) + p.state_zero_point).astype(dtype)

    # [batches, filters, time]: the memory before the first sample, then one feature per sample.
    shape = (p.batches, p.filters, p.memory_size)
    newer = feature.reshape(samples, p.batches, p.filters).transpose(1, 2, 0)
    history = np.concatenate([state.reshape(shape), newer], axis=2)
    windows: NDArray[Any] = np.lib.stride_tricks.sliding_window_view(
        history[:, :, 1:], p.memory_size, axis=2
    )
    after = np.ascontiguousarray(windows.transpose(2, 0, 1, 3))  # [samples, *shape]

    centred_state = after.astype(np.int64) - p.state_zero_point
    sums = (centred_state * p.weights_time.astype(np.int64)).sum(axis=3)
    units = sums.reshape(samples, p.batches, -1, p.rank).sum(axis=3)
    if p.bias is not None:
        units = units + p.bias
    steps = requantize(wrap_int32(units), p.output_multiplier, p.output_shift)
    outputs = np.clip(steps + p.output_zero_point, INT8_MIN, INT8_MAX).astype(np.int8)
    return outputs, after


OP = Op("SVDF", prepare, eval, state=(4,))
