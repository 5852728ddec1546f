"""A strategy for each operator: random shapes, options, scales, zero points and inputs.

``MODELS[op]`` draws a ``OneOp`` that both runtimes take; what LiteRT refuses is a model of its
own, and listed in ``TFLM_ONLY``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Graph, Tensor
from one_op import ACTIVATIONS, Draw, Numbers, OneOp, activation, constant, int32, one_op
from strategies_layers import (
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    mean,
    pool_2d,
    shapes,
    softmax,
)

# -- elementwise ----------------------------------------------------------------------------


def _operands(n: Numbers) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Two tensors that broadcast, and the shape that they broadcast to; one may be a constant."""
    draw = n.draw
    shape = draw(st.integers(1, 5).flatmap(shapes))
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


def _everywhere(n: Numbers, tensor: Tensor) -> tuple[float, int]:
    """Scale, and what an element of the last sample is above the zero point."""
    assert tensor.quantization is not None
    value = n.everywhere if tensor.data is None else int(tensor.data.ravel()[0])
    return tensor.quantization.scale, value - tensor.quantization.zero_point


@st.composite
def add_sub(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    first, second, shape = _operands(n)
    (s1, v1), (s2, v2) = _everywhere(n, first), _everywhere(n, second)
    # The runtimes abort where the sum would have to be scaled up by 2^19 and more.
    ratio = draw(st.sampled_from((0.01, 0.5, 1.0, 3.0, 100.0, 2.0**14)))
    real = s1 * v1 + (s2 * v2 if op == "ADD" else -s2 * v2)
    larger = max(s1, s2)
    output = n.output(shape, larger / ratio, real, smallest=larger * 2.0**-15)
    fused = draw(st.sampled_from(ACTIVATIONS))
    return n.model(op, [first, second], output, fused_activation_function=fused)


@st.composite
def mul(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    first, second, shape = _operands(n)
    (s1, v1), (s2, v2) = _everywhere(n, first), _everywhere(n, second)
    steps = draw(st.sampled_from((2, 100, 400, 5000, 2**20)))
    output = n.output(shape, s1 * s2 * 5000 / steps, s1 * s2 * v1 * v2, v1 * v2)
    fused = draw(st.sampled_from(ACTIVATIONS))
    return n.model("MUL", [first, second], output, fused_activation_function=fused)


def every_int8(n: Numbers, graph: Graph) -> OneOp:
    """All 256 values in a random order: what a function of one element can be asked."""
    (index,) = graph.inputs
    values = (n.rng.permutation(256) - 128).astype(np.int8)
    return OneOp(graph, (values.reshape(1, *graph.tensors[index].shape),))


EVERY = st.sampled_from(((256,), (1, 256), (2, 128), (4, 8, 8), (1, 16, 2, 8)))


@st.composite
def lookup(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    shape = draw(EVERY)
    source = activation(shape, n.scale(2.0**-14, 15.0), n.zero_point())
    assert source.quantization is not None
    if op == "LOGISTIC":
        output = activation(shape, 1 / 256, -128, "y")
    elif op == "TANH":
        output = activation(shape, 1 / 128, 0, "y")
    else:
        ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 3.0, 300.0, 2.0**14)))
        scale, above = source.quantization.scale, n.everywhere - source.quantization.zero_point
        output = n.output(shape, scale / ratio, scale * above, above)
    return every_int8(n, one_op(op, [source], output))


# -- reals ----------------------------------------------------------------------------------


@st.composite
def quantize(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
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
    draw = n.draw
    source = activation(draw(EVERY), n.scale(2.0**-30, 2.0**20), n.zero_point())
    return every_int8(n, one_op("DEQUANTIZE", [source], activation(source.shape, None, name="y")))


# -- movement -------------------------------------------------------------------------------


def _like(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    return Tensor("y", shape, tensor.type, tensor.quantization)


@st.composite
def pad(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    shape = draw(st.integers(1, 4).flatmap(shapes))
    pads = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in shape]
    source = n.tensor(shape)
    padded = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    return n.model("PAD", [source, int32(pads)], _like(source, padded))


@st.composite
def transpose(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    shape = draw(st.integers(1, 5).flatmap(shapes))
    order = draw(st.permutations(range(len(shape))))
    source = n.tensor(shape)
    output = _like(source, tuple(shape[axis] for axis in order))
    return n.model("TRANSPOSE", [source, int32(order)], output)


@st.composite
def concatenation(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
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
    draw = n.draw
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
    draw = n.draw
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
    draw = n.draw
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
    "CONV_2D": conv_2d(biased=True),
    "CONV_2D without bias": conv_2d(biased=False),
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

TFLM_ONLY = ("CONV_2D without bias",)
