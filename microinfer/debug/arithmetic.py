"""The output stage of one element: accumulator, multiplier, zero point, clamp.

    output = clamp(rounded(accumulator * multiplier * 2^(shift - 31)) + zero_point)

Operators that have one are those that rescale: weighted layers, sums and means, elementwise
arithmetic, RELU and its kin, SVDF. Others, such as SOFTMAX, pools and movement, have none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import requantize, requantize_int64, round_half_away, wrap_int32
from ..ops import Layer
from ..ops.add_sub import LEFT_SHIFT, AddParams
from ..ops.batch_matmul import BatchMatMulParams
from ..ops.cumsum import SUM_BITS, CumsumParams
from ..ops.l2_normalization import OUTPUT_BITS, L2NormalizationParams
from ..ops.lookup import LookupParams
from ..ops.mean import MeanParams
from ..ops.mul import MulParams
from ..ops.prelu import PreluParams
from ..ops.rescale import RescaleParams
from ..ops.sqrt_rsqrt import inverse_square_root
from ..ops.squared_difference import LEFT_SHIFT as SQUARED_LEFT_SHIFT
from ..ops.squared_difference import SquaredDifferenceParams
from ..ops.svdf import SvdfParams
from ..prepare import PreparedLayer
from . import weighted

Array = NDArray[Any]
At = tuple[int, ...]
Rounding = Literal["double", "single", "float64"]

RESCALED = ("ABS", "LEAKY_RELU", "QUANTIZE", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1")


@dataclass(frozen=True)
class Arithmetic:
    """How one output element came from its accumulator.

    accumulator  the integer before the rescale, bias included; of ADD and SUB the sum, of
                 MUL the product
    multiplier   with ``shift`` the real multiplier: multiplier * 2^(shift - 31)
    real         accumulator times real multiplier, before rounding: in steps of the output,
                 without zero point
    zero_point   of the output
    clamp        lowest and highest output
    output       the element
    rounding     "double": fixedpoint.requantize; "single": requantize_int64, of a multiplier of 16
                 bits; "float64": a float64 product, ties away from zero, of a 53-bit multiplier
    negated      whether the rounded value is negated: LEAKY_RELU of a negative alpha
    """

    accumulator: int
    multiplier: int
    shift: int
    real: float
    zero_point: int
    clamp: tuple[int, int]
    output: int
    rounding: Rounding = "double"
    negated: bool = False

    @property
    def rounded(self) -> int:
        """The rescaled accumulator, without zero point and clamp."""
        return _rounded(self.accumulator, self.multiplier, self.shift, self.rounding, self.negated)


def arithmetic(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic | None:
    """The output stage of element ``at`` of the layer's first output, or None if it has none.

    ``operands`` are what op.eval takes, state included, without the leading axis of samples: each
    has its tensor's shape. ``at`` is an index into the output's shape.
    """
    if layer.node.op in RESCALED and isinstance(layer.params, LookupParams | RescaleParams):
        return _rescale(layer, operands, at)
    if weighted.is_weighted(layer):
        return _weighted(layer, operands, at)
    for kind, stage in _STAGES.items():
        if isinstance(layer.params, kind):
            return stage(layer, operands, at)
    return None


def rescaling(layer: PreparedLayer) -> RescaleParams:
    """The params of a RELU, QUANTIZE or the like, also where they run as a table."""
    if isinstance(layer.params, RescaleParams):
        return layer.params
    own = Layer(layer.graph, layer.index, layer.numerics, [], tables=False)
    params = layer.op.prepare(own)
    assert isinstance(params, RescaleParams)
    return params


def _rounded(acc: int, multiplier: int, shift: int, rounding: Rounding, negated: bool) -> int:
    if rounding == "float64":
        product = np.float64(acc) * math.ldexp(multiplier, shift - 31)
        return int(round_half_away(product))
    form = requantize if rounding == "double" else requantize_int64
    steps = int(form(acc, multiplier, shift))
    return -steps if negated else steps


def _stage(
    acc: int,
    factor: tuple[int, int],
    zero_point: int,
    clamp: tuple[int, int],
    rounding: Rounding = "double",
    negated: bool = False,
) -> Arithmetic:
    multiplier, shift = (int(part) for part in factor)
    steps = _rounded(acc, multiplier, shift, rounding, negated)
    real = float(Fraction(acc * multiplier) * Fraction(2) ** (shift - 31))
    low, high = clamp
    output = min(max(steps + zero_point, low), high)
    return Arithmetic(
        acc,
        multiplier,
        shift,
        -real if negated else real,
        zero_point,
        (low, high),
        output,
        rounding,
        negated,
    )


def output_shape(layer: PreparedLayer) -> tuple[int, ...]:
    """Of the layer's first output."""
    return layer.graph.tensors[layer.node.outputs[0]].shape


def limits(layer: PreparedLayer) -> tuple[int, int]:
    """Lowest and highest value of the layer's first output's type."""
    own = np.iinfo(layer.graph.tensors[layer.node.outputs[0]].dtype)
    return int(own.min), int(own.max)


def broadcast(layer: PreparedLayer, operands: Sequence[Array], at: At) -> list[int]:
    """The element of each operand that meets output element ``at``."""
    shape = output_shape(layer)
    return [int(np.broadcast_to(operand, shape)[at]) for operand in operands]


def _weighted(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p = layer.params
    acc = int(weighted.accumulators(layer, operands[0][None], output_shape(layer))[0][at])
    _, zero_point = weighted.zero_points(p)
    clamp = int(p.activation_min), int(p.activation_max)
    if hasattr(p, "mantissas"):
        channel = min(at[-1], len(p.mantissas) - 1)
        # mantissa * 2^-shift
        factor = int(p.mantissas[channel]), 31 - int(p.shifts[channel])
        return _stage(acc, factor, zero_point, clamp, "float64")
    channel = min(at[-1], len(p.multipliers) - 1)
    factor = int(p.multipliers[channel]), int(p.shifts[channel])
    double = getattr(p, "double_rounding", 1)
    return _stage(acc, factor, zero_point, clamp, "double" if double else "single")


def _rescale(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p = rescaling(layer)
    v = int(operands[0][at]) - p.input_zero_point
    clamp = p.activation_min, p.activation_max
    if v >= 0:
        return _stage(v, (p.positive_multiplier, p.positive_shift), p.output_zero_point, clamp)
    factor = p.negative_multiplier, p.negative_shift
    return _stage(v, factor, p.output_zero_point, clamp, negated=p.negative_sign < 0)


def _add(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: AddParams = layer.params
    x1, x2 = broadcast(layer, operands, at)
    left = LEFT_SHIFT[operands[0].dtype.name]
    a1 = requantize((x1 - p.input1_zero_point) << left, p.input1_multiplier, p.input1_shift)
    a2 = requantize((x2 - p.input2_zero_point) << left, p.input2_multiplier, p.input2_shift)
    factor = p.output_multiplier, p.output_shift
    clamp = p.activation_min, p.activation_max
    return _stage(int(a1 + p.input2_sign * a2), factor, p.output_zero_point, clamp)


def _squared_difference(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: SquaredDifferenceParams = layer.params
    x1, x2 = broadcast(layer, operands, at)
    left = SQUARED_LEFT_SHIFT[operands[0].dtype.name]
    a1 = requantize((x1 - p.input1_zero_point) << left, p.input1_multiplier, p.input1_shift)
    a2 = requantize((x2 - p.input2_zero_point) << left, p.input2_multiplier, p.input2_shift)
    factor = p.output_multiplier, p.output_shift
    return _stage(int(a1 - a2) ** 2, factor, p.output_zero_point, limits(layer))


def _mul(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: MulParams = layer.params
    x1, x2 = broadcast(layer, operands, at)
    acc = (x1 - p.input1_zero_point) * (x2 - p.input2_zero_point)
    factor = p.output_multiplier, p.output_shift
    return _stage(acc, factor, p.output_zero_point, (p.activation_min, p.activation_max))


def _prelu(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: PreluParams = layer.params
    x, alpha = broadcast(layer, operands, at)
    v = x - p.input_zero_point
    if v >= 0:
        factor = p.positive_multiplier, p.positive_shift
        return _stage(v, factor, p.output_zero_point, limits(layer))
    factor = p.negative_multiplier, p.negative_shift
    return _stage(v * (alpha - p.alpha_zero_point), factor, p.output_zero_point, limits(layer))


def reduced(layer: PreparedLayer, source: Array, at: At) -> tuple[slice | int, ...]:
    """What a reduction sums for output element ``at``: an index into its input ``source``."""
    axes = _constant_axes(layer, source.ndim)
    kept = iter(at if not layer.node.options["keep_dims"] else _without(at, axes))
    return tuple(slice(None) if axis in axes else next(kept) for axis in range(source.ndim))


def _without(at: At, axes: set[int]) -> At:
    return tuple(place for axis, place in enumerate(at) if axis not in axes)


def _constant_axes(layer: PreparedLayer, rank: int) -> set[int]:
    data = layer.graph.tensors[layer.node.inputs[1]].data
    assert data is not None
    return {int(axis) % rank for axis in data.reshape(-1)}


def _mean(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: MeanParams = layer.params
    values = operands[0][reduced(layer, operands[0], at)]
    acc = int(values.sum(dtype=np.int64)) - p.count * p.input_zero_point
    return _stage(acc, (p.multiplier, p.shift), p.output_zero_point, limits(layer))


def running(layer: PreparedLayer, source: Array, at: At) -> list[int]:
    """The elements that CUMSUM adds for output element ``at``: places along its axis."""
    p: CumsumParams = layer.params
    (axis,) = _constant_axes(layer, source.ndim)
    end = at[axis]
    if p.reverse:
        return list(range(end + p.exclusive, p.depth))
    return list(range(end + 1 - p.exclusive))


def _cumsum(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: CumsumParams = layer.params
    (axis,) = _constant_axes(layer, operands[0].ndim)
    places = running(layer, operands[0], at)
    line = np.moveaxis(operands[0], axis, -1)[at[:axis] + at[axis + 1 :]]
    total = sum(int(line[place]) - p.input_zero_point for place in places) - p.input_zero_point
    acc = int(wrap_int32(total << SUM_BITS))
    return _stage(acc, (p.multiplier, p.shift), p.output_zero_point, limits(layer))


def row_and_column(
    layer: PreparedLayer, operands: Sequence[Array], at: At
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """What BATCH_MATMUL multiplies for output element ``at``: the left side's row and the right
    side's column, each as its values and the flat places of these."""
    sides = []
    for operand, option, place, last in zip(
        operands, ("adj_x", "adj_y"), at[-2:], (False, True), strict=True
    ):
        places = np.arange(operand.size).reshape(operand.shape)
        if layer.node.options[option] != last:  # the summed axis last
            places = places.swapaxes(-1, -2)
        whole = np.broadcast_to(places, (*output_shape(layer)[:-2], *places.shape[-2:]))
        where = (*at[:-2], place)
        own = whole[where]
        sides.append((operand.reshape(-1)[own].astype(np.int64), own))
    return sides[0], sides[1]


def _batch_matmul(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: BatchMatMulParams = layer.params
    (row, _), (column, _) = row_and_column(layer, operands, at)
    acc = int(((row - p.lhs_zero_point) * (column - p.rhs_zero_point)).sum())
    rounding: Rounding = "single" if operands[0].dtype == np.int16 else "double"
    return _stage(acc, (p.multiplier, p.shift), p.output_zero_point, limits(layer), rounding)


def _l2_normalization(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: L2NormalizationParams = layer.params
    row = operands[0][at[:-1]].astype(np.int64) - p.input_zero_point
    multiplier, shift = inverse_square_root(int((row * row).sum()))
    return _stage(int(row[at[-1]]), (multiplier, shift + OUTPUT_BITS), 0, limits(layer))


def _svdf(layer: PreparedLayer, operands: Sequence[Array], at: At) -> Arithmetic:
    p: SvdfParams = layer.params
    x, state = operands
    _, after = layer.op.eval(p, x[None], state[None])
    batch, unit = at
    memory = after.reshape(p.batches, p.filters // p.rank, p.rank, -1)[batch, unit]
    weights = p.weights_time.reshape(p.filters // p.rank, p.rank, -1)[unit].astype(np.int64)
    acc = int(((memory.astype(np.int64) - p.state_zero_point) * weights).sum())
    acc += 0 if p.bias is None else int(p.bias[unit])
    factor = p.output_multiplier, p.output_shift
    return _stage(int(wrap_int32(acc)), factor, p.output_zero_point, limits(layer))


_STAGES: dict[type, Callable[[PreparedLayer, Sequence[Array], At], Arithmetic]] = {
    AddParams: _add,
    BatchMatMulParams: _batch_matmul,
    CumsumParams: _cumsum,
    L2NormalizationParams: _l2_normalization,
    MeanParams: _mean,
    MulParams: _mul,
    PreluParams: _prelu,
    SquaredDifferenceParams: _squared_difference,
    SvdfParams: _svdf,
}
