"""Strategies of the ops that rearrange or resize images."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from one_op import Draw, Numbers, OneOp, int32
from strategies_layers import shapes
from strategies_movement import ONLY_INT16, like, moved, source


@st.composite
def space_depth(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    batches, height, width, channels = draw(shapes(4, 4))
    block = draw(st.integers(1, 3))
    wide = (batches, height * block, width * block, channels)
    deep = (batches, height, width, channels * block * block)
    before, after = (wide, deep) if op == "SPACE_TO_DEPTH" else (deep, wide)
    x = source(n, before, ("FLOAT32",))
    return moved(n, op, [x], like(x, after), block_size=block)


@st.composite
def space_batch(
    draw: Draw, op: str, padded: bool = True, types: tuple[str, ...] = ("FLOAT32",)
) -> OneOp:
    n = Numbers(draw)
    axes = draw(st.integers(1, 2))
    batches, *sizes, channels = draw(shapes(axes + 2, 4))
    blocks = draw(shapes(axes, 3))
    whole = [size * block for size, block in zip(sizes, blocks, strict=True)]
    edges = []
    for size in whole:
        before = draw(st.integers(0, size - 1)) if padded else 0
        edges.append((before, draw(st.integers(0, size - 1 - before)) if padded else 0))
    space = tuple(size - a - b for size, (a, b) in zip(whole, edges, strict=True))
    wide = (batches, *space, channels)
    many = (batches * math.prod(blocks), *sizes, channels)
    first, last = (wide, many) if op == "SPACE_TO_BATCH_ND" else (many, wide)
    x = source(n, first, types)
    return moved(n, op, [x, int32(blocks), int32(edges)], like(x, last))


@st.composite
def resize(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw)
    batches, channels = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    height, width = draw(shapes(2, 9))
    sizes = draw(shapes(2, 20))
    rule = draw(st.sampled_from(("none", "align_corners", "half_pixel_centers")))
    options = {} if rule == "none" else {rule: True}
    types = () if op == "RESIZE_BILINEAR" else ("INT16",)  # for int16 see strategies_int16.py
    x = source(n, (batches, height, width, channels), types)
    output = like(x, (batches, *sizes, channels))
    version = 3 if rule == "half_pixel_centers" else 2
    return moved(n, op, [x, int32(sizes)], output, version=version, **options)


SPACE: dict[str, st.SearchStrategy[OneOp]] = {
    "BATCH_TO_SPACE_ND": space_batch("BATCH_TO_SPACE_ND"),
    "DEPTH_TO_SPACE": space_depth("DEPTH_TO_SPACE"),
    "RESIZE_BILINEAR": resize("RESIZE_BILINEAR"),
    "RESIZE_NEAREST_NEIGHBOR": resize("RESIZE_NEAREST_NEIGHBOR"),
    "SPACE_TO_BATCH_ND": space_batch("SPACE_TO_BATCH_ND", padded=False),
    "SPACE_TO_BATCH_ND with padding": space_batch("SPACE_TO_BATCH_ND"),
    "SPACE_TO_DEPTH": space_depth("SPACE_TO_DEPTH"),
}

# What only LiteRT moves.
INT16_SPACE: dict[str, st.SearchStrategy[OneOp]] = {
    f"{op} int16": space_batch(op, types=ONLY_INT16)
    for op in ("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND")
}
