"""Saturation and activation: a clamp that is missing, too narrow, or in the wrong place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...fixedpoint import Int64Array
from ...ops.activation import LIMITS
from .replay import Evidence, Hypothesis, Replay, Variant


def _cast(replay: Replay, values: Int64Array) -> Int64Array:
    """The low bits, as the output's type has them."""
    index = replay.source.layer.node.outputs[0]
    kind = replay.source.graph.tensors[index].dtype
    return values.astype(kind).astype(np.int64)


def _wrap(replay: Replay, evidence: Evidence) -> list[Variant]:
    if not replay.has_output_stage:
        return []

    def unclamped(values: Int64Array, limits: tuple[int, int]) -> Int64Array:
        return _cast(replay, values)

    def late(values: Int64Array, limits: tuple[int, int]) -> Int64Array:
        return np.clip(_cast(replay, values), *limits)

    zero_point = getattr(replay.source.params, "output_zero_point", 0)

    def early(values: Int64Array, limits: tuple[int, int]) -> Int64Array:
        low, high = replay.source.output_limits
        return _cast(replay, np.clip(values - zero_point, low, high) + zero_point)

    def low_only(values: Int64Array, limits: tuple[int, int]) -> Int64Array:
        return _cast(replay, np.maximum(values, limits[0]))

    def high_only(values: Int64Array, limits: tuple[int, int]) -> Int64Array:
        return _cast(replay, np.minimum(values, limits[1]))

    return [
        Variant(replace(replay, store=unclamped), "values beyond the type wrap around: no clamp"),
        Variant(
            replace(replay, store=late), "values wrap around in the output's type before the clamp"
        ),
        Variant(
            replace(replay, store=early),
            "values are limited before the zero point is added, and wrap around after",
        ),
        Variant(replace(replay, store=low_only), "values above the range wrap around"),
        Variant(replace(replay, store=high_only), "values below the range wrap around"),
    ]


def _missing(replay: Replay, evidence: Evidence) -> list[Variant]:
    if not replay.has_output_stage or replay.limits == replay.source.output_limits:
        return []
    limits = replay.source.output_limits
    low, high = replay.limits
    found = [(limits, "is not applied")]
    found.append(((limits[0], high), "is applied at its upper end only"))
    found.append(((low, limits[1]), "is applied at its lower end only"))
    return [
        Variant(replace(replay, clamp=clamp), f"the activation's clamp ({low}..{high}) {how}")
        for clamp, how in found
        if clamp != (low, high)
    ]


def _narrow(replay: Replay, evidence: Evidence) -> list[Variant]:
    """An activation that the model does not have; the symmetric range; and what is seen."""
    source = replay.source
    output = source.graph.tensors[source.layer.node.outputs[0]]
    own = output.quantization
    if own is None or own.per_channel or output.type not in ("INT8", "INT16"):
        return []
    low, high = replay.limits if replay.has_output_stage else source.output_limits
    least, most = source.output_limits
    said: dict[tuple[int, int], str] = {}
    for name, (bottom, top) in LIMITS.items():
        first = least if bottom is None else own.zero_point + round(bottom / own.scale)
        last = most if top is None else own.zero_point + round(top / own.scale)
        pair = (max(least, min(first, most)), max(least, min(last, most)))
        said.setdefault(pair, f"{name}, which the layer does not have, is applied")
    said.setdefault((0, most), "RELU is applied to the raw integers, without the zero point")
    said.setdefault((least + 1, most), f"the range is taken as {least + 1}..{most}")
    said.setdefault((0, 6), "RELU6 is applied to the raw integers, without scale and zero point")
    seen = int(evidence.observed.min()), int(evidence.observed.max())
    for pair in ((seen[0], high), (low, seen[1]), seen) if seen[0] < seen[1] else ():
        said.setdefault(
            pair, f"outputs are limited to {pair[0]}..{pair[1]}, expected {low}..{high}"
        )
    found = []
    for (first, last), sentence in said.items():
        pair = (max(first, low), min(last, high))
        if pair != (low, high) and pair[0] <= pair[1]:
            found.append(Variant(replace(replay, clamp=pair), sentence))
    return found


def _other(replay: Replay, evidence: Evidence) -> list[Variant]:
    """The clamp of another activation, or one without zero point, in place of the layer's."""
    if not replay.has_output_stage or replay.limits == replay.source.output_limits:
        return []
    low, high = replay.limits
    zero_point = getattr(replay.source.params, "output_zero_point", 0)
    least, most = replay.source.output_limits
    wrong = {
        (0, most): "the activation's clamp is at 0, not at the zero point",
        (low - zero_point, most): "the activation's clamp is without the zero point",
    }
    return [
        Variant(replace(replay, clamp=pair), f"{sentence} ({low}..{high})")
        for pair, sentence in wrong.items()
        if pair != (low, high) and least <= pair[0] <= pair[1]
    ]


LIMITS_OF_OUTPUTS = (
    Hypothesis(
        "activation clamp missing",
        "limits",
        _missing,
        "clamp to activation_min..activation_max, which the fused activation sets",
    ),
    Hypothesis(
        "saturation missing",
        "limits",
        _wrap,
        "clamp in 32 bits before the cast to the output's type",
    ),
    Hypothesis(
        "activation clamp too narrow",
        "limits",
        lambda replay, evidence: _narrow(replay, evidence) + _other(replay, evidence),
        "clamp to activation_min..activation_max of this layer, and to nothing else",
    ),
)
