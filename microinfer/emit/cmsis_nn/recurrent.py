"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM by CMSIS-NN: int8, with states of int8 and int16."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import real_multiplier
from ...ops.lstm import LstmGate, LstmParams
from ...ops.svdf import SvdfInt8Params, SvdfParams
from ...prepare import PreparedLayer
from ..kernels import Call
from . import params as own
from . import scratch
from .adapter import adapter
from .limits import LARGEST_SUM
from .scratch import MVE, forms, most

SVDF = adapter("svdf_s8_s16", "svdf", "svdf", "arm_svdf_state_s16_s8", True)
SVDF_S8 = adapter("svdf_s8", "svdf_s8", "svdf", "arm_svdf_s8", True)
LSTM = adapter("lstm_s8", "lstm", "lstm", "arm_lstm_unidirectional_s8", True)
TABLE = 2**15 - 1  # recurrent_max of the runtime whose sigmoid and tanh are tables
LARGEST_TERM = 2**15 - 1  # of the hidden state in a gate, which the library does not limit


def svdf(layer: PreparedLayer, core: str) -> Call | None:
    """With an int16 state. The sums over time may leave int32: they wrap, here and there. What
    follows must not: its multiplier is below one half."""
    p: SvdfParams = layer.params
    if not _features_fit(p) or p.output_shift > -1:
        return None
    params = own.SvdfParams(
        input=(p.batches, p.input_size, 1, 1),
        features=(p.filters, p.input_size, 1, 1),
        time=(p.filters, p.memory_size, 1, 1),
        rank=p.rank,
        input_zero_point=p.input_zero_point,
        output_offset=p.output_zero_point,
        feature_multiplier=p.feature_multiplier,
        feature_shift=p.feature_shift,
        output_multiplier=p.output_multiplier,
        output_shift=p.output_shift,
        weights_feature=p.weights_feature,
        weights_time=p.weights_time,
        bias=p.bias,
    )
    return Call(SVDF, params, (0,), (0, 1), scratch_bytes=most(core, scratch.svdf, params))


def svdf_s8(layer: PreparedLayer, core: str) -> Call | None:
    """With an int8 state, of which the library knows no zero point."""
    p: SvdfInt8Params = layer.params
    bias = 0 if p.bias is None else int(np.abs(p.bias.astype(np.int64)).max())
    largest = (bias + 2**14 * p.memory_size * p.rank) << max(p.output_shift, 0)
    if p.state_zero_point or not _features_fit(p) or largest > LARGEST_SUM:
        return None
    params = own.SvdfS8Params(
        input=(p.batches, p.input_size, 1, 1),
        features=(p.filters, p.input_size, 1, 1),
        time=(p.filters, p.memory_size, 1, 1),
        rank=p.rank,
        input_zero_point=p.input_zero_point,
        output_offset=p.output_zero_point,
        feature_multiplier=p.feature_multiplier,
        feature_shift=p.feature_shift,
        output_multiplier=p.output_multiplier,
        output_shift=p.output_shift,
        weights_feature=p.weights_feature,
        kernel_sums=_sums(p.weights_feature, p.input_zero_point) if MVE in forms(core) else None,
        weights_time=p.weights_time,
        bias=p.bias,
    )
    return Call(SVDF_S8, params, (0,), (0, 1), scratch_bytes=most(core, scratch.svdf, params))


def _features_fit(p: SvdfParams) -> bool:
    taps = np.abs(p.weights_feature.astype(np.int64)).sum(axis=1).max()
    return bool(256 * taps << max(p.feature_shift, 0) <= LARGEST_SUM)


def _sums(weights: NDArray[np.int8], zero_point: int) -> NDArray[np.int32]:
    """-zero point * sum of an output's weights, of weights [outputs, inputs]."""
    sums: NDArray[np.int64] = weights.astype(np.int64).sum(axis=1)
    return (-zero_point * sums).astype(np.int32)


def lstm(layer: PreparedLayer, core: str) -> Call | None:
    p: LstmParams = layer.params
    time_major = p.batch_stride == 1 and p.step_stride == p.batches
    if p.by_polynomial or p.recurrent_max != TABLE:
        return None
    gates = [made for gate in p.gates if (made := _gate(p, gate)) is not None]
    if len(gates) < len(p.gates):
        return None
    params = own.LstmParams(
        time_major=int(time_major),
        batches=p.batches,
        steps=p.steps,
        input_size=p.input_size,
        units=p.units,
        forget_multiplier=p.forget_multiplier,
        forget_shift=p.forget_shift,
        input_multiplier=p.input_multiplier,
        input_shift=p.input_shift,
        cell_clip=p.cell_max if p.cell_min == -p.cell_max else 0,
        cell_power=p.cell_integer_bits - 15,
        hidden_multiplier=p.hidden_multiplier,
        hidden_shift=p.hidden_shift,
        output_offset=p.output_zero_point,
        input_gate=gates[0],
        forget_gate=gates[1],
        cell_gate=gates[2],
        output_gate=gates[3],
    )
    nbytes = most(core, scratch.lstm, params)
    return Call(LSTM, params, (0,), (0, 1, 2), scratch_bytes=nbytes)


def _gate(p: LstmParams, gate: LstmGate) -> own.LstmGate | None:
    """None where the library's recurrent term, to which it sets no limit, might leave int16."""
    taps = np.abs(gate.recurrent_weights.astype(np.int64)).sum(axis=1).max()
    farthest = max(127 - p.hidden_zero_point, p.hidden_zero_point + 128)
    recurrent = real_multiplier(gate.recurrent_multiplier, gate.recurrent_shift)
    of_input = np.abs(gate.bias.astype(np.int64)) + 256 * np.abs(
        gate.input_weights.astype(np.int64)
    ).sum(axis=1)
    if (
        taps * farthest * recurrent >= LARGEST_TERM
        or 256 * taps << max(gate.recurrent_shift, 0) > LARGEST_SUM
        or of_input.max() << max(gate.input_shift, 0) > LARGEST_SUM
    ):
        return None
    return own.LstmGate(
        input_multiplier=gate.input_multiplier,
        input_shift=gate.input_shift,
        recurrent_multiplier=gate.recurrent_multiplier,
        recurrent_shift=gate.recurrent_shift,
        input_weights=gate.input_weights,
        recurrent_weights=gate.recurrent_weights,
        bias=gate.bias + _sums(gate.input_weights, p.input_zero_point),
        recurrent_bias=_sums(gate.recurrent_weights, p.hidden_zero_point),
    )
