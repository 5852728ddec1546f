"""A strategy for each operator: random shapes, options, scales, zero points and inputs.

``MODELS[op]`` draws a ``OneOp``. Shapes and options are drawn such that both runtimes take them;
what only one of them takes is said where it is drawn, and in ``ONLY``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from one_op import (
    ACTIVATIONS,
    SAMPLES,
    Array,
    Draw,
    Numbers,
    OneOp,
    activation,
    constant,
    int32,
    one_op,
)

from microinfer.graph import Graph, Tensor


def shapes(rank: int, largest: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[st.integers(1, largest)] * rank)


# -- layers with weights --------------------------------------------------------------------


def _weights(n: Numbers, shape: tuple[int, ...]) -> Array:
    kind = n.draw(st.sampled_from(("any", "small", "ends")))
    if kind == "any":
        return n.rng.integers(-128, 128, shape)
    return n.rng.choice([-2, -1, 0, 1, 1, 2] if kind == "small" else [-128, 127], shape)


def _bias(n: Numbers, channels: int, spread: float) -> Array | None:
    kind = n.draw(st.sampled_from(("absent", "like the sum", "small", "huge")))
    if kind == "absent":
        return None
    reach = {"like the sum": 2 * spread, "small": 3, "huge": 2.0**30}[kind]
    return np.rint(n.rng.uniform(-reach, reach, channels))


def _stage(
    n: Numbers, source: Tensor, weights: Array, axis: int, zero_point: int = 0
) -> tuple[list[Tensor | None], float]:
    """The inputs of a layer with ``weights`` (output channels along ``axis``), and an output scale
    with which the outputs take 2, 100 or 400 steps, or saturate, by left shifts even.

    A huge bias is of the order of 2^30, and the multiplier accordingly small. Now and then one
    channel's weights have a scale so small that its multiplier becomes 0.
    """
    channels = weights.shape[axis]
    columns = np.moveaxis(weights, axis, -1).reshape(-1, channels).astype(float) - zero_point
    spread = 74 * float(np.sqrt((columns**2).sum(axis=0)).max())
    bias = _bias(n, channels, spread)
    largest = spread if bias is None else max(spread, float(np.abs(bias).max()))
    reach = n.draw(st.sampled_from((2, 100, 400, 5000, 2**20)))
    scale = n.scale()
    per_channel = zero_point == 0 and n.draw(st.booleans())
    count = channels if per_channel else 1
    scales = np.array([n.near(scale * 2 ** n.rng.uniform(-2, 2)) for _ in range(count)])
    if per_channel and n.draw(st.integers(0, 9)) == 0:
        scales[0] *= 1e-12
    assert source.quantization is not None
    output_scale = n.near(source.quantization.scale * scales.max() * max(largest, 1) / reach)
    inputs: list[Tensor | None] = [
        source,
        constant(weights.astype(np.int8), scales, zero_point, axis if per_channel else 0, "w"),
    ]
    if bias is not None:
        inputs.append(int32(bias, np.float32(source.quantization.scale) * scales, "b"))
    elif n.draw(st.booleans()):
        inputs.append(None)
    return inputs, output_scale


def _axis(draw: Draw, padding: str, largest_dilation: int) -> tuple[int, int, int, int, int]:
    """Input size, kernel, stride, dilation and output size along one axis."""
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    dilation = draw(st.integers(1, largest_dilation))
    window = (kernel - 1) * dilation + 1
    size = draw(st.integers(window if padding == "VALID" else 1, window + 5))
    covered = size - window + 1 if padding == "VALID" else size
    return size, kernel, stride, dilation, math.ceil(covered / stride)


def _conv(draw: Draw, depthwise: bool) -> OneOp:
    n = Numbers(draw)
    padding = draw(st.sampled_from(("SAME", "VALID")))
    height, kernel_h, stride_h, dilation_h, output_h = _axis(draw, padding, 3)
    width, kernel_w, stride_w, dilation_w, output_w = _axis(draw, padding, 3)
    batches = draw(st.integers(1, 2))
    if depthwise:
        channels, multiplier = draw(st.integers(1, 6)), draw(st.integers(1, 4))
        weights = _weights(n, (1, kernel_h, kernel_w, channels * multiplier))
    else:
        groups, per_group = draw(st.integers(1, 3)), draw(st.integers(1, 4))
        deep = draw(st.integers(0, 9)) == 0  # sums that float32 cannot hold
        of_group = draw(st.integers(1, 5)) + (1100 // (kernel_h * kernel_w) if deep else 0)
        channels = groups * of_group
        weights = _weights(n, (groups * per_group, kernel_h, kernel_w, of_group))
    source = n.tensor((batches, height, width, channels))
    inputs, scale = _stage(n, source, weights, axis=3 if depthwise else 0)
    output = activation(
        (batches, output_h, output_w, weights.shape[3 if depthwise else 0]), scale, n.zero_point()
    )
    options = {"depth_multiplier": multiplier} if depthwise else {}
    version = 3 if depthwise or groups == 1 else 6
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
def conv_2d(draw: Draw) -> OneOp:
    return _conv(draw, depthwise=False)


@st.composite
def depthwise_conv_2d(draw: Draw) -> OneOp:
    return _conv(draw, depthwise=True)


@st.composite
def fully_connected(draw: Draw) -> OneOp:
    n = Numbers(draw)
    rows = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 3)))
    depth = draw(st.integers(1, 40) | st.integers(1030, 1100))
    units = draw(st.integers(1, 12))
    zero_point = draw(st.sampled_from((0, 0, -128, -1, 5, 127)))
    weights = _weights(n, (units, depth))
    source = n.tensor((*rows, depth))
    inputs, scale = _stage(n, source, weights, 0, zero_point)
    keep = bool(rows) and draw(st.booleans())
    shape = (*rows, units) if keep else (math.prod(rows), units)
    return n.model(
        "FULLY_CONNECTED",
        inputs,
        activation(shape, scale, n.zero_point()),
        version=5 if keep else 6 if len(inputs) == 2 else 4,
        keep_num_dims=keep,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
    )


# -- windows and axes -----------------------------------------------------------------------


@st.composite
def pool_2d(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    padding = draw(st.sampled_from(("SAME", "VALID")))
    height, kernel_h, stride_h, _, output_h = _axis(draw, padding, 1)
    width, kernel_w, stride_w, _, output_w = _axis(draw, padding, 1)
    batches, channels = draw(st.integers(1, 2)), draw(st.integers(1, 5))
    source = n.tensor((batches, height, width, channels))
    assert source.quantization is not None
    return n.model(
        op,
        [source],
        Tensor("y", (batches, output_h, output_w, channels), "INT8", source.quantization),
        padding=padding,
        stride_h=stride_h,
        stride_w=stride_w,
        filter_height=kernel_h,
        filter_width=kernel_w,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
    )


@st.composite
def mean(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(lambda rank: shapes(rank, 6)))
    rank = len(shape)
    axes = draw(st.lists(st.integers(-rank, rank - 1), min_size=1, max_size=rank + 1))
    keep = draw(st.booleans())
    reduced = {axis % rank for axis in axes}
    kept = tuple(
        1 if axis in reduced else extent
        for axis, extent in enumerate(shape)
        if keep or axis not in reduced
    )
    source = n.tensor(shape)
    assert source.quantization is not None
    ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 7.0, 300.0)))
    output = activation(kept, n.near(source.quantization.scale / ratio), n.zero_point())
    return n.model("MEAN", [source, int32(axes)], output, keep_dims=keep)


@st.composite
def softmax(draw: Draw) -> OneOp:
    n = Numbers(draw)
    leading = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 4)))
    depth = draw(st.integers(1, 12) | st.integers(13, 600))
    source = activation((*leading, depth), n.scale(2.0**-20, 64.0), n.zero_point())
    beta = draw(st.sampled_from((1.0, 1.0, 0.5, 2.0, 0.3)))
    return n.model("SOFTMAX", [source], activation(source.shape, 1 / 256, -128, "y"), beta=beta)


# -- elementwise ----------------------------------------------------------------------------


def _operands(n: Numbers) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Two tensors that broadcast, and the shape that they broadcast to; one may be a constant."""
    draw = n.draw
    shape = draw(st.integers(1, 4).flatmap(shapes))
    own = [
        tuple(1 if repeated else extent for extent, repeated in zip(shape, ones, strict=True))
        for ones in (draw(st.tuples(*[st.booleans()] * len(shape))), (False,) * len(shape))
    ]
    own[0] = own[0][draw(st.integers(0, len(shape) - 1)) :]
    first, second = n.tensor(own[0], "x1"), n.tensor(own[1], "x2")
    kind = draw(st.sampled_from(("two inputs", "two inputs", "a constant", "the same twice")))
    if kind == "the same twice":
        first = second
    elif kind == "a constant":
        quantization = first.quantization
        assert quantization is not None
        values = n.int8(first.shape)[0]
        first = constant(values, quantization.scale, quantization.zero_point, name="x1")
    return (first, second, shape) if draw(st.booleans()) else (second, first, shape)


@st.composite
def add_sub(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    first, second, shape = _operands(n)
    assert first.quantization is not None
    assert second.quantization is not None
    # The runtimes abort where the sum would have to be scaled up by 2^19 and more.
    ratio = draw(st.sampled_from((0.01, 0.5, 1.0, 3.0, 100.0, 2.0**14)))
    larger = max(first.quantization.scale, second.quantization.scale)
    output = activation(shape, n.near(larger / ratio), n.zero_point())
    fused = draw(st.sampled_from(ACTIVATIONS))
    return n.model(op, [first, second], output, fused_activation_function=fused)


@st.composite
def mul(draw: Draw) -> OneOp:
    n = Numbers(draw)
    first, second, shape = _operands(n)
    assert first.quantization is not None
    assert second.quantization is not None
    reach = draw(st.sampled_from((2, 100, 400, 5000, 2**20)))
    product = first.quantization.scale * second.quantization.scale * 5000
    output = activation(shape, n.near(product / reach), n.zero_point())
    fused = draw(st.sampled_from(ACTIVATIONS))
    return n.model("MUL", [first, second], output, fused_activation_function=fused)


def every_int8(n: Numbers, graph: Graph) -> OneOp:
    """All 256 values in a random order: what a function of one element can be asked."""
    (index,) = graph.inputs
    values = np.stack([n.rng.permutation(256) for _ in range(SAMPLES)]) - 128
    return OneOp(graph, (values.astype(np.int8).reshape(SAMPLES, *graph.tensors[index].shape),))


EVERY = st.sampled_from(((256,), (1, 256), (2, 128), (4, 8, 8), (1, 16, 2, 8)))


@st.composite
def lookup(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    shape = draw(EVERY)
    source = activation(shape, n.scale(2.0**-20, 15.0), n.zero_point())
    assert source.quantization is not None
    if op == "LOGISTIC":
        output = activation(shape, 1 / 256, -128, "y")
    elif op == "TANH":
        output = activation(shape, 1 / 128, 0, "y")
    else:
        ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 3.0, 300.0, 2.0**16)))
        scale = n.near(source.quantization.scale / ratio)
        output = activation(shape, scale, n.zero_point(), "y")
    return every_int8(n, one_op(op, [source], output))


# -- reals ----------------------------------------------------------------------------------


@st.composite
def quantize(draw: Draw) -> OneOp:
    n = Numbers(draw)
    if draw(st.booleans()):
        return draw(lookup("QUANTIZE"))
    shape = draw(st.integers(1, 4).flatmap(shapes))
    output = n.tensor(shape, "y")
    assert output.quantization is not None
    scale = np.float32(output.quantization.scale)
    steps = np.stack(
        [
            n.rng.uniform(-300, 300, shape),
            n.rng.integers(-300, 300, shape) + 0.5,
            n.rng.choice([0.49999997, 0.5, -0.5, 0.0, -0.0, 1.4999999, -2.5, 127.5], shape),
            n.rng.choice([1e-30, -1e-30, 2.0**30, -(2.0**30), 8388609.0, -128.5], shape),
        ]
    ).astype(np.float32)
    # Division by scale may leave the tie; the neighbours are as good.
    return OneOp(one_op("QUANTIZE", [activation(shape, None)], output), (steps * scale,))


@st.composite
def dequantize(draw: Draw) -> OneOp:
    n = Numbers(draw)
    source = activation(draw(EVERY), n.scale(2.0**-30, 2.0**20), n.zero_point())
    return every_int8(n, one_op("DEQUANTIZE", [source], activation(source.shape, None, name="y")))


# -- movement -------------------------------------------------------------------------------


def _like(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    return Tensor("y", shape, tensor.type, tensor.quantization)


@st.composite
def pad(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(shapes))
    pads = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in shape]
    source = n.tensor(shape)
    padded = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    return n.model("PAD", [source, int32(pads)], _like(source, padded))


@st.composite
def transpose(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 5).flatmap(shapes))
    order = draw(st.permutations(range(len(shape))))
    source = n.tensor(shape)
    output = _like(source, tuple(shape[axis] for axis in order))
    return n.model("TRANSPOSE", [source, int32(order)], output)


@st.composite
def concatenation(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(shapes))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    output = n.tensor(shape, "y")
    assert output.quantization is not None
    scale, zero_point = output.quantization.scale, output.quantization.zero_point
    sources: list[Tensor | None] = []
    joined = 0
    for kind in draw(st.lists(st.sampled_from(("input", "input", "constant")), max_size=3)):
        extent = draw(st.integers(1, 4))
        own = (*shape[:place], extent, *shape[place + 1 :])
        sources.append(
            constant(n.int8(own)[0], scale, zero_point)
            if kind == "constant"
            else activation(own, scale, zero_point)
        )
        joined += extent
    sources.append(activation(shape, scale, zero_point))
    joined += shape[place]
    if draw(st.booleans()):
        sources.append(sources[-1])
        joined += shape[place]
    whole = (*shape[:place], joined, *shape[place + 1 :])
    return n.model("CONCATENATION", sources, _like(output, whole), axis=axis)


@st.composite
def reshape(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(shapes))
    source = n.tensor(shape)
    left, extents = source.size, []
    while left > 1:
        divisors = [d for d in range(1, left + 1) if left % d == 0]
        extents.append(draw(st.sampled_from(divisors)) if len(extents) < 4 else left)
        left //= extents[-1]
    extents = extents or [1]
    output = _like(source, tuple(extents))
    if draw(st.booleans()):
        return n.model("RESHAPE", [source, int32(extents)], output, new_shape=tuple(extents))
    return n.model("RESHAPE", [source], output, new_shape=tuple(extents))


@st.composite
def squeeze(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(lambda rank: shapes(rank, 2)))
    ones = [axis for axis, extent in enumerate(shape) if extent == 1]
    axes = draw(st.lists(st.sampled_from(ones), unique=True)) if ones else []
    gone = axes or ones
    source = n.tensor(shape)
    kept = tuple(extent for axis, extent in enumerate(shape) if axis not in gone)
    return n.model("SQUEEZE", [source], _like(source, kept), squeeze_dims=tuple(axes))


@st.composite
def expand_dims(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 3).flatmap(shapes))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    source = n.tensor(shape)
    place = axis % (len(shape) + 1)
    output = _like(source, (*shape[:place], 1, *shape[place:]))
    return n.model("EXPAND_DIMS", [source, int32(axis)], output)


MODELS: Mapping[str, st.SearchStrategy[OneOp]] = {
    "ADD": add_sub("ADD"),
    "AVERAGE_POOL_2D": pool_2d("AVERAGE_POOL_2D"),
    "CONCATENATION": concatenation(),
    "CONV_2D": conv_2d(),
    "DEPTHWISE_CONV_2D": depthwise_conv_2d(),
    "DEQUANTIZE": dequantize(),
    "EXPAND_DIMS": expand_dims(),
    "FULLY_CONNECTED": fully_connected(),
    "LOGISTIC": lookup("LOGISTIC"),
    "MAX_POOL_2D": pool_2d("MAX_POOL_2D"),
    "MEAN": mean(),
    "MUL": mul(),
    "PAD": pad(),
    "QUANTIZE": quantize(),
    "RELU": lookup("RELU"),
    "RELU6": lookup("RELU6"),
    "RESHAPE": reshape(),
    "SOFTMAX": softmax(),
    "SQUEEZE": squeeze(),
    "SUB": add_sub("SUB"),
    "TANH": lookup("TANH"),
    "TRANSPOSE": transpose(),
}
