"""One element to one: RELU and its kin, QUANTIZE and DEQUANTIZE, and functions by table.

From int8 to int8 all of them run as a table of 256 values. The steps are those that filled the
table's entry, in the runtime's arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import round_half_away
from ...ops.lookup import LookupParams
from ...ops.quantize import DequantizeParams, QuantizeParams
from ...prepare import PreparedLayer
from ..arithmetic import arithmetic, limits, rescaling
from . import functions
from .steps import At, Working, minus
from .weighted import rescale

Array = NDArray[Any]


def explain(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> Any:
    """Of all operators of one operand and one element."""
    index = layer.node.inputs[0]
    x = operands[0][at]
    working.operand("input", index, layer.graph.tensors[index], at, x.item())
    if x.dtype.kind == "f":
        return _of_reals(layer, x, working)
    if isinstance(layer.params, DequantizeParams):
        return _to_real(layer.params, int(x), working)
    value = _FUNCTIONS[layer.node.op](layer, operands, at, int(x), working)
    if isinstance(layer.params, LookupParams):
        # They were done when the table was made; the C reads it.
        working.steps = [replace(step, c="") for step in working.steps]
        table = int(layer.params.table[int(x) + 128])
        working.step(
            "in the C: a table", f"; entry {int(x) + 128}, that of {int(x)}", table, c="table["
        )
    return value


def _of_reals(layer: PreparedLayer, x: Any, working: Working) -> Any:
    p = layer.params
    if not isinstance(p, QuantizeParams):  # NEG
        working.step("negated", f"-({x!s})", (-x).item(), c="output")
        return (-x).item()
    with np.errstate(over="ignore", invalid="ignore"):
        quotient = x / p.scale
        nearest = round_half_away(quotient)
    working.step("quotient", f"{x!s} / {p.scale!s}; in float32", float(quotient), c="quotient =")
    steps = float(np.nan_to_num(nearest, nan=0.0, posinf=2.0**20, neginf=-(2.0**20)))
    whole = int(min(max(steps, -(2**20)), 2**20))
    working.step(
        "round", "; to the nearest integer, ties away from zero", whole, c="(int32_t)quotient"
    )
    return working.output(whole, p.zero_point, limits(layer))


def _to_real(p: DequantizeParams, x: int, working: Working) -> float:
    v = x - p.zero_point
    c = "mi_dequantize"
    working.step("less zero point", minus(x, p.zero_point), v, c=c)
    with np.errstate(over="ignore"):
        real = np.float32(p.scale) * np.float32(v)
    working.step("times scale", f"{v} * {p.scale!s}; in float32", float(real), c=c)
    return float(real)


def _rescaled(
    layer: PreparedLayer, operands: Sequence[Array], at: At, x: int, working: Working
) -> int:
    """RELU, LEAKY_RELU, ABS, QUANTIZE."""
    p = rescaling(layer)
    v = x - p.input_zero_point
    working.step("v", minus(x, p.input_zero_point), v, c="v =")
    own = arithmetic(layer, operands, at)
    assert own is not None
    if v < 0 and p.negative_multiplier != p.positive_multiplier:
        working.step("v is negative", "; the factor of negatives", own.multiplier)
    return rescale(working, own, v)


def _negated(layer: PreparedLayer, operands: Any, at: At, x: int, working: Working) -> int:
    value = -128 if x == -128 else -x
    working.step("negated", f"-({x}); raw integers", value)
    return value


_FUNCTIONS: dict[str, Callable[[PreparedLayer, Any, At, int, Working], int]] = {
    "ABS": _rescaled,
    "ELU": functions.elu,
    "EXP": functions.exponential,
    "HARD_SWISH": functions.hard_swish,
    "LEAKY_RELU": _rescaled,
    "LOG": functions.logarithm,
    "LOGISTIC": functions.sigmoid_tanh,
    "NEG": _negated,
    "QUANTIZE": _rescaled,
    "RELU": _rescaled,
    "RELU6": _rescaled,
    "RELU_0_TO_1": _rescaled,
    "RELU_N1_TO_1": _rescaled,
    "RSQRT": functions.inverse_root,
    "SQRT": functions.square_root,
    "TANH": functions.sigmoid_tanh,
}
