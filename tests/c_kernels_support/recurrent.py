"""As cases.py: kernels with state. A case is (kernel, eval, params, input, output size, states)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microinfer.fixedpoint import INT32_MAX
from microinfer.ops import lstm, svdf

from .cases import Rng, int8, pick, picks

STRUCTS: dict[type, str] = {
    lstm.LstmGate: "mi_lstm_gate",
    lstm.LstmParams: "mi_lstm_params",
    svdf.SvdfParams: "mi_svdf_params",
    svdf.SvdfInt8Params: "mi_svdf_s8_params",
}

Case = tuple[str, Callable[..., Any], Any, NDArray[Any], int, list[NDArray[Any]]]


def multiplier(rng: Rng) -> int:
    return int(rng.integers(2**30, 2**31))


def _svdf(rng: Rng, kind: type[svdf.SvdfParams], dtype: type[np.signedinteger[Any]]) -> Case:
    batches, size, units, rank, memory = picks(rng, 1, 5, 5)
    filters, limits = units * rank, np.iinfo(dtype)
    p = kind(
        batches=batches,
        input_size=size,
        filters=filters,
        rank=rank,
        memory_size=memory,
        input_zero_point=pick(rng, -128, 127),
        state_zero_point=pick(rng, -128, 127) if dtype is np.int8 else 0,
        output_zero_point=pick(rng, -128, 127),
        feature_multiplier=multiplier(rng),
        feature_shift=pick(rng, -9, 3),
        output_multiplier=multiplier(rng),
        output_shift=pick(rng, -26, 0),
        weights_feature=int8(rng, filters, size),
        weights_time=rng.integers(limits.min, limits.max + 1, (filters, memory)).astype(dtype),
        bias=rng.integers(-(2**31), 2**31, units).astype(np.int32) if pick(rng, 0, 1) else None,
    )
    state = rng.integers(limits.min, limits.max + 1, batches * filters * memory).astype(dtype)
    kernel = "mi_svdf_s8" if dtype is np.int8 else "mi_svdf_s8_s16"
    return kernel, svdf.eval, p, int8(rng, batches, size), batches * units, [state]


def _gate(rng: Rng, units: int, size: int) -> lstm.LstmGate:
    return lstm.LstmGate(
        input_multiplier=multiplier(rng),
        input_shift=pick(rng, -8, 8),
        recurrent_multiplier=multiplier(rng),
        recurrent_shift=pick(rng, -8, 8),
        input_weights=int8(rng, units, size),
        recurrent_weights=int8(rng, units, units),
        bias=rng.integers(-(2**20), 2**20, units).astype(np.int32),
    )


def _lstm(rng: Rng) -> Case:
    batches, steps, size, units = picks(rng, 1, 4, 4)
    polynomial, time_major, power = pick(rng, 0, 1), pick(rng, 0, 1), pick(rng, -15, -9)
    single = (INT32_MAX, -15), (INT32_MAX, -30 - power)
    double = (2**30, -14), (2**30, -29 - power)
    (forget, product), left = single if polynomial else double, 12 + power
    clip = pick(rng, 1, 32767)
    p = lstm.LstmParams(
        batches=batches,
        steps=steps,
        input_size=size,
        units=units,
        batch_stride=1 if time_major else steps,
        step_stride=batches if time_major else 1,
        input_zero_point=pick(rng, -128, 127),
        hidden_zero_point=pick(rng, -128, 127),
        output_zero_point=pick(rng, -128, 127),
        recurrent_max=(1 << 30) - 1 if polynomial else 32767,
        forget_multiplier=forget[0],
        forget_shift=forget[1],
        input_multiplier=product[0],
        input_shift=product[1],
        hidden_multiplier=multiplier(rng),
        hidden_shift=pick(rng, -24, -20),
        cell_min=-clip,
        cell_max=clip,
        by_polynomial=polynomial,
        cell_multiplier=3 << max(left, 0),
        cell_shift=max(-left, 0),
        cell_integer_bits=15 + power,
        input_gate=_gate(rng, units, size),
        forget_gate=_gate(rng, units, size),
        cell_gate=_gate(rng, units, size),
        output_gate=_gate(rng, units, size),
    )
    hidden = int8(rng, batches * units)
    cell = rng.integers(-(2**15), 2**15, batches * units).astype(np.int16)
    x = int8(rng, batches, steps, size)
    return "mi_lstm_s8", lstm.eval, p, x, batches * steps * units, [hidden, cell]


CASES: dict[str, Callable[[Rng], Case]] = {
    "lstm": _lstm,
    "svdf": lambda rng: _svdf(rng, svdf.SvdfParams, np.int16),
    "svdf_int8": lambda rng: _svdf(rng, svdf.SvdfInt8Params, np.int8),
}
