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

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microinfer.errors import BadFile, BadInput, Problem, UnsupportedModel
from microinfer.graph import DTYPES, Graph, Node, Quantization, Signature, Tensor
from microinfer.tflite.operators import OPERATOR_NAMES, OPERATORS
from microinfer.tflite.packing import BITS, packed_bytes, unpack
from microinfer.tflite.schema import FILE_IDENTIFIER, UNIONS, VERSION, defaults
from microinfer.tflite.table import NUMBER_PRICE, File, Span, Table

MAX_RANK = 8
MAX_ELEMENTS = 2**31 - 1

# Their bytes do not follow from the shape: they are handed on as a row of uint8.
OPAQUE_TYPES = ("STRING", "RESOURCE", "VARIANT")

# Other files that are taken for models, by their first bytes.
LOOKALIKES: Mapping[bytes, str] = {
    b"version https://git-lfs": "a Git LFS pointer; `git lfs pull` fetches the file itself",
    b"\x89HDF": "an HDF5 file, as Keras writes it; convert it with TFLiteConverter",
    b"PK\x03\x04": "a zip archive, as .keras files are; convert it with TFLiteConverter",
    b"\x89PNG": "a PNG image",
}


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
        self.root = _root(self.file)
        self.buffers = self.root["buffers"]
        self.operator_codes = [_operator_code(table) for table in self.root["operator_codes"]]
        self.problems: list[Problem] = []

    def model(self) -> Graph:
        subgraphs = tuple(self._subgraph(table) for table in self.root["subgraphs"])
        if not subgraphs:
            raise BadFile("no subgraph; expected at least one", self.root.where("subgraphs"))
        if self.problems:
            raise UnsupportedModel(self.problems, len(subgraphs[0].nodes))
        return replace(
            subgraphs[0],
            subgraphs=subgraphs[1:],
            description=self.root["description"],
            metadata={
                table["name"]: self._bytes(self._buffer(table, "buffer"))
                for table in self.root["metadata"]
            },
            signatures=tuple(
                _signature(table, subgraphs) for table in self.root["signature_defs"]
            ),
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
            quantization=self._quantization(table["quantization"], tensor.name),
            data=self._data(table, tensor),
        )

    def _quantization(self, table: Table | None, tensor: str) -> Quantization | None:
        if table is None:
            return None
        details = table["details"]
        if details is not None:
            self._refuse(tensor, f"quantized by {details.kind}; expected scales and zero points")
        scales = self._array(table.span("scale"), np.dtype(np.float32))
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
            self.file.pay(8 * len(scales), table.position)
            zero_points = np.full(len(scales), given[0] if len(given) else 0, np.int64)
            zero_points.flags.writeable = False
        return Quantization(scales, zero_points, table["quantized_dimension"])

    def _data(self, table: Table, tensor: Tensor) -> NDArray[Any] | None:
        """A constant's elements, or None for a tensor without data."""
        if table["external_buffer"]:
            name = self._external_file(table["external_buffer"])
            self._refuse(tensor.name, f"its data is kept in another file{name}")
            return None
        span = self._buffer(table, "buffer")
        if span.count == 0:
            return None
        if tensor.sparse or tensor.type in OPAQUE_TYPES:
            return self._array(span, np.dtype(np.uint8))
        size = tensor.size
        packed = tensor.type in BITS
        expected = packed_bytes(tensor.type, size) if packed else tensor.nbytes
        if span.count != expected:
            raise BadFile(
                f'tensor "{tensor.name}": {span.count} bytes of data, expected {expected} for '
                f"{tensor.type} of shape {list(tensor.shape)}",
                span.start,
            )
        if not packed:
            return self._array(Span(span.start, size), tensor.dtype).reshape(tensor.shape)
        self.file.pay(4 * size, span.start)  # the elements, and as much again while unpacking
        elements = unpack(self._array(span, np.dtype(np.uint8)), tensor.type, size)
        elements.flags.writeable = False
        return elements.reshape(tensor.shape)

    def _node(self, table: Table, location: int, tensors: int) -> Node:
        index = table["opcode_index"]
        if index >= len(self.operator_codes):
            raise BadFile(
                f"Operator.opcode_index: {index}, expected less than {len(self.operator_codes)}",
                table.where("opcode_index"),
            )
        op, version = self.operator_codes[index]
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
        if span.count == 0:
            names = ("large_custom_options_offset", "large_custom_options_size")
            span = self._outside(table, *names)
        return self._bytes(span)

    def _buffer(self, table: Table, name: str) -> Span:
        """Where the bytes of the buffer lie whose index a field holds."""
        index = table[name]
        if index == 0:  # always there and always empty, even in files that leave it out
            return Span(0, 0)
        if index >= len(self.buffers):
            raise BadFile(
                f"{table.kind}.{name}: buffer {index}, expected less than {len(self.buffers)}",
                table.where(name),
            )
        buffer = self.buffers[index]
        span: Span = buffer.span("data")
        return span if span.count else self._outside(buffer, "offset", "size")

    def _outside(self, table: Table, offset_name: str, size_name: str) -> Span:
        """Bytes behind the FlatBuffer; an offset of 0 or 1 means that there are none."""
        offset, size = table[offset_name], table[size_name]
        if offset <= 1:
            return Span(0, 0)
        self.file.check(offset, size, f"{table.kind}.{offset_name}")
        return Span(offset, size)

    def _bytes(self, span: Span) -> bytes:
        self.file.pay(span.count, span.start)
        return self.file.data[span.start : span.start + span.count]

    def _array(self, span: Span, dtype: np.dtype[Any]) -> NDArray[Any]:
        """A read-only view of numbers in the file. Read-only since ``bytes`` are."""
        return np.ndarray((span.count,), dtype.newbyteorder("<"), self.file.data, span.start)

    def _external_file(self, buffer_id: int) -> str:
        """Where an external buffer is kept, if the file says so."""
        groups = self.root["external_buffer_groups"]
        for buffer in self.root["external_buffers"]:
            if buffer["id"] == buffer_id and buffer["group"] < len(groups):
                return f' ("{groups[buffer["group"]]["name"]}")'
        return ""

    def _refuse(self, tensor: str, reason: str) -> None:
        fix = "convert the model again with its int8 weights inside the .tflite file"
        self.problems.append(Problem(-1, "", tensor, reason, fix))


def _root(file: File) -> Table:
    """The Model table, once the file has shown that it is a .tflite file."""
    for start, name in LOOKALIKES.items():
        if file.data.startswith(start):
            raise BadFile(f"not a .tflite file but {name}", 0)
    if file.size < 8:
        raise BadFile(
            f"a file of {file.size} bytes; expected a .tflite file, which has "
            f"{FILE_IDENTIFIER.decode()} at bytes 4-7",
            file.size,
        )
    identifier = file.data[4:8]
    if identifier != FILE_IDENTIFIER:
        raise BadFile(
            f"not a .tflite file: bytes 4-7 are {identifier!r}, "
            f"expected the identifier {FILE_IDENTIFIER.decode()}",
            4,
        )
    root = Table(file, "Model", file.follow(0, "root table"))
    if root["version"] != VERSION:
        raise BadFile(
            f"schema version {root['version']}, expected {VERSION}", root.where("version")
        )
    return root


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
    first = kind in UNIONS["BuiltinOptions"]
    options = table["builtin_options" if first else "builtin_options_2"]
    return options.values() if options and options.kind == kind else defaults(kind)


def _shape(table: Table) -> tuple[int, ...]:
    rank = table.span("shape").count
    if rank > MAX_RANK:
        raise BadFile(f"Tensor.shape: {rank} axes, expected at most {MAX_RANK}", table.where("shape"))
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
    index = table["subgraph_index"]
    if index >= len(subgraphs):
        raise BadFile(
            f"SignatureDef.subgraph_index: {index}, expected less than {len(subgraphs)}",
            table.where("subgraph_index"),
        )
    tensors = len(subgraphs[index].tensors)
    return Signature(
        key=table["signature_key"],
        inputs=_tensor_map(table, "inputs", tensors),
        outputs=_tensor_map(table, "outputs", tensors),
        subgraph=index,
    )


def _tensor_map(table: Table, name: str, tensors: int) -> dict[str, int]:
    """A signature's names, each with its tensor."""
    mapping = {}
    for entry in table[name]:
        index = entry["tensor_index"]
        if index >= tensors:
            raise BadFile(
                f"TensorMap.tensor_index: {index}, expected less than {tensors}",
                entry.where("tensor_index"),
            )
        mapping[entry["name"]] = index
    return mapping
