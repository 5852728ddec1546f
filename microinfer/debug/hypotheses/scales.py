"""Scales and biases: one scale for all channels, a bias that is missing, scaled or cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...fixedpoint import Int64Array, wrap_int32
from .replay import Evidence, Hypothesis, Replay, Variant
from .scaled import Scaled


def _per_tensor(replay: Replay, evidence: Evidence) -> list[Variant]:
    scaled = replay.source.scaled
    if scaled is None or scaled.divisor is not None:
        return []
    reals = scaled.reals
    if len(np.unique(reals)) < 2:
        return []
    channels = {
        "the first channel's": 0,
        "the last channel's": len(reals) - 1,
        "the largest": int(np.argmax(reals)),
        "the smallest": int(np.argmin(reals)),
    }
    found = [
        Variant(
            replace(replay, scale=_of_channel(scaled, channel)),
            f"one scale of the weights ({which}) is used for all channels, which have"
            f" {len(reals)} of their own",
        )
        for which, channel in channels.items()
    ]
    rolled = {"the next channel": -1, "the channel before": 1}
    for which, step in rolled.items():
        order = np.roll(np.arange(len(reals)), step)
        found.append(
            Variant(
                replace(replay, scale=_ordered(scaled, order)),
                f"each channel has the scale of {which}",
            )
        )
    shifts = scaled.shifts
    if len(np.unique(shifts)) > 1:
        found.append(
            Variant(
                replace(
                    replay, scale=lambda s: replace(s, shifts=np.full_like(s.shifts, shifts[0]))
                ),
                "the first channel's shift is used for all channels",
            )
        )
    return found


def _of_channel(whole: Scaled, channel: int) -> Callable[[Scaled], Scaled]:
    """All values with the multiplier of one channel."""

    def scale(s: Scaled) -> Scaled:
        return replace(
            s,
            reals=np.full_like(s.reals, whole.reals[channel]),
            reals32=np.full_like(s.reals32, whole.reals32[channel]),
            multipliers=np.full_like(s.multipliers, whole.multipliers[channel]),
            shifts=np.full_like(s.shifts, whole.shifts[channel]),
        )

    return scale


def _ordered(whole: Scaled, order: Int64Array) -> Callable[[Scaled], Scaled]:
    """Channels with the multipliers of others. A value's channel is told by its real multiplier."""
    ranks = np.argsort(whole.reals, kind="stable")
    ordered = whole.reals[ranks]

    def scale(s: Scaled) -> Scaled:
        own = order[ranks[np.searchsorted(ordered, s.reals)]]
        return replace(
            s,
            reals=whole.reals[own],
            reals32=whole.reals32[own],
            multipliers=whole.multipliers[own],
            shifts=whole.shifts[own],
        )

    return scale


def _has_bias(replay: Replay) -> bool:
    return getattr(replay.source.params, "bias", None) is not None and replay.has_output_stage


def _biased(replay: Replay, bias: Callable[[Scaled], Int64Array], sentence: str) -> Variant:
    """With another bias, computed from the values as they were scaled."""

    def scale(s: Scaled) -> Scaled:
        return replace(s, acc=s.acc - s.bias + bias(s))

    return Variant(replace(replay, scale=scale), sentence)


def _missing(replay: Replay, evidence: Evidence) -> list[Variant]:
    if not _has_bias(replay):
        return []
    return [_biased(replay, lambda s: np.zeros_like(s.bias), "the bias is not added")]


def _scaled_wrong(replay: Replay, evidence: Evidence) -> list[Variant]:
    if not _has_bias(replay):
        return []
    found = [
        _biased(replay, lambda s: -s.bias, "the bias is subtracted, not added"),
        _biased(replay, lambda s: 2 * s.bias, "the bias is added twice"),
    ]
    for power in (*range(1, 17), *range(-1, -17, -1)):
        if power == 1:
            continue
        if power > 0:
            found.append(_biased(replay, _times(power), f"the bias is 2^{power} times too large"))
        else:
            sentence = f"the bias is shifted right by {-power}, as if its scale were larger"
            found.append(_biased(replay, _over(-power), sentence))
    found.append(
        Variant(
            replace(replay, scale=lambda s: replace(s, acc=s.acc - s.bias + _in_steps(s))),
            "the bias is added as if it had the output's scale",
        )
    )
    scaled = replay.source.scaled
    assert scaled is not None
    if len(np.unique(scaled.reals)) > 1:
        for which, value in (
            ("first", scaled.reals[0]),
            ("largest", scaled.reals.max()),
            ("smallest", scaled.reals.min()),
        ):
            found.append(
                _biased(
                    replay,
                    _rescaled(float(value)),
                    f"the bias has one scale for all channels (the {which})",
                )
            )
    return found


def _times(power: int) -> Callable[[Scaled], Int64Array]:
    return lambda s: s.bias << power


def _over(power: int) -> Callable[[Scaled], Int64Array]:
    return lambda s: s.bias >> power


def _in_steps(s: Scaled) -> Int64Array:
    """A bias that counts steps of the output, in units of the accumulator."""
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = np.nan_to_num(np.rint(s.bias / s.reals))
    limited: Int64Array = np.clip(wide, -(2**31), 2**31 - 1).astype(np.int64)
    return limited


def _rescaled(real: float) -> Callable[[Scaled], Int64Array]:
    """A bias whose integers were made for the scale of one channel."""

    def bias(s: Scaled) -> Int64Array:
        steps: Int64Array = np.rint(s.bias * (s.reals / real)).astype(np.int64)
        return steps

    return bias


def _overflow(replay: Replay, evidence: Evidence) -> list[Variant]:
    if not replay.has_output_stage or replay.source.layer.node.op == "AVERAGE_POOL_2D":
        return []
    found = []
    if _has_bias(replay):
        found += [
            _biased(replay, _wrapped(16), "the bias is cut to 16 bits"),
            _biased(replay, _wrapped(8), "the bias is cut to 8 bits"),
            _biased(replay, _wrapped(32), "the bias is cut to 32 bits"),
            _biased(
                replay,
                lambda s: np.clip(s.bias, -(2**15), 2**15 - 1),
                "the bias is limited to 16 bits",
            ),
        ]

    def acc(change: Callable[[Int64Array], Int64Array], sentence: str) -> Variant:
        return Variant(replace(replay, scale=lambda s: replace(s, acc=change(s.acc))), sentence)

    found += [
        acc(lambda a: a.astype(np.int16).astype(np.int64), "the accumulator wraps at 16 bits"),
        acc(wrap_int32, "the accumulator wraps at 32 bits"),
        acc(
            lambda a: np.clip(a, -(2**15), 2**15 - 1),
            "the accumulator is limited to 16 bits",
        ),
        acc(
            lambda a: np.clip(a, -(2**31), 2**31 - 1),
            "the accumulator is limited to 32 bits",
        ),
    ]
    return found


def _wrapped(bits: int) -> Callable[[Scaled], Int64Array]:
    kind = np.dtype(f"i{bits // 8}")
    return lambda s: s.bias.astype(kind).astype(np.int64)


SCALES = (
    Hypothesis(
        "bias missing",
        "bias",
        _missing,
        "start each accumulator with its channel's bias",
    ),
    Hypothesis(
        "per-tensor scale for per-channel",
        "scale",
        _per_tensor,
        "take multiplier and shift of the output channel: they are arrays",
    ),
    Hypothesis(
        "bias scaled wrong",
        "bias",
        _scaled_wrong,
        "the bias has scale input x weights, of each channel, and is added to the accumulator as"
        " it is",
    ),
    Hypothesis(
        "overflow",
        "bias",
        _overflow,
        "keep bias and accumulator in int32, of int16 layers with an int64 bias in int64",
    ),
)
