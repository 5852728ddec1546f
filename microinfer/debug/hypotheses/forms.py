"""The accumulators of each operator that has some, for hypotheses to go on from.

Of int8 and int16. Weighted layers take theirs from ``debug/weighted.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import Int64Array, quantize_multipliers
from ...graph import Graph
from ...ops.accumulate import padded, patches
from ...ops.add_sub import LEFT_SHIFT, AddParams
from ...ops.broadcast import expand
from ...ops.mean import MeanParams
from ...ops.mul import MulParams
from ...ops.pool_2d import Pool2DParams
from ...prepare import PreparedLayer
from .. import weighted
from .scaled import Rounding, Scaled, double, float64, narrow

Array = NDArray[Any]
NONE = np.zeros(1, np.int64)


def _scales(graph: Graph, index: int) -> NDArray[np.float64]:
    own = graph.tensors[index].quantization
    assert own is not None
    return own.scales.astype(np.float64)


def _single32(*scales: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    return [scale.astype(np.float32) for scale in scales]


def weighted_form(
    graph: Graph, layer: PreparedLayer, params: Any, operands: tuple[Array, ...], pad: int | None
) -> Scaled:
    """Of CONV_2D and its kin."""
    node = layer.node
    shape = graph.tensors[node.outputs[0]].shape
    acc = weighted.accumulators(replace(layer, params=params), operands[0], shape, pad)
    source = _scales(graph, layer.op.operand_indices(node)[0])
    filters, output = _scales(graph, node.inputs[1]), _scales(graph, node.outputs[0])
    source32, filters32, output32 = _single32(source, filters, output)
    reals = source * filters / output
    own: Rounding = double
    if hasattr(params, "mantissas"):
        own = float64
        multipliers, shifts = quantize_multipliers(reals)
    else:
        multipliers, shifts = params.multipliers, params.shifts
        own = double if getattr(params, "double_rounding", 1) else narrow
    return Scaled(
        acc=acc,
        bias=NONE if params.bias is None else params.bias.astype(np.int64),
        reals=reals,
        reals32=source32 * filters32 / output32,
        multipliers=multipliers.astype(np.int64),
        shifts=shifts.astype(np.int64),
        own=own,
    )


def _plain(
    acc: Int64Array, reals: Array, multiplier: int, shift: int, own: Rounding = double
) -> Scaled:
    """Without a bias, and with one multiplier for all."""
    return Scaled(
        acc=acc,
        bias=NONE,
        reals=reals,
        reals32=reals.astype(np.float32),
        multipliers=np.array([multiplier], np.int64),
        shifts=np.array([shift], np.int64),
        own=own,
    )


def add_form(
    graph: Graph,
    layer: PreparedLayer,
    params: AddParams,
    operands: tuple[Array, ...],
    inner: Rounding,
) -> Scaled:
    """Of ADD and SUB, whose inputs are rounded to a finer common scale by ``inner``."""
    x1, x2 = expand(params, *operands)
    left_shift = LEFT_SHIFT[graph.tensors[layer.node.outputs[0]].dtype.name]
    first, second, output = (_scales(graph, i) for i in (*layer.node.inputs, layer.node.outputs[0]))
    twice = 2 * np.maximum(first, second)

    def term(x: Array, zero_point: int, scale: Array, multiplier: int, shift: int) -> Int64Array:
        centred = (x.astype(np.int64) - zero_point) << left_shift
        return inner(_plain(centred, scale / twice, multiplier, shift))

    a1 = term(x1, params.input1_zero_point, first, params.input1_multiplier, params.input1_shift)
    a2 = term(x2, params.input2_zero_point, second, params.input2_multiplier, params.input2_shift)
    real = twice / (output * 2**left_shift)
    return _plain(a1 + params.input2_sign * a2, real, params.output_multiplier, params.output_shift)


def mul_form(
    graph: Graph, layer: PreparedLayer, params: MulParams, operands: tuple[Array, ...]
) -> Scaled:
    """Of MUL."""
    x1, x2 = expand(params, *operands)
    products = (x1.astype(np.int64) - params.input1_zero_point) * (
        x2.astype(np.int64) - params.input2_zero_point
    )
    first, second, output = (_scales(graph, i) for i in (*layer.node.inputs, layer.node.outputs[0]))
    return _plain(products, first * second / output, params.output_multiplier, params.output_shift)


def mean_form(
    graph: Graph, layer: PreparedLayer, params: MeanParams, operands: tuple[Array, ...]
) -> Scaled:
    """Of MEAN and SUM."""
    x = operands[0]
    sums = x.reshape(len(x), *params.interleaved).sum(axis=params.reduced_axes, dtype=np.int64)
    real = _scales(graph, layer.node.inputs[0]) / _scales(graph, layer.node.outputs[0])
    if layer.node.op == "MEAN":
        real = real / params.count
    acc = sums - params.count * np.int64(params.input_zero_point)
    return _plain(acc.reshape(len(x), -1), real, params.multiplier, params.shift)


def pool_form(
    graph: Graph, layer: PreparedLayer, params: Pool2DParams, operands: tuple[Array, ...]
) -> Scaled:
    """Of AVERAGE_POOL_2D: sums of raw values, to be divided by the taps inside the image."""
    kernel = (params.kernel_height, params.kernel_width)
    output = (params.output_height, params.output_width)
    stride = (params.stride_height, params.stride_width)
    covered = (
        (output[0] - 1) * stride[0] + kernel[0],
        (output[1] - 1) * stride[1] + kernel[1],
    )
    images = operands[0].reshape(-1, params.input_height, params.input_width, params.channels)
    frame = padded(images, np.dtype(np.float64), 0, (params.pad_top, params.pad_left), covered)
    sums = np.einsum("nhwijc->nhwc", patches(frame, kernel, output, stride, (1, 1)))
    multiplier, shift = quantize_multipliers(1 / params.count)
    form = _plain(sums.astype(np.int64), 1 / params.count, 0, 0, float64)
    shape = params.count.shape
    return replace(
        form,
        multipliers=multiplier.reshape(shape).astype(np.int64),
        shifts=shift.reshape(shape).astype(np.int64),
        divisor=params.count.astype(np.int64),
    )


Form = Callable[[Graph, PreparedLayer, Any, tuple[Array, ...]], Scaled]
FORMS: dict[str, Form] = {
    "MUL": mul_form,
    "MEAN": mean_form,
    "SUM": mean_form,
    "AVERAGE_POOL_2D": pool_form,
}
