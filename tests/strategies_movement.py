"""Strategies of the ops that move elements: cuts, joins, repetitions and frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Tensor
from one_op import Array, Draw, Numbers, OneOp, int32, one_op
from strategies_layers import shapes

# -- tensors of any type --------------------------------------------------------------------

MOSTLY_INT8 = ("INT8", "INT8")
ONLY_INT16 = ("INT16",)


def values(n: Numbers, tensor: Tensor) -> Array:
    """[4, *shape] of anything, or [3, ...] of finite reals."""
    if tensor.type == "INT8":
        return n.values(tensor.shape)
    if tensor.type == "FLOAT32":
        return n.rng.normal(0, 10, (3, *tensor.shape)).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    shape = (4, *tensor.shape)
    return n.rng.integers(limits.min, limits.max, shape, tensor.dtype, endpoint=True)


def source(n: Numbers, shape: tuple[int, ...], types: tuple[str, ...], name: str = "x") -> Tensor:
    """A tensor of int8 or, more rarely, of another of ``types``; with ONLY_INT16 none of int8."""
    kind = n.draw(st.sampled_from(types if types is ONLY_INT16 else (*MOSTLY_INT8, *types)))
    return n.tensor(shape, name) if kind == "INT8" else Tensor(name, shape, kind)


def like(tensor: Tensor, shape: tuple[int, ...], name: str = "y") -> Tensor:
    return Tensor(name, shape, tensor.type, tensor.quantization)


def as_constant(n: Numbers, tensor: Tensor) -> Tensor:
    return Tensor(tensor.name, tensor.shape, tensor.type, tensor.quantization, values(n, tensor)[0])


def moved(
    n: Numbers,
    op: str,
    inputs: list[Tensor],
    outputs: Tensor | list[Tensor],
    version: int = 0,
    **options: Any,
) -> OneOp:
    """A model, and values of its inputs."""
    graph = one_op(op, inputs, outputs, version, **options)
    arrays = [values(n, graph.tensors[index]) for index in graph.inputs]
    samples = min(map(len, arrays))
    return OneOp(graph, tuple(array[:samples] for array in arrays))


def ranks(low: int, high: int, largest: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    return st.integers(low, high).flatmap(lambda rank: shapes(rank, largest))


def assigned(tensor: Tensor, extents: dict[int, int]) -> tuple[int, ...]:
    return tuple(extents.get(axis, extent) for axis, extent in enumerate(tensor.shape))


# -- cuts -----------------------------------------------------------------------------------


@st.composite
def slices(draw: Draw) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 5)), ("INT16", "INT32", "FLOAT32"))
    begins = [draw(st.integers(0, extent - 1)) for extent in x.shape]
    left = [extent - begin for extent, begin in zip(x.shape, begins, strict=True)]
    taken = [draw(st.integers(1, extent)) for extent in left]
    sizes = [
        draw(st.sampled_from((size, -1))) if size == most else size
        for size, most in zip(taken, left, strict=True)
    ]
    return moved(n, "SLICE", [x, int32(begins), int32(sizes)], like(x, tuple(taken)))


@st.composite
def strided_slice(draw: Draw, named: bool) -> OneOp:
    """By begins, ends, strides and masks; ``named``: with an ellipsis, a new axis, or too few."""
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4)), ("INT16", "INT32", "FLOAT32"))
    rank = len(x.shape)
    items: list[str | int] = list(range(rank))
    if named:
        # Dots of no axis are TensorFlow's too, but LiteRT reads beyond its tensors for them.
        gap = draw(st.integers(0, rank - 1))
        behind = draw(st.integers(gap + 1, rank))
        items = [*items[:gap], "...", *items[behind:]] if draw(st.booleans()) else items[:behind]
        if draw(st.booleans()):
            items.insert(draw(st.integers(0, len(items))), "new")
    begins, ends, strides, expected = [], [], [], []
    masks = dict.fromkeys(("begin", "end", "ellipsis", "new_axis", "shrink_axis"), 0)
    index: list[Any] = []
    for place, item in enumerate(items):
        bit = 1 << place
        extent = x.shape[item] if isinstance(item, int) else 5
        begin, end = (draw(st.integers(-extent - 1, extent + 1)) for _ in range(2))
        step = draw(st.sampled_from((1, 1, 1, 2, 3, -1, -2)))
        if item == "...":
            masks["ellipsis"] |= bit
            index.append(...)
        elif item == "new":
            masks["new_axis"] |= bit
            index.append(None)
        elif draw(st.integers(0, 3)) == 0:
            begin = draw(st.integers(-extent, extent - 1))
            end, step = begin + 1, 1
            masks["shrink_axis"] |= bit
            index.append(begin)
        else:
            first, last = begin, end
            if draw(st.booleans()):
                masks["begin"] |= bit
                first = None
            if draw(st.booleans()):
                masks["end"] |= bit
                last = None
            if not len(range(extent)[slice(first, last, step)]):
                first = last = None
                masks["begin"] |= bit
                masks["end"] |= bit
            index.append(slice(first, last, step))
        begins.append(begin)
        ends.append(end)
        strides.append(step)
    expected = np.empty(x.shape, np.bool_)[tuple(index)].shape
    return moved(
        n,
        "STRIDED_SLICE",
        [x, int32(begins), int32(ends), int32(strides)],
        like(x, expected),
        **{f"{name}_mask": mask for name, mask in masks.items()},
    )


@st.composite
def split(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(ranks(1, 4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    pieces = draw(st.integers(1, 4))
    part = shape
    x = source(
        n,
        tuple(e * pieces if i == axis % len(shape) else e for i, e in enumerate(part)),
        ("INT16", "INT32", "FLOAT32"),
    )
    outputs = [like(x, part, f"y{i}") for i in range(pieces)]
    return moved(n, "SPLIT", [int32(axis, name="axis"), x], outputs, num_splits=pieces)


@st.composite
def split_v(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(ranks(1, 4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    whole = (*shape[:place], sum(sizes), *shape[place + 1 :])
    x = source(n, whole, ("INT16", "INT32", "FLOAT32"))
    outputs = [like(x, assigned(x, {place: size}), f"y{i}") for i, size in enumerate(sizes)]
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    inputs = [x, int32(sizes), int32(axis, name="axis")]
    return moved(n, "SPLIT_V", inputs, outputs, num_splits=len(sizes))


@st.composite
def unpack(draw: Draw) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4, 4)), ("INT16", "INT32", "FLOAT32"))
    axis = draw(st.integers(-len(x.shape), len(x.shape) - 1))
    place = axis % len(x.shape)
    count = x.shape[place]
    part = (*x.shape[:place], *x.shape[place + 1 :])
    outputs = [like(x, part, f"y{i}") for i in range(count)]
    return moved(n, "UNPACK", [x], outputs, num=count, axis=axis)


# -- joins ----------------------------------------------------------------------------------


@st.composite
def pack(draw: Draw) -> OneOp:
    n = Numbers(draw)
    first = source(n, draw(ranks(0, 3)), ("INT16", "INT32", "FLOAT32"))
    inputs = [first]
    for i in range(draw(st.integers(0, 3))):
        another = like(first, first.shape, f"x{i}")
        kind = draw(st.sampled_from(("input", "constant", "the same")))
        if kind == "constant":
            another = as_constant(n, another)
        inputs.append(first if kind == "the same" else another)
    axis = draw(st.integers(-len(first.shape) - 1, len(first.shape)))
    place = axis % (len(first.shape) + 1)
    output = like(first, (*first.shape[:place], len(inputs), *first.shape[place:]))
    return moved(n, "PACK", inputs, output, values_count=len(inputs), axis=axis)


# -- tables ---------------------------------------------------------------------------------


@st.composite
def gather(draw: Draw, types: tuple[str, ...] = ("FLOAT32",)) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4)), types)
    axis = draw(st.integers(-len(x.shape), len(x.shape) - 1))
    place = axis % len(x.shape)
    batch = draw(st.integers(0, place))
    own = draw(ranks(0, 2, 4))
    shape = (*x.shape[:batch], *own)
    indices = n.rng.integers(0, x.shape[place], shape)
    output = like(x, (*x.shape[:place], *own, *x.shape[place + 1 :]))
    return moved(n, "GATHER", [x, int32(indices)], output, axis=axis, batch_dims=batch)


@st.composite
def gather_at(draw: Draw) -> OneOp:
    """By indices that are a model input; the data is one, too, or a constant table."""
    n = Numbers(draw)
    table = source(n, draw(ranks(1, 4)), ("FLOAT32",))
    axis = draw(st.integers(-len(table.shape), len(table.shape) - 1))
    place = axis % len(table.shape)
    batch = draw(st.integers(0, place))
    own = draw(ranks(0, 2, 4))
    indices = Tensor("indices", (*table.shape[:batch], *own), "INT32")
    output = like(table, (*table.shape[:place], *own, *table.shape[place + 1 :]))
    x = as_constant(n, table) if draw(st.booleans()) else table
    graph = one_op("GATHER", [x, indices], output, axis=axis, batch_dims=batch)
    drawn = n.rng.integers(0, table.shape[place], (3, *indices.shape), np.int32)
    arrays = () if x.data is not None else (values(n, table)[:3],)
    return OneOp(graph, (*arrays, drawn))


@st.composite
def gather_nd(draw: Draw, types: tuple[str, ...] = ("FLOAT32",)) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4)), types)
    named = draw(st.integers(1, len(x.shape)))
    own = draw(ranks(0, 2, 4))
    columns = [n.rng.integers(0, extent, own) for extent in x.shape[:named]]
    output = like(x, (*own, *x.shape[named:]))
    return moved(n, "GATHER_ND", [x, int32(np.stack(columns, axis=-1))], output)


@st.composite
def reverse(draw: Draw) -> OneOp:
    """Axes that are neighbours: neither runtime takes others."""
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4)), ("INT16", "INT32", "FLOAT32"))
    first = draw(st.integers(0, len(x.shape) - 1))
    axes = draw(st.permutations(range(first, draw(st.integers(first + 1, len(x.shape))))))
    return moved(n, "REVERSE_V2", [x, int32(axes)], like(x, x.shape))


# -- repetitions ----------------------------------------------------------------------------


@st.composite
def tile(draw: Draw) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 3)), ("INT16", "INT32", "FLOAT32"))
    multiples = draw(shapes(len(x.shape), 3))
    tiled = tuple(a * b for a, b in zip(x.shape, multiples, strict=True))
    return moved(n, "TILE", [x, int32(multiples)], like(x, tiled))


@st.composite
def broadcast_to(draw: Draw) -> OneOp:
    n = Numbers(draw)
    shape = draw(ranks(1, 5))
    ones = draw(st.tuples(*[st.booleans()] * len(shape)))
    own = tuple(1 if one else extent for one, extent in zip(ones, shape, strict=True))
    x = source(n, own[draw(st.integers(0, len(shape) - 1)) :], ("INT16", "INT32", "FLOAT32"))
    return moved(n, "BROADCAST_TO", [x, int32(shape)], like(x, shape))


@st.composite
def fill(draw: Draw, types: tuple[str, ...] = ("INT32", "FLOAT32")) -> OneOp:
    n = Numbers(draw)
    value = source(n, (), types)
    shape = draw(ranks(1, 4))
    return moved(n, "FILL", [int32(shape, name="dims"), value], like(value, shape))


@st.composite
def zeros_like(draw: Draw, kind: str) -> OneOp:
    n = Numbers(draw)
    shape = draw(ranks(1, 4))
    x = n.tensor(shape) if kind == "INT8" else Tensor("x", shape, kind)
    return moved(n, "ZEROS_LIKE", [x], like(x, x.shape))


# -- frames ---------------------------------------------------------------------------------


def _framed(shape: tuple[int, ...], pads: list[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))


@st.composite
def pad_v2(draw: Draw) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4)), ("INT16", "INT32", "FLOAT32"))
    pads = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in x.shape]
    value = like(x, (1,) if draw(st.booleans()) else (), "value")
    if draw(st.booleans()):
        value = as_constant(n, value)
    return moved(n, "PADV2", [x, int32(pads), value], like(x, _framed(x.shape, pads)))


@st.composite
def mirror_pad(draw: Draw, types: tuple[str, ...] = ("FLOAT32",)) -> OneOp:
    n = Numbers(draw)
    x = source(n, draw(ranks(1, 4)), types)
    mode = draw(st.sampled_from(("REFLECT", "SYMMETRIC")))
    most = [min(extent - (mode == "REFLECT"), 3) for extent in x.shape]
    pads = [draw(st.tuples(st.integers(0, m), st.integers(0, m))) for m in most]
    output = like(x, _framed(x.shape, pads))
    return moved(n, "MIRROR_PAD", [x, int32(pads)], output, mode=mode)


MOVEMENT: dict[str, st.SearchStrategy[OneOp]] = {
    "BROADCAST_TO": broadcast_to(),
    "FILL": fill(),
    "GATHER": gather(),
    "GATHER by an input": gather_at(),
    "GATHER_ND": gather_nd(),
    "MIRROR_PAD": mirror_pad(),
    "PACK": pack(),
    "PADV2": pad_v2(),
    "REVERSE_V2": reverse(),
    "SLICE": slices(),
    "SPLIT": split(),
    "SPLIT_V": split_v(),
    "STRIDED_SLICE": strided_slice(named=False),
    "STRIDED_SLICE with an ellipsis": strided_slice(named=True),
    "TILE": tile(),
    "UNPACK": unpack(),
    "ZEROS_LIKE": zeros_like("INT8"),
    "ZEROS_LIKE of int32": zeros_like("INT32"),
}

# What only LiteRT moves.
INT16_MOVEMENT: dict[str, st.SearchStrategy[OneOp]] = {
    "FILL int16": fill(ONLY_INT16),
    "GATHER int16": gather(ONLY_INT16),
    "GATHER_ND int16": gather_nd(ONLY_INT16),
    "MIRROR_PAD int16": mirror_pad(ONLY_INT16),
}
