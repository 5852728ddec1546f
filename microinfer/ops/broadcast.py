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
    shape1, shape2 = layer.input(0).shape, layer.input(1).shape
    output = layer.output()
    try:
        shape = np.broadcast_shapes(shape1, shape2)
    except ValueError:
        layer.refuse(None, f"has inputs of shapes {shape1} and {shape2}, which do not broadcast")
        layer.settle()
        raise AssertionError("unreachable") from None
    layer.shape_is(output, shape)
    layer.require(output.size > 0, output, "is empty")
    layer.settle()
    padded1 = (1,) * (len(shape) - len(shape1)) + shape1
    padded2 = (1,) * (len(shape) - len(shape2)) + shape2

    merged: list[tuple[int, bool, bool]] = []  # extent, input 1 repeats, input 2 repeats
    for extent, own1, own2 in zip(shape, padded1, padded2, strict=True):
        repeats = (own1 != extent, own2 != extent)
        if extent == 1:
            continue
        if merged and merged[-1][1:] == repeats:
            merged[-1] = (merged[-1][0] * extent, *repeats)
        else:
            merged.append((extent, *repeats))
    layer.require(
        len(merged) <= MAX_RANK, output, f"needs {len(merged)} nested loops, at most {MAX_RANK}"
    )
    layer.settle()
    extents: list[int] = []
    strides1: list[int] = []
    strides2: list[int] = []
    step1 = step2 = 1
    for extent, repeats1, repeats2 in reversed(merged):
        extents.insert(0, extent)
        strides1.insert(0, 0 if repeats1 else step1)
        strides2.insert(0, 0 if repeats2 else step2)
        step1 *= 1 if repeats1 else extent
        step2 *= 1 if repeats2 else extent
    missing = MAX_RANK - len(extents)
    return Broadcast(
        (1,) * missing + tuple(extents),
        (0,) * missing + tuple(strides1),
        (0,) * missing + tuple(strides2),
    )


def expand(loops: Broadcast, x1: Array, x2: Array) -> tuple[Array, Array]:
    """Views of both inputs, [batch, *loop extents], for arrays with a leading batch axis."""

    def view(x: Array, strides: tuple[int, ...]) -> Array:
        shape = tuple(
            extent if stride else 1 for extent, stride in zip(loops.extents, strides, strict=True)
        )
        return x.reshape(len(x), *shape)

    return view(x1, loops.input1_strides), view(x2, loops.input2_strides)
