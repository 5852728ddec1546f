"""Why a layer or an input costs what it costs, in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ..prepare import PreparedLayer
from .accuracy_run import Job
from .layer_error import Tally
from .simulation import Place
from .weight_grid import channel_axis, spread

HALF = 0.5  # of a range: what leaves a bit unused
UNEVEN = 4.0  # how far channels' weights may differ before one scale for all costs two bits


def reason_of(job: Job, place: Place, tally: Tally, gains: Mapping[str, float]) -> str:
    """What of a layer's error costs the result the most, in plain words: its weights, that its
    outputs are cut off, or else the larger part of what is left."""
    n, what = tally.elements, "its output" if place >= 0 else "the input"
    names = ("weight", "bias", "clipping", "activation", "arithmetic")
    parts = dict(zip(names, (math.sqrt(p / n) for p in tally.isolated.parts), strict=True))
    if parts["weight"] and gains["weight"] > gains["output"]:
        largest = "weight"
    elif parts["clipping"] and gains["clip"] > gains["output"] / 2:
        largest = "clipping"
    else:
        largest = max(names[3:], key=parts.__getitem__)
    how = _REASONS[largest](what, tally, parts[largest])
    outputs = job.layers[place].node.outputs if place >= 0 else (job.graph.inputs[~place],)
    if largest == "activation":
        grid = job.grids[next(i for i in outputs if i in job.grids)]
        levels = grid.highest - grid.lowest + 1
        used = (int(tally.highest.max()) - int(tally.lowest.min()) + 1) / levels
        how += f"; it uses only {used:.0%} of its range" if used < HALF else ""
    ratio = _one_scale(job, job.layers[place]) if place >= 0 else None
    if largest == "weight" and ratio is not None:
        how += f"; one scale serves channels whose largest weights differ {ratio:.3g}-fold"
    if job.given is None and ratio is not None and ratio > UNEVEN:
        how += (
            f"; its weights have one scale, though those of its channels differ {ratio:.3g}-fold:"
            " what that costs needs the float model"
        )
    return how


def _one_scale(job: Job, layer: PreparedLayer) -> float | None:
    """How much the largest weights of channels differ that have one scale; else None."""
    axis = channel_axis(layer.node.op)
    if axis is None:
        return None
    place = layer.node.inputs[1]
    quantization = job.graph.tensors[place].quantization
    if quantization is None or quantization.per_channel:
        return None
    return spread(job.reference.tensors[place], axis)


def _clipping(what: str, tally: Tally, rms: float) -> str:
    low, high = (int(own.sum()) / tally.elements for own in (tally.below, tally.above))
    ends = [
        f"{_share(share)} {where}" for share, where in ((low, "below"), (high, "above")) if share
    ]
    return f"clipping: {' and '.join(ends)} what {what} can hold ({rms:.3g} steps rms)"


def _share(share: float) -> str:
    return f"{share:.2%}" if share >= 0.00005 else "less than 0.01%"


def _activation(what: str, tally: Tally, rms: float) -> str:
    return (
        f"rounding of {what}: {rms:.3g} steps rms, of a signal of"
        f" {math.sqrt(tally.isolated.signal / tally.elements):.3g} steps rms"
    )


_REASONS: Mapping[str, Callable[[str, Tally, float], str]] = {
    "weight": lambda what, tally, rms: f"rounding of its weights: {rms:.3g} steps rms of {what}",
    "clipping": _clipping,
    "activation": _activation,
    "arithmetic": lambda what, tally, rms: (
        f"the integer arithmetic of this operator: {rms:.3g} steps rms of {what}"
    ),
}
