"""Strategies of the ops that sum or compare many elements: weights, windows and axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Tensor
from one_op import (
    ACTIVATIONS,
    Array,
    Draw,
    Numbers,
    OneOp,
    activation,
    constant,
    int4,
    int32,
    int64,
)


def shapes(rank: int, largest: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[st.integers(1, largest)] * rank)


# -- layers with weights --------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What the tensors of a layer with weights are: their types, and how many scales.

    With an int64 bias, or no other, int16 rounds once and has a multiplier of 16 bits.
    """

    activations: str = "INT8"
    weights: str = "INT8"
    bias: str = "INT32"
    per_channel: bool | None = None  # either

    @property
    def wide(self) -> bool:
        return self.activations == "INT16" and self.bias == "INT64"

    @property
    def option(self) -> dict[str, str]:
        """LiteRT wants to be told of a bias that is int32."""
        stated = self.activations == "INT16" and self.bias == "INT32"
        return {"quantized_bias_type": "INT32"} if stated else {}

    def version(self, usual: int, of_int16: int, of_int4: int) -> int:
        """The operator's version."""
        wide, packed = self.activations == "INT16", self.weights == "INT4"
        return max(usual, of_int16 if wide else 0, of_int4 if packed else 0)


INT8 = Kind()


def _weights(n: Numbers, shape: tuple[int, ...], of: Kind = INT8) -> Array:
    kind = n.draw(st.sampled_from(("any", "small", "ends")))
    ends = [-128, 127] if of.weights == "INT8" else [-8, 7]
    if kind == "any":
        return n.rng.integers(ends[0], ends[1] + 1, shape)
    return n.rng.choice([-2, -1, 0, 1, 1, 2] if kind == "small" else ends, shape)


def _bias_beside_ties(n: Numbers, real: Array, of: Kind) -> Array:
    """Accumulators whose outputs change if the real multipliers change by a billionth.

    Either exact ties, or the ties of double rounding: half a unit before the right shift lower.
    Of many, each channel takes the one nearest to an integer.
    """
    ties = n.rng.integers(0, n.high + 3, (100, len(real))) + 0.5
    if of.wide:  # what is left of the multipliers
        fraction, exponent = np.frexp(real)
        real = np.ldexp(np.minimum(np.floor(fraction * 2**15 + 0.5), 2**15 - 1), exponent - 15)
    elif n.draw(st.booleans()):
        ties -= 2.0 ** np.minimum(np.frexp(real)[1] - 1, -1) * (real < 0.5)
    acc = ties * n.rng.choice([-1, 1], ties.shape) / real
    distance = np.where(np.abs(acc) < (2**44 if of.wide else 2**30), np.abs(acc - np.rint(acc)), 1)
    nearest = np.rint(acc[np.argmin(distance, axis=0), np.arange(len(real))])
    return nearest + n.rng.choice([-1, 0, 0, 1], len(real))


def _stage(
    n: Numbers,
    source: Tensor,
    weights: Array,
    axis: int,
    biased: bool,
    zero_point: int = 0,
    of: Kind = INT8,
) -> tuple[list[Tensor | None], float]:
    """The inputs of a layer with ``weights`` (output channels along ``axis``), and an output scale
    with which the outputs take 2, 100 or 400 steps, or saturate, by left shifts even.

    A huge bias is of the order of 2^30 (an int64 one 2^44) and the multiplier accordingly small;
    with "ties", the last sample is the input's zero point everywhere and its accumulators lie
    beside ties. Now and then the first channel's weights have a scale so small that its multiplier
    becomes 0.
    """
    assert source.quantization is not None
    source_scale = source.quantization.scale
    channels = weights.shape[axis]
    columns = np.moveaxis(weights, axis, -1).reshape(-1, channels).astype(float) - zero_point
    spread = 0.58 * n.high * float(np.sqrt((columns**2).sum(axis=0)).max())
    huge = 2.0**44 if of.wide else 2.0**30
    reach = n.draw(st.sampled_from((3, 2 * spread, huge))) if biased else 0.0
    steps = n.draw(st.sampled_from((2, 100, 400, 5000, 2**20)))
    if of.activations == "INT16":
        steps = n.draw(st.sampled_from((2, 400, 2**15, 2**16, 2**18)))
    ties = biased and n.mode == "ties"
    if ties:
        reach, steps = huge, 1.2 * n.high

    per_channel = zero_point == 0 and n.draw(st.booleans())
    if of.per_channel is not None:
        per_channel = of.per_channel
    scale = n.scale()
    count = channels if per_channel else 1
    scales = np.array([n.near(scale * 2 ** n.rng.uniform(-2, 2)) for _ in range(count)])
    output_scale = n.near(source_scale * scales.max() * max(spread, reach, 1) / steps)
    output_scale = max(output_scale, 2.0**-26)  # of less, an activation's 6 leaves int32
    if of.wide:  # real multipliers of 128 and more are refused
        output_scale = max(output_scale, float(source_scale * scales.max()) / 100)
    if per_channel and channels > 1 and n.draw(st.integers(0, 9)) == 0:
        scales[0] *= 1e-12
    along = axis if per_channel else 0
    filters = (
        int4(weights, scales, along, "w")
        if of.weights == "INT4"
        else constant(weights.astype(np.int8), scales, zero_point, along, "w")
    )
    inputs: list[Tensor | None] = [source, filters]
    if biased:
        bias = n.rng.uniform(-reach, reach, channels)
        if ties:
            real = np.broadcast_to(source_scale * scales / output_scale, (channels,))
            bias = _bias_beside_ties(n, real, of)
            n.everywhere = source.quantization.zero_point
        bias = np.clip(np.rint(bias), -huge, huge)
        make = int64 if of.wide else int32
        inputs.append(make(bias, np.float32(source_scale) * scales, "b"))
    return inputs, output_scale


def _axis(draw: Draw, padding: str, largest_dilation: int) -> tuple[int, int, int, int, int]:
    """Input size, kernel, stride, dilation and output size along one axis."""
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    dilation = draw(st.integers(1, largest_dilation))
    window = (kernel - 1) * dilation + 1
    size = draw(st.integers(window if padding == "VALID" else 1, window + 5))
    covered = size - window + 1 if padding == "VALID" else size
    return size, kernel, stride, dilation, math.ceil(covered / stride)


def _conv(draw: Draw, depthwise: bool, biased: bool, of: Kind = INT8) -> OneOp:
    n = Numbers(draw, of.activations)
    draw = n.draw
    padding = draw(st.sampled_from(("SAME", "VALID")))
    height, kernel_h, stride_h, dilation_h, output_h = _axis(draw, padding, 3)
    width, kernel_w, stride_w, dilation_w, output_w = _axis(draw, padding, 3)
    batches = draw(st.integers(1, 2))
    if depthwise:
        channels, multiplier = draw(st.integers(1, 6)), draw(st.integers(1, 4))
        weights = _weights(n, (1, kernel_h, kernel_w, channels * multiplier), of)
    else:
        groups, per_group = draw(st.integers(1, 3)), draw(st.integers(1, 4))
        # Sums that float32 cannot hold; of int16 they would leave the int32 of an int32 bias.
        deep = draw(st.integers(0, 9)) == 0 and not of.option
        of_group = draw(st.integers(1, 5)) + (1100 // (kernel_h * kernel_w) if deep else 0)
        channels = groups * of_group
        weights = _weights(n, (groups * per_group, kernel_h, kernel_w, of_group), of)
    source = n.tensor((batches, height, width, channels))
    inputs, scale = _stage(n, source, weights, 3 if depthwise else 0, biased, of=of)
    shape = (batches, output_h, output_w, weights.shape[3 if depthwise else 0])
    output = activation(shape, scale, n.zero_point(), type=of.activations)
    options = {"depth_multiplier": multiplier} if depthwise else of.option
    # LiteRT's reference kernels register int4 depthwise under no version: 6 takes it.
    version = of.version(3, 5, 6) if depthwise else of.version(3 if groups == 1 else 6, 8, 7)
    return n.model(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        inputs,
        output,
        version=version,
        padding=padding,
        stride_h=stride_h,
        stride_w=stride_w,
        dilation_h_factor=dilation_h,
        dilation_w_factor=dilation_w,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
        **options,
    )


@st.composite
def conv_2d(draw: Draw, biased: bool, of: Kind = INT8) -> OneOp:
    return _conv(draw, depthwise=False, biased=biased, of=of)


@st.composite
def depthwise_conv_2d(draw: Draw, of: Kind = INT8) -> OneOp:
    # Two inputs, not a third of -1: TFLM would read that.
    return _conv(draw, depthwise=True, biased=draw(st.booleans()), of=of)


@st.composite
def transpose_conv(draw: Draw, of: Kind = INT8) -> OneOp:
    n = Numbers(draw, of.activations)
    padding = draw(st.sampled_from(("SAME", "VALID")))
    height, kernel_h, stride_h, _, input_h = _axis(draw, padding, 1)
    width, kernel_w, stride_w, _, input_w = _axis(draw, padding, 1)
    batches, channels, units = (draw(st.integers(1, most)) for most in (2, 6, 5))
    source = n.tensor((batches, input_h, input_w, channels))
    weights = _weights(n, (units, kernel_h, kernel_w, channels), of)
    inputs, scale = _stage(n, source, weights, 0, bool(of.option) or draw(st.booleans()), of=of)
    shape = (batches, height, width, units)
    return n.model(
        "TRANSPOSE_CONV",
        [int32(shape), inputs[1], source, *inputs[2:]],
        activation(shape, scale, n.zero_point(), type=of.activations),
        version=of.version(4, 5, 0),
        padding=padding,
        stride_h=stride_h,
        stride_w=stride_w,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
        **of.option,
    )


@st.composite
def fully_connected(draw: Draw, of: Kind = INT8) -> OneOp:
    n = Numbers(draw, of.activations)
    draw = n.draw
    rows = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 3)))
    depth = draw(st.integers(1, 40) | st.integers(1030, 1100))
    if of.option:  # the accumulator is int32
        depth = min(depth, 100)
    units = draw(st.integers(1, 12))
    zero_point = draw(st.sampled_from((0, 0, -128, -1, 5, 127))) if of is INT8 else 0
    weights = _weights(n, (units, depth), of)
    source = n.tensor((*rows, depth))
    inputs, scale = _stage(n, source, weights, 0, draw(st.booleans()), zero_point, of)
    if len(inputs) == 2 and draw(st.booleans()):
        inputs.append(None)
    keep = bool(rows) and draw(st.booleans())
    shape = (*rows, units) if keep else (math.prod(rows), units)
    return n.model(
        "FULLY_CONNECTED",
        inputs,
        activation(shape, scale, n.zero_point(), type=of.activations),
        version=of.version(5 if keep else 6 if len(inputs) == 2 else 4, 11, 10),
        keep_num_dims=keep,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
        **of.option,
    )


# -- windows and axes -----------------------------------------------------------------------


@st.composite
def pool_2d(draw: Draw, op: str, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    padding = draw(st.sampled_from(("SAME", "VALID")))
    height, kernel_h, stride_h, _, output_h = _axis(draw, padding, 1)
    width, kernel_w, stride_w, _, output_w = _axis(draw, padding, 1)
    batches, channels = draw(st.integers(1, 2)), draw(st.integers(1, 5))
    source = n.tensor((batches, height, width, channels))
    assert source.quantization is not None
    return n.model(
        op,
        [source],
        Tensor("y", (batches, output_h, output_w, channels), type, source.quantization),
        padding=padding,
        stride_h=stride_h,
        stride_w=stride_w,
        filter_height=kernel_h,
        filter_width=kernel_w,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
    )


@st.composite
def softmax(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    leading = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 4)))
    depth = draw(st.integers(1, 12) | st.integers(13, 511))
    source = activation((*leading, depth), n.scale(2.0**-20, 64.0), n.zero_point())
    beta = draw(st.sampled_from((1.0, 1.0, 0.5, 2.0, 0.3)))
    return n.model("SOFTMAX", [source], activation(source.shape, 1 / 256, -128, "y"), beta=beta)
