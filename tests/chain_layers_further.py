"""Layers of ``chains.py``, of the further operators: movement, reductions, functions, products.

Left out is what runtimes stop at or leave undefined for some inputs, which a chain would meet
sooner or later: DIV (small quotients), LOG, SQRT and RSQRT (negatives).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from chain import Chain
from chain_layers import _stage
from microinfer.graph import Tensor
from one_op import activation, constant, int32

Layer = Callable[[Chain, int], None]


def _with(shape: tuple[int, ...], axis: int, extent: int) -> tuple[int, ...]:
    return (*shape[:axis], extent, *shape[axis + 1 :])


def _axis(c: Chain, source: int) -> int:
    return c.between(0, len(c.shape(source)) - 1)


def _partner(c: Chain, source: int) -> int:
    """A tensor of the source's shape and quantization: rescaled where it has another."""
    others = [i for i in c.fitting(lambda t: t.shape == c.shape(source)) if i != source]
    if not others:
        return source
    other = c.pick(others)
    if c.tensors[other].quantization != c.tensors[source].quantization:
        other = c.layer("QUANTIZE", [other], c.like(source, c.shape(source)))
    return other


# -- computing ------------------------------------------------------------------------------


def function(c: Chain, source: int, op: str, **options: Any) -> None:
    output = c.tensor(c.shape(source), c.scale(source))
    c.layer(op, [source], output, **options)


def normalised(c: Chain, source: int, op: str) -> None:
    """With the output's quantization that the runtimes ask for."""
    fixed = (1 / 128, 0) if op == "L2_NORMALIZATION" else (1 / 16, 127)
    c.layer(op, [source], activation(c.shape(source), *fixed, "t"))


def prelu(c: Chain, source: int) -> None:
    shape = c.shape(source)
    alpha = constant(c.n.values(shape[-1:])[0], 1 / 128, 0)
    c.layer("PRELU", [source, alpha], c.tensor(shape, c.scale(source)))


def squared_difference(c: Chain, source: int) -> None:
    scale = c.scale(source)
    other = c.add(constant(c.n.values(c.shape(source))[0], scale, c.zero_point()))
    c.layer("SQUARED_DIFFERENCE", [source, other], c.tensor(c.shape(source), 100 * scale**2))


def larger_or_smaller(c: Chain, source: int, op: str) -> None:
    c.layer(op, [source, _partner(c, source)], c.like(source, c.shape(source)))


def choice(c: Chain, source: int, op: str) -> None:
    """A comparison, and what it chooses."""
    if c.scale(source) >= 1:
        source = c.layer("QUANTIZE", [source], activation(c.shape(source), 0.5, 3, "t"))
    shape, other = c.shape(source), _partner(c, source)
    compare = c.one_of(("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"))
    flags = c.layer(compare, [source, other], Tensor("b", shape, "BOOL"))
    c.layer(op, [flags, other, source], c.like(source, shape))


def reduce(c: Chain, source: int, op: str) -> None:
    shape = c.shape(source)
    axes = {_axis(c, source) for _ in range(2)}
    keep = c.flip() or len(axes) == len(shape)
    kept = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    output = c.like(source, kept) if op != "SUM" else c.tensor(kept, 4 * c.scale(source))
    c.layer(op, [source, int32(sorted(axes))], output, keep_dims=keep)


def arg_extreme(c: Chain, source: int, op: str) -> None:
    axis, shape = _axis(c, source), c.shape(source)
    output = Tensor("i", (*shape[:axis], *shape[axis + 1 :]), "INT32")
    c.layer(op, [source, int32(axis)], output, output_type="INT32")


def cumsum(c: Chain, source: int) -> None:
    output = c.tensor(c.shape(source), 2 * c.scale(source))
    c.layer("CUMSUM", [source, int32([_axis(c, source)])], output, reverse=c.flip())


def batch_matmul(c: Chain, source: int) -> None:
    """With itself transposed, or with a constant."""
    *batch, rows, depth = (
        (1, *c.shape(source))[-4:] if len(c.shape(source)) == 1 else c.shape(source)
    )
    if len(c.shape(source)) == 1:
        source = c.layer("RESHAPE", [source, int32((rows, depth))], c.like(source, (rows, depth)))
    itself = c.flip()
    columns = rows if itself else c.between(1, 5)
    other: int | Tensor = source
    if not itself:
        other = constant(c.n.values((depth, columns))[0], 1 / 64, c.zero_point())
    scale = c.scale(source) * (c.scale(source) if itself else 1 / 64) * 74 * math.sqrt(depth)
    output = c.tensor((*batch, rows, columns), scale)
    c.layer("BATCH_MATMUL", [source, other], output, adj_y=itself)


def transpose_conv(c: Chain, source: int) -> None:
    batches, height, width, channels = c.shape(source)
    kernel, stride = (c.between(1, 3), c.between(1, 3)), (c.between(1, 2), c.between(1, 2))
    padding = c.one_of(("SAME", "VALID"))
    sizes = [
        n * s + (max(k - s, 0) if padding == "VALID" else 0)
        for n, k, s in zip((height, width), kernel, stride, strict=True)
    ]
    made = c.between(1, 4)
    weights = c.n.rng.integers(-128, 128, (made, *kernel, channels))
    x, filters, *bias = _stage(c, source, weights, 0, biased=True)
    shape = (batches, *sizes, made)
    c.layer(
        "TRANSPOSE_CONV",
        [int32(shape), filters, x, *bias],
        c.tensor(shape, 1 / 8),
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation_function=c.fused(),
    )


# -- movement -------------------------------------------------------------------------------


def slices(c: Chain, source: int) -> None:
    shape = c.shape(source)
    begins = [c.between(0, extent // 3) for extent in shape]
    sizes = tuple(n - b - c.between(0, (n - b) // 3) for n, b in zip(shape, begins, strict=True))
    c.layer("SLICE", [source, int32(begins), int32(sizes)], c.like(source, sizes))


def strided_slice(c: Chain, source: int) -> None:
    """Every second or all, forwards or backwards, on each axis; one axis may vanish."""
    shape = c.shape(source)
    steps = [c.one_of((1, 1, -1, 2)) for _ in shape]
    everything = (1 << len(shape)) - 1
    taken = [len(range(0, n, abs(step))) for n, step in zip(shape, steps, strict=True)]
    shrunk = 0
    if len(shape) > 1 and c.flip():
        axis = _axis(c, source)
        shrunk, steps[axis] = 1 << axis, 1
        del taken[axis]
    zeros = int32([0] * len(shape))
    c.layer(
        "STRIDED_SLICE",
        [source, zeros, zeros, int32(steps)],
        c.like(source, tuple(taken)),
        begin_mask=everything & ~shrunk,
        end_mask=everything & ~shrunk,
        shrink_axis_mask=shrunk,
    )


def split(c: Chain, source: int, op: str) -> None:
    shape, axis = c.shape(source), _axis(c, source)
    extent = shape[axis]
    if op == "SPLIT":
        pieces = c.one_of([k for k in (1, 2, 3, 4) if extent % k == 0])
        sizes = [extent // pieces] * pieces
    else:
        first = c.between(1, extent)
        sizes = [first, extent - first] if extent > first else [first]
    parts = [c.like(source, _with(shape, axis, size)) for size in sizes]
    operands = [int32(axis), source] if op == "SPLIT" else [source, int32(sizes), int32(axis)]
    c.layer(op, operands, *parts, num_splits=len(sizes))


def unpack(c: Chain, source: int) -> None:
    shape, axis = c.shape(source), _axis(c, source)
    if len(shape) > 1:
        parts = [c.like(source, (*shape[:axis], *shape[axis + 1 :])) for _ in range(shape[axis])]
        c.layer("UNPACK", [source], *parts, num=len(parts), axis=axis)


def pack(c: Chain, source: int) -> None:
    shape, axis = c.shape(source), _axis(c, source)
    if len(shape) < 4:
        output = c.like(source, (*shape[:axis], 2, *shape[axis:]))
        c.layer("PACK", [source, _partner(c, source)], output, values_count=2, axis=axis)


def gather(c: Chain, source: int) -> None:
    shape, axis = c.shape(source), _axis(c, source)
    places = c.n.rng.integers(0, shape[axis], c.between(1, 4))
    output = c.like(source, _with(shape, axis, len(places)))
    c.layer("GATHER", [source, int32(places)], output, axis=axis)


def gather_nd(c: Chain, source: int) -> None:
    shape = c.shape(source)
    named = c.between(1, len(shape))
    places = np.stack([c.n.rng.integers(0, n, 3) for n in shape[:named]], axis=-1)
    c.layer("GATHER_ND", [source, int32(places)], c.like(source, (3, *shape[named:])))


def reverse(c: Chain, source: int) -> None:
    output = c.like(source, c.shape(source))
    c.layer("REVERSE_V2", [source, int32([_axis(c, source)])], output)


def repeat(c: Chain, source: int, op: str) -> None:
    """BROADCAST_TO a new axis in front, or TILE along one that is there."""
    shape = c.shape(source)
    if op == "TILE":
        multiples = [1] * len(shape)
        multiples[_axis(c, source)] = 2
        tiled = tuple(a * b for a, b in zip(shape, multiples, strict=True))
        c.layer(op, [source, int32(multiples)], c.like(source, tiled))
    elif len(shape) < 4:
        c.layer(op, [source, int32((2, *shape))], c.like(source, (2, *shape)))


def zeros_like(c: Chain, source: int) -> None:
    zeros = c.layer("ZEROS_LIKE", [source], c.like(source, c.shape(source)))
    c.layer("MAXIMUM", [zeros, source], c.like(source, c.shape(source)))


def frame(c: Chain, source: int, op: str) -> None:
    shape = c.shape(source)
    pads = [(c.between(0, min(n - 1, 2)), c.between(0, min(n - 1, 2))) for n in shape]
    padded = tuple(a + n + b for n, (a, b) in zip(shape, pads, strict=True))
    own = c.tensors[source].quantization
    assert own is not None
    value = constant(np.int8([c.between(-128, 127)]), own.scale, own.zero_point)
    operands = [source, int32(pads), *([value] if op == "PADV2" else [])]
    options = {"mode": c.one_of(("REFLECT", "SYMMETRIC"))} if op == "MIRROR_PAD" else {}
    c.layer(op, operands, c.like(source, padded), **options)


def resize(c: Chain, source: int, op: str) -> None:
    batches, height, width, channels = c.shape(source)
    sizes = (c.between(1, 2) * height, c.between(1, 2) * width)
    output = c.like(source, (batches, *sizes, channels))
    half = c.flip()
    c.layer(op, [source, int32(sizes)], output, version=2 + half, half_pixel_centers=half)


def space(c: Chain, source: int, to_batch: bool) -> None:
    """Pixels to batches or to channels, and back."""
    batches, height, width, channels = c.shape(source)
    if height % 2 or width % 2:
        even = (batches, 2 * height, 2 * width, channels)
        sizes = int32(even[1:3])
        source = c.layer(
            "RESIZE_NEAREST_NEIGHBOR", [source, sizes], c.like(source, even), version=2
        )
        height, width = even[1:3]
    whole, half = c.shape(source), (height // 2, width // 2)
    if to_batch:
        edges = [int32([2, 2]), int32(np.zeros((2, 2)))]
        many = c.like(source, (4 * batches, *half, channels))
        made = c.layer("SPACE_TO_BATCH_ND", [source, *edges], many)
        c.layer("BATCH_TO_SPACE_ND", [made, *edges], c.like(source, whole))
    else:
        deep = c.like(source, (batches, *half, 4 * channels))
        made = c.layer("SPACE_TO_DEPTH", [source], deep, block_size=2)
        c.layer("DEPTH_TO_SPACE", [made], c.like(source, whole), block_size=2)


FURTHER: tuple[Layer, ...] = (
    *(partial(function, op=op) for op in ("ABS", "HARD_SWISH")),
    partial(function, op="LEAKY_RELU", alpha=0.25),
    *(partial(normalised, op=op) for op in ("L2_NORMALIZATION", "LOG_SOFTMAX")),
    *(partial(larger_or_smaller, op=op) for op in ("MAXIMUM", "MINIMUM")),
    *(partial(reduce, op=op) for op in ("REDUCE_MAX", "REDUCE_MIN")),
    *(partial(arg_extreme, op=op) for op in ("ARG_MAX", "ARG_MIN")),
    *(partial(split, op=op) for op in ("SPLIT", "SPLIT_V")),
    *(partial(frame, op=op) for op in ("PADV2", "MIRROR_PAD")),
    *(prelu, squared_difference, batch_matmul, slices, strided_slice, unpack, pack, gather),
    *(gather_nd, reverse, partial(repeat, op="BROADCAST_TO"), partial(choice, op="SELECT_V2")),
)
FURTHER_IMAGES: tuple[Layer, ...] = (
    *(partial(resize, op=op) for op in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")),
    *(transpose_conv, *(partial(space, to_batch=flag) for flag in (False, True))),
)
# What only one runtime has, or has right.
ONLY: dict[str, tuple[Layer, ...]] = {
    "tflm": (cumsum, zeros_like, partial(reduce, op="SUM"), partial(function, op="ELU")),
    "litert": (
        *(partial(function, op=op) for op in ("NEG", "RELU_0_TO_1", "RELU_N1_TO_1")),
        *(partial(repeat, op="TILE"), partial(choice, op="SELECT")),
    ),
}
