"""Reading a .tflite file: bytes to Graph.

``table.py`` follows the offsets, ``schema.py`` says what lies where; here it is put together.
What the schema leaves to convention, and many exporters do differently, is settled once:

- an operator's code is the larger of the old int8 and the newer int32 field;
- a tensor without a shape is a scalar;
- zero points may be fewer than scales: one stands for all, none for 0;
- INT4 and its like come packed, and leave unpacked;
- an operator's options have all fields, with the schema's defaults if the file has none or has
  those of another operator (as TFLM reads them);
- constants may lie behind the FlatBuffer (files above 2 GB), but not in another file.

Scales, axes and whatever else only an operator can judge are passed on as they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadFile, BadInput, Problem, UnsupportedModel
from ..graph import DTYPES, Graph, Node, Quantization, Signature, Tensor
from .operators import OPERATOR_NAMES, OPERATORS
from .packing import BITS, packed_bytes, unpack
from .schema import FIELDS, UNIONS, defaults
from .table import ARRAY_PRICE, OPTION_PRICE, File, Span, Table, root_table

MAX_RANK = 8
MAX_ELEMENTS = 2**31 - 1

# Their bytes do not follow from the shape: they are handed on as a row of uint8.
OPAQUE_TYPES = ("STRING", "RESOURCE", "VARIANT")


def read_file(path: str | Path) -> Graph:
    """The model in a file. Raises BadInput if there is no such file, else as ``read``."""
    try:
        data = Path(path).read_bytes()
    except IsADirectoryError:
        raise BadInput(f"{path} is a directory; expected a .tflite file") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    return read(data)


def read(data: bytes) -> Graph:
    """The model in a .tflite file's bytes; constants are read-only views of ``data``.

    Raises BadFile if the bytes are not a whole and consistent .tflite file, UnsupportedModel if
    constants are kept in another file or quantized in a way that a Graph cannot express.
    """
    return _Reader(bytes(data)).model()


class _Reader:
    """One file being read. ``problems`` are what will make it an UnsupportedModel."""

    def __init__(self, data: bytes) -> None:
        self.file = File(data)
        self.root = root_table(self.file)
        self.buffers = self.root["buffers"]
        self.operator_codes = [_operator_code(table) for table in self.root["operator_codes"]]
        self.unpacked: dict[tuple[Span, str, int], NDArray[Any]] = {}
        self.problems: list[Problem] = []

    def model(self) -> Graph:
        subgraphs = tuple(self._subgraph(table) for table in self.root["subgraphs"])
        if not subgraphs:
            raise BadFile("no subgraph; expected at least one", self.root.where("subgraphs"))
        if self.problems:
            raise UnsupportedModel(self.problems, len(subgraphs[0].nodes))
        return replace(
            subgraphs[0],
            sha256=hashlib.sha256(self.file.data).hexdigest(),
            subgraphs=subgraphs[1:],
            description=self.root["description"],
            metadata={
                table["name"]: self._bytes(self._buffer(table, "buffer"))
                for table in self.root["metadata"]
            },
            signatures=tuple(_signature(table, subgraphs) for table in self.root["signature_defs"]),
        )

    def _subgraph(self, table: Table) -> Graph:
        tensors = tuple(self._tensor(tensor) for tensor in table["tensors"])
        return Graph(
            tensors=tensors,
            nodes=tuple(
                self._node(operator, location, len(tensors))
                for location, operator in enumerate(table["operators"])
            ),
            inputs=_indices(table, "inputs", 0, len(tensors)),
            outputs=_indices(table, "outputs", 0, len(tensors)),
            name=table["name"],
        )

    def _tensor(self, table: Table) -> Tensor:
        type_ = table["type"]
        if type_ not in DTYPES:
            raise BadFile(
                f"Tensor.type: code {type_}, expected 0 to {len(DTYPES) - 1}", table.where("type")
            )
        tensor = Tensor(
            name=table["name"],
            shape=_shape(table),
            type=type_,
            is_variable=table["is_variable"],
            shape_signature=table["shape_signature"] or None,
            sparse=table["sparsity"] is not None,
        )
        return replace(
            tensor,
            quantization=self._quantization(table, tensor.name),
            data=self._data(table, tensor),
        )

    def _quantization(self, owner: Table, tensor: str) -> Quantization | None:
        table = owner["quantization"]
        if table is None:
            return None
        details = table["details"]
        if details is not None:
            reason = f"{details.kind} instead of scales and zero points"
            self._refuse(tensor, reason, "quantize it per tensor or per channel")
        owner.pay(2 * ARRAY_PRICE)
        span = table.span("scale")
        scales = self._array(span, np.dtype(np.float32))
        given = self._array(table.span("zero_point"), np.dtype(np.int64))
        if len(scales) == 0:
            return None
        if len(given) not in (0, 1, len(scales)):
            raise BadFile(
                f'tensor "{tensor}": {len(given)} zero points for {len(scales)} scales, '
                f"expected 0, 1 or as many",
                table.where("zero_point"),
            )
        zero_points = given
        if len(given) != len(scales):
            self.file.use(span.start, scales.nbytes, given.itemsize * len(scales))
            zero_points = np.full(len(scales), given[0] if len(given) else 0, np.int64)
            zero_points.flags.writeable = False
        return Quantization(scales, zero_points, table["quantized_dimension"])

    def _data(self, table: Table, tensor: Tensor) -> NDArray[Any] | None:
        """A constant's elements, or None for a tensor without data."""
        if table["external_buffer"]:
            reason = f"its data is in {self._external_file(table['external_buffer'])}"
            self._refuse(tensor.name, reason, "convert the model with its weights inside")
            return None
        span = self._buffer(table, "buffer")
        if span.length == 0:
            return None
        table.pay(ARRAY_PRICE)
        if tensor.sparse or tensor.type in OPAQUE_TYPES:
            return self._array(span, np.dtype(np.uint8))
        size = tensor.size
        packed = tensor.type in BITS
        expected = packed_bytes(tensor.type, size) if packed else tensor.nbytes
        if span.length != expected:
            raise BadFile(
                f'tensor "{tensor.name}": {span.length} bytes of data, expected {expected} for '
                f"{tensor.type} of shape {list(tensor.shape)}",
                span.start,
            )
        if not packed:
            return self._array(Span(span.start, size), tensor.dtype).reshape(tensor.shape)
        return self._unpacked(span, tensor.type, size).reshape(tensor.shape)

    def _unpacked(self, span: Span, type_: str, size: int) -> NDArray[Any]:
        """A packed constant's elements, the same ones for all tensors that share its buffer."""
        key = (span, type_, size)
        if key not in self.unpacked:
            # The elements, and as much again while unpacking.
            self.file.use(span.start, span.length, 4 * size)
            elements = unpack(self._array(span, np.dtype(np.uint8)), type_, size)
            elements.flags.writeable = False
            self.unpacked[key] = elements
        return self.unpacked[key]

    def _node(self, table: Table, location: int, tensors: int) -> Node:
        op, version = self.operator_codes[table.index("opcode_index", len(self.operator_codes))]
        return Node(
            op=op,
            inputs=_indices(table, "inputs", -1, tensors),
            outputs=_indices(table, "outputs", 0, tensors),
            options=_options(table, OPERATORS.get(op, "")),
            location=location,
            version=version,
            intermediates=_indices(table, "intermediates", -1, tensors),
            custom_options=self._custom_options(table),
        )

    def _custom_options(self, table: Table) -> bytes:
        span = table.span("custom_options")
        if span.length == 0:
            names = ("large_custom_options_offset", "large_custom_options_size")
            span = self._outside(table, *names)
        return self._bytes(span)

    def _buffer(self, table: Table, name: str) -> Span:
        """Where the bytes of the buffer lie whose index a field holds."""
        if table[name] == 0:  # empty by convention, even in files that leave it out
            return Span(0, 0)
        buffer = self.buffers[table.index(name, len(self.buffers))]
        span: Span = buffer.span("data")
        return span if span.length else self._outside(buffer, "offset", "size")

    def _outside(self, table: Table, offset_name: str, size_name: str) -> Span:
        """Bytes behind the FlatBuffer; an offset of 0 or 1 means that there are none."""
        offset, size = table[offset_name], table[size_name]
        if offset <= 1:
            return Span(0, 0)
        self.file.check(offset, size, f"{table.kind}.{offset_name}")
        return Span(offset, size)

    def _bytes(self, span: Span) -> bytes:
        self.file.use(span.start, span.length, span.length)
        return self.file.data[span.start : span.start + span.length]

    def _array(self, span: Span, dtype: np.dtype[Any]) -> NDArray[Any]:
        """A read-only view of numbers in the file. Read-only since ``bytes`` are."""
        array: NDArray[Any] = np.ndarray(
            (span.length,), dtype.newbyteorder("<"), self.file.data, span.start
        )
        return array

    def _external_file(self, buffer_id: int) -> str:
        """The name of the file that an external buffer is kept in, as far as it is known."""
        groups = self.root["external_buffer_groups"]
        if buffer_id in self.external_buffers:
            buffer = self.external_buffers[buffer_id]
            return f'the file "{groups[buffer.index("group", len(groups))]["name"]}"'
        return f"another file (external buffer {buffer_id})"

    @cached_property
    def external_buffers(self) -> dict[int, Table]:
        return {buffer["id"]: buffer for buffer in self.root["external_buffers"]}

    def _refuse(self, tensor: str, reason: str, fix: str) -> None:
        self.problems.append(Problem(-1, "", tensor, reason, fix))


def _operator_code(table: Table) -> tuple[str, int]:
    """An operator's name and version."""
    code = max(table["deprecated_builtin_code"], table["builtin_code"])
    if code < 0:
        raise BadFile(f"operator code {code}, expected at least 0", table.where("builtin_code"))
    name = OPERATOR_NAMES[code] if code < len(OPERATOR_NAMES) else f"BUILTIN_{code}"
    return f"CUSTOM:{table['custom_code']}" if name == "CUSTOM" else name, table["version"]


def _options(table: Table, kind: str) -> dict[str, Any]:
    """All options of an operator whose options table is of type ``kind`` ("" for none)."""
    if not kind:
        return {}
    table.pay(OPTION_PRICE * len(FIELDS[kind]))
    first = kind in UNIONS["BuiltinOptions"]
    options = table["builtin_options" if first else "builtin_options_2"]
    return defaults(kind) if options is None or options.kind != kind else options.values()


def _shape(table: Table) -> tuple[int, ...]:
    for name in ("shape", "shape_signature"):
        rank = table.span(name).length
        if rank > MAX_RANK:
            raise BadFile(
                f"Tensor.{name}: {rank} axes, expected at most {MAX_RANK}", table.where(name)
            )
    shape: tuple[int, ...] = table["shape"]
    size = 1
    for extent in shape:
        if extent < 0:
            raise BadFile(
                f"Tensor.shape: {list(shape)}, expected extents of at least 0 "
                f"(what an exporter leaves open belongs in shape_signature)",
                table.where("shape"),
            )
        size *= extent
    if size > MAX_ELEMENTS:
        raise BadFile(
            f"Tensor.shape: {list(shape)} has {size} elements, expected at most {MAX_ELEMENTS}",
            table.where("shape"),
        )
    return shape


def _indices(table: Table, name: str, lowest: int, tensors: int) -> tuple[int, ...]:
    """Tensor indices; -1 is an absent one where ``lowest`` allows it."""
    indices: tuple[int, ...] = table[name]
    for index in indices:
        if not lowest <= index < tensors:
            raise BadFile(
                f"{table.kind}.{name}: tensor {index}, expected {lowest} to {tensors - 1}",
                table.where(name),
            )
    return indices


def _signature(table: Table, subgraphs: tuple[Graph, ...]) -> Signature:
    index = table.index("subgraph_index", len(subgraphs))
    tensors = len(subgraphs[index].tensors)
    return Signature(
        key=table["signature_key"],
        inputs={entry["name"]: entry.index("tensor_index", tensors) for entry in table["inputs"]},
        outputs={entry["name"]: entry.index("tensor_index", tensors) for entry in table["outputs"]},
        subgraph=index,
    )
