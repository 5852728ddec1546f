"""Hypotheses tried on a layer: alone, in pairs, on other layers, and those about memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..fixedpoint import Int64Array
from ..interpreter import Interpreter
from ..trace import Trace
from .hypotheses import HYPOTHESES, MEMORY, STAGES, Evidence, Hypothesis, Replay, Scene
from .hypotheses.case import FIRST_VALUES, Case, case_of, part, worst
from .hypotheses.remembered import STATE
from .weighted import WEIGHTED

# Pairs are judged on so many values.
PLACES = 2048
# A hypothesis that leaves differences is only told if it leaves at most this part of them.
LEFT = 0.25
# How many that are not exact are counted on all samples, and with how many pairs it is enough.
NEAR = 3
MOST_PAIRS = 5
# Values of other layers that may decide between roundings.
ELSEWHERE_VALUES = 1 << 21

# Hypotheses, each with the sentence of the variant that was tried.
MadeOf = tuple[tuple[Hypothesis, str], ...]


@dataclass(frozen=True)
class Cause:
    """A mistake that a layer may have made.

    name      of the hypothesis; of two, joined by " + "
    sentence  what happened
    fix       what to do about it
    matching  how many values of the layer's outputs come out as observed
    elements  of how many
    """

    name: str
    sentence: str
    fix: str
    matching: int
    elements: int

    @property
    def exact(self) -> bool:
        return self.matching == self.elements


@dataclass(frozen=True, eq=False)
class Judged:
    """A cause, its place in the order of simplicity, what it is made of (nothing of memory), and
    how many values of other layers it has wrong."""

    rank: int
    cause: Cause
    made_of: MadeOf = ()
    wrong_elsewhere: int = 0


def _values(replay: Replay, places: Int64Array | None = None) -> Int64Array | None:
    """None where the hypothesis asks for something that the layer cannot compute."""
    try:
        return replay.values(places)
    except (ValueError, IndexError):
        return None


def _matching(case: Case, replay: Replay) -> int:
    values = _values(replay)
    if values is None or values.shape != case.observed.shape:
        return -1
    return int((values == case.observed).sum())


def by_arithmetic(case: Case, first: Case, side: str = "") -> Iterator[Judged]:
    """Every hypothesis alone: on the first samples, and the good ones on all.

    ``side``: what was observed, as its trace calls it, "xnnpack" say.
    """
    size = first.observed.size
    wrong = size - int((first.evidence.correct == first.observed).sum())
    tried = []
    for hypothesis in HYPOTHESES:
        for variant in hypothesis.variants(first.replay, first.evidence):
            matching = _matching(first, variant.replay)
            if size - matching <= LEFT * wrong:
                tried.append((matching, hypothesis, variant.sentence))
    exact = [entry for entry in tried if entry[0] == size]
    near = sorted(tried, key=lambda entry: -entry[0])[:NEAR]
    for _, hypothesis, sentence in exact or near:
        made_of = ((hypothesis, sentence),)
        order = _rank(case.replay.source.layer.node.op, hypothesis, side)
        yield Judged(order, _confirmed(case, first, made_of), made_of)


# Where roundings cannot be told apart, the one that a runtime is known to have goes first.
KNOWN: dict[str, tuple[str, ...]] = {
    "FULLY_CONNECTED": ("float64 requantize", "float32 requantize", "single rounding"),
}
KNOWN_OF_SIDES: dict[str, tuple[str, ...]] = {"xnnpack": ("float32 requantize",)}


def _rank(op: str, hypothesis: Hypothesis, side: str) -> int:
    """Its place in the order of simplicity; state goes before memory, and that before the rest."""
    if hypothesis in STATE:
        return -len(MEMORY) - 1
    names = [own.name for own in HYPOTHESES]
    known = KNOWN_OF_SIDES.get(side) or KNOWN.get(op, ())
    if hypothesis.name in known:
        return known.index(hypothesis.name)
    return names.index(hypothesis.name) + len(known)


def by_other_layers(
    interpreter: Interpreter,
    expected: Trace,
    observed: Trace,
    place: int,
    exact: list[Judged],
) -> list[Judged]:
    """Roundings that do equally well here, tried on the other layers that differ: of the same
    operator, or weighted as this one."""
    op = interpreter.layers[place].node.op
    family = WEIGHTED if op in WEIGHTED else (op,)
    tied = [judged for judged in exact if _is_rounding(judged)]
    if len(tied) < 2:
        return exact
    wrong = dict.fromkeys(range(len(tied)), 0)
    layers, room = 0, ELSEWHERE_VALUES
    for layer in interpreter.layers:
        if layer.index == place or layer.node.op not in family:
            continue
        whole = case_of(interpreter, expected, observed, layer.index)
        if whole is None or (whole.evidence.observed == whole.evidence.correct).all():
            continue
        room -= whole.observed.size
        if room < 0:
            break
        layers += 1
        for case in _parts(whole):
            for number, judged in enumerate(tied):
                if not wrong[number]:
                    replay = _under(case.replay, case.evidence, judged.made_of)
                    wrong[number] = case.observed.size - _matching(case, replay)
    others = f"{layers} other layers" if layers > 1 else "another layer"
    for number, judged in enumerate(tied):
        said = judged.cause.sentence
        if layers:
            how = "does not explain" if wrong[number] else "also explains"
            said = f"{said}; it {how} {others} of this kind"
        cause = replace(judged.cause, sentence=said)
        exact[exact.index(judged)] = replace(judged, cause=cause, wrong_elsewhere=wrong[number])
    return exact


def _is_rounding(judged: Judged) -> bool:
    return len(judged.made_of) == 1 and judged.made_of[0][0].stage == "rounding"


def _under(replay: Replay, evidence: Evidence, made_of: MadeOf) -> Replay:
    """``replay`` with hypotheses, each in the variant of that sentence.

    One that changes nothing on these samples has no such variant.
    """
    for hypothesis, sentence in made_of:
        for variant in hypothesis.variants(replay, evidence):
            if variant.sentence == sentence:
                replay = variant.replay
                break
    return replay


def _parts(case: Case) -> Iterator[Case]:
    """All samples of the case, in parts of about FIRST_VALUES values."""
    samples, size = case.observed.shape
    step = max(1, FIRST_VALUES // size)
    for begin in range(0, samples, step):
        yield part(case, np.arange(begin, min(samples, begin + step)))


def _confirmed(case: Case, first: Case, made_of: MadeOf) -> Cause:
    """The cause, counted on all samples; what it looks for itself, it finds where it was judged."""
    matching = 0
    for some in _parts(case):
        matching += max(0, _matching(some, _under(some.replay, first.evidence, made_of)))
    return Cause(
        " + ".join(hypothesis.name for hypothesis, _ in made_of),
        "; and ".join(sentence for _, sentence in made_of),
        "; and ".join(hypothesis.fix for hypothesis, _ in made_of),
        matching,
        case.observed.size,
    )


def by_pairs(case: Case, first: Case) -> Iterator[Judged]:
    """Two hypotheses about different stages: judged on some values, confirmed on all.

    Not of layers with state, which take too long.
    """
    if case.replay.source.state:
        return
    one_sample = part(first, worst(first.evidence, 1))
    places = _places(one_sample)
    wanted = one_sample.observed.reshape(-1)[places]
    evidence = first.evidence
    ranks = {hypothesis.name: rank for rank, hypothesis in enumerate(HYPOTHESES)}
    ordered = sorted(HYPOTHESES, key=lambda hypothesis: STAGES.index(hypothesis.stage))
    found = 0
    for position, one in enumerate(ordered):
        for variant in one.variants(one_sample.replay, evidence):
            if _values(variant.replay, places) is None:
                continue
            for other in ordered[position + 1 :]:
                if other.stage == one.stage:
                    continue
                for second in other.variants(variant.replay, evidence):
                    values = _values(second.replay, places)
                    if values is None or not np.array_equal(values, wanted):
                        continue
                    made_of = ((one, variant.sentence), (other, second.sentence))
                    if (
                        _matching(first, _under(first.replay, evidence, made_of))
                        < first.observed.size
                    ):
                        continue
                    cause = _confirmed(case, first, made_of)
                    if cause.exact:
                        rank = len(HYPOTHESES) + ranks[one.name] + ranks[other.name]
                        yield Judged(rank, cause, made_of)
                        found += 1
                    if found == MOST_PAIRS:
                        return


def _places(case: Case) -> Int64Array:
    """Some of the values, flattened: half of them such as differ."""
    wrong = (case.observed != case.evidence.correct).reshape(-1)
    rng = np.random.default_rng(0)
    chosen = []
    for kind in (wrong, ~wrong):
        places = np.flatnonzero(kind)
        if len(places) > PLACES // 2:
            places = rng.choice(places, PLACES // 2, replace=False)
        chosen.append(places)
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def by_memory(scene: Scene, case: Case) -> Iterator[Judged]:
    """The hypotheses about memory, all of them on all samples."""
    wrong = int((scene.outputs != scene.correct).sum())
    count = scene.outputs.shape[1] // scene.itemsize
    for rank, hypothesis in enumerate(MEMORY):
        for sentence, predicted in hypothesis.explain(scene):
            left = int((predicted != scene.outputs).sum())
            if left > LEFT * wrong:
                continue
            kind = np.dtype(f"u{scene.itemsize}")
            same = predicted.view(kind) == scene.outputs.view(kind)
            rest = case.observed[:, count:] == case.evidence.correct[:, count:]
            elements = case.observed.size
            matching = int(same.sum()) + int(rest.sum())
            cause = Cause(hypothesis.name, sentence, hypothesis.fix, matching, elements)
            last = hypothesis.name == "output of one value"
            yield Judged(2 * len(HYPOTHESES) if last else rank - len(MEMORY), cause)
