"""Shapes of elementwise binary ops: which element of each input meets which output element.

Extents that behave alike are merged, so that equal shapes are one run and most broadcasts two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layer import Array, Layer

MAX_RANK = 5  # loops of the C kernels


@dataclass(frozen=True)
class Broadcast:
    """Loop extents, outermost first, and each input's step in elements per loop (0: repeated)."""

    extents: tuple[int, ...]
    input1_strides: tuple[int, ...]
    input2_strides: tuple[int, ...]


def broadcast(layer: Layer) -> Broadcast:
    """The loops over the layer's two inputs; refuses shapes that do not fit the output's."""
    return Broadcast(*loops(layer, layer.input(0).shape, layer.input(1).shape))


def loops(layer: Layer, *shapes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Extents, and the strides of each of ``shapes``."""
    output = layer.output()
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        layer.refuse(None, f"has inputs of shapes {listed}, which do not broadcast")
        layer.settle()
        raise AssertionError("unreachable") from None
    layer.shape_is(output, shape)
    layer.require(output.size > 0, output, "is empty")
    layer.settle()
    padded = [(1,) * (len(shape) - len(own)) + own for own in shapes]

    merged: list[tuple[int, tuple[bool, ...]]] = []  # extent, which inputs repeat
    for extent, *owns in zip(shape, *padded, strict=True):
        repeats = tuple(own != extent for own in owns)
        if extent == 1:
            continue
        if merged and merged[-1][1] == repeats:
            merged[-1] = (merged[-1][0] * extent, repeats)
        else:
            merged.append((extent, repeats))
    layer.require(
        len(merged) <= MAX_RANK, output, f"needs {len(merged)} nested loops, at most {MAX_RANK}"
    )
    layer.settle()
    missing = (1,) * (MAX_RANK - len(merged))
    strides = []
    for i in range(len(shapes)):
        own: list[int] = []
        step = 1
        for extent, repeats in reversed(merged):
            own.insert(0, 0 if repeats[i] else step)
            step *= 1 if repeats[i] else extent
        strides.append((0,) * len(missing) + tuple(own))
    return (missing + tuple(extent for extent, _ in merged), *strides)


def view(extents: tuple[int, ...], strides: tuple[int, ...], x: Array) -> Array:
    """One input as [batch, *loop extents], 1 where it is repeated."""
    shape = [extent if stride else 1 for extent, stride in zip(extents, strides, strict=True)]
    return x.reshape(len(x), *shape)


def expand(loops: Broadcast, x1: Array, x2: Array) -> tuple[Array, Array]:
    """Views of both inputs, [batch, *loop extents], for arrays with a leading batch axis."""
    return (
        view(loops.extents, loops.input1_strides, x1),
        view(loops.extents, loops.input2_strides, x2),
    )
