"""Zero points that were forgotten, negated, or left out of the padding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ...ops.movement import FillParams, MovementParams
from .replay import Evidence, Hypothesis, Replay, Variant, changed

# How, and the zero point that is used instead.
Wrong = tuple[str, Callable[[int], int]]
WRONG: tuple[Wrong, ...] = (("is ignored", lambda z: 0), ("is negated", lambda z: -z))
OF_UINT8: tuple[Wrong, ...] = (
    ("is taken as that of uint8, 128 more", lambda z: z + 128),
    ("is taken as that of int8, 128 less, though it is int8's already", lambda z: z - 128),
)


def _fields(params: Any, prefix: str) -> list[str]:
    """Names of the params that are zero points of inputs or of outputs."""
    if not is_dataclass(params):
        return []
    return [
        own.name
        for own in fields(params)
        if own.name.endswith("zero_point") and own.name.startswith(prefix)
    ]


def _inputs(replay: Replay, wrongs: tuple[Wrong, ...]) -> list[Variant]:
    params = replay.source.params
    names = _fields(params, "input")
    found: list[Variant] = []
    for how, wrong in wrongs:
        each = {name: wrong(getattr(params, name)) for name in names}
        each = {name: value for name, value in each.items() if value != getattr(params, name)}
        for name in each:
            which = name.removesuffix("_zero_point").replace("input", "input ").strip()
            sentence = f"the zero point of the {which} ({getattr(params, name)}) {how}"
            found += _centred(replay, {name: each[name]}, sentence)
        if len(each) > 1:
            found.append(Variant(changed(replay, **each), f"the zero point of each input {how}"))
    if names:
        return found
    operands = replay.source.layer.op.operand_indices(_node(replay))
    return _prepared(replay, operands, "input", wrongs)


def _node(replay: Replay) -> Any:
    return replay.source.layer.node


def _centred(replay: Replay, values: dict[str, int], sentence: str) -> list[Variant]:
    """With the padding as it has to be, and with the wrong zero point there, too."""
    source = replay.source
    wrong = changed(replay, **values)
    if "pad_top" not in {own.name for own in fields(source.params)} or source.pad is not None:
        return [Variant(wrong, sentence)]
    kept = replace(wrong, source=replace(wrong.source, pad=source.params.input_zero_point))
    return [
        Variant(wrong, sentence),
        Variant(kept, f"{sentence}, but the padding is filled with it"),
    ]


def _prepared(
    replay: Replay, indices: tuple[int, ...], what: str, wrongs: tuple[Wrong, ...]
) -> list[Variant]:
    """Of layers whose params have no zero point: as if the tensor were quantized otherwise."""
    source = replay.source
    found = []
    for how, wrong in wrongs:
        for index in dict.fromkeys(indices):
            tensor = source.graph.tensors[index]
            own = tensor.quantization
            if own is None or own.per_channel or tensor.type not in ("INT8", "UINT8"):
                continue
            value = wrong(own.zero_point)
            if value == own.zero_point or not -128 <= value <= 255:
                continue
            other = replace(own, zero_points=np.array([value], np.int64))
            prepared = source.prepared({index: replace(tensor, quantization=other)})
            if prepared is not None:
                sentence = f"the zero point of the {what} ({own.zero_point}) {how}"
                found.append(Variant(replace(replay, source=prepared), sentence))
    return found


def _outputs(replay: Replay, wrongs: tuple[Wrong, ...]) -> list[Variant]:
    names = _fields(replay.source.params, "output")
    if not names:
        return _prepared(replay, _node(replay).outputs, "output", wrongs)
    found = []
    for name in names:
        value = getattr(replay.source.params, name)
        for how, wrong in wrongs:
            if wrong(value) == value:
                continue
            sentence = f"the zero point of the output ({value}) {how}"
            if replay.has_output_stage:
                found.append(Variant(replace(replay, zero_point=wrong(value)), sentence))
            else:
                found.append(Variant(changed(replay, **{name: wrong(value)}), sentence))
    return found


def _weights(replay: Replay, evidence: Evidence) -> list[Variant]:
    value = getattr(replay.source.params, "weights_zero_point", 0)
    return [
        Variant(
            changed(replay, weights_zero_point=wrong(value)),
            f"the zero point of the weights ({value}) {how}",
        )
        for how, wrong in WRONG
        if value
    ]


def _padding(replay: Replay, evidence: Evidence) -> list[Variant]:
    source = replay.source
    params = source.params
    if isinstance(params, MovementParams):
        return _fill(replay, params)
    names = {own.name for own in fields(params)} if is_dataclass(params) else set()
    if not {"pad_top", "input_zero_point"} <= names or getattr(params, "centred", False):
        return []
    zero_point = params.input_zero_point
    said = (
        (0, "the padding is 0, not the zero point {}, which is then subtracted from it"),
        (-zero_point, "the padding is the negated zero point {}"),
        (-128, "the padding is -128, the lowest input, not the zero point {}"),
    )
    return [
        Variant(replace(replay, source=replace(source, pad=pad)), sentence.format(zero_point))
        for pad, sentence in said
        if pad != zero_point
    ]


def _fill(replay: Replay, params: MovementParams) -> list[Variant]:
    """Of PAD and what else fills its output first."""
    found = []
    for place, move in enumerate(params.moves):
        if not isinstance(move.params, FillParams):
            continue
        value = move.params.value
        for wrong in (0, -value, -128):
            if wrong == value:
                continue
            moves = list(params.moves)
            moves[place] = replace(move, params=replace(move.params, value=wrong))
            sentence = f"the frame is {wrong}, not the zero point {value}"
            found.append(Variant(changed(replay, moves=tuple(moves)), sentence))
    return found


ZERO_POINTS = (
    Hypothesis(
        "zero point of the input",
        "zero point",
        lambda replay, evidence: _inputs(replay, WRONG),
        "subtract the input tensor's zero point from each value, or fold it into the bias:"
        " bias - zero_point * sum(weights)",
    ),
    Hypothesis(
        "zero point of the output",
        "offset",
        lambda replay, evidence: _outputs(replay, WRONG),
        "add the output tensor's zero point after rounding and before the clamp",
    ),
    Hypothesis(
        "zero point of the padding",
        "zero point",
        _padding,
        "fill the padding with the input's zero point, which is real zero, or leave it out",
    ),
    Hypothesis(
        "zero point of the weights",
        "weights",
        _weights,
        "subtract the weights' zero point, or convert again with symmetric weights",
    ),
)
ZERO_POINTS_OF_UINT8 = (
    Hypothesis(
        "zero point of uint8",
        "zero point",
        lambda replay, evidence: _inputs(replay, OF_UINT8),
        "int8's zero points are uint8's less 128: data, zero point and type have to be of one kind",
    ),
    Hypothesis(
        "output zero point of uint8",
        "offset",
        lambda replay, evidence: _outputs(replay, OF_UINT8),
        "int8's zero points are uint8's less 128: data, zero point and type have to be of one kind",
    ),
)
