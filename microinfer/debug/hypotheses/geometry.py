"""Padding, stride and dilation."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from itertools import product
from typing import Any

from .replay import Evidence, Hypothesis, Replay, Variant, changed


def _has(params: Any, *names: str) -> bool:
    return is_dataclass(params) and set(names) <= {own.name for own in fields(params)}


def _pads(params: Any, axis: str, transposed: bool) -> tuple[int, int]:
    """(reach of the kernel, all of the padding) along "height" or "width"."""
    dilation = getattr(params, f"dilation_{axis}", 1)
    reach = (getattr(params, f"kernel_{axis}") - 1) * dilation + 1
    small, large = getattr(params, f"output_{axis}"), getattr(params, f"input_{axis}")
    if transposed:
        small, large = large, small
    total = max((small - 1) * getattr(params, f"stride_{axis}") + reach - large, 0)
    return reach, total


def _padding(replay: Replay, evidence: Evidence) -> list[Variant]:
    params, node = replay.source.params, replay.source.layer.node
    if not _has(params, "pad_top", "pad_left"):
        return []
    transposed = node.op == "TRANSPOSE_CONV"
    own = (params.pad_top, params.pad_left)
    reaches, totals = zip(
        *(_pads(params, axis, transposed) for axis in ("height", "width")), strict=True
    )
    if node.options.get("padding") == "VALID":
        totals = (0, 0)
    # Per axis: what goes before the data.
    before = {
        "the odd element of the padding goes before the data, not after":
            [total - total // 2 for total in totals],
        "the padding is symmetric (half of the kernel on each side), not TensorFlow's SAME":
            [(reach - 1) // 2 for reach in reaches],
        "all padding is after the data": [0, 0],
        "all padding is before the data": list(totals),
    }  # fmt: skip
    found = []
    seen = {own}
    for sentence, wrong in before.items():
        for axes in ((1, 1), (1, 0), (0, 1)):
            pads = tuple(w if chosen else o for w, o, chosen in zip(wrong, own, axes, strict=True))
            if pads in seen:
                continue
            seen.add(pads)
            where = {(1, 1): "", (1, 0): ", in height", (0, 1): ", in width"}[axes]
            found.append(
                Variant(
                    changed(replay, pad_top=pads[0], pad_left=pads[1]),
                    f"{sentence}{where}: (top, left) is {pads}, expected {own}",
                )
            )
    return found


def _strides(replay: Replay, evidence: Evidence) -> list[Variant]:
    return _pair(replay, "stride", "stride")


def _dilations(replay: Replay, evidence: Evidence) -> list[Variant]:
    return _pair(replay, "dilation", "dilation")


def _pair(replay: Replay, prefix: str, word: str) -> list[Variant]:
    """Height and width exchanged, or one of them left out."""
    params = replay.source.params
    names = (f"{prefix}_height", f"{prefix}_width")
    if not _has(params, *names):
        return []
    own = tuple(getattr(params, name) for name in names)
    said: dict[tuple[int, int], str] = {}
    for pair, sentence in (
        ((own[1], own[0]), f"{word} of height and width are swapped"),
        ((1, 1), f"the {word} is ignored"),
        ((1, own[1]), f"the {word} of the height is ignored"),
        ((own[0], 1), f"the {word} of the width is ignored"),
        ((own[0], own[0]), f"the {word} of the height is used for both"),
        ((own[1], own[1]), f"the {word} of the width is used for both"),
    ):
        said.setdefault(pair, sentence)
    return [
        variant
        for pair, sentence in said.items()
        if pair != own
        for variant in _also_padded(
            replay, dict(zip(names, pair, strict=True)), f"{sentence}: {pair}, expected {own}"
        )
    ]


def _also_padded(replay: Replay, wrong: dict[str, int], sentence: str) -> list[Variant]:
    """With the padding as it has to be, and with the SAME padding that follows from ``wrong``."""
    found = [Variant(changed(replay, **wrong), sentence)]
    params, node = found[0].replay.source.params, replay.source.layer.node
    if (
        node.op == "TRANSPOSE_CONV"
        or node.options.get("padding") != "SAME"
        or not _has(params, "pad_top", "pad_left")
    ):
        return found
    before = []
    for axis in ("height", "width"):
        stride, size = getattr(params, f"stride_{axis}"), getattr(params, f"input_{axis}")
        reach, _ = _pads(params, axis, transposed=False)
        before.append(max((-(-size // stride) - 1) * stride + reach - size, 0) // 2)
    if tuple(before) != (params.pad_top, params.pad_left):
        pads = dict(zip(("pad_top", "pad_left"), before, strict=True))
        found.append(
            Variant(changed(replay, **wrong, **pads), f"{sentence}; the padding follows from it")
        )
    return found


def _stride_for_dilation(replay: Replay, evidence: Evidence) -> list[Variant]:
    """Stride and dilation exchanged with each other."""
    params = replay.source.params
    names = [
        f"{what}_{axis}" for what, axis in product(("stride", "dilation"), ("height", "width"))
    ]
    if not _has(params, *names):
        return []
    own = tuple(getattr(params, name) for name in names)
    wrong = (*own[2:], *own[:2])
    if wrong == own:
        return []
    sentence = f"stride {own[:2]} and dilation {own[2:]} are exchanged"
    return _also_padded(replay, dict(zip(names, wrong, strict=True)), sentence)


GEOMETRY = (
    Hypothesis(
        "padding on the wrong side",
        "geometry",
        _padding,
        "of SAME padding (total // 2) goes before the data and the rest after; PyTorch pads both"
        " sides alike: there, pad with a layer of its own",
    ),
    Hypothesis(
        "stride swapped",
        "geometry",
        _strides,
        "the options have stride_w before stride_h; rows go with the height",
    ),
    Hypothesis(
        "dilation swapped",
        "geometry",
        lambda replay, evidence: (
            _dilations(replay, evidence) + _stride_for_dilation(replay, evidence)
        ),
        "the options have dilation_w_factor before dilation_h_factor; taps are dilation apart,"
        " windows stride",
    ),
)
