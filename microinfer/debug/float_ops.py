"""Every operator in reals: what its integers stand for.

``FORMS[op](layer, graph)`` gives a function of the layer's operands, real arrays with a leading
batch axis (integers that index, and booleans, stay as they are), that returns what the operator's
``eval`` does, in reals. Layers that sum weights times inputs are in ``float_weighted.py``, those
that remember in ``float_recurrent.py``.

Formulas are those of TFLite's float kernels: [LITERT] kernels/internal/reference/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph
from ..ops import gather, movement
from ..ops.accumulate import padded, patches
from ..ops.activation import LIMITS
from ..ops.broadcast import expand
from ..prepare import PreparedLayer

Array = NDArray[Any]
Form = Callable[..., Any]
Making = Callable[[PreparedLayer, Graph], Form]

SMALLEST = 1e-6  # below which L2_NORMALIZATION does not divide
LARGEST = 1e18  # of what EXP and DIV give: beyond every tensor's range, and its square is finite


def activated(options: Mapping[str, Any], values: Array) -> Array:
    """``values`` behind the fused activation that ``options`` name."""
    low, high = LIMITS[options.get("fused_activation_function", "NONE")]
    return values if low is None and high is None else np.clip(values, low, high)


def _unary(function: Callable[[Array], Array]) -> Making:
    return lambda layer, graph: function


def _binary(function: Callable[[Array, Array], Array]) -> Making:
    """Of two operands that broadcast, with a fused activation if the operator has one."""

    def make(layer: PreparedLayer, graph: Graph) -> Form:
        def form(x1: Array, x2: Array) -> Array:
            return activated(layer.node.options, function(*expand(layer.params, x1, x2)))

        return form

    return make


def _as_it_is(layer: PreparedLayer, graph: Graph) -> Form:
    """The operator's own eval, which looks at no byte and no scale."""
    return lambda *operands: layer.op.eval(layer.params, *operands)


def _moved(layer: PreparedLayer, graph: Graph) -> Form:
    """The operator's own moves; what is filled with a zero point is filled with 0."""
    moved = graph.tensors[layer.node.outputs[0]].dtype.itemsize

    def form(x: Array, *others: Array) -> Any:
        return layer.op.eval(_of_reals(layer.params, moved, x.itemsize), x, *others)

    return form


def _of_reals(params: Any, before: int, after: int) -> Any:
    """Moves of elements of ``before`` bytes as those of elements of ``after`` bytes."""
    if isinstance(params, movement.FillParams):
        return replace(params, value=0)
    if isinstance(params, movement.GatherParams | gather.GatherAtParams):
        return replace(params, run_bytes=params.run_bytes // before * after)
    if isinstance(params, movement.MovementParams):
        moves = (replace(m, params=_of_reals(m.params, before, after)) for m in params.moves)
        return replace(params, moves=tuple(moves))
    return params


def _windows(p: Any, x: Array, fill: float) -> Array:
    """View [batch, out_h, out_w, kernel_h, kernel_w, channels] of a pooling's input."""
    images = x.reshape(-1, p.input_height, p.input_width, p.channels)
    kernel, stride = (p.kernel_height, p.kernel_width), (p.stride_height, p.stride_width)
    output = (p.output_height, p.output_width)
    covered = (
        (output[0] - 1) * stride[0] + kernel[0],
        (output[1] - 1) * stride[1] + kernel[1],
    )
    frame = padded(images, x.dtype, fill, (p.pad_top, p.pad_left), covered)  # type: ignore[arg-type]
    return patches(frame, kernel, output, stride, (1, 1))


def _average(layer: PreparedLayer, graph: Graph) -> Form:
    def form(x: Array) -> Array:
        sums = np.einsum("nhwijc->nhwc", _windows(layer.params, x, 0.0))
        return activated(layer.node.options, sums / layer.params.count.astype(x.dtype))

    return form


def _maximum(layer: PreparedLayer, graph: Graph) -> Form:
    def form(x: Array) -> Array:
        windows = _windows(layer.params, x, -np.inf)
        largest = windows[:, :, :, 0, 0].copy()
        for ky, kx in np.ndindex(layer.params.kernel_height, layer.params.kernel_width):
            np.maximum(largest, windows[:, :, :, ky, kx], out=largest)
        return activated(layer.node.options, largest)

    return form


def _reduced(mean: bool) -> Making:
    def make(layer: PreparedLayer, graph: Graph) -> Form:
        p = layer.params

        def form(x: Array) -> Array:
            sums: Array = x.reshape(len(x), *p.interleaved).sum(axis=p.reduced_axes)
            return sums / x.dtype.type(p.count) if mean else sums

        return form

    return make


def _softmax(layer: PreparedLayer, graph: Graph) -> Form:
    beta = layer.node.options["beta"]

    def form(x: Array) -> Array:
        powers: Array = np.exp(beta * (x - x.max(axis=-1, keepdims=True)))
        powers /= powers.sum(axis=-1, keepdims=True)
        return powers

    return form


def _log_softmax(x: Array) -> Array:
    below: Array = x - x.max(axis=-1, keepdims=True)
    below -= np.log(np.exp(below).sum(axis=-1, keepdims=True))
    return below


def _l2_normalization(x: Array) -> Array:
    norm: Array = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    normalized: Array = x / np.maximum(norm, SMALLEST)
    return normalized


def _log(layer: PreparedLayer, graph: Graph) -> Form:
    """Where there is no logarithm: the least that the output holds, as the operator defines it."""
    output = graph.tensors[layer.node.outputs[0]]
    assert output.quantization is not None
    q = output.quantization
    least = q.scale * (np.iinfo(output.dtype).min - q.zero_point)

    def form(x: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(x > 0, np.log(x), x.dtype.type(least))

    return form


def _rsqrt(layer: PreparedLayer, graph: Graph) -> Form:
    """Of 0 and less: the most that the output holds, as the operator defines it."""
    output = graph.tensors[layer.node.outputs[0]]
    assert output.quantization is not None
    q = output.quantization
    most = q.scale * (np.iinfo(output.dtype).max - q.zero_point)

    def form(x: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(x > 0, 1 / np.sqrt(x), x.dtype.type(most))

    return form


def _divided(x1: Array, x2: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.nan_to_num(x1 / x2, nan=0.0), -LARGEST, LARGEST)  # 0 / 0 is 0


def _batch_matmul(layer: PreparedLayer, graph: Graph) -> Form:
    adjoint = (layer.node.options["adj_x"], layer.node.options["adj_y"])

    def form(lhs: Array, rhs: Array) -> Array:
        rank = max(lhs.ndim, rhs.ndim)
        own = [x.reshape(len(x), *(1,) * (rank - x.ndim), *x.shape[1:]) for x in (lhs, rhs)]
        own = [x.swapaxes(-1, -2) if adj else x for x, adj in zip(own, adjoint, strict=True)]
        return np.matmul(*own)

    return form


def _cumsum(layer: PreparedLayer, graph: Graph) -> Form:
    p = layer.params

    def form(x: Array) -> Array:
        values = x.reshape(len(x), p.outer, p.depth, p.inner)
        order = slice(None, None, -1 if p.reverse else 1)
        sums: Array = values[:, :, order].cumsum(axis=2)[:, :, order]
        return sums - values if p.exclusive else sums

    return form


def _resize_bilinear(layer: PreparedLayer, graph: Graph) -> Form:
    p, options = layer.params, layer.node.options
    align, half = options["align_corners"], options["half_pixel_centers"]

    def along(x: Array, axis: int, size: int, output: int) -> Array:
        scale = (size - 1) / (output - 1) if align and output > 1 else size / output
        places = np.arange(output) * scale
        if half:
            places += scale / 2 - 0.5
        places = np.clip(places, 0, size - 1)
        low = np.floor(places).astype(int)
        weight = (places - low).astype(x.dtype)
        weight = weight.reshape(-1, *(1,) * (x.ndim - axis - 1))
        high = np.minimum(low + 1, size - 1)
        mixed: Array = x.take(low, axis) * (1 - weight) + x.take(high, axis) * weight
        return mixed

    def form(x: Array) -> Array:
        rows = along(x, 2, p.input_height, p.output_height)
        return along(rows, 3, p.input_width, p.output_width)

    return form


def _leaky_relu(layer: PreparedLayer, graph: Graph) -> Form:
    alpha = layer.node.options["alpha"]
    return lambda x: np.where(x >= 0, x, x.dtype.type(alpha) * x)


def sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _exp(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.minimum(np.exp(x), LARGEST)


_COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "EQUAL": np.equal,
    "NOT_EQUAL": np.not_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
}
_MOVEMENTS = """BATCH_TO_SPACE_ND BROADCAST_TO CONCATENATION DEPTH_TO_SPACE FILL GATHER GATHER_ND
MIRROR_PAD PACK PAD PADV2 RESIZE_NEAREST_NEIGHBOR REVERSE_V2 SLICE SPACE_TO_BATCH_ND SPACE_TO_DEPTH
SPLIT SPLIT_V STRIDED_SLICE TILE TRANSPOSE UNPACK ZEROS_LIKE""".split()
_AS_THEY_ARE = """ARG_MAX ARG_MIN ASSIGN_VARIABLE CALL_ONCE EXPAND_DIMS MAXIMUM MINIMUM
READ_VARIABLE REDUCE_MAX REDUCE_MIN RESHAPE SELECT SELECT_V2 SQUEEZE VAR_HANDLE""".split()

# Operators whose outputs are elements of their inputs.
MOVING = frozenset((*_MOVEMENTS, *_AS_THEY_ARE, "MAX_POOL_2D")) - {"ARG_MAX", "ARG_MIN"}

FORMS: dict[str, Making] = {
    **dict.fromkeys(_MOVEMENTS, _moved),
    **dict.fromkeys(_AS_THEY_ARE, _as_it_is),
    **{name: _binary(function) for name, function in _COMPARISONS.items()},
    "ABS": _unary(np.abs),
    "ADD": _binary(np.add),
    "AVERAGE_POOL_2D": _average,
    "BATCH_MATMUL": _batch_matmul,
    "CUMSUM": _cumsum,
    "DEQUANTIZE": _unary(np.array),
    "DIV": _binary(_divided),
    "ELU": _unary(lambda x: np.where(x >= 0, x, np.expm1(np.minimum(x, 0)))),
    "EXP": _unary(_exp),
    "HARD_SWISH": _unary(lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "L2_NORMALIZATION": _unary(_l2_normalization),
    "LEAKY_RELU": _leaky_relu,
    "LOG": _log,
    "LOGISTIC": _unary(sigmoid),
    "LOG_SOFTMAX": _unary(_log_softmax),
    "MAX_POOL_2D": _maximum,
    "MEAN": _reduced(mean=True),
    "MUL": _binary(np.multiply),
    "NEG": _unary(np.negative),
    "PRELU": _binary(lambda x, alpha: np.where(x >= 0, x, x * alpha)),
    "QUANTIZE": _unary(np.array),
    "RELU": _unary(lambda x: np.maximum(x, 0)),
    "RELU6": _unary(lambda x: np.clip(x, 0, 6)),
    "RELU_0_TO_1": _unary(lambda x: np.clip(x, 0, 1)),
    "RELU_N1_TO_1": _unary(lambda x: np.clip(x, -1, 1)),
    "RESIZE_BILINEAR": _resize_bilinear,
    "RSQRT": _rsqrt,
    "SOFTMAX": _softmax,
    "SQRT": _unary(lambda x: np.sqrt(np.maximum(x, 0))),
    "SQUARED_DIFFERENCE": _binary(lambda x1, x2: np.square(x1 - x2)),
    "SUB": _binary(np.subtract),
    "SUM": _reduced(mean=False),
    "TANH": _unary(np.tanh),
}
