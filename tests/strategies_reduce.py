"""Strategies of the ops that combine computed elements: matrix products and reductions."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Tensor
from one_op import Draw, Numbers, OneOp, activation, constant, int32
from strategies_layers import shapes


@st.composite
def batch_matmul(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    rows, columns = draw(shapes(2, 6))
    depth = draw(st.integers(1, 12) | st.integers(200, 300))  # more than float32 can hold
    adj_x, adj_y = draw(st.booleans()), draw(st.booleans())
    batch = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 3)))
    tensors: list[Tensor | None] = []
    for name, shape in (
        ("lhs", (depth, rows) if adj_x else (rows, depth)),
        ("rhs", (columns, depth) if adj_y else (depth, columns)),
    ):
        kept = draw(st.integers(0, len(batch)))
        own = tuple(draw(st.sampled_from((extent, extent, 1))) for extent in batch[kept:])
        tensors.append(n.tensor((*own, *shape), name))
    left, right = tensors
    assert left is not None
    assert right is not None
    broadcast = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    assert left.quantization is not None
    assert right.quantization is not None
    q_left, q_right = left.quantization, right.quantization
    above = n.everywhere - q_right.zero_point
    if (constant_side := draw(st.integers(0, 3))) < 2:
        own, tensor = (q_left, left) if constant_side == 0 else (q_right, right)
        values = n.values(tensor.shape)[0]
        tensors[constant_side] = constant(values, own.scale, own.zero_point, name=tensor.name)
    smallest = 0.0
    if type == "INT16":  # of less, sums could leave int32 after the multiplication
        smallest = q_left.scale * q_right.scale * depth
    acc = depth * (n.everywhere - q_left.zero_point) * above
    product = q_left.scale * q_right.scale
    steps = draw(st.sampled_from((2, 100, 400, 2**15)))
    usual = product * math.sqrt(depth) * 0.31 * n.high**2 / steps
    shape = (*broadcast, rows, columns)
    output = n.output(shape, usual, product * acc, acc, smallest)
    return n.model("BATCH_MATMUL", tensors, output, adj_x=adj_x, adj_y=adj_y)


@st.composite
def reduction(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 5).flatmap(lambda rank: shapes(rank, 6)))
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
    if op in ("REDUCE_MAX", "REDUCE_MIN"):
        output = Tensor("y", kept, "INT8", source.quantization)
    else:
        scale = source.quantization.scale
        ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 7.0, 300.0)))
        above = n.everywhere - source.quantization.zero_point
        count = source.size // math.prod(kept)
        real = scale * above * (count if op == "SUM" else 1)
        output = n.output(kept, scale / ratio, real, above * count)
    return n.model(op, [source, int32(axes)], output, keep_dims=keep)


@st.composite
def arg_extreme(draw: Draw, op: str, index_type: str = "INT32") -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(shapes))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    output = Tensor("y", shape[:place] + shape[place + 1 :], index_type)
    return n.model(op, [n.tensor(shape), int32(axis)], output, output_type=index_type)


@st.composite
def cumsum(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(st.integers(1, 4).flatmap(lambda rank: shapes(rank, 6)))
    source = n.tensor(shape)
    assert source.quantization is not None
    scale, above = source.quantization.scale, n.everywhere - source.quantization.zero_point
    ratio = draw(st.sampled_from((0.02, 0.5, 1.0, 7.0)))
    output = n.output(shape, scale / ratio, scale * above, above)
    return n.model(
        "CUMSUM",
        [source, int32([draw(st.integers(-len(shape), len(shape) - 1))])],
        output,
        exclusive=draw(st.booleans()),
        reverse=draw(st.booleans()),
    )


@st.composite
def l2_normalization(draw: Draw) -> OneOp:
    n = Numbers(draw)
    leading = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 4)))
    depth = draw(st.integers(1, 12) | st.integers(13, 511))
    source = n.tensor((*leading, depth))
    return n.model("L2_NORMALIZATION", [source], activation(source.shape, 1 / 128, 0, "y"))


@st.composite
def log_softmax(draw: Draw) -> OneOp:
    n = Numbers(draw)
    leading = draw(st.integers(0, 3).flatmap(lambda rank: shapes(rank, 4)))
    depth = draw(st.integers(1, 12) | st.integers(13, 511))
    source = activation((*leading, depth), n.scale(2.0**-20, 64.0), n.zero_point())
    return n.model("LOG_SOFTMAX", [source], activation(source.shape, 1 / 16, 127, "y"))


REDUCTIONS = {
    "ARG_MAX": arg_extreme("ARG_MAX"),
    "ARG_MAX to int64": arg_extreme("ARG_MAX", "INT64"),
    "ARG_MIN": arg_extreme("ARG_MIN"),
    "BATCH_MATMUL": batch_matmul(),
    "CUMSUM": cumsum(),
    "L2_NORMALIZATION": l2_normalization(),
    "LOG_SOFTMAX": log_softmax(),
    "MEAN": reduction("MEAN"),
    "REDUCE_MAX": reduction("REDUCE_MAX"),
    "REDUCE_MIN": reduction("REDUCE_MIN"),
    "SUM": reduction("SUM"),
}
