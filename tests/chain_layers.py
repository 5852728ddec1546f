"""Layers of ``chains.py``, of the operators that most models are made of.

Each function takes a chain and one of its int8 tensors, and adds a layer or a few that read it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chain import Chain
from microinfer.graph import Tensor
from one_op import Array, activation, constant, int32

# -- layers with weights and windows --------------------------------------------------------


def _stage(c: Chain, source: int, weights: Array, axis: int, biased: bool) -> list[int | Tensor]:
    """Inputs of a layer with ``weights``, whose outputs of scale 1/8 take most of int8."""
    channels = weights.shape[axis]
    columns = np.moveaxis(weights, axis, -1).reshape(-1, channels).astype(float)
    spread = 74 * max(float(np.sqrt((columns**2).sum(axis=0)).max()), 1.0)
    base = 60 / 8 / (c.scale(source) * spread)
    per_channel = c.flip()
    scales = np.array([c.n.near(base) for _ in range(channels if per_channel else 1)])
    operands: list[int | Tensor] = [
        source,
        constant(weights.astype(np.int8), scales, axis=axis if per_channel else 0, name="w"),
    ]
    if biased:
        bias = np.rint(c.n.rng.uniform(-spread, spread, channels))
        operands.append(int32(bias, np.float32(c.scale(source)) * scales.astype(np.float32), "b"))
    return operands


def _window(c: Chain, source: int, dilated: bool) -> tuple[dict[str, Any], list[int], list[int]]:
    """Options, and kernel and output extents; half of the time the output is as large."""
    same = c.flip()
    padding = "SAME" if same else c.one_of(("SAME", "VALID"))
    kernel, stride, dilation, output = [], [], [], []
    for extent in c.shape(source)[1:3]:
        largest = extent if padding == "VALID" else 3
        kernel.append(c.between(1, min(3, largest)))
        stride.append(1 if same else c.between(1, 3))
        fits = padding == "SAME" or 2 * (kernel[-1] - 1) < extent
        dilation.append(c.between(1, 2) if dilated and fits else 1)
        window = (kernel[-1] - 1) * dilation[-1] + 1
        covered = extent - window + 1 if padding == "VALID" else extent
        output.append(math.ceil(covered / stride[-1]))
    options = dict(zip(("stride_h", "stride_w"), stride, strict=True), padding=padding)
    if dilated:
        options |= zip(("dilation_h_factor", "dilation_w_factor"), dilation, strict=True)
    return options, kernel, output


def conv(c: Chain, source: int, depthwise: bool) -> None:
    options, kernel, output = _window(c, source, dilated=True)
    batches, *_, channels = c.shape(source)
    if depthwise:
        multiplier = c.between(1, 2) if channels < 8 else 1
        made = channels * multiplier
        weights = c.n.rng.integers(-128, 128, (1, *kernel, made))
        options["depth_multiplier"] = multiplier
    else:
        made = c.one_of((channels, c.between(1, 6)))
        weights = c.n.rng.integers(-128, 128, (made, *kernel, channels))
    c.layer(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        _stage(c, source, weights, 3 if depthwise else 0, biased=True),
        c.tensor((batches, *output, made), 1 / 8),
        fused_activation_function=c.fused(),
        **options,
    )


def fully_connected(c: Chain, source: int) -> None:
    shape, size = c.shape(source), c.tensors[source].size
    flat = c.flip()  # one row per batch, if that is what the first extent is
    depth = size // shape[0] if flat else shape[-1]
    units = c.one_of((min(depth, 16), c.between(1, 8)))
    keep = not flat and c.flip()
    weights = c.n.rng.integers(-128, 128, (units, depth))
    c.layer(
        "FULLY_CONNECTED",
        _stage(c, source, weights, 0, c.flip()),
        c.tensor((*shape[:-1], units) if keep else (size // depth, units), 1 / 8),
        keep_num_dims=keep,
        fused_activation_function=c.fused(),
    )


def pool(c: Chain, source: int, op: str) -> None:
    options, kernel, output = _window(c, source, dilated=False)
    batches, *_, channels = c.shape(source)
    c.layer(
        op,
        [source],
        c.like(source, (batches, *output, channels)),
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=c.fused(),
        **options,
    )


def mean(c: Chain, source: int) -> None:
    shape = c.shape(source)
    axes = {c.between(0, len(shape) - 1) for _ in range(2)}
    keep = c.flip() or len(axes) == len(shape)
    kept = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    output = c.tensor(kept, c.scale(source) / 2) if c.flip() else c.like(source, kept)
    c.layer("MEAN", [source, int32(sorted(axes))], output, keep_dims=keep)


# -- element by element ---------------------------------------------------------------------


def binary(c: Chain, source: int, op: str) -> None:
    """With a tensor that broadcasts, itself or a constant, on either side."""
    shape = c.shape(source)
    kind = c.one_of(("tensor", "tensor", "itself", "constant"))
    other = source
    if kind == "constant":
        own = tuple(1 if c.flip() else extent for extent in shape)
        values = c.n.values(own)[0]
        other = c.add(constant(values, c.n.scale(2.0**-6, 2.0), c.zero_point()))
    elif kind == "tensor":

        def broadcasts(tensor: Tensor) -> bool:
            pairs = zip(tensor.shape[::-1], shape[::-1], strict=False)
            return len(tensor.shape) <= len(shape) and all(a in (1, b) for a, b in pairs)

        candidates = [index for index in c.fitting(broadcasts) if index != source]
        other = c.pick(candidates) if candidates else source
    s1, s2 = c.scale(source), c.scale(other)
    scale = s1 * s2 * 60 if op == "MUL" else 1.3 * max(s1, s2)
    operands: list[int | Tensor] = [source, other]
    if c.flip():
        operands.reverse()
    c.layer(op, operands, c.tensor(shape, scale), fused_activation_function=c.fused())


def unary(c: Chain, source: int, op: str) -> None:
    shape = c.shape(source)
    if op in ("SOFTMAX", "LOGISTIC"):
        output = activation(shape, 1 / 256, -128, "t")
    elif op == "TANH":
        output = activation(shape, 1 / 128, 0, "t")
    else:
        output = c.tensor(shape, c.scale(source))
    c.layer(op, [source], output, **({"beta": 1.0} if op == "SOFTMAX" else {}))


def real(c: Chain, source: int) -> None:
    """Through float32 and, mostly, back."""
    shape = c.shape(source)
    floats = c.layer("DEQUANTIZE", [source], activation(shape, None, name="f"))
    for _ in range(c.one_of((1, 0, 2))):
        c.layer("QUANTIZE", [floats], c.tensor(shape, c.scale(source)))


# -- movement -------------------------------------------------------------------------------


def _factors(c: Chain, size: int) -> tuple[int, ...]:
    extents = []
    for _ in range(c.between(0, 3)):
        extents.append(c.one_of([d for d in range(1, size + 1) if size % d == 0]))
        size //= extents[-1]
    return (*extents, size)


def reshapes(c: Chain, source: int) -> None:
    """One to three in a row, which need no work where the source is not used any more."""
    for _ in range(c.between(1, 3)):
        shape = c.shape(source)
        ops = ["RESHAPE"]
        ops += ["SQUEEZE"] if 1 in shape and len(shape) > 1 else []
        ops += ["EXPAND_DIMS"] if len(shape) < 4 else []
        op = c.one_of(ops)
        place = c.between(0, len(shape))
        operands, options = [], dict[str, Any]()
        if op == "EXPAND_DIMS":
            operands, new = [int32(place)], (*shape[:place], 1, *shape[place:])
        elif op == "SQUEEZE":
            gone = shape.index(1)
            new, options = (*shape[:gone], *shape[gone + 1 :]), {"squeeze_dims": (gone,)}
        else:
            new = _factors(c, c.tensors[source].size)
            operands, options = [int32(new)], {"new_shape": new}
        source = c.layer(op, [source, *operands], c.like(source, new), **options)


def pad(c: Chain, source: int) -> None:
    shape = c.shape(source)
    pads = [(c.between(0, 2), c.between(0, 2)) for _ in shape]
    padded = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    c.layer("PAD", [source, int32(pads)], c.like(source, padded))


def transpose(c: Chain, source: int) -> None:
    order = c.n.rng.permutation(len(c.shape(source))).tolist()
    output = c.like(source, tuple(c.shape(source)[axis] for axis in order))
    c.layer("TRANSPOSE", [source, int32(order)], output)


def concatenation(c: Chain, source: int) -> None:
    """Of the source, constants, and tensors as they are or rescaled to its quantization."""
    shape, own = c.shape(source), c.tensors[source].quantization
    assert own is not None
    axis = c.between(0, len(shape) - 1)

    def joins(tensor: Tensor) -> bool:
        return len(tensor.shape) == len(shape) and all(
            a == b for k, (a, b) in enumerate(zip(tensor.shape, shape, strict=True)) if k != axis
        )

    parts = [source]
    for _ in range(c.between(0, 2)):
        kind = c.one_of(("tensor", "itself", "constant"))
        if kind == "constant":
            values = c.n.values((*shape[:axis], c.between(1, 3), *shape[axis + 1 :]))[0]
            parts.append(c.add(constant(values, own.scale, own.zero_point, name="c")))
            continue
        part = c.pick(c.fitting(joins)) if kind == "tensor" else source
        if c.tensors[part].quantization != own:
            part = c.layer("QUANTIZE", [part], c.like(source, c.shape(part)))
        parts.append(part)
    parts = [int(part) for part in c.n.rng.permutation(parts)]
    joined = sum(c.shape(part)[axis] for part in parts)
    output = c.like(source, (*shape[:axis], joined, *shape[axis + 1 :]))
    c.layer("CONCATENATION", [*parts], output, axis=axis)
