"""Strategies of the further elementwise ops of several inputs, which broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Tensor
from one_op import ACTIVATIONS, Draw, Numbers, OneOp, activation, constant, one_op
from strategies_elementwise import everywhere, operands
from strategies_layers import shapes

RANK = 4  # of the runtimes' broadcasting in most of these


@st.composite
def prelu(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, RANK).flatmap(shapes))
    ones = draw(st.tuples(*[st.booleans()] * len(shape)))
    own = tuple(1 if one else extent for extent, one in zip(shape, ones, strict=True))
    source, alpha = n.tensor(shape), n.tensor(own, "alpha")
    if draw(st.booleans()):
        assert alpha.quantization is not None
        quantization = alpha.quantization
        alpha = constant(n.values(own)[0], quantization.scale, quantization.zero_point)
    (s, v), (slope, above) = everywhere(n, source), everywhere(n, alpha)
    acc = v if v >= 0 else v * above
    scale = s if v >= 0 else s * slope
    ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 3.0, 300.0)))
    return n.model("PRELU", [source, alpha], n.output(shape, scale / ratio, scale * acc, acc))


@st.composite
def maximum_minimum(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    first, second, shape = operands(n, RANK)
    second = replace(second, quantization=first.quantization)
    output = Tensor("y", shape, "INT8", first.quantization)
    return n.model(op, [first, second], output)


@st.composite
def squared_difference(draw: Draw) -> OneOp:
    n = Numbers(draw)
    first, second, shape = operands(n, RANK)
    (s1, v1), (s2, v2) = everywhere(n, first), everywhere(n, second)
    larger = max(s1, s2)
    difference = s1 * v1 - s2 * v2
    acc = round(difference / (2 * larger) * 2**7) ** 2
    ratio = draw(st.sampled_from((0.001, 0.01, 1.0, 100.0)))
    smallest = 4 * larger * larger * 2.0**-13  # else LiteRT aborts
    output = n.output(shape, larger * larger / ratio, difference**2, acc, smallest)
    return n.model("SQUARED_DIFFERENCE", [first, second], output)


@st.composite
def div(draw: Draw) -> OneOp:
    """Divisors are not 0, and dividends so large that the last shift is at most 31."""
    n = Numbers(draw)
    shape = draw(st.integers(1, RANK).flatmap(shapes))
    owns = []
    for _ in range(2):
        ones = draw(st.tuples(*[st.booleans()] * len(shape)))
        owns.append(tuple(1 if one else e for e, one in zip(shape, ones, strict=True)))
    first, second = n.tensor(owns[0], "x1"), n.tensor(owns[1], "x2")
    assert first.quantization is not None
    assert second.quantization is not None
    bits = draw(st.integers(1, 12))  # of the real multiplier
    scale = first.quantization.scale / second.quantization.scale
    z1, z2 = first.quantization.zero_point, second.quantization.zero_point
    least = 2 ** max(8 - bits, 0) if bits < 8 else 0
    (_, v1), (_, v2) = everywhere(n, first), everywhere(n, second)
    real = scale * v1 / (v2 or 1)
    output_scale = scale * 2.0**-bits
    if n.mode == "ties" and v1:
        output_scale = abs(real) / (n.rng.integers(0, 100) + 0.5)
        output_scale = min(output_scale, scale * 2.0**-bits)
    output = activation(
        tuple(np.broadcast_shapes(*owns)), float(np.float32(output_scale)), n.zero_point(), "y"
    )
    graph = one_op(
        "DIV", [first, second], output, fused_activation_function=draw(st.sampled_from(ACTIVATIONS))
    )
    x1, x2 = n.values(owns[0], z1).astype(int), n.values(owns[1], z2).astype(int)
    far = 127 if z1 < 0 else -128
    x1 = np.where(np.abs(x1 - z1) < least, far, x1)
    x2 = np.where(x2 == z2, z2 + (1 if z2 < 0 else -1), x2)
    return OneOp(graph, (x1.astype(np.int8), x2.astype(np.int8)))


@st.composite
def comparison(draw: Draw, op: str) -> OneOp:
    """Scales near each other or not, all below 1."""
    n = Numbers(draw)
    first, second, shape = operands(n, RANK)
    scale = n.scale(2.0**-10, 0.9)
    for tensor in {id(tensor): tensor for tensor in (first, second)}.values():
        assert tensor.quantization is not None
        factor = draw(st.sampled_from((1.0, 1.0, 0.5, 0.3, 1.001)))
        tensor.quantization.scales[0] = min(scale * factor, 0.999)
    return n.model(op, [first, second], Tensor("y", shape, "BOOL"))


@st.composite
def select(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, RANK).flatmap(shapes))
    like = n.tensor(shape)
    owns = []
    for _ in range(3):
        ones = draw(st.tuples(*[st.booleans()] * len(shape)))
        own = tuple(1 if one else e for e, one in zip(shape, ones, strict=True))
        owns.append(own[draw(st.integers(0, len(shape))) :] if op == "SELECT_V2" else shape)
    if op == "SELECT" and draw(st.booleans()):
        owns[0] = ()
    whole = np.broadcast_shapes(*owns)
    condition = Tensor("condition", owns[0], "BOOL")
    flags = n.rng.integers(0, 2, (4, *owns[0])).astype(np.bool_)
    if draw(st.integers(0, 3)) == 0:
        condition = constant(flags[0], name="condition")
    first, second = (
        Tensor(name, own, "INT8", like.quantization)
        for name, own in zip("ab", owns[1:], strict=True)
    )
    if draw(st.integers(0, 3)) == 0:
        assert like.quantization is not None
        q = like.quantization
        second = constant(n.values(owns[2])[0], q.scale, q.zero_point)
    output = Tensor("y", tuple(whole), "INT8", like.quantization)
    graph = one_op(op, [condition, first, second], output)
    values = [
        flags if graph.tensors[index].type == "BOOL" else n.values(graph.tensors[index].shape)
        for index in graph.inputs
    ]
    return OneOp(graph, tuple(values))


COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")

BINARY: Mapping[str, st.SearchStrategy[OneOp]] = {
    "DIV": div(),
    "MAXIMUM": maximum_minimum("MAXIMUM"),
    "MINIMUM": maximum_minimum("MINIMUM"),
    "PRELU": prelu(),
    "SELECT": select("SELECT"),
    "SELECT_V2": select("SELECT_V2"),
    "SQUARED_DIFFERENCE": squared_difference(),
    **{op: comparison(op) for op in COMPARISONS},
}
