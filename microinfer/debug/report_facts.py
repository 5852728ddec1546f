"""What a report says, as plain data: one structure, which JSON and the page both show."""

from __future__ import annotations

from dataclasses import dataclass

from .accuracy import Accuracy, LayerAccuracy
from .compare import First
from .cost import LayerCost, TargetCost
from .diagnose import Cause
from .diff import LayerDiff
from .histogram import Histogram, WeightValues


@dataclass(frozen=True)
class Port:
    """An input or output of the model. ``scale`` and ``zero_point`` are None if it has none.

    ``histogram`` is of an input's values, in steps; None without steps, and of outputs, whose
    values their layers have.
    """

    tensor: int
    name: str
    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None
    histogram: Histogram | None = None


@dataclass(frozen=True)
class OutputValues:
    """The values of one output of a layer over all samples, in steps of its quantization.

    ``low_end`` and ``high_end`` say what the histogram's ends are: "zero", real 0; "function",
    where an activation function ends; "range", where nothing but the type's range does.
    """

    tensor: int
    name: str
    type: str
    scale: float
    zero_point: int
    low_end: str
    high_end: str
    histogram: Histogram


@dataclass(frozen=True)
class LayerReport:
    """One layer. ``accuracy`` is None where outputs are not quantized, ``difference`` where nothing
    was compared. ``name`` and ``shape`` are of the first output.
    """

    index: int
    location: int
    op: str
    kernels: tuple[str, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    name: str
    type: str
    shape: tuple[int, ...]
    cost: LayerCost
    values: tuple[OutputValues, ...]
    weights: tuple[WeightValues, ...]
    accuracy: LayerAccuracy | None
    difference: LayerDiff | None


@dataclass(frozen=True)
class Difference:
    """The comparison with another run of the same samples; each layer has its own part.

    against   what it was compared with, for people
    identical, elements, differing  of all values of layers that were compared
    missing   layers of which the other side lacks an output
    first     where it begins, both values and the arithmetic; None if all is identical
    causes    what may have made it, the likeliest first
    """

    against: str
    identical: bool
    elements: int
    differing: int
    missing: tuple[int, ...]
    first: First | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class BufferReport:
    """Bytes of the arena, in use from layer ``first_layer`` to ``last_layer``.

    Model inputs live from layer -1 on, outputs until after the last layer. ``kind`` is "state",
    "input", "output", "activation" or, without tensors, "scratch".
    """

    kind: str
    offset: int
    bytes: int
    first_layer: int
    last_layer: int
    tensors: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """See the fields' own types. ``summary`` says the most of it in sentences. Bytes and MACs are
    of one inference; ``target`` is what an emulated core took for it, if that was asked for.
    """

    file: str
    summary: tuple[str, ...] = ()
    sha256: str
    numerics: str
    runtime: str
    samples: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layers: tuple[LayerReport, ...]
    accuracy: Accuracy | None
    difference: Difference | None
    arena_bytes: int
    state_bytes: int
    scratch_bytes: int
    constant_bytes: int
    macs: int
    buffers: tuple[BufferReport, ...]
    target: TargetCost | None
