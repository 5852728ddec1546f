"""A run that a file tells of, as a side of a comparison: a trace, arrays, or a device's text."""

from __future__ import annotations

import zipfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import Batch, split_batch
from ..emit.selftest import pattern
from ..errors import BadInput
from ..graph import Graph
from ..ops import results
from ..ops.gather import index_limits
from ..passes import runnable
from ..trace import DAMAGED, Trace, split_bytes, traced_bytes
from .dump import read_dump
from .names import NAMES_HELP, bare_numbers, named, samples_of, traced

Array = NDArray[Any]


class Recorded:
    """What a file has of a run: ``tensors`` [samples, *shape], by index in the model.

    ``numerics`` is the profile that the file names, or "". ``notes`` are what a user should know
    of how the file was read.
    """

    def __init__(
        self,
        graph: Graph,
        tensors: dict[int, Array],
        numerics: str = "",
        notes: Sequence[str] = (),
        known_inputs: list[Array] | None = None,
    ) -> None:
        self.tensors = tensors
        self._known_inputs = known_inputs
        self.numerics = numerics
        self.notes = notes
        self._graph = graph
        self._next = 0
        counts = {index: len(array) for index, array in tensors.items()}
        if not traced(graph).intersection(counts) - set(graph.inputs):
            raise BadInput("there is no layer's output in it: nothing to compare")
        if len(set(counts.values())) > 1:
            few, many = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
            raise BadInput(
                f'it has {counts[few]} samples of "{graph.tensors[few].name}" and {counts[many]} of'
                f' "{graph.tensors[many].name}"'
            )
        self.samples = next(iter(counts.values()))

    @property
    def inputs(self) -> list[Array] | None:
        """The model's inputs, if the file has all of them or says which they were."""
        if any(index not in self.tensors for index in self._graph.inputs):
            return self._known_inputs
        return [self.tensors[index] for index in self._graph.inputs]

    @property
    def inputs_are_known(self) -> bool:
        """Whether ``inputs`` are not in the file, but what a harness runs that cannot listen."""
        own = set(self._graph.inputs) <= self.tensors.keys()
        return not own and self._known_inputs is not None

    def has_other_inputs(self, batch: Batch) -> bool:
        """Whether the file has inputs, and they are not those of ``batch``."""
        pairs = zip(self._graph.inputs, batch.arrays, strict=True)
        return any(
            index in self.tensors and not np.array_equal(self.tensors[index], array)
            for index, array in pairs
        )

    def rewind(self) -> None:
        """Begin with the first sample again."""
        self._next = 0

    def trace(self, *inputs: Array) -> Trace:
        """What was recorded of the next samples. Raises BadInput if there are fewer."""
        batch = split_batch(self._graph, inputs)
        start, end = self._next, self._next + batch.samples
        if end > self.samples:
            raise BadInput(
                f"it is of {self.samples} sample{'s' if self.samples > 1 else ''}, got inputs for"
                f" {end} or more: pass those that it was recorded with"
            )
        self._next = end
        own = {index: array[start:end] for index, array in self.tensors.items()}
        return Trace.from_tensors(self._graph, batch, own, self.numerics or "recorded")


def observed(graph: Graph, path: str | Path, *inputs: Array) -> Trace:
    """The run that a file tells of: a trace that ``save`` wrote, a .npz or a folder of .npy with an
    array per tensor, or the text that a device printed (docs/DUMPS.md).

    ``inputs`` are what it was run on, in any of the forms that ``Interpreter.trace`` takes, or
    nothing if the file has them. What the file lacks, the trace lacks. Raises BadInput for a file
    that is none of these, is of another model, or of another number of samples.
    """
    graph = runnable(graph)
    recorded = read_recorded(graph, Path(path))
    if not inputs:
        own = recorded.inputs
        if own is None:
            raise BadInput(f"{path}: has no inputs of the model: pass what it was run on")
        inputs = tuple(array[0] if len(array) == 1 else array for array in own)
    batch = split_batch(graph, inputs)
    trace = recorded.trace(*inputs)
    if batch.samples != recorded.samples:
        raise BadInput(f"{path}: is of {recorded.samples} samples, got inputs for {batch.samples}")
    return trace


def read_recorded(graph: Graph, path: Path) -> Recorded:
    """The file or folder at ``path``. Raises BadInput."""
    if path.is_dir():
        files = sorted(path.glob("*.npy"))
        if not files:
            raise BadInput("there is no .npy in this folder")
        return _of_arrays(graph, {file.stem: _npy(file) for file in files})
    if not path.exists():
        raise BadInput("no such file or folder")
    if path.suffix.lower() == ".npy":
        return _of_arrays(graph, {path.stem: _npy(path)})
    if zipfile.is_zipfile(path):
        arrays = _npz(path)
        return _of_trace(graph, path) if "trace" in arrays else _of_arrays(graph, arrays)
    if path.suffix.lower() == ".npz":
        raise BadInput("is not a .npz: expected what numpy.savez or a trace's save writes")
    if path.suffix.lower() == ".bin":
        return _of_bytes(graph, path)
    return _of_text(graph, path)


def _npy(path: Path) -> Array:
    try:
        array: Array = np.load(path, allow_pickle=False)
    except PermissionError as error:
        raise BadInput(f"cannot read {path.name}: {error.strerror}") from None
    except DAMAGED:
        raise BadInput(f"{path.name} is not a whole .npy of numbers") from None
    return array


def _npz(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as data, np.load(data, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except DAMAGED:
        raise BadInput("is not a whole .npz of numbers") from None


def _of_trace(graph: Graph, path: Path) -> Recorded:
    trace = Trace.load(path)
    if [layer.node.outputs for layer in trace] != [node.outputs for node in graph.nodes]:
        raise BadInput(
            f"is a trace of another model: {len(trace)} layers, expected {len(graph.nodes)}, or"
            " with other tensors"
        )
    tensors = {
        index: samples_of(trace.tensor(index), tensor, f"tensor {index}")
        for index, tensor in enumerate(graph.tensors)
        if trace.has(index)
    }
    return Recorded(graph, tensors, trace.numerics)


def _of_arrays(graph: Graph, arrays: dict[str, Array]) -> Recorded:
    numbers = {name: array for name, array in arrays.items() if name.isdecimal()}
    places: dict[str, int | None] = {name: named(graph, name) for name in arrays}
    if numbers:
        places.update(bare_numbers(graph, numbers))
    unknown = [name for name, index in places.items() if index is None]
    if len(unknown) == len(arrays):
        shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise BadInput(f"no array is called {NAMES_HELP}; there are: {shown or 'none'}")
    notes = [f"{name} is no tensor of the model: not compared" for name in unknown]
    tensors: dict[int, Array] = {}
    able = traced(graph)
    for name, index in places.items():
        if index is None or index not in able:  # weights are no part of a run
            continue
        if index in tensors:
            raise BadInput(f'two arrays are of tensor {index} "{graph.tensors[index].name}"')
        tensors[index] = samples_of(arrays[name], graph.tensors[index], name)
    return Recorded(graph, tensors, notes=notes)


def _of_text(graph: Graph, path: Path) -> Recorded:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read it: {error.strerror}") from None
    # What begins with this mark is UTF-16, as PowerShell's > writes it.
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    text = data.decode(encoding, errors="replace")
    if "\0" in text:
        raise BadInput("is neither text nor a .npz, a .npy or a folder of .npy")
    dump = read_dump(graph, text)
    known = None
    if dump.known_input:
        limits = index_limits(graph)
        tensors = [graph.tensors[index] for index in graph.inputs]
        known = [
            pattern(tensor.size, tensor.dtype, limits.get(index, 0)).reshape(1, *tensor.shape)
            for index, tensor in zip(graph.inputs, tensors, strict=True)
        ]
    return Recorded(graph, dump.tensors, dump.numerics, dump.notes, known)


def _of_bytes(graph: Graph, path: Path) -> Recorded:
    """All that ``<name>_trace`` got, sample after sample."""
    data, expected = path.read_bytes(), traced_bytes(graph)
    if not data or len(data) % expected:
        raise BadInput(
            f"has {len(data):,} bytes, expected {expected:,} per sample: every layer's outputs, one"
            " after another"
        )
    layers = split_bytes(graph, np.frombuffer(data, np.uint8).reshape(-1, expected))
    tensors = {
        index: array
        for node, outputs in zip(graph.nodes, layers, strict=True)
        for index, array in zip(results(node), outputs, strict=True)
    }
    return Recorded(graph, tensors)
