"""Two operands, element by element: ADD, SUB, MUL, DIV, SQUARED_DIFFERENCE, comparisons, MAXIMUM,
MINIMUM, PRELU and SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ops.add_sub import LEFT_SHIFT
from ...ops.comparison import LEFT_SHIFT as COMPARISON_SHIFT
from ...ops.squared_difference import LEFT_SHIFT as SQUARED_SHIFT
from ...prepare import PreparedLayer
from ..arithmetic import arithmetic, output_shape
from .fixedpoint import high_mul, one_over_one_plus_x, q
from .steps import At, Working, minus, wrap
from .weighted import finish, rescale

Array = NDArray[Any]


def elements(
    layer: PreparedLayer,
    operands: Sequence[Array],
    at: At,
    working: Working,
    roles: Sequence[str] = ("input 1", "input 2"),
) -> list[int]:
    """Note the element of each operand that meets the output's."""
    shape = output_shape(layer)
    values = []
    indices = layer.op.operand_indices(layer.node)
    for role, index, operand in zip(roles, indices, operands, strict=True):
        places = np.broadcast_to(np.arange(operand.size).reshape(operand.shape), shape)
        own = tuple(int(i) for i in np.unravel_index(int(places[at]), operand.shape))
        values.append(int(operand[own]))
        working.operand(role, index, layer.graph.tensors[index], own, values[-1])
    return values


def _common_scale(
    p: Any, values: Sequence[int], left: int, working: Working, names: Sequence[str] = ("a1", "a2")
) -> list[int]:
    """Both inputs on one finer scale."""
    results = []
    for number, (name, x) in enumerate(zip(names, values, strict=True), 1):
        zero_point = getattr(p, f"input{number}_zero_point")
        fine = (x - zero_point) << left
        shift = f" * 2^{left}" if left else ""
        working.step(f"{name}: finer", f"{minus(x, zero_point)}{shift}", fine, c="shifted")
        factor = getattr(p, f"input{number}_multiplier"), getattr(p, f"input{number}_shift")
        results.append(working.requantize(fine, *factor, what=name))
    return results


def explain_add(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p = layer.params
    values = elements(layer, operands, at, working)
    left = LEFT_SHIFT[operands[0].dtype.name]
    s_1, s_2 = (operand.scale for operand in working.operands)
    assert s_1 is not None
    assert s_2 is not None
    common = 2 * max(s_1, s_2)
    working.step(
        "common scale",
        f"2 * max({s_1:.6g}, {s_2:.6g})",
        common,
        f"each input times 2^{left} is brought to it: factors {s_1 / common:.6g} and"
        f" {s_2 / common:.6g}",
    )
    a1, a2 = _common_scale(p, values, left, working)
    total = a1 + p.input2_sign * a2
    sign = "+" if p.input2_sign > 0 else "-"
    working.step("sum" if sign == "+" else "difference", f"{a1} {sign} ({a2})", total, c="sum =")
    own = arithmetic(layer, operands, at)
    assert own is not None
    return rescale(working, own, total)


def explain_squared_difference(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    values = elements(layer, operands, at, working)
    left = SQUARED_SHIFT[operands[0].dtype.name]
    a1, a2 = _common_scale(layer.params, values, left, working)
    working.step("difference", f"{a1} - ({a2})", a1 - a2, c="difference =")
    working.step("square", f"({a1 - a2})^2", (a1 - a2) ** 2, c="difference * difference")
    own = arithmetic(layer, operands, at)
    assert own is not None
    return rescale(working, own, (a1 - a2) ** 2)


def explain_mul(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p = layer.params
    x1, x2 = elements(layer, operands, at, working)
    product = (x1 - p.input1_zero_point) * (x2 - p.input2_zero_point)
    first, second = minus(x1, p.input1_zero_point), minus(x2, p.input2_zero_point)
    working.step("product", f"{first} * {second}", product, c="product =")
    own = arithmetic(layer, operands, at)
    assert own is not None
    s_1, s_2 = (operand.scale for operand in working.operands)
    assert s_1 is not None
    assert s_2 is not None
    return finish(working, layer, own, product, ("input 1", s_1), ("input 2", s_2))


def explain_prelu(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p = layer.params
    x, alpha = elements(layer, operands, at, working, ("input", "alpha"))
    v = x - p.input_zero_point
    working.step("v", minus(x, p.input_zero_point), v, c="v =")
    own = arithmetic(layer, operands, at)
    assert own is not None
    if v >= 0:
        return rescale(working, own, v)
    slope = alpha - p.alpha_zero_point
    text = f"{v} * {minus(alpha, p.alpha_zero_point)}; as v is negative"
    working.step("v * alpha", text, v * slope, c="product =")
    return rescale(working, own, v * slope)


def explain_div(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p = layer.params
    x1, x2 = elements(layer, operands, at, working)
    v1, v2 = x1 - p.input1_zero_point, x2 - p.input2_zero_point
    working.step("v1", minus(x1, p.input1_zero_point), v1, c="v1 =")
    working.step("v2", minus(x2, p.input2_zero_point), v2, c="v2 =")
    clamp = p.activation_min, p.activation_max
    if v2 == 0:
        steps = ((v1 > 0) - (v1 < 0)) << 20
        working.step(
            "divided by zero", "; by the sign of v1 far beyond the range", steps, c="steps ="
        )
        return working.output(steps, p.output_zero_point, clamp)
    if v2 < 0:
        v1, v2 = -v1, -v2
        working.step("both turned", f"; as v2 is negative; v2 is {v2} now, and v1", v1, c="-v1")
    zeros = 32 - v2.bit_length()
    inverse, lines = one_over_one_plus_x((v2 << zeros) - 2**31)
    text = f"1 / ({v2} * 2^{zeros - 31}) = {q(inverse, 31)}; as Q0.31"
    working.step("inverse of v2", text, inverse, *lines, c="mi_one_over_one_plus_x")
    bits = v1 if v1 >= 0 else ~v1
    headroom = 31 - bits.bit_length()
    quotient = high_mul(wrap(v1 << headroom), inverse)
    text = f"({v1} * 2^{headroom} * {inverse} + 2^30) >> 31; a high multiply"
    working.step("quotient", text, quotient, c="quotient =")
    high = working.high_multiply("times the scales", quotient, p.output_multiplier, "high =")
    right = headroom + 31 - zeros - p.output_shift
    if right > 31:
        working.step("shift right", f"{high} / 2^{right} = 0; beyond 31 bits", 0, c="divide_by_pot")
        steps = 0
    else:
        steps = working.shift_right("shift right", high, right)
    return working.output(steps, p.output_zero_point, clamp)


def explain_comparison(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> bool:
    p = layer.params
    values = elements(layer, operands, at, working)
    a1, a2 = _common_scale(p, values, COMPARISON_SHIFT, working)
    if a1 < a2:
        sign, chosen = "<", p.when_less
    else:
        sign, chosen = ("=", p.when_equal) if a1 == a2 else (">", p.when_greater)
    detail = "both in steps of 1/256 of the real unit"
    working.step(layer.node.op, f"; {a1} {sign} {a2}", chosen, detail, c="when_")
    return bool(chosen)


def explain_extreme(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    x1, x2 = elements(layer, operands, at, working)
    larger = layer.params.larger
    name, value = ("larger", max(x1, x2)) if larger else ("smaller", min(x1, x2))
    working.step(f"the {name}", f"; of {x1} and {x2}, which have one scale", value, c="p->larger")
    return value


def explain_select(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    roles = ("condition", "input 1", "input 2")
    condition, x1, x2 = elements(layer, operands, at, working, roles)
    value = x1 if condition else x2
    text = "; condition holds: input 1" if condition else "; condition does not hold: input 2"
    working.step("choice", text, value, c="condition")
    return value
