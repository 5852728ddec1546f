"""The record of one run: every layer's outputs, beside the node and the params that made them."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batch import Batch, split_batch
from .errors import BadInput
from .graph import Graph, Node
from .ops import results
from .passes import runnable

# What NumPy raises of a file of arrays that is damaged; RuntimeError: encrypted, or packed oddly.
DAMAGED = (
    *(ValueError, EOFError, OSError, MemoryError, KeyError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class LayerTrace:
    """One layer of a run. ``params`` is None in a trace that was loaded from a file.

    ``outputs`` are the node's and, of a layer with variable tensors, these after it (ops.results);
    empty where the trace lacks one of them, as one of a device's partial dump may.
    """

    index: int
    node: Node
    outputs: list[NDArray[Any]]
    params: Any = None


class Trace:
    """All layers of one run, in order: ``trace[i].outputs``; tensors by index: ``trace.tensor``.

    Arrays have the shape of their tensors; in a run over several samples, samples come first.
    """

    def __init__(
        self, layers: Sequence[LayerTrace], inputs: dict[int, NDArray[Any]], numerics: str
    ) -> None:
        self.layers = list(layers)
        # Copies: the caller may fill the same arrays again for the next run.
        self.inputs = {index: np.array(value) for index, value in inputs.items()}
        self.numerics = numerics
        self._tensors = dict(self.inputs)
        for layer in self.layers:
            if layer.outputs:
                self._tensors.update(zip(results(layer.node), layer.outputs, strict=True))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerTrace]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> LayerTrace:
        return self.layers[index]

    def tensor(self, index: int) -> NDArray[Any]:
        """The value of the tensor with this index in the model; KeyError if none was computed."""
        return self._tensors[index]

    def has(self, index: int) -> bool:
        """Whether there is a value of the tensor with this index."""
        return index in self._tensors

    def save(self, path: str | Path) -> None:
        """Write a .npz: one array ``tensor_<index>`` per tensor, and ``layers`` as JSON text."""
        layers = [
            {
                "op": layer.node.op,
                "inputs": layer.node.inputs,
                "outputs": layer.node.outputs,
                "location": layer.node.location,
            }
            for layer in self.layers
        ]
        header = {"numerics": self.numerics, "inputs": list(self.inputs), "layers": layers}
        arrays = {f"tensor_{index}": value for index, value in self._tensors.items()}
        with Path(path).open("wb") as file:
            np.savez_compressed(file, trace=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]

    @classmethod
    def from_bytes(cls, graph: Graph, dump: bytes, *inputs: NDArray[Any]) -> Trace:
        """The run that a device's dump tells of: all that ``<name>_trace`` got, one after another.

        ``inputs`` are the one sample that it ran, in any of the forms that ``Interpreter.trace``
        takes; outputs follow it. Raises BadInput for other inputs, and if the dump has another size
        than the model's layers have together.
        """
        graph = runnable(graph)
        batch = split_batch(graph, inputs)
        if batch.samples != 1:
            raise BadInput(f"a dump is of one sample, got {batch.samples}")
        expected = traced_bytes(graph)
        if len(dump) != expected:
            raise BadInput(f"got {len(dump)} bytes, expected {expected}: every layer's output")
        return cls.from_samples(graph, batch, np.frombuffer(dump, np.uint8)[None], "device")

    @classmethod
    def from_samples(
        cls,
        graph: Graph,
        batch: Batch,
        raw: NDArray[np.uint8],
        numerics: str,
        params: Sequence[Any] | None = None,
    ) -> Trace:
        """A run of C over ``batch``, from the bytes [samples, traced_bytes] that it traced.

        ``params`` has each layer's, if they are known.
        """
        layers = [
            LayerTrace(
                index,
                node,
                [
                    batch.restore(array, graph.tensors[i])
                    for i, array in zip(results(node), outputs, strict=True)
                ],
                params[index] if params is not None else None,
            )
            for index, (node, outputs) in enumerate(
                zip(graph.nodes, split_bytes(graph, raw), strict=True)
            )
        ]
        inputs = {
            index: batch.restore(array, graph.tensors[index])
            for index, array in zip(graph.inputs, batch.arrays, strict=True)
        }
        return cls(layers, inputs, numerics)

    @classmethod
    def from_tensors(
        cls, graph: Graph, batch: Batch, tensors: Mapping[int, NDArray[Any]], numerics: str
    ) -> Trace:
        """A run over ``batch`` of which only ``tensors``, each [samples, *shape], are known.

        Inputs among them stand for those of ``batch``.
        """
        known = dict(zip(graph.inputs, batch.arrays, strict=True)) | dict(tensors)
        shown = {i: batch.restore(array, graph.tensors[i]) for i, array in known.items()}
        return cls._of(graph.nodes, graph.inputs, shown, numerics)

    @classmethod
    def _of(
        cls,
        nodes: Sequence[Node],
        inputs: Sequence[int],
        tensors: Mapping[int, NDArray[Any]],
        numerics: str,
    ) -> Trace:
        """The trace of ``nodes`` with what is known of their results."""
        layers = []
        for index, node in enumerate(nodes):
            whole = all(i in tensors for i in results(node))
            outputs = [tensors[i] for i in results(node)] if whole else []
            layers.append(LayerTrace(index, node, outputs))
        trace = cls(layers, {i: tensors[i] for i in inputs}, numerics)
        trace._tensors.update(tensors)
        return trace

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read what ``save`` wrote. Raises BadInput if it is something else."""
        try:
            with Path(path).open("rb") as data, np.load(data, allow_pickle=False) as file:
                header = json.loads(str(file["trace"]))
                tensors = {
                    int(name.removeprefix("tensor_")): file[name]
                    for name in file.files
                    if name != "trace"
                }
            nodes = [
                Node(
                    entry["op"],
                    tuple(entry["inputs"]),
                    tuple(entry["outputs"]),
                    location=entry["location"],
                )
                for entry in header["layers"]
            ]
            return cls._of(nodes, header["inputs"], tensors, header["numerics"])
        except FileNotFoundError:
            raise BadInput(f"{path}: no such file") from None
        except (*DAMAGED, TypeError, AttributeError):
            raise BadInput(f"{path}: not a trace saved by microinfer (.npz)") from None


def traced_bytes(graph: Graph) -> int:
    """Bytes that the outputs of all layers have together."""
    return sum(graph.tensors[index].nbytes for node in graph.nodes for index in results(node))


def split_bytes(graph: Graph, raw: NDArray[np.uint8]) -> list[list[NDArray[Any]]]:
    """Each layer's outputs [samples, *shape] in bytes [samples, traced_bytes]."""
    layers, start = [], 0
    for node in graph.nodes:
        outputs = []
        for index in results(node):
            tensor = graph.tensors[index]
            part = np.ascontiguousarray(raw[:, start : start + tensor.nbytes])
            outputs.append(part.view(tensor.dtype).reshape(len(raw), *tensor.shape))
            start += tensor.nbytes
        layers.append(outputs)
    return layers
