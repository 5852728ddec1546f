"""A model in memory: tensors, quantization, nodes. Immutable, and free of any file format.

``tflite/reader.py`` makes a Graph, ``tflite/writer.py`` writes one, passes rewrite it,
the interpreter runs it and the generator prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

# TFLite's element types and the NumPy dtype that holds one element. INT4, INT2 and UINT4 are
# packed in the file and one element per int8/uint8 in memory; types without a NumPy twin
# (STRING, RESOURCE, VARIANT, BFLOAT16, FLOAT8_*) are kept as raw bytes or bit patterns.
DTYPES: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(dtype)
    for name, dtype in {
        "FLOAT32": np.float32,
        "FLOAT16": np.float16,
        "INT32": np.int32,
        "UINT8": np.uint8,
        "INT64": np.int64,
        "STRING": np.uint8,
        "BOOL": np.bool_,
        "INT16": np.int16,
        "COMPLEX64": np.complex64,
        "INT8": np.int8,
        "FLOAT64": np.float64,
        "COMPLEX128": np.complex128,
        "UINT64": np.uint64,
        "RESOURCE": np.uint8,
        "VARIANT": np.uint8,
        "UINT32": np.uint32,
        "UINT16": np.uint16,
        "INT4": np.int8,
        "BFLOAT16": np.uint16,
        "INT2": np.int8,
        "UINT4": np.uint8,
        "FLOAT8_E4M3FN": np.uint8,
        "FLOAT8_E5M2": np.uint8,
    }.items()
}


def _equal(a: object, b: object) -> bool:
    """Equality that compares arrays by dtype, shape and bytes (so NaN equals itself)."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


class _ByValue:
    """Field-by-field equality for dataclasses that hold arrays."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(
            _equal(getattr(self, f.name), getattr(other, f.name))
            for f in fields(self)  # type: ignore[arg-type]
            if f.compare
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Quantization(_ByValue):
    """real = scales[c] * (q - zero_points[c]), c running along ``axis``.

    ``scales`` float32 and ``zero_points`` int64 are one-dimensional and equally long: one entry
    per tensor, or one per channel along ``axis`` of the tensor's shape.
    """

    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1

    @property
    def scale(self) -> float:
        """The one scale of a per-tensor quantization, widened exactly to float64."""
        assert not self.per_channel
        return float(self.scales[0])

    @property
    def zero_point(self) -> int:
        """The one zero point of a per-tensor quantization."""
        assert not self.per_channel
        return int(self.zero_points[0])


@dataclass(frozen=True, eq=False)
class Tensor(_ByValue):
    """An edge of the graph, or a constant.

    ``type`` is TFLite's name of the element type; ``data`` is the constant's value with dtype
    ``dtype`` and shape ``shape``, or None for what is computed.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    quantization: Quantization | None = None
    data: NDArray[Any] | None = None
    is_variable: bool = False
    shape_signature: tuple[int, ...] | None = None  # -1 where the exporter left a size open
    sparse: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        return DTYPES[self.type]

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    @property
    def port_quantization(self) -> Quantization | None:
        """How a caller reads this tensor's integers as reals; None for types that are no reals'."""
        return self.quantization if self.type in ("INT8", "INT16", "UINT8") else None

    @property
    def nbytes(self) -> int:
        """Bytes in memory, one element per ``dtype``."""
        return self.size * self.dtype.itemsize

    @property
    def is_open(self) -> bool:
        """Whether the exporter left a size open; ``shape`` has a guess there, mostly 1."""
        return -1 in (self.shape_signature or ())

    @property
    def is_undecided(self) -> bool:
        """Whether, of an input, a size besides the batch is open, with nothing but 1 for it."""
        pairs = zip((self.shape_signature or ())[1:], self.shape[1:], strict=False)
        return (-1, 1) in pairs


@dataclass(frozen=True, eq=False)
class Node(_ByValue):
    """One operator. ``op`` is TFLite's name (``CONV_2D``), or ``CUSTOM:<name>``.

    ``inputs`` and ``outputs`` are tensor indices of the graph, -1 for an absent optional input.
    ``options`` has every field of the operator's options table, schema defaults filled in;
    enumerations by name (``"SAME"``), or as an int where the schema has no such code.
    ``location`` is the operator's index in the file, kept when passes rewrite the graph.
    """

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    location: int = 0
    version: int = 1
    intermediates: tuple[int, ...] = ()
    custom_options: bytes = b""


@dataclass(frozen=True, eq=False)
class Signature(_ByValue):
    """Names that an exporter gave to a subgraph's inputs and outputs."""

    key: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    subgraph: int = 0


@dataclass(frozen=True)
class Rewrite:
    """What a user had a pass change: the option that asks for it, what callers have to know."""

    option: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Graph(_ByValue):
    """A model: its main subgraph, and what hangs on it.

    ``inputs`` and ``outputs`` are indices into ``tensors``; ``nodes`` are in execution order.
    ``subgraphs`` are the file's further subgraphs, called by control-flow operators; ``sha256`` is
    the hex digest of the file, empty for a graph that was not read from one; ``rewrites`` are
    what it was asked to be otherwise than the file.
    """

    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    name: str = ""
    subgraphs: tuple[Graph, ...] = ()
    description: str = ""
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    sha256: str = field(default="", compare=False)
    rewrites: tuple[Rewrite, ...] = field(default=(), compare=False)
