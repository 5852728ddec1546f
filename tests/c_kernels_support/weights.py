"""As cases.py: layers with weights on int16 activations, and with int4 weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from microinfer.ops import conv_2d, depthwise_conv_2d, fully_connected, transpose_conv
from microinfer.tflite.packing import pack, unpack

from . import cases, compute
from .cases import Array, Case, Rng
from .int16 import int16, twin

STRUCTS: dict[type, str] = {
    conv_2d.Conv2DS16Params: "mi_conv_2d_s16_params",
    depthwise_conv_2d.DepthwiseConv2DS16Params: "mi_depthwise_conv_2d_s16_params",
    fully_connected.FullyConnectedF64S16Params: "mi_fully_connected_f64_s16_params",
    fully_connected.FullyConnectedS16Params: "mi_fully_connected_s16_params",
    transpose_conv.TransposeConvS16Params: "mi_transpose_conv_s16_params",
}


def wide(case: Case, rng: Rng, kind: type) -> Case:
    """The int16 twin of an int8 case, with params of ``kind`` and a bias beyond int32 at times."""
    known: dict[str, Any] = {}
    for field in fields(kind):
        if field.name == "double_rounding":
            known[field.name] = int(rng.integers(2))
            continue
        value = getattr(case.params, field.name)
        if field.name.startswith("activation"):
            value = value * 256 + (255 if value > 0 else 0)
        known[field.name] = value
    if known["bias"] is not None:
        narrow = known.get("double_rounding") == 1
        known["bias"] = known["bias"].astype(np.int64) * (2**8 if narrow else 2**20)
    kernel = case.kernel.removesuffix("_s8") + "_s16"
    inputs = tuple(int16(rng, *x.shape) for x in case.inputs)
    return Case(kernel, case.evaluate, kind(**known), inputs, case.size, np.int16)


def packed(case: Case) -> Case:
    """The same with int4 weights, which the kernel is given packed."""
    small = np.clip(case.params.weights >> 4, -8, 7).astype(np.int8)
    bytes_ = pack(small, "INT4").view(np.int8)

    def evaluate(params: Any, *inputs: Array) -> Array:
        values = unpack(params.weights.view(np.uint8), "INT4", small.size)
        return case.evaluate(replace(params, weights=values.reshape(small.shape)), *inputs)

    params = replace(case.params, weights=bytes_)
    if getattr(params, "weights_zero_point", 0):
        params = replace(params, weights_zero_point=0)
    base = case.kernel.removesuffix("_s8")
    return case._replace(kernel=base + "_s4", evaluate=evaluate, params=params)


ALL = {**cases.CASES, **compute.CASES}
KINDS = {
    "conv_2d": conv_2d.Conv2DS16Params,
    "depthwise_conv_2d": depthwise_conv_2d.DepthwiseConv2DS16Params,
    "fully_connected": fully_connected.FullyConnectedS16Params,
    "fully_connected_f64": fully_connected.FullyConnectedF64S16Params,
    "transpose_conv": transpose_conv.TransposeConvS16Params,
}
PACKED = ("conv_2d", "depthwise_conv_2d", "fully_connected", "fully_connected_f64")
PACKED_WIDE = ("conv_2d", "fully_connected", "fully_connected_f64")


def of_int16(name: str) -> Callable[[Rng], Case]:
    return lambda rng: wide(ALL[name](rng), rng, KINDS[name])


def of_int4(make: Callable[[Rng], Case]) -> Callable[[Rng], Case]:
    return lambda rng: packed(make(rng))


CASES: dict[str, Callable[[Rng], Case]] = {
    **{f"{name} int16": of_int16(name) for name in KINDS},
    **{f"{name} int4": of_int4(ALL[name]) for name in PACKED},
    **{f"{name} int16 int4": of_int4(of_int16(name)) for name in PACKED_WIDE},
    **{f"{name} int16": twin(name) for name in ("batch_matmul", "average_pool_2d", "max_pool_2d")},
}
