"""As cases.py: the kernels of int16, most of them with the params of their int8 twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from microinfer.ops import (
    lookup_s16,
    quantize,
    rescale,
    select,
    sigmoid_tanh,
    softmax,
    softmax_s16,
    sqrt_rsqrt,
)

from . import cases, compute
from .cases import Array, Case, Rng, pick, picks

STRUCTS: dict[type, str] = {
    lookup_s16.LookupInt16Params: "mi_lookup_s16_params",
    sqrt_rsqrt.RsqrtParams: "mi_rsqrt_params",
    rescale.RescaleParams: "mi_rescale_params",
    quantize.QuantizeInt16Params: "mi_quantize_params",
    quantize.QuantizeUint8Params: "mi_quantize_params",
    sigmoid_tanh.SigmoidTanhParams: "mi_sigmoid_tanh_params",
    softmax.SoftmaxToInt16Params: "mi_softmax_params",
    softmax_s16.Softmax16Params: "mi_softmax_s16_params",
}


def int16(rng: Rng, *shape: int) -> Array:
    """Anything, or the ends and about zero."""
    anything = rng.integers(-(2**15), 2**15, shape, np.int16)
    ends = rng.choice(np.array([-(2**15), -1, 0, 1, 2**15 - 1], np.int16), shape)
    return np.where(rng.random(shape) < 0.2, ends, anything)


def widened(case: Case, rng: Rng, finer: int = 0) -> Case:
    """The int16 twin of an int8 case; ``finer`` bits further right for its output."""
    known: dict[str, Any] = {}
    for field in fields(case.params):
        value = getattr(case.params, field.name)
        if field.name.endswith("zero_point"):
            known[field.name] = 0
        elif field.name.startswith("activation"):
            known[field.name] = value * 256 + (255 if value > 0 else 0)
    if finer:
        known["output_shift"] = case.params.output_shift - finer
    inputs = [int16(rng, *x.shape) for x in case.inputs]
    if isinstance(case.params, select.SelectParams):
        inputs[0] = case.inputs[0]
    dtype: type = np.int16 if case.dtype is np.int8 else case.dtype
    kernel = case.kernel.removesuffix("_s8") + "_s16"
    params = replace(case.params, **known)
    return Case(kernel, case.evaluate, params, tuple(inputs), case.size, dtype)


def twin(name: str, finer: int = 0) -> Callable[[Rng], Case]:
    table = {**cases.CASES, **compute.CASES}
    return lambda rng: widened(table[name](rng), rng, finer)


def rescaled(rng: Rng) -> Case:
    """From any type to any other, with two slopes."""
    types = {"INT32": np.int32, "UINT8": np.uint8, "INT16": np.int16, "INT8": np.int8}
    source, target = (str(name) for name in rng.choice(list(types), 2))
    limits = [np.iinfo(types[name]) for name in (source, target)]
    zero_points = [
        0 if limit.bits > 8 else pick(rng, int(limit.min), int(limit.max)) for limit in limits
    ]
    turned = int(rng.choice([-1, 1]))
    p = rescale.RescaleParams(
        size=pick(rng, 1, 100),
        input_type=rescale.TYPES[source],
        output_type=rescale.TYPES[target],
        input_zero_point=zero_points[0],
        positive_multiplier=pick(rng, 2**30, 2**31 - 1),
        positive_shift=pick(rng, -20, 3),
        negative_multiplier=turned * pick(rng, 2**30, 2**31 - 1),
        negative_shift=pick(rng, -20, 3),
        negative_sign=int(rng.choice([-1, 1])),
        output_zero_point=zero_points[1],
        activation_min=int(limits[1].min),
        activation_max=int(limits[1].max),
    )
    x = rng.integers(limits[0].min, limits[0].max, p.size, types[source], endpoint=True)
    in_place = source == target  # of other types it could be, but the test compares by type
    return Case("mi_rescale", rescale.eval, p, (x,), p.size, types[target], in_place)


def sigmoid(rng: Rng) -> Case:
    multiplier, shift = pick(rng, 0, 32767), pick(rng, 0, 31)
    p = sigmoid_tanh.SigmoidTanhParams(pick(rng, 1, 300), pick(rng, 0, 1), multiplier, shift)
    x = int16(rng, p.size)
    return Case("mi_sigmoid_tanh_s16", sigmoid_tanh.eval, p, (x,), p.size, np.int16, True)


def softmaxed(rng: Rng) -> Case:
    """From int16 to int16."""
    rows, depth = pick(rng, 1, 3), int(rng.choice([1, 2, 40, 257, 65535]))
    multiplier, shift = pick(rng, 2**30, 2**31 - 1), pick(rng, -12, 15)
    falling = np.sort(rng.integers(16384, 32768, 513))[::-1].astype(np.int16)
    p = softmax_s16.Softmax16Params(rows, depth, multiplier, shift, falling)
    x = int16(rng, rows, depth) >> pick(rng, 0, 15)
    return Case("mi_softmax_s16", softmax_s16.eval, p, (x,), x.size, np.int16, True)


def softmaxed_to_int16(rng: Rng) -> Case:
    case = cases.softmaxed(rng)
    p = softmax.SoftmaxToInt16Params(*(getattr(case.params, f.name) for f in fields(case.params)))
    return Case("mi_softmax_s8_s16", softmax.eval, p, case.inputs, case.size, np.int16)


def looked_up(rng: Rng) -> Case:
    p = lookup_s16.LookupInt16Params(pick(rng, 1, 300), int16(rng, 513))
    x = int16(rng, p.size)
    return Case("mi_lookup_s16", lookup_s16.eval, p, (x,), p.size, np.int16, True)


def reciprocal_root(rng: Rng) -> Case:
    p = sqrt_rsqrt.RsqrtParams(pick(rng, 1, 50), pick(rng, 2**30, 2**31 - 1), pick(rng, -31, 0))
    x = int16(rng, p.size)
    return Case("mi_rsqrt_s16", sqrt_rsqrt.eval, p, (x,), p.size, np.int16, True)


def quantized(rng: Rng, params: type, kernel: str) -> Case:
    case = cases.quantized(rng)
    with np.errstate(all="ignore"):
        wide = case.inputs[0] * np.float32(rng.choice([1, 100]))
    p = params(wide.size, case.params.scale, zero_point=int(rng.choice([0, 0, 3, 127])))
    return Case(kernel, quantize.eval_quantize, p, (wide,), wide.size, params.dtype)


def dequantized(rng: Rng, dtype: type, kernel: str) -> Case:
    limits = np.iinfo(dtype)
    case = cases.dequantized(rng)
    p = replace(case.params, zero_point=pick(rng, int(limits.min), int(limits.max)))
    x = np.array([limits.min, limits.max, *picks(rng, limits.min, limits.max, 254)], dtype)
    return Case(kernel, quantize.eval_dequantize, p, (x,), 256, np.float32)


CASES: dict[str, Callable[[Rng], Case]] = {
    "add_sub int16": twin("add_sub"),
    "comparison int16": twin("comparison"),
    "dequantize int16": lambda rng: dequantized(rng, np.int16, "mi_dequantize_s16_f32"),
    "dequantize uint8": lambda rng: dequantized(rng, np.uint8, "mi_dequantize_u8_f32"),
    "maximum_minimum int16": twin("maximum_minimum"),
    "mean int16": twin("mean"),
    "mul int16": twin("mul", finer=8),
    "lookup int16": looked_up,
    "rsqrt int16": reciprocal_root,
    "quantize int16": lambda rng: quantized(
        rng, quantize.QuantizeInt16Params, "mi_quantize_f32_s16"
    ),
    "quantize uint8": lambda rng: quantized(
        rng, quantize.QuantizeUint8Params, "mi_quantize_f32_u8"
    ),
    "reduce_extreme int16": twin("reduce_extreme"),
    "rescale": rescaled,
    "resize_bilinear int16": twin("resize_bilinear"),
    "select int16": twin("select"),
    "sigmoid_tanh": sigmoid,
    "softmax int16": softmaxed,
    "softmax int8 to int16": softmaxed_to_int16,
    "squared_difference int16": twin("squared_difference"),
}
