"""Which layers to look at, and what to try: each tried in a simulation, on the model's own samples.

First every layer, and every input that was given as reals, is taken to be without error, alone: the
one whose errors cost the most is looked at, then the one that costs the most with the first without
error, then a third. (Errors hide each other: behind one that is ten times as large, the next one's
cannot be seen.) Then, where they apply to one of these:

16 bits              its output in int16 of the range that it has on these samples
calibration range    its output in the integers that it has, of the range that has the least error
                     on a group of these samples, which may be smaller than what was seen;
                     an input's, too
float weights        its weights not rounded, which no integer model can have: a bound
per-channel weights  its float weights, quantized again with a scale per output channel
equalisation         its channels scaled to like sizes, and the weights of the layers that read
                     them scaled back and quantized again

Ranges are taken from the samples that the gains are measured on: others may gain less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch
from ..emit.kernels import macs
from .accuracy_facts import Advice, Trial
from .accuracy_run import Group, GroupTally, Job
from .equalisation import equalised
from .float_replay import float_function
from .float_twin import Match
from .judged import judged_tensor
from .layer_error import Grid, Tally, energy
from .reason import reason_of
from .simulation import Change, Place, Score, Simulation, can_simulate, groups, rounding
from .weight_grid import channel_axis, quantized, spread

Array = NDArray[Any]
Key = tuple[str, int]

TRIAL_SAMPLES = 100  # at most, that remedies are tried on
SCREENED = 32  # at most, that each layer is tried without error on
WORK = 50e9  # multiply-accumulates that either may take, some ten seconds: large models get less
RUNS = 20  # of half the model, for all remedies of the chosen layers
LOOKED_AT = 3  # layers
LITTLE = 1.0  # dB between simulation and integer model that need no word
# Operators that have no int16 form (docs/OPERATORS.md).
NARROW = """CUMSUM DIV ELU HARD_SWISH L2_NORMALIZATION LOG_SOFTMAX NEG PRELU RELU_0_TO_1
RELU_N1_TO_1 SQRT SVDF UNIDIRECTIONAL_SEQUENCE_LSTM""".split()
LEAST_GAIN = 0.05  # dB, below which a layer is not worth a look
SHRUNK = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)  # shares of the range seen that are tried
BOUND = "float weights"  # the one remedy that no integer model can have
FIXED = ("SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "TANH", "L2_NORMALIZATION")  # output scales are


@dataclass(frozen=True)
class Seen:
    """Of a tensor in the reference: its range, and the largest |value| of each channel."""

    low: float
    high: float
    channels: Array

    def __or__(self, other: Seen) -> Seen:
        return Seen(
            min(self.low, other.low),
            max(self.high, other.high),
            np.maximum(self.channels, other.channels),
        )


@dataclass(frozen=True)
class Plan:
    """A remedy for a layer or an input, how it reads, and the change that simulates it."""

    place: Place
    remedy: str
    sentence: str
    change: Change


@dataclass(frozen=True)
class Advised:
    """What ``Accuracy`` has of it."""

    advice: tuple[Advice, ...] = ()
    together: Trial | None = None
    arithmetic_db: float = 0.0
    notes: tuple[str, ...] = ()


def advise(
    job: Job, batch: Batch, labels: Array | None, total: GroupTally, found: Match | None
) -> Advised:
    """Up to LOOKED_AT layers or inputs, the costliest first, with what was tried."""
    if not can_simulate(job):
        note = "no remedies were tried: their simulation does not do resource variables"
        return Advised(notes=(note,))
    simulation = Simulation(job)
    before = _before_judged(job)
    tallies = {**{~place: tally for place, tally in total.inputs.items()}, **total.layers}
    candidates = [
        place for place, tally in tallies.items() if tally.isolated.error > 0 and place in before
    ]
    affordable = min(SCREENED, _affordable(job, LOOKED_AT * len(candidates)))
    chosen = _costliest(simulation, groups(job, batch, labels, affordable), candidates)
    if not chosen:
        return Advised()
    parts = groups(job, batch, labels, trial_samples(job, batch))
    return _tried(simulation, parts, chosen, tallies, found)


def trial_samples(job: Job, batch: Batch) -> int:
    """How many samples remedies are tried on."""
    return min(batch.samples, TRIAL_SAMPLES, _affordable(job, RUNS))


def _affordable(job: Job, runs: int) -> int:
    """Samples, one at least, of which so many runs of half the model are within WORK."""
    one = sum(macs(layer) for layer in job.layers)
    return max(1, int(WORK // max(1.0, one * runs / 2)))


def _before_judged(job: Job) -> set[Place]:
    """The layers and inputs that have a say in the judged tensor."""
    wanted, found = {judged_tensor(job.graph)}, set[Place]()
    for layer in reversed(job.layers):
        if wanted & {*layer.node.outputs}:
            found.add(layer.index)
            wanted.update(layer.node.inputs)
    return found | {~place for place, index in enumerate(job.graph.inputs) if index in wanted}


def _exact(simulation: Simulation, places: Sequence[Place]) -> Change:
    """Layers without error: the reference's weights, and outputs that are not rounded."""
    change = Change()
    for place in places:
        change = change | simulation.float_weights(place) | simulation.unrounded(place)
    return change


def _costliest(simulation: Simulation, parts: list[Group], candidates: list[Place]) -> list[Place]:
    """The layer that costs the most, then the one that does so once that is without error, ..."""
    chosen: list[Place] = []
    while len(chosen) < LOOKED_AT:
        left = [index for index in candidates if index not in chosen]
        base, scores = Score(), dict.fromkeys(left, Score())
        for group in parts:
            simulation.begin(group)
            base += simulation.score(_exact(simulation, chosen))
            for index in left:
                scores[index] += simulation.score(_exact(simulation, [*chosen, index]))
        gains = {index: score.gain_db(base) for index, score in scores.items()}
        best = max(left, key=gains.__getitem__, default=None)
        if best is None or gains[best] < LEAST_GAIN:
            break
        chosen.append(best)
    return chosen


def _tried(
    simulation: Simulation,
    parts: list[Group],
    chosen: list[Place],
    tallies: Mapping[Place, Tally],
    found: Match | None,
) -> Advised:
    """All remedies of the chosen layers, measured on the samples of trials: each where the layers
    chosen before it are without error."""
    plans = _planned(simulation, parts, chosen, found)
    context = {index: _exact(simulation, chosen[:k]) for k, index in enumerate(chosen)}
    tried = {
        **{("base", i): context[i] for i in chosen},
        **{("exact", i): context[i] | _exact(simulation, [i]) for i in chosen},
        **{("weight", i): context[i] | simulation.float_weights(i) for i in chosen},
        **{("output", i): context[i] | simulation.unrounded(i) for i in chosen},
        **{("clip", i): context[i] | simulation.uncut(i) for i in chosen},
        **{("plan", k): context[plan.place] | plan.change for k, plan in enumerate(plans)},
    }
    scores = _scores(simulation, parts, tried)
    trials: dict[Place, list[tuple[Trial, Plan]]] = {place: [] for place in chosen}
    for k, plan in enumerate(plans):
        score, base = scores["plan", k], scores["base", plan.place]
        trial = _trial(simulation, plan.remedy, plan.sentence, score, base)
        trials[plan.place].append((trial, plan))
    trials = {index: _best_of_each(own) for index, own in trials.items()}
    advice = []
    for place in chosen:
        gains = {way: scores[way, place].gain_db(scores["base", place]) for way in _WAYS}
        reason = reason_of(simulation.job, place, tallies[place], gains)
        own = tuple(trial for trial, _ in trials[place])
        layer, source = (place, None) if place >= 0 else (None, ~place)
        advice.append(Advice(layer, source, reason, gains["exact"], own))
    together = _together(simulation, parts, trials)
    return Advised(tuple(advice), together, *_differs(simulation, parts))


def _differs(simulation: Simulation, parts: list[Group]) -> tuple[float, tuple[str, ...]]:
    """How much better the simulation is than the integer model, whose arithmetic costs that; and a
    note, where that is much."""
    simulated, ran = Score(), Score()
    for group in parts:
        simulation.begin(group)
        simulated += simulation.score()
        ran += simulation.score_of_integers()
    cost = simulated.gain_db(ran)
    if abs(cost) <= LITTLE:
        return cost, ()
    return cost, (
        f"remedies were simulated with real arithmetic, where the result has"
        f" {simulated.sqnr_db:.1f} dB; the integer model has {ran.sqnr_db:.1f} dB: the operators'"
        " integer arithmetic makes the difference, and the gains are less certain by it",
    )


_WAYS = ("exact", "weight", "output", "clip")


def _scores(
    simulation: Simulation, parts: list[Group], changes: Mapping[Key, Change]
) -> dict[Key, Score]:
    """Of each change over all groups."""
    scores = dict.fromkeys(changes, Score())
    for group in parts:
        simulation.begin(group)
        for key, change in changes.items():
            scores[key] += simulation.score(change)
    return scores


def _together(
    simulation: Simulation,
    parts: list[Group],
    trials: Mapping[Place, list[tuple[Trial, Plan]]],
) -> Trial | None:
    """The best remedy of each layer, all at the same time."""
    change, names = Change(), []
    for place, own in trials.items():
        for trial, plan in own:
            if plan.remedy != BOUND and trial.sqnr_gain_db >= LEAST_GAIN:
                change = change | plan.change
                names.append(f"{_name(simulation.job, place)}: {plan.remedy}")
                break
    if not names:
        return None
    scores = _scores(simulation, parts, {("base", 0): Change(), ("plan", 0): change})
    sentence = ", ".join(names)
    return _trial(simulation, "together", sentence, scores["plan", 0], scores["base", 0])


def _name(job: Job, place: Place) -> str:
    if place >= 0:
        return f"layer {place}"
    return "the input" if len(job.graph.inputs) == 1 else f"input {~place}"


def _planned(
    simulation: Simulation, parts: list[Group], chosen: list[Place], found: Match | None
) -> list[Plan]:
    """Every remedy that applies to a chosen layer, with the ranges that it has in floats."""
    seen: dict[int, Seen] = {}
    for group in parts:
        simulation.begin(group)
        for place in chosen:
            now = _seen(simulation.reference[simulation.output(place)])
            seen[place] = seen[place] | now if place in seen else now
    return [plan for place in chosen for plan in _plans(simulation, place, seen[place], found)]


def _trial(simulation: Simulation, name: str, sentence: str, score: Score, base: Score) -> Trial:
    agreement = score.agreement - base.agreement if simulation.classes else None
    top1 = score.top1 - base.top1 if simulation.labelled else None
    return Trial(name, sentence, score.gain_db(base), agreement, top1)


def _best_of_each(trials: list[tuple[Trial, Plan]]) -> list[tuple[Trial, Plan]]:
    """The best first; of several of one name the best."""
    best: dict[str, tuple[Trial, Plan]] = {}
    for trial, plan in sorted(trials, key=lambda own: -own[0].sqnr_gain_db):
        best.setdefault(trial.remedy, (trial, plan))
    return list(best.values())


def _seen(values: Array) -> Seen:
    columns = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
    return Seen(float(values.min()), float(values.max()), np.abs(columns).max(axis=0))


def _plans(simulation: Simulation, place: Place, seen: Seen, found: Match | None) -> list[Plan]:
    """Each remedy that applies to a layer or an input; of one kind, there may be several."""
    plans = _finer(simulation, place, seen)
    if place >= 0:
        plans += _of_weights(simulation, place, seen, found)
    return plans


def _finer(simulation: Simulation, place: Place, seen: Seen) -> list[Plan]:
    """Other integers for a layer's output, or an input."""
    job, tensor = simulation.job, simulation.output(place)
    grid, what = job.grids[tensor], "its output" if place >= 0 else _name(job, place)
    op = job.layers[place].node.op if place >= 0 else None
    takers = {layer.node.op for layer in job.layers if tensor in layer.node.inputs}
    plans = []
    wide = op not in NARROW if op else not takers & {*NARROW}
    if job.graph.tensors[tensor].type == "INT8" and wide:
        most = max(abs(seen.low), abs(seen.high)) or 1.0
        change = Change(roundings={tensor: rounding(Grid(most / 32767, 0, -32768, 32767))})
        plans.append(Plan(place, "16 bits", f"give {what} 16 bits, and all of its range", change))
    if op not in FIXED and (best := _best_range(grid, seen, simulation.reference[tensor])):
        low, high = (best.step * end for end in (best.lowest, best.highest))
        had = [grid.step * end for end in (grid.lowest, grid.highest)]
        sentence = (
            f"calibrate {what} to {low:.3g}..{high:.3g}; the model has {had[0]:.3g}..{had[1]:.3g}"
        )
        change = Change(roundings={tensor: rounding(best)})
        plans.append(Plan(place, "calibration range", sentence, change))
    return plans


def _of_weights(simulation: Simulation, index: int, seen: Seen, found: Match | None) -> list[Plan]:
    """Other weights for a layer, and equalisation, which changes them."""
    plans, tensor = [], simulation.output(index)
    if found is not None and index in found.found:
        sentence = "no rounding of its weights: the most that training with quantization can bring"
        plans.append(Plan(index, BOUND, sentence, simulation.float_weights(index)))
        plans += _per_channel(simulation, index)
    ends = (seen.low, seen.high)
    for sentence, functions, way in equalised(simulation.job, index, tensor, seen.channels, ends):
        change = Change(functions, {tensor: way})
        plans.append(Plan(index, "equalisation", sentence, change))
    return plans


def _best_range(grid: Grid, seen: Seen, values: Array) -> Grid | None:
    """The share of the range seen that represents ``values`` best; None if it is what there is."""
    levels = grid.highest - grid.lowest
    best: tuple[float, Grid] | None = None
    own = rounding(grid)
    error = energy(own(values) - values)
    for share in SHRUNK:
        low, high = min(share * seen.low, 0.0), max(share * seen.high, 0.0)
        if high == low:
            return None
        step = (high - low) / levels
        lowest = round(low / step)
        tried = Grid(step, 0, lowest, lowest + levels)
        loss = energy(rounding(tried)(values) - values)
        if best is None or loss < best[0]:
            best = (loss, tried)
    return best[1] if best is not None and best[0] < 0.99 * error else None


def _per_channel(simulation: Simulation, index: int) -> list[Plan]:
    """A scale per output channel, for weights that have one, of their floats."""
    job = simulation.job
    layer = job.layers[index]
    axis, place = channel_axis(layer.node.op), layer.node.inputs[1]
    quantization = job.graph.tensors[place].quantization
    if axis is None or quantization is None or quantization.per_channel:
        return []
    weights = job.reference.tensors[place]
    if weights.shape[axis] < 2:
        return []
    again = quantized(weights, job.graph.tensors[place].type, axis)
    constants = replace(job.own, tensors={**job.own.tensors, place: again})
    function = float_function(job.graph, layer, constants)
    sentence = (
        "quantize its weights per channel: the largest weights of its channels differ"
        f" {spread(weights, axis):.3g}-fold"
    )
    return [Plan(index, "per-channel weights", sentence, Change({index: function}))]
