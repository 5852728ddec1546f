"""State that was not kept from one invocation to the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...state import states
from .replay import Array, Evidence, Hypothesis, Replay, Variant


def _dropped(replay: Replay, evidence: Evidence) -> list[Variant]:
    source = replay.source
    if not source.state:
        return []
    known = states(source.graph)
    indices = source.layer.op.state_indices(source.layer.node)
    firsts = [known[index].initial[None] for index in indices]
    pairs = list(zip(firsts, source.state, strict=True))
    reset = tuple(np.broadcast_to(first, own.shape) for first, own in pairs)
    zero = tuple(np.zeros_like(own) for own in source.state)

    def begun(first: Array, own: Array) -> Array:
        """0 where a sequence begins."""
        same = (own == first).reshape(len(own), -1).all(axis=1)
        kept: Array = np.where(same.reshape(-1, *[1] * (own.ndim - 1)), 0, own).astype(own.dtype)
        return kept

    said = (
        (reset, "the state is reset before every invocation: what was remembered is dropped"),
        (zero, "the state is 0 before every invocation: what was remembered is dropped"),
        (
            tuple(begun(first, own) for first, own in pairs),
            "the state begins as 0, not as its zero point",
        ),
    )
    return [
        Variant(replace(replay, source=replace(source, state=state)), sentence)
        for state, sentence in said
    ]


STATE = (
    Hypothesis(
        "dropped state",
        "input",
        _dropped,
        "keep the memory of variable tensors from one invocation to the next, and reset it, to the"
        " zero point, only where a sequence begins",
    ),
)
