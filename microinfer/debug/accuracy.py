"""``accuracy``: which layer loses how much, and what would help."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..batch import Batch, split_batch
from ..errors import BadInput
from ..graph import Graph
from ..one_thread import one_thread
from ..passes import runnable
from .accuracy_facts import (
    Accuracy,
    Advice,
    InputAccuracy,
    LayerAccuracy,
    OutputAccuracy,
    Split,
    Trial,
)
from .accuracy_run import Group, GroupTally, Job, Replay, measure_groups
from .float_twin import SAME, Match, match, run_by_litert
from .given import real
from .judged import is_classes, judged_tensor
from .layer_error import Grid, Moments, Tally
from .remedies import advise, trial_samples
from .simulation import can_simulate

__all__ = [
    "Accuracy",
    "Advice",
    "InputAccuracy",
    "LayerAccuracy",
    "OutputAccuracy",
    "Split",
    "Trial",
    "accuracy",
]

Array = NDArray[Any]

TASK_GROUPS = 4  # groups that an executor gets at a time
IN_FLIGHT = 64  # tasks that it has at a time: what waits takes memory
CHECKED = 4  # samples that LiteRT runs the float model on


def accuracy(
    model: Graph,
    inputs: ArrayLike | Sequence[ArrayLike],
    float_model: Graph | None = None,
    labels: ArrayLike | None = None,
    executor: Executor | None = None,
    *,
    numerics: str = "tflm",
    advance: Callable[[int], object] = lambda samples: None,
) -> Accuracy:
    """Compare an integer model with its floats on samples, layer by layer.

    inputs       samples for the model's input, [samples, *shape], or a list of arrays, one per
                 input; a numpy.memmap is read as it is needed. For an input of integers, give
                 floats, the real values: the integer model gets them quantized, the floats' side
                 as they are, and the input's own rounding and clipping are measured
                 (``Accuracy.inputs``). Integers, quantized already, are taken as exact.
    float_model  the model that ``model`` was converted from (``microinfer.tflite.read_file``)
    labels       the right class of each sample, integers [samples]
    executor     any concurrent.futures.Executor, such as Dask's client.get_executor(): groups of
                 samples are mapped through it. The result is the same, bit for bit.
    advance      is told how many samples were done

    Memory depends on the largest group of samples, not on their number. A model with state is run
    over the samples as consecutive invocations, without an executor.

    Raises BadInput for inputs, labels or a float model that do not fit, UnsupportedModel for a
    model that cannot be run.
    """
    graph = runnable(model)
    plain = Job.of(graph, numerics, None)
    layers = plain.layers
    batch = split_batch(graph, _as_list(graph, inputs), reals=True)
    found = None if float_model is None else match(graph, layers, float_model)
    job = plain if found is None else Job.of(graph, numerics, found.constants)
    _require_reals(graph)
    for x in batch.arrays:
        if x.dtype.kind == "f" and not _all_finite(x):
            raise BadInput("the inputs have values that are not finite numbers")
    if executor is not None and job.has_state:
        raise BadInput(
            "the model has state: its samples are consecutive invocations, which an executor"
            " cannot share out"
        )
    wanted = _labels(graph, labels, batch)
    total = _measured(job, _groups(job, batch, wanted), executor, advance)
    advised = advise(job, batch, wanted, total, found)
    notes = advised.notes
    if float_model is not None and found is not None:
        notes = (*found.notes, *_checked(job, found, float_model, batch), *notes)
    return Accuracy(
        samples=batch.samples,
        numerics=numerics,
        reference="dequantized weights" if found is None else "float model",
        inputs=tuple(_input(job, place, tally) for place, tally in total.inputs.items()),
        layers=tuple(_layer(job, found, index, tally) for index, tally in total.layers.items()),
        output=_output(graph, total, wanted is not None),
        judged=graph.tensors[judged_tensor(graph)].name,
        tried=can_simulate(job),
        trial_samples=trial_samples(job, batch),
        advice=advised.advice,
        together=advised.together,
        arithmetic_db=advised.arithmetic_db,
        notes=notes,
    )


def _all_finite(values: Array) -> bool:
    """Also as float32. By their ends, which takes no copy of what is on disk."""
    with np.errstate(over="ignore", invalid="ignore"):
        ends = np.array([values.min(), values.max()]).astype(np.float32)
    return bool(np.isfinite(ends).all())


def _require_reals(graph: Graph) -> None:
    """Raise BadInput for integers that stand for reals and are not told from those that do not."""
    for place, node in enumerate(graph.nodes):
        for tensor in (graph.tensors[i] for i in (*node.inputs, *node.outputs)):
            if node.op == "QUANTIZE" and tensor.type == "INT32":
                raise BadInput(
                    f'layer {place} QUANTIZE: "{tensor.name}" is INT32, whose accuracy is not'
                    " measured; expected INT8, INT16 or UINT8"
                )


def _as_list(graph: Graph, inputs: ArrayLike | Sequence[ArrayLike]) -> list[Array]:
    """One array per input, not copied."""
    if len(graph.inputs) == 1 and not isinstance(inputs, list | tuple):
        return [np.asanyarray(inputs)]
    return [np.asanyarray(array) for array in inputs]  # type: ignore[union-attr]


def _labels(graph: Graph, labels: ArrayLike | None, batch: Batch) -> Array | None:
    if labels is None:
        return None
    given, output = np.asarray(labels), graph.tensors[graph.outputs[0]]
    if not is_classes(graph):
        raise BadInput(
            f"labels are for a model that gives one value per class; the output here is"
            f" {output.shape}"
        )
    if given.shape == (batch.samples, output.size) and output.size > 1:
        raise BadInput(
            f"labels: got {given.shape}, expected ({batch.samples},), one per sample; of one-hot"
            " rows take numpy.argmax(labels, axis=1)"
        )
    values = given.reshape(-1)
    if values.dtype.kind not in "iu":
        raise BadInput(f"labels: got dtype {values.dtype}, expected integers")
    if len(values) != batch.samples:
        raise BadInput(f"labels: got {len(values)}, expected {batch.samples}, one per sample")
    if values.min() < 0 or values.max() >= output.size:
        raise BadInput(f"labels: got {values.min()}..{values.max()}, expected 0..{output.size - 1}")
    return values


def _groups(job: Job, batch: Batch, labels: Array | None) -> Iterator[Group]:
    for first in range(0, batch.samples, job.group):
        part = slice(first, first + job.group)
        yield [array[part] for array in batch.arrays], None if labels is None else labels[part]


def _measured(
    job: Job, groups: Iterator[Group], executor: Executor | None, advance: Callable[[int], object]
) -> GroupTally:
    """All groups added up, in their order."""
    total: GroupTally | None = None
    parts = _serial(job, groups) if executor is None else _mapped(job, groups, executor)
    for part in parts:
        total = part if total is None else total + part
        advance(part.output.samples)
    assert total is not None
    return total


def _serial(job: Job, groups: Iterator[Group]) -> Iterator[GroupTally]:
    replay = Replay(job)
    for inputs, labels in groups:
        yield replay.measure(inputs, labels)


def _mapped(job: Job, groups: Iterator[Group], executor: Executor) -> Iterator[GroupTally]:
    """Through the executor, not more than IN_FLIGHT tasks ahead; in order."""
    running: deque[Future[list[GroupTally]]] = deque()
    with one_thread():  # else threads would give BLAS its threads back while others use it
        try:
            for task in _tasks(groups):
                running.append(executor.submit(measure_groups, job, task))
                if len(running) >= IN_FLIGHT:
                    yield from running.popleft().result()
            while running:
                yield from running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def _tasks(groups: Iterator[Group]) -> Iterator[list[Group]]:
    task: list[Group] = []
    for group in groups:
        task.append(group)
        if len(task) == TASK_GROUPS:
            yield task
            task = []
    if task:
        yield task


def _input(job: Job, place: int, tally: Tally) -> InputAccuracy:
    index, n = job.graph.inputs[place], tally.elements
    grid = job.grids[index]
    split = _split(tally.accumulated, n, weights=False, alone=False)
    return InputAccuracy(
        index=place,
        low=grid.lowest * grid.step,
        high=grid.highest * grid.step,
        split=split,
        accumulated_split=split,
        **_of_tensor(job.graph, index, grid, tally),
    )


def _layer(job: Job, found: Match | None, index: int, tally: Tally) -> LayerAccuracy:
    layer, n = job.layers[index], tally.elements
    place = next(i for i in layer.node.outputs if i in job.grids)
    matched = found is not None and index not in found.missed
    return LayerAccuracy(
        index=index,
        node=layer.node,
        split=_split(tally.isolated, n, matched, alone=True),
        accumulated_split=_split(tally.accumulated, n, found is not None, alone=False),
        **_of_tensor(job.graph, place, job.grids[place], tally),
    )


def _of_tensor(graph: Graph, index: int, grid: Grid, tally: Tally) -> dict[str, Any]:
    """The fields of TensorAccuracy but for the splits."""
    tensor, n = graph.tensors[index], tally.elements
    levels = grid.highest - grid.lowest + 1
    seen = int(tally.highest.max() - tally.lowest.min()) + 1
    isolated, accumulated = tally.isolated, tally.accumulated
    return {
        "name": tensor.name,
        "step": grid.step,
        "elements": n,
        "sqnr_db": isolated.sqnr_db,
        "cosine": isolated.cosine,
        "max_error_steps": isolated.largest,
        "rms_error_steps": math.sqrt(isolated.error / n),
        "accumulated_sqnr_db": accumulated.sqnr_db,
        "accumulated_cosine": accumulated.cosine,
        "accumulated_max_error_steps": accumulated.largest,
        "accumulated_rms_error_steps": math.sqrt(accumulated.error / n),
        "clipped_low": int(tally.below.sum()) / n,
        "clipped_high": int(tally.above.sum()) / n,
        "range_used": seen / levels,
        "channels": tensor.shape[-1] if tensor.shape else 1,
        "dead_channels": tally.dead,
        "saturated_channels": tally.saturated,
    }


def _split(moments: Moments, elements: int, weights: bool, alone: bool) -> Split:
    weight, bias, clipping, activation, arithmetic = (
        math.sqrt(part / elements) for part in moments.parts
    )
    return Split(
        weight=weight if weights else None,
        bias=bias if weights else None,
        clipping=clipping,
        activation=activation,
        arithmetic=arithmetic if alone else None,
    )


def _output(graph: Graph, total: GroupTally, labelled: bool) -> OutputAccuracy:
    output, moments = total.output, total.output.moments
    relative = math.sqrt(moments.error / moments.signal) if moments.signal else math.nan
    return OutputAccuracy(
        name=graph.tensors[graph.outputs[0]].name,
        sqnr_db=moments.sqnr_db,
        cosine=moments.cosine,
        max_error=moments.largest,
        relative_error=0.0 if moments.error == 0 else relative,
        agreement=output.agreeing / output.samples if is_classes(graph) else None,
        top1=output.right / output.samples if labelled else None,
        float_top1=output.float_right / output.samples if labelled else None,
    )


def _checked(job: Job, found: Match, float_model: Graph, batch: Batch) -> tuple[str, ...]:
    """What LiteRT says of the reference: whether it is the float model."""
    graph = job.graph
    inputs = [array[:CHECKED] for array in batch.arrays]
    reals = [
        real(graph.tensors[i], x, np.float32) for i, x in zip(graph.inputs, inputs, strict=True)
    ]
    theirs = run_by_litert(float_model, reals)
    if theirs is None:
        return ("that the reference gives the float model's outputs was not checked: LiteRT did"
                " not run it (pip install ai-edge-litert)",)  # fmt: skip
    replay = Replay(job)
    outputs = []
    for first in range(0, len(inputs[0]), job.group):
        part = [x[first : first + job.group] for x in inputs]
        replay.measure(part, None)
        outputs.append(replay.reference.values[graph.outputs[0]])
    ours = np.concatenate(outputs).astype(np.float64).reshape(len(theirs), -1)
    theirs = theirs.astype(np.float64).reshape(len(theirs), -1)
    if ours.shape != theirs.shape:
        return (f"the float model gives {theirs.shape[1]} values per sample, the integer model"
                f" {ours.shape[1]}: it is not its float model",)  # fmt: skip
    size = float(np.linalg.norm(theirs))
    gap = float(np.linalg.norm(ours - theirs)) / size if size else 0.0
    if gap > SAME and found.rounded:
        return (f"the float model's outputs, by LiteRT, differ from the reference by {gap:.2g} of"
                " their size: LiteRT rounds the activations of such models, too",)  # fmt: skip
    if gap > SAME:
        return (f"the float model, run by LiteRT, gives other outputs than the integer model's"
                f" graph with its weights: by {gap:.2g} of their size. The two differ in more than"
                " weights (an operator, a layer, a scale), which is not counted",)  # fmt: skip
    return ()
