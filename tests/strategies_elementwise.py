"""Strategies of the ops that compute each output element from one element of each input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Graph, Tensor
from one_op import ACTIVATIONS, Draw, Numbers, OneOp, activation, constant, one_op
from strategies_layers import shapes

# -- elementwise ----------------------------------------------------------------------------


def operands(n: Numbers, rank: int = 5) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Two tensors that broadcast, and the shape that they broadcast to; one may be a constant."""
    draw = n.draw
    shape = draw(st.integers(1, rank).flatmap(shapes))
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
        values = n.values(first.shape)[0]
        first = constant(values, quantization.scale, quantization.zero_point, name="x1")
    return (first, second, shape) if draw(st.booleans()) else (second, first, shape)


def everywhere(n: Numbers, tensor: Tensor) -> tuple[float, int]:
    """Scale, and what an element of the last sample is above the zero point."""
    assert tensor.quantization is not None
    value = n.everywhere if tensor.data is None else int(tensor.data.ravel()[0])
    return tensor.quantization.scale, value - tensor.quantization.zero_point


@st.composite
def add_sub(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    first, second, shape = operands(n)
    (s1, v1), (s2, v2) = everywhere(n, first), everywhere(n, second)
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
    first, second, shape = operands(n)
    (s1, v1), (s2, v2) = everywhere(n, first), everywhere(n, second)
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
    """A function that rescales, or one with a fixed output."""
    n = Numbers(draw)
    shape = draw(EVERY)
    source = activation(shape, n.scale(2.0**-14, 15.0), n.zero_point())
    assert source.quantization is not None
    options = {}
    if op == "LOGISTIC":
        output = activation(shape, 1 / 256, -128, "y")
    elif op == "TANH":
        output = activation(shape, 1 / 128, 0, "y")
    else:
        ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 3.0, 300.0, 2.0**14)))
        scale, above = source.quantization.scale, n.everywhere - source.quantization.zero_point
        if op == "ABS":
            above = abs(above)
        if op == "LEAKY_RELU":
            alpha = float(np.float32(draw(st.sampled_from((0.0, 0.1, 0.25, 0.3, -0.5, -0.7, 2.0)))))
            options["alpha"] = alpha
            scale *= abs(alpha) if above < 0 and alpha else 1.0
        smallest = source.quantization.scale / 100 if op == "HARD_SWISH" else 0.0
        output = n.output(shape, scale / ratio, scale * above, above, smallest)
        own = output.quantization
        assert own is not None
        # Beyond that the runtimes shift int16 by more bits than it has: refused.
        if op == "HARD_SWISH" and own.scale > source.quantization.scale * 2**8:
            output = activation(shape, source.quantization.scale * 2**8, own.zero_point, "y")
        if op == "ABS" and draw(st.integers(0, 3)) == 0:
            output = activation(shape, source.quantization.scale, n.zero_point(), "y")
    return every_int8(n, one_op(op, [source], output, **options))


@st.composite
def real_function(draw: Draw, op: str) -> OneOp:
    """A function of the real, whose output has a scale of its own."""
    n = Numbers(draw)
    shape = draw(EVERY)
    source = activation(shape, n.scale(2.0**-14, 15.0), n.zero_point())
    assert source.quantization is not None
    scale, zero_point = source.quantization.scale, source.quantization.zero_point
    x = scale * (n.everywhere - zero_point)
    functions: dict[str, Callable[[float], float]] = {
        "ELU": lambda x: x if x > 0 else math.expm1(x),
        "EXP": lambda x: math.exp(min(x, 10)),
        "LOG": lambda x: math.log(x) if x > 0 else -1.0,
        "RSQRT": lambda x: 1 / math.sqrt(max(x, scale)),
        "SQRT": lambda x: math.sqrt(max(x, 0)),
    }
    acc = 0
    if op == "RSQRT":  # its root has 20 fractional bits, and is what the multiplier acts on
        acc = round(2**20 / math.sqrt(max(n.everywhere - zero_point, 1)))
    output = n.output(shape, n.scale(), functions[op](x), acc, smallest=2.0**-12)
    model = every_int8(n, one_op(op, [source], output))
    if op in ("SQRT", "RSQRT"):  # both runtimes stop at a negative
        return OneOp(model.graph, (np.maximum(model.inputs[0], zero_point).astype(np.int8),))
    return model


@st.composite
def neg_of_reals(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(shapes(3))
    x = n.rng.normal(0, 10, (3, *shape)).astype(np.float32)
    graph = one_op("NEG", [activation(shape, None)], activation(shape, None, name="y"))
    return OneOp(graph, (x,))


ELEMENTWISE: Mapping[str, st.SearchStrategy[OneOp]] = {
    "ADD": add_sub("ADD"),
    "MUL": mul(),
    "NEG of float32": neg_of_reals(),
    "SUB": add_sub("SUB"),
    **{
        op: lookup(op)
        for op in (
            *("ABS", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "NEG", "RELU", "RELU6"),
            *("RELU_0_TO_1", "RELU_N1_TO_1", "TANH"),
        )
    },
    **{op: real_function(op) for op in ("ELU", "EXP", "LOG", "RSQRT", "SQRT")},
}
