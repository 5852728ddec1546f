"""Many elements to one without weights: MEAN, SUM, CUMSUM, REDUCE_MAX, REDUCE_MIN, ARG_MAX,
ARG_MIN, pools, L2_NORMALIZATION and RESIZE_BILINEAR."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ops.cumsum import SUM_BITS
from ...ops.l2_normalization import OUTPUT_BITS
from ...ops.resize_bilinear import ONE
from ...prepare import PreparedLayer
from ..arithmetic import arithmetic, limits, reduced, running
from .fixedpoint import inverse_square_root
from .steps import At, Number, Term, Working, minus, signed
from .weighted import rescale

Array = NDArray[Any]


def _input(layer: PreparedLayer, working: Working) -> None:
    index = layer.node.inputs[0]
    working.operand("input", index, layer.graph.tensors[index])


def _chosen(x: Array, index: Any) -> list[At]:
    """The places that an index chooses."""
    places = np.arange(x.size).reshape(x.shape)[index].reshape(-1)
    return [tuple(int(i) for i in np.unravel_index(int(place), x.shape)) for place in places]


def _terms(working: Working, x: Array, places: Iterable[At], zero_point: int) -> int:
    """Note the elements to add, less their zero point; their sum."""
    for place in places:
        value = int(x[place])
        values: dict[str, Number] = {"input": value}
        if zero_point:
            values["less zero point"] = value - zero_point
        working.terms.append(Term(place, values))
    return sum(int(term.value) for term in working.terms)


def explain_mean(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p, x = layer.params, operands[0]
    _input(layer, working)
    total = _terms(working, x, _chosen(x, reduced(layer, x, at)), p.input_zero_point)
    working.step(
        "accumulator", f"; sum of {p.count} values less their zero point", total, c="sum ="
    )
    own = arithmetic(layer, operands, at)
    assert own is not None
    tensors = layer.graph.tensors
    source = tensors[layer.node.inputs[0]].quantization
    output = tensors[layer.node.outputs[0]].quantization
    assert source is not None
    assert output is not None
    real = source.scale / output.scale
    divisor = p.count if layer.node.op == "MEAN" else 1
    divided = f" / {p.count}" if divisor > 1 else ""
    working.step(
        "real multiplier",
        f"{source.scale:.6g} / {output.scale:.6g}{divided}",
        real / divisor,
        "scales of input and output"
        + (", and the count: cut, not rounded, in fixed point" if divisor > 1 else ""),
    )
    return rescale(working, own, total)


def explain_cumsum(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    p, x = layer.params, operands[0]
    _input(layer, working)
    axes = layer.graph.tensors[layer.node.inputs[1]].data
    assert axes is not None
    axis = int(axes.reshape(-1)[0]) % x.ndim
    places = [(*at[:axis], place, *at[axis + 1 :]) for place in running(layer, x, at)]
    total = _terms(working, x, places, p.input_zero_point)
    begun = total - p.input_zero_point
    if p.input_zero_point:
        text = f"{total} {signed(-p.input_zero_point)}; the sum begins at minus the zero point"
        working.step("sum", text, begun, "as TFLM has it (ARITHMETIC.md)", c="sum")
    else:
        working.step("sum", f"; of {len(places)} values", begun, c="sum")
    scaled = working.wrapped("finer", f"{begun} * 2^{SUM_BITS}", begun << SUM_BITS, c="scaled")
    own = arithmetic(layer, operands, at)
    assert own is not None
    return rescale(working, own, scaled)


def explain_extreme(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    """REDUCE_MAX, REDUCE_MIN."""
    x = operands[0]
    _input(layer, working)
    _terms(working, x, _chosen(x, reduced(layer, x, at)), 0)
    values = [int(term.value) for term in working.terms]
    name, value = ("largest", max(values)) if layer.params.sign > 0 else ("smallest", min(values))
    working.step(f"the {name}", f"; of {len(values)} values", value, c="result =")
    return value


def explain_arg(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    """ARG_MAX, ARG_MIN."""
    p, x = layer.params, operands[0]
    _input(layer, working)
    flat = int(np.ravel_multi_index(at, layer.graph.tensors[layer.node.outputs[0]].shape))
    outer, inner = divmod(flat, p.inner)
    places = np.arange(x.size).reshape(p.outer, p.depth, p.inner)[outer, :, inner]
    where = [tuple(int(i) for i in np.unravel_index(int(place), x.shape)) for place in places]
    _terms(working, x, where, 0)
    values = [int(term.value) for term in working.terms]
    extreme = max(values) if p.sign > 0 else min(values)
    name = "largest" if p.sign > 0 else "smallest"
    working.step(f"the {name}", f"; of {len(values)} values", extreme)
    place = values.index(extreme)
    working.step("its place", f"; the first with {extreme}", place, c="best")
    return place


def explain_pool(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    p, x = layer.params, operands[0]
    _input(layer, working)
    n, y0, x0, channel = at
    places = []
    for ky, kx in np.ndindex(p.kernel_height, p.kernel_width):
        y, x_ = y0 * p.stride_height - p.pad_top + ky, x0 * p.stride_width - p.pad_left + kx
        if 0 <= y < p.input_height and 0 <= x_ < p.input_width:
            places.append((n, y, x_, channel))
    total = _terms(working, x, places, 0)
    count, size = len(places), p.kernel_height * p.kernel_width
    inside = f"{count} of {size} taps lie inside the input" if count < size else f"{count} values"
    clamp = p.activation_min, p.activation_max
    if layer.node.op == "MAX_POOL_2D":
        value = max(int(term.value) for term in working.terms)
        working.step("the largest", f"; {inside}", value, c="in[c] > output[c]")
        return working.clamp(value, clamp, c="mi_clamp")
    working.step("sum", f"; {inside}, raw integers, zero points stay in", total, c="sums[c] +=")
    half = count // 2 if total >= 0 else -(count // 2)
    value = abs(total + half) // count * (-1 if total + half < 0 else 1)
    working.step(
        "average",
        f"({total} {signed(half)}) / {count}; cut to an integer",
        value,
        f"exactly {total / count:.8g}: rounded, ties away from zero",
        c="/ count;",
    )
    return working.clamp(value, clamp, c="mi_clamp")


def explain_l2_normalization(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    p, x = layer.params, operands[0]
    _input(layer, working)
    for place in _chosen(x, at[:-1]):
        value = int(x[place])
        values: dict[str, Number] = {"input": value}
        if p.input_zero_point:
            values["less zero point"] = value - p.input_zero_point
        values["square"] = (value - p.input_zero_point) ** 2
        working.terms.append(Term(place, values))
    squares = sum(int(term.value) for term in working.terms)
    working.step("sum of squares", f"; of {p.depth} values", squares, c="squares +=")
    multiplier, shift = inverse_square_root(working, squares)
    v = int(x[at]) - p.input_zero_point
    working.step("this element", minus(int(x[at]), p.input_zero_point), v)
    text = f"{v} / sqrt({squares}); in steps of 1/128: {OUTPUT_BITS} bits further left"
    working.step("normalized", text, v / max(squares, 1) ** 0.5 * 2**OUTPUT_BITS)
    steps = working.requantize(v, multiplier, shift + OUTPUT_BITS)
    return working.output(steps, 0, limits(layer))


def explain_resize_bilinear(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    p, x = layer.params, operands[0]
    _input(layer, working)
    n, row, column, channel = at
    weighted = []
    for name, place, scale, offset, size in (
        ("row", row, p.row_scale, p.row_offset, p.input_height),
        ("column", column, p.column_scale, p.column_offset, p.input_width),
    ):
        found = min(max(place * scale + offset, 0), (size - 1) * ONE)
        low, rest = divmod(found, ONE)
        working.step(
            f"{name} in the input",
            f"min(max({place} * {scale} {signed(offset)}, 0), {(size - 1) * ONE})",
            found,
            f"in 1024ths: {name} {low} counts {ONE - rest}, the next one {rest}",
            c=f"{name}_scale",
        )
        weighted.append([(low, ONE - rest)] + ([(low + 1, rest)] if rest else []))
    for y, y_weight in weighted[0]:
        for x_, x_weight in weighted[1]:
            where, weight = (n, y, x_, channel), y_weight * x_weight
            value = int(x[where])
            working.terms.append(
                Term(where, {"input": value, "weight": weight, "product": value * weight})
            )
    total = sum(int(term.value) for term in working.terms)
    working.step("sum of products", "; weights together 2^20", total, c="sum")
    value = (abs(total) + ONE * ONE // 2) // (ONE * ONE) * (-1 if total < 0 else 1)
    text = f"{total} / 2^20 = {total / 2**20:.8g}"
    working.step("divide and round", text, value, "ties away from zero", c="sum")
    return value
