"""A strategy for each operator: random shapes, options, scales, zero points and inputs.

``MODELS[op]`` draws a ``OneOp`` that both runtimes take; what one refuses is a model of its own,
and listed in ``TFLM_ONLY`` or ``LITERT_ONLY``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Tensor
from one_op import Draw, Numbers, OneOp, activation, constant, int32, one_op
from strategies_binary import BINARY
from strategies_elementwise import ELEMENTWISE, EVERY, every_int8, lookup
from strategies_int16 import (
    INT16,
    INT16_LITERT_ONLY,
    INT16_LITERT_WRONG,
    INT16_TFLM_ONLY,
    INT16_TFLM_WRONG,
)
from strategies_layers import (
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    pool_2d,
    shapes,
    softmax,
    transpose_conv,
)
from strategies_movement import MOVEMENT
from strategies_reduce import REDUCTIONS
from strategies_space import SPACE
from strategies_state import STATE
from strategies_weights import (
    WEIGHTS,
    WEIGHTS_LITERT_ONLY,
    WEIGHTS_TFLM_ONLY,
    WEIGHTS_TFLM_WRONG,
)

# -- reals ----------------------------------------------------------------------------------


@st.composite
def quantize(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    if draw(st.booleans()):
        return draw(lookup("QUANTIZE"))
    shape = draw(st.integers(1, 4).flatmap(shapes))
    output = n.tensor(shape, "y")
    assert output.quantization is not None
    scale = np.float32(output.quantization.scale)
    steps = np.stack(
        [
            n.rng.uniform(-300, 300, shape),
            n.rng.integers(-300, 300, shape) + 0.5,
            n.rng.choice([0.49999997, 0.5, -0.5, 0.0, -0.0, 1.4999999, -2.5, 127.5], shape),
            n.rng.choice([1e-30, -1e-30, 2.0**30, -(2.0**30), 8388609.0, -128.5], shape),
        ]
    ).astype(np.float32)
    # Division by scale may leave the tie; the neighbours are as good.
    return OneOp(one_op("QUANTIZE", [activation(shape, None)], output), (steps * scale,))


@st.composite
def dequantize(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    source = activation(draw(EVERY), n.scale(2.0**-30, 2.0**20), n.zero_point())
    return every_int8(n, one_op("DEQUANTIZE", [source], activation(source.shape, None, name="y")))


# -- movement -------------------------------------------------------------------------------


def _like(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    return Tensor("y", shape, tensor.type, tensor.quantization)


@st.composite
def pad(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    shape = draw(st.integers(1, 4).flatmap(shapes))
    pads = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in shape]
    source = n.tensor(shape)
    padded = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    return n.model("PAD", [source, int32(pads)], _like(source, padded))


@st.composite
def transpose(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    shape = draw(st.integers(1, 5).flatmap(shapes))
    order = draw(st.permutations(range(len(shape))))
    source = n.tensor(shape)
    output = _like(source, tuple(shape[axis] for axis in order))
    return n.model("TRANSPOSE", [source, int32(order)], output)


@st.composite
def concatenation(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    shape = draw(st.integers(1, 4).flatmap(shapes))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    output = n.tensor(shape, "y")
    assert output.quantization is not None
    scale, zero_point = output.quantization.scale, output.quantization.zero_point
    sources: list[Tensor | None] = []
    joined = 0
    for kind in draw(st.lists(st.sampled_from(("input", "input", "constant")), max_size=3)):
        extent = draw(st.integers(1, 4))
        own = (*shape[:place], extent, *shape[place + 1 :])
        sources.append(
            constant(n.values(own)[0], scale, zero_point)
            if kind == "constant"
            else activation(own, scale, zero_point, type=type)
        )
        joined += extent
    sources.append(activation(shape, scale, zero_point, type=type))
    joined += shape[place]
    if draw(st.booleans()):
        sources.append(sources[-1])
        joined += shape[place]
    whole = (*shape[:place], joined, *shape[place + 1 :])
    return n.model("CONCATENATION", sources, _like(output, whole), axis=axis)


@st.composite
def reshape(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    shape = draw(st.integers(1, 4).flatmap(shapes))
    source = n.tensor(shape)
    left, extents = source.size, []
    while left > 1:
        divisors = [d for d in range(1, left + 1) if left % d == 0]
        extents.append(draw(st.sampled_from(divisors)) if len(extents) < 4 else left)
        left //= extents[-1]
    extents = extents or [1]
    output = _like(source, tuple(extents))
    if draw(st.booleans()):
        return n.model("RESHAPE", [source, int32(extents)], output, new_shape=tuple(extents))
    return n.model("RESHAPE", [source], output, new_shape=tuple(extents))


@st.composite
def squeeze(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    shape = draw(st.integers(1, 4).flatmap(lambda rank: shapes(rank, 2)))
    ones = [axis for axis, extent in enumerate(shape) if extent == 1]
    axes = draw(st.lists(st.sampled_from(ones), unique=True)) if ones else []
    gone = axes or ones
    source = n.tensor(shape)
    kept = tuple(extent for axis, extent in enumerate(shape) if axis not in gone)
    return n.model("SQUEEZE", [source], _like(source, kept), squeeze_dims=tuple(axes))


@st.composite
def expand_dims(draw: Draw, type: str = "INT8") -> OneOp:
    n = Numbers(draw, type)
    draw = n.draw
    shape = draw(st.integers(1, 3).flatmap(shapes))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    source = n.tensor(shape)
    place = axis % (len(shape) + 1)
    output = _like(source, (*shape[:place], 1, *shape[place:]))
    return n.model("EXPAND_DIMS", [source, int32(axis)], output)


MODELS: Mapping[str, st.SearchStrategy[OneOp]] = {
    **BINARY,
    **ELEMENTWISE,
    **INT16,
    **MOVEMENT,
    **REDUCTIONS,
    **SPACE,
    **STATE,
    **WEIGHTS,
    "AVERAGE_POOL_2D": pool_2d("AVERAGE_POOL_2D"),
    "CONCATENATION": concatenation(),
    "CONCATENATION int16": concatenation("INT16"),
    "CONV_2D": conv_2d(biased=True),
    "CONV_2D without bias": conv_2d(biased=False),
    "DEPTHWISE_CONV_2D": depthwise_conv_2d(),
    "DEQUANTIZE": dequantize(),
    "EXPAND_DIMS": expand_dims(),
    "EXPAND_DIMS int16": expand_dims("INT16"),
    "FULLY_CONNECTED": fully_connected(),
    "MAX_POOL_2D": pool_2d("MAX_POOL_2D"),
    "PAD": pad(),
    "PAD int16": pad("INT16"),
    "QUANTIZE": quantize(),
    "RESHAPE": reshape(),
    "RESHAPE int16": reshape("INT16"),
    "SOFTMAX": softmax(),
    "SQUEEZE": squeeze(),
    "SQUEEZE int16": squeeze("INT16"),
    "TRANSPOSE": transpose(),
    "TRANSPOSE int16": transpose("INT16"),
    "TRANSPOSE_CONV": transpose_conv(),
}

TFLM_ONLY = (
    "ASSIGN_VARIABLE",
    "CONV_2D without bias",
    "CUMSUM",
    "ELU",
    "ZEROS_LIKE",
    *INT16_TFLM_ONLY,
    *WEIGHTS_TFLM_ONLY,
)
LITERT_ONLY = (
    *WEIGHTS_LITERT_ONLY,
    "ARG_MAX to int64",
    "EXP",
    "LOG",
    "NEG",
    "RELU_0_TO_1",
    "RELU_N1_TO_1",
    "SELECT",
    "SQRT",
    "TILE",
    *INT16_LITERT_ONLY,
)

# LiteRT takes it and is wrong (ARITHMETIC.md).
LITERT_WRONG = ("SUM", "SVDF with an int8 state", *INT16_LITERT_WRONG)
# The same of TFLM; of an ellipsis it takes few.
TFLM_WRONG = (
    "SPACE_TO_BATCH_ND with padding",
    "STRIDED_SLICE with an ellipsis",
    "SVDF without bias",
    *INT16_TFLM_WRONG,
    *WEIGHTS_TFLM_WRONG,
)
