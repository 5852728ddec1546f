"""Name the cause: which mistake makes a layer give just what it gave.

For a layer whose inputs agree and whose outputs do not, the layer is computed again with one
mistake after the other (``hypotheses/``), from the inputs that it had, and what comes out is
compared with what was observed. A mistake that reproduces every value is the cause, or one that
this data cannot tell from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import BadInput
from ..interpreter import Interpreter
from ..one_thread import one_thread
from ..trace import Trace
from .hypotheses import Evidence
from .hypotheses.case import case_of, first_samples, part, scene_of
from .trial import LEFT, Cause, Judged, by_arithmetic, by_memory, by_other_layers, by_pairs

__all__ = ["Cause", "diagnose"]

# A cause that leaves differences has to explain so many values at least.
EXPLAINED = 8


def diagnose(interpreter: Interpreter, expected: Trace, observed: Trace, layer: int) -> list[Cause]:
    """What explains that ``layer`` of ``observed`` differs, best first; [] if nothing does.

    ``interpreter`` is what ``expected`` was computed with. The layer's inputs are those of
    ``observed`` where it has them, else of ``expected``; they are taken as right. Causes that are
    ``exact`` come first, the simplest of them first; if there are several, this data cannot tell
    them apart. A cause that is not exact is only named where it leaves no more than a quarter of
    the differences that the right arithmetic leaves.

    Raises BadInput if there is no such layer, or the traces are of different samples.
    """
    if not 0 <= layer < len(interpreter.layers):
        raise BadInput(f"there is no layer {layer}, expected 0..{len(interpreter.layers) - 1}")
    with one_thread(), np.errstate(all="ignore"):
        return _diagnosed(interpreter, expected, observed, layer)


def _diagnosed(
    interpreter: Interpreter, expected: Trace, observed: Trace, layer: int
) -> list[Cause]:
    case = case_of(interpreter, expected, observed, layer)
    if case is None:
        return []
    evidence = case.evidence
    if (evidence.observed == evidence.correct).all():
        return []
    first = part(case, first_samples(evidence))
    found = list(by_memory(scene_of(interpreter, expected, observed, layer, case), case))
    found += by_arithmetic(case, first, observed.numerics)
    if not any(judged.cause.exact for judged in found):
        found += by_pairs(case, first)
    exact = [judged for judged in found if judged.cause.exact]
    if len(exact) > 1:
        exact = by_other_layers(interpreter, expected, observed, layer, exact)
    return _ranked(exact) if exact else _nearly(found, evidence)


def _ranked(exact: list[Judged]) -> list[Cause]:
    """What explains most of the other layers first, then the simplest."""
    exact.sort(key=lambda judged: (judged.wrong_elsewhere, judged.rank))
    return _distinct([judged.cause for judged in exact])


def _nearly(found: list[Judged], evidence: Evidence) -> list[Cause]:
    """The best of those that explain most of the differences, but not all."""
    wrong = int((evidence.observed != evidence.correct).sum())
    near = []
    for judged in found:
        left = judged.cause.elements - judged.cause.matching
        if left <= LEFT * wrong and wrong - left >= EXPLAINED:
            near.append(judged)
    near.sort(key=lambda judged: (-judged.cause.matching, judged.rank))
    return _distinct([judged.cause for judged in near])[:3]


def _distinct(causes: Sequence[Cause]) -> list[Cause]:
    """The first of each name."""
    kept: dict[str, Cause] = {}
    for cause in causes:
        kept.setdefault(cause.name, cause)
    return list(kept.values())
