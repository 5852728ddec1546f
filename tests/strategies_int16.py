"""Strategies of the operators on int16, and of QUANTIZE and DEQUANTIZE between all types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import DTYPES, Tensor
from one_op import ACTIVATIONS, Array, Draw, Numbers, OneOp, activation, int32, one_op
from strategies_elementwise import everywhere, operands
from strategies_layers import shapes
from strategies_movement import INT16_MOVEMENT
from strategies_space import INT16_SPACE

RANK = 4  # of the runtimes' broadcasting in most of these


def edges(type_: str) -> Array:
    """Every value of 8 bits; of more bits the ends, the middle and powers of two, and others."""
    limits = np.iinfo(DTYPES[type_])
    low, high = int(limits.min), int(limits.max)
    if limits.bits == 8:
        return np.arange(low, high + 1)
    powers = [
        sign * (1 << k) + d for k in range(limits.bits - 1) for sign in (1, -1) for d in (-1, 0, 1)
    ]
    return np.array([low, low + 1, 0, high - 1, high, *powers], np.int64)


def edge_samples(n: Numbers, type_: str, count: int = 256) -> Array:
    """[2, count] of ``type_``: edges, and anything."""
    limits = np.iinfo(DTYPES[type_])
    some = n.rng.choice(edges(type_), count)
    return np.stack([some, n.rng.integers(limits.min, limits.max, count, endpoint=True)]).astype(
        DTYPES[type_]
    )


def zero_point(n: Numbers, type_: str, symmetric: tuple[str, ...] = ("INT16", "INT32")) -> int:
    if type_ in symmetric:
        return 0
    limits = np.iinfo(DTYPES[type_])
    return int(n.rng.choice([limits.min, limits.max, *n.rng.integers(limits.min, limits.max, 3)]))


@st.composite
def requantize(draw: Draw, source: str, target: str) -> OneOp:
    """QUANTIZE from one integer type to another."""
    n = Numbers(draw)
    ratio = n.draw(st.sampled_from((2.0**-16, 2.0**-8, 0.02, 0.5, 1.0, 1.0, 3.0, 256.0)))
    if source == "INT32":
        ratio = min(ratio, 0.9)  # beyond that the runtimes shift out of 32 bits
    scale = n.scale(2.0**-14, 15.0)
    own = scale if ratio == 1.0 and n.rng.random() < 0.5 else n.near(scale / ratio)
    # Of int16 the runtimes take zero points, but LiteRT from int16 to int16.
    symmetric = ("INT16", "INT32") if source == target else ("INT32",)
    x = activation((1, 256), scale, zero_point(n, source, symmetric), type=source)
    y = activation((1, 256), own, zero_point(n, target, symmetric), "y", type=target)
    graph = one_op("QUANTIZE", [x], y)
    return OneOp(graph, (edge_samples(n, source)[:, None],))


@st.composite
def quantize(draw: Draw, target: str) -> OneOp:
    """QUANTIZE of reals: ties and their neighbours, and beyond the ends."""
    n = Numbers(draw)
    limits = np.iinfo(DTYPES[target])
    scale = np.float32(n.scale())
    width = int(limits.max) - int(limits.min) + 1
    steps = np.stack(
        [
            n.rng.uniform(-1.2 * width, 1.2 * width, 64),
            n.rng.integers(-width, width, 64) + 0.5,
            n.rng.choice([0.49999997, 0.5, -0.5, 0.0, -0.0, 1.4999999, width / 2 - 0.5], 64),
            n.rng.choice([1e-30, 2.0**30, -(2.0**30), 8388609.0, 65535.5, -32768.5], 64),
        ]
    ).astype(np.float32)
    y = activation((64,), float(scale), zero_point(n, target), "y", type=target)
    return OneOp(one_op("QUANTIZE", [activation((64,), None)], y), (steps * scale,))


@st.composite
def dequantize(draw: Draw, source: str) -> OneOp:
    n = Numbers(draw)
    x = activation((256,), n.scale(2.0**-30, 2.0**20), zero_point(n, source), type=source)
    y = activation((256,), None, name="y")
    return OneOp(one_op("DEQUANTIZE", [x], y), (edge_samples(n, source),))


@st.composite
def rescaled(draw: Draw, op: str) -> OneOp:
    """RELU, RELU6, ABS, LEAKY_RELU."""
    n = Numbers(draw, "INT16")
    scale = n.scale(2.0**-14, 15.0)
    above, options = n.everywhere, {}
    if op == "ABS":
        above = abs(above)
    slope = 1.0
    if op == "LEAKY_RELU":
        alpha = float(np.float32(n.draw(st.sampled_from((0.0, 0.1, 0.25, 0.3, -0.5, -0.7, 2.0)))))
        options["alpha"] = alpha
        slope = abs(alpha) if above < 0 and alpha else 1.0
    ratio = n.draw(st.sampled_from((0.02, 0.5, 1.0, 3.0, 300.0, 2.0**14)))
    y = n.output((1, 256), slope * scale / ratio, slope * scale * above, above)
    if n.rng.random() < 0.25:
        y = activation((1, 256), scale, 0, "y", "INT16")
    x = activation((1, 256), scale, 0, type="INT16")
    return OneOp(one_op(op, [x], y, **options), (edge_samples(n, "INT16")[:, None],))


@st.composite
def add_sub(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw, "INT16")
    first, second, shape = operands(n)
    (s1, v1), (s2, v2) = everywhere(n, first), everywhere(n, second)
    # The runtimes abort where the sum would have to be scaled up by 2^14 and more.
    ratio = n.draw(st.sampled_from((0.01, 0.5, 1.0, 3.0, 100.0, 2.0**11)))
    larger = max(s1, s2)
    real = s1 * v1 + (s2 * v2 if op == "ADD" else -s2 * v2)
    output = n.output(shape, larger / ratio, real, smallest=larger * 2.0**-12)
    fused = n.draw(st.sampled_from(ACTIVATIONS))
    options = {"fused_activation_function": fused, "pot_scale_int16": False}
    return n.model(op, [first, second], output, **options)


@st.composite
def mul(draw: Draw) -> OneOp:
    n = Numbers(draw, "INT16")
    first, second, shape = operands(n)
    (s1, v1), (s2, v2) = everywhere(n, first), everywhere(n, second)
    steps = n.draw(st.sampled_from((2, 1000, 30000, 100000, 2**30)))
    output = n.output(shape, s1 * s2 * 2.0**29 / steps, s1 * s2 * v1 * v2, v1 * v2)
    fused = n.draw(st.sampled_from(ACTIVATIONS))
    return n.model("MUL", [first, second], output, fused_activation_function=fused)


@st.composite
def maximum_minimum(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw, "INT16")
    first, second, shape = operands(n, RANK)
    second = replace(second, quantization=first.quantization)
    return n.model(op, [first, second], Tensor("y", shape, "INT16", first.quantization))


@st.composite
def squared_difference(draw: Draw) -> OneOp:
    n = Numbers(draw, "INT16")
    first, second, shape = operands(n, RANK)
    (s1, v1), (s2, v2) = everywhere(n, first), everywhere(n, second)
    larger = max(s1, s2)
    real = (s1 * v1 - s2 * v2) ** 2
    steps = n.draw(st.sampled_from((2, 1000, 30000, 100000)))
    output = n.output(shape, (larger * 2.0**15) ** 2 / steps, real, smallest=5 * larger * larger)
    return n.model("SQUARED_DIFFERENCE", [first, second], output)


@st.composite
def comparison(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw, "INT16")
    first, second, shape = operands(n, RANK)
    assert first.quantization is not None
    first.quantization.scales[0] = min(first.quantization.scale, 0.99)  # TFLM aborts at 1
    if op in ("EQUAL", "NOT_EQUAL") and n.rng.random() < 0.5:
        assert second.quantization is not None
        second.quantization.scales[0] = first.quantization.scale * n.rng.choice([0.5, 1.0, 0.99])
    else:
        second = replace(second, quantization=first.quantization)
    return n.model(op, [first, second], Tensor("y", shape, "BOOL"))


@st.composite
def select(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw, "INT16")
    shape = n.draw(st.integers(1, RANK).flatmap(shapes))
    like = n.tensor(shape)
    condition = Tensor("condition", shape, "BOOL")
    first, second = (replace(like, name=name) for name in "ab")
    graph = one_op(op, [condition, first, second], replace(like, name="y"))
    flags = n.rng.integers(0, 2, (4, *shape)).astype(np.bool_)
    return OneOp(graph, (flags, n.values(shape), n.values(shape)))


@st.composite
def reduced(draw: Draw, op: str) -> OneOp:
    n = Numbers(draw, "INT16")
    shape = n.draw(st.integers(1, 4).flatmap(shapes))
    axes = n.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    keep = n.draw(st.booleans())
    own = tuple(
        1 if axis in axes else extent
        for axis, extent in enumerate(shape)
        if keep or axis not in axes
    )
    source = n.tensor(shape)
    assert source.quantization is not None
    output = Tensor("y", own, "INT16", source.quantization)
    if op in ("MEAN", "SUM"):
        count = int(np.prod([shape[axis] for axis in axes]))
        acc = n.everywhere * count
        scale = source.quantization.scale / (count if op == "MEAN" else 1)
        ratio = n.draw(st.sampled_from((0.02, 0.5, 1.0, 3.0)))
        output = n.output(own, source.quantization.scale / ratio, scale * acc, acc)
    return n.model(op, [source, int32(axes)], output, keep_dims=keep)


@st.composite
def logistic_tanh(draw: Draw, op: str) -> OneOp:
    """Scales of powers of two, where some need no rounding, and others."""
    n = Numbers(draw, "INT16")
    exact = n.draw(st.sampled_from((2.0**-12, 2.0**-11, 2.0**-10, 2.0**-15, 0.0)))
    x = activation((1, 256), exact or n.scale(2.0**-18, 2.5), 0, type="INT16")
    y = activation((1, 256), 2.0**-15, 0, "y", "INT16")
    return OneOp(one_op(op, [x], y), (edge_samples(n, "INT16")[:, None],))


@st.composite
def exp_log(draw: Draw, op: str) -> OneOp:
    """Scales about those of reals that the function is made for."""
    n = Numbers(draw, "INT16")
    x = activation((1, 256), n.scale(2.0**-17, 2.0**-9), 0, type="INT16")
    smallest = 2.0**-10 if op == "RSQRT" else 2.0**-14
    y = activation((1, 256), n.scale(smallest, 2.0**-2), 0, "y", "INT16")
    samples = edge_samples(n, "INT16")[:, None]
    if op == "RSQRT":  # both runtimes stop at a negative
        samples = np.maximum(samples, 0)
    return OneOp(one_op(op, [x], y), (samples,))


@st.composite
def softmax(draw: Draw, source: str) -> OneOp:
    n = Numbers(draw, source)
    depth = n.draw(st.integers(1, 9) | st.integers(1, 600))
    shape = (n.draw(st.integers(1, 3)), depth)
    beta = float(np.float32(n.draw(st.sampled_from((1.0, 1.0, 0.3, 2.0)))))
    x = activation(shape, n.scale(2.0**-12, 2.0), n.zero_point(), type=source)
    out = (2.0**-16, -32768) if source == "INT8" else (2.0**-15, 0)
    output = activation(shape, *out, "y", "INT16")
    return n.model("SOFTMAX", [x], output, beta=beta)


@st.composite
def resize_bilinear(draw: Draw) -> OneOp:
    n = Numbers(draw, "INT16")
    batches, height, width, channels = n.draw(st.tuples(*[st.integers(1, 5)] * 4))
    size = n.draw(st.tuples(*[st.integers(1, 9)] * 2))
    half_pixel = n.draw(st.booleans())
    aligned = not half_pixel and n.draw(st.booleans())
    source = n.tensor((batches, height, width, channels))
    output = replace(source, name="y", shape=(batches, *size, channels))
    options = {"align_corners": aligned, "half_pixel_centers": half_pixel}
    return n.model("RESIZE_BILINEAR", [source, int32(size)], output, **options)


COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
INTEGER_PAIRS = (
    *(("INT8", target) for target in ("INT16", "INT32", "UINT8")),
    *(("UINT8", target) for target in ("INT8", "INT16", "UINT8")),
    *(("INT16", target) for target in ("INT8", "INT16", "INT32")),
    *(("INT32", target) for target in ("INT8", "INT16")),
)

INT16: Mapping[str, st.SearchStrategy[OneOp]] = {
    **{f"QUANTIZE {a} to {b}": requantize(a, b) for a, b in INTEGER_PAIRS},
    **{f"QUANTIZE FLOAT32 to {b}": quantize(b) for b in ("INT16", "UINT8")},
    **{f"DEQUANTIZE {a}": dequantize(a) for a in ("INT16", "UINT8")},
    **{f"{op} int16": rescaled(op) for op in ("ABS", "LEAKY_RELU", "RELU", "RELU6")},
    **{f"{op} int16": add_sub(op) for op in ("ADD", "SUB")},
    "MUL int16": mul(),
    **{f"{op} int16": maximum_minimum(op) for op in ("MAXIMUM", "MINIMUM")},
    "SQUARED_DIFFERENCE int16": squared_difference(),
    **{f"{op} int16": comparison(op) for op in COMPARISONS},
    **{f"{op} int16": select(op) for op in ("SELECT", "SELECT_V2")},
    **{f"{op} int16": reduced(op) for op in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")},
    **{f"{op} int16": logistic_tanh(op) for op in ("LOGISTIC", "TANH")},
    **{f"{op} int16": exp_log(op) for op in ("EXP", "LOG", "RSQRT")},
    "SOFTMAX int16": softmax("INT16"),
    "SOFTMAX INT8 to INT16": softmax("INT8"),
    "RESIZE_BILINEAR int16": resize_bilinear(),
    **INT16_MOVEMENT,
    **INT16_SPACE,
}

INT16_TFLM_ONLY = ("QUANTIZE INT8 to INT32", "SQUARED_DIFFERENCE int16")
INT16_LITERT_ONLY = (
    "QUANTIZE FLOAT32 to UINT8",
    "QUANTIZE UINT8 to INT16",
    "QUANTIZE UINT8 to UINT8",
    "EXP int16",
    "LOG int16",
    "REDUCE_MAX int16",
    "REDUCE_MIN int16",
    "RESIZE_BILINEAR int16",
    "SELECT int16",
    *INT16_MOVEMENT,
    *INT16_SPACE,
    *(f"{op} int16" for op in COMPARISONS if op != "GREATER"),
)
INT16_LITERT_WRONG = ("SUM int16",)
INT16_TFLM_WRONG = ("GREATER int16",)
