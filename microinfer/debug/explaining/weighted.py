"""Layers that sum products: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED and
BATCH_MATMUL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...prepare import PreparedLayer
from ..arithmetic import Arithmetic, arithmetic, row_and_column
from .steps import At, Number, Term, Working, signed

Array = NDArray[Any]
# Place of an input element, that of its weight, whether it lies outside the image.
Tap = tuple[At, At, bool]


def explain(layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working) -> int:
    """Of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV or FULLY_CONNECTED."""
    p, node, graph = layer.params, layer.node, layer.graph
    positions = (2, 1, 3) if node.op == "TRANSPOSE_CONV" else (0, 1, 2)
    indices = [node.inputs[i] if i < len(node.inputs) else -1 for i in positions]
    source, weights = (graph.tensors[index] for index in indices[:2])
    x = operands[0]
    channel = at[-1]
    working.operand("input", indices[0], source)
    working.operand("weights", indices[1], weights, channel=channel)
    bias = 0
    if p.bias is not None:
        bias = int(p.bias[channel])
        working.operand("bias", indices[2], graph.tensors[indices[2]], (channel,), bias)
    zero_point = getattr(p, "input_zero_point", 0)
    weights_zero_point = getattr(p, "weights_zero_point", 0)
    taps = {
        "CONV_2D": _conv,
        "DEPTHWISE_CONV_2D": _depthwise,
        "TRANSPOSE_CONV": _transposed,
        "FULLY_CONNECTED": _dense,
    }[node.op]
    rows = p.weights
    for place, weight_at, padded in taps(layer, x, at):
        q = zero_point if padded else int(x[place])
        w = int(rows[weight_at])
        values: dict[str, Number] = {"input": q}
        if zero_point:
            values["less zero point"] = q - zero_point
        values["weight"] = w
        if weights_zero_point:
            values["less its zero point"] = w - weights_zero_point
        values["product"] = (q - zero_point) * (w - weights_zero_point)
        working.terms.append(Term(place, values, weight_at, padded))
    own = arithmetic(layer, operands, at)
    assert own is not None
    s_x, s_w = (operand.scale for operand in working.operands[:2])
    assert s_x is not None
    assert s_w is not None
    total = sum(int(term.value) for term in working.terms)
    count, outside = len(working.terms), sum(term.padded for term in working.terms)
    note = (
        f"{count - outside} of {count} lie inside the input" if outside else f"of {count} products"
    )
    working.step("sum of products", f"; {note}", total, c=_adding(layer, weights.type))
    if p.bias is not None:
        working.step(
            "accumulator",
            f"{total} {signed(bias)}; the bias",
            total + bias,
            c="acc[c] =" if node.op == "DEPTHWISE_CONV_2D" else "acc =",
        )
    own_scale = weights.quantization is not None and weights.quantization.per_channel
    of = f"weights (channel {channel})" if own_scale else "weights"
    return finish(working, layer, own, total + bias, ("input", s_x), (of, s_w))


def _adding(layer: PreparedLayer, weights: str) -> str:
    """The kernel's text that adds a product."""
    if layer.node.op == "DEPTHWISE_CONV_2D":
        return "acc[c] +="
    if weights == "INT4":
        return "acc += mi_int4"
    narrow = hasattr(layer.params, "weights_zero_point")
    return "acc += (weights[i]" if narrow else "acc += w[i]"


def finish(
    working: Working,
    layer: PreparedLayer,
    own: Arithmetic,
    acc: int,
    first: tuple[str, float],
    second: tuple[str, float],
) -> int:
    """From accumulator to output, with the real multiplier of three scales."""
    output = layer.graph.tensors[layer.node.outputs[0]]
    assert output.quantization is not None
    s_y = float(output.quantization.scales[0])
    working.step(
        "real multiplier",
        f"{first[1]:.6g} * {second[1]:.6g} / {s_y:.6g}",
        first[1] * second[1] / s_y,
        f"scales of {first[0]}, {second[0]} and output",
    )
    return rescale(working, own, acc)


def rescale(working: Working, own: Arithmetic, acc: int) -> int:
    """From accumulator to output, by the stage that the layer has."""
    if own.rounding == "float64":
        real = own.multiplier * 2.0 ** (own.shift - 31)
        product = acc * real
        working.step(
            "float64 product",
            f"{acc} * {real!r}",
            product,
            "53 bits: this runtime rescales in double",
            c="mi_round_f64_product",
        )
        steps = int(abs(product))
        steps += abs(product) - steps >= 0.5
        steps *= -1 if product < 0 else 1
        working.step(
            "round",
            "; to the nearest integer, ties away from zero",
            steps,
            c="mi_round_f64_product",
        )
    else:
        working.step(
            "in fixed point",
            f"{own.multiplier} * 2^({own.shift} - 31)",
            own.multiplier * 2.0 ** (own.shift - 31),
            f"exactly, {acc} times this is {_real(own):.9g} steps of the output",
        )
        if own.rounding == "double":
            steps = working.requantize(acc, own.multiplier, own.shift)
        else:
            steps = working.requantize_int64(acc, own.multiplier, own.shift)
        if own.negated:
            working.step("negative factor", f"-({steps})", -steps, c="steps =")
            steps = -steps
    return working.output(steps, own.zero_point, own.clamp)


def _real(own: Arithmetic) -> float:
    return -own.real if own.negated else own.real


def _conv(layer: PreparedLayer, x: Array, at: At) -> Iterator[Tap]:
    p = layer.params
    n, y0, x0, o = at
    first = o // (p.output_channels // (p.input_channels // p.group_channels)) * p.group_channels
    for ky, kx, i in np.ndindex(p.kernel_height, p.kernel_width, p.group_channels):
        y = y0 * p.stride_height - p.pad_top + ky * p.dilation_height
        x_ = x0 * p.stride_width - p.pad_left + kx * p.dilation_width
        yield (n, y, x_, first + i), (o, ky, kx, i), _outside(x, y, x_)


def _depthwise(layer: PreparedLayer, x: Array, at: At) -> Iterator[Tap]:
    p = layer.params
    n, y0, x0, o = at
    for ky, kx in np.ndindex(p.kernel_height, p.kernel_width):
        y = y0 * p.stride_height - p.pad_top + ky * p.dilation_height
        x_ = x0 * p.stride_width - p.pad_left + kx * p.dilation_width
        yield (n, y, x_, o // p.depth_multiplier), (0, ky, kx, o), _outside(x, y, x_)


def _transposed(layer: PreparedLayer, x: Array, at: At) -> Iterator[Tap]:
    """The inputs that reach the output: those whose stride and kernel meet there."""
    p = layer.params
    n, y0, x0, o = at
    for ky, kx in np.ndindex(p.kernel_height, p.kernel_width):
        y, rest_y = divmod(y0 + p.pad_top - ky, p.stride_height)
        x_, rest_x = divmod(x0 + p.pad_left - kx, p.stride_width)
        if rest_y or rest_x or _outside(x, y, x_):
            continue  # nothing is padded here: no input is scattered to it
        for i in range(p.input_channels):
            yield (n, y, x_, i), (o, ky, kx, i), False


def _outside(x: Array, row: int, column: int) -> bool:
    return not (0 <= row < x.shape[1] and 0 <= column < x.shape[2])


def _dense(layer: PreparedLayer, x: Array, at: At) -> Iterator[Tap]:
    p = layer.params
    shape = layer.graph.tensors[layer.node.outputs[0]].shape
    row = int(np.ravel_multi_index(at, shape)) // p.output_size
    for i in range(p.input_size):
        place = np.unravel_index(row * p.input_size + i, x.shape)
        yield tuple(int(k) for k in place), (at[-1], i), False


def explain_batch_matmul(
    layer: PreparedLayer, operands: Sequence[Array], at: At, working: Working
) -> int:
    p, node, graph = layer.params, layer.node, layer.graph
    scales = []
    for role, index in zip(("left side", "right side"), node.inputs, strict=True):
        scales.append(working.operand(role, index, graph.tensors[index]).scale)
    sides = row_and_column(layer, operands, at)
    for a, a_at, b, b_at in zip(*sides[0], *sides[1], strict=True):
        left, right = int(a) - p.lhs_zero_point, int(b) - p.rhs_zero_point
        values: dict[str, Number] = {"left": int(a)}
        if p.lhs_zero_point:
            values["less zero point"] = left
        values["right"] = int(b)
        if p.rhs_zero_point:
            values["less its zero point"] = right
        values["product"] = left * right
        places = [
            tuple(int(k) for k in np.unravel_index(int(place), operand.shape))
            for place, operand in zip((a_at, b_at), operands, strict=True)
        ]
        working.terms.append(Term(places[0], values, places[1]))
    own = arithmetic(layer, operands, at)
    assert own is not None
    total = sum(int(term.value) for term in working.terms)
    working.step("accumulator", f"; sum of {len(working.terms)} products", total, c="acc +=")
    s_left, s_right = scales
    assert s_left is not None
    assert s_right is not None
    return finish(working, layer, own, total, ("left side", s_left), ("right side", s_right))
