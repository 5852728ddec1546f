"""Writing a .tflite file: Graph to bytes.

``_model`` turns the Graph into plain dicts, one per table and in the schema's words; ``_Builder``
writes such a dict by the same table of facts that the reader goes by. The same Graph always
gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np

from ..graph import Graph, Node, Quantization, Signature, Tensor
from .enums import ENUMS
from .operators import OPERATOR_NAMES, OPERATORS, PLACEHOLDER_CODE
from .packing import BITS, pack
from .reader import OPAQUE_TYPES
from .schema import FIELDS, FILE_IDENTIFIER, OFFSET_BYTES, UNIONS, VERSION, Field, slots

# Kernels read weights where they lie in the file, with whatever vector loads the target has.
BUFFER_ALIGNMENT = 16


def write(graph: Graph) -> bytes:
    """The bytes of a .tflite file that ``read`` turns into an equal Graph.

    Raises ValueError for what the file format cannot hold: an unknown operator or option, data
    that does not fit its tensor, a sparse tensor.
    """
    builder = _Builder()
    builder.Finish(builder.table("Model", _model(graph)), FILE_IDENTIFIER)
    return bytes(builder.Output())


class _Pool:
    """Things that a file lists once and refers to by index, in the order of first use."""

    def __init__(self, *first: Any) -> None:
        self.index_of = {thing: index for index, thing in enumerate(first)}

    def index(self, thing: Any) -> int:
        return self.index_of.setdefault(thing, len(self.index_of))


def _model(graph: Graph) -> dict[str, Any]:
    """The Model table: codes and buffers are collected while the rest is put together."""
    buffers = _Pool(b"")  # buffer 0 is empty by convention
    codes = _Pool()
    rest = {
        "subgraphs": [
            _subgraph(subgraph, buffers, codes) for subgraph in (graph, *graph.subgraphs)
        ],
        "metadata": [
            {"name": name, "buffer": buffers.index(content)}
            for name, content in graph.metadata.items()
        ],
        "signature_defs": [_signature(signature) for signature in graph.signatures],
    }
    return {
        "version": VERSION,
        "operator_codes": [_operator_code(op, version) for op, version in codes.index_of],
        "description": graph.description,
        "buffers": [{"data": content} if content else {} for content in buffers.index_of],
        **rest,
    }


def _subgraph(graph: Graph, buffers: _Pool, codes: _Pool) -> dict[str, Any]:
    return {
        "tensors": [_tensor(tensor, buffers) for tensor in graph.tensors],
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "operators": [_operator(node, codes) for node in graph.nodes],
        "name": graph.name,
    }


def _tensor(tensor: Tensor, buffers: _Pool) -> dict[str, Any]:
    if tensor.sparse:
        raise ValueError(f'tensor "{tensor.name}": sparse data cannot be written')
    table = {
        "shape": tensor.shape,
        "type": tensor.type,
        "buffer": buffers.index(_data(tensor)),
        "name": tensor.name,
        "is_variable": tensor.is_variable,
        "has_rank": True,  # or readers take a scalar for a tensor of unknown rank
    }
    if tensor.shape_signature is not None:
        table["shape_signature"] = tensor.shape_signature
    if tensor.quantization is not None:
        table["quantization"] = _quantization(tensor.quantization)
    return table


def _data(tensor: Tensor) -> bytes:
    """A constant's bytes as the file holds them; none for a computed tensor."""
    data = tensor.data
    if data is None:
        return b""
    if tensor.type not in OPAQUE_TYPES and data.shape != tensor.shape:
        raise ValueError(
            f'tensor "{tensor.name}": data of shape {list(data.shape)}, '
            f"expected {list(tensor.shape)}"
        )
    if data.dtype != tensor.dtype:
        raise ValueError(
            f'tensor "{tensor.name}": data of type {data.dtype}, expected {tensor.dtype}'
        )
    if tensor.type in BITS:
        data = pack(data, tensor.type)
    return data.astype(data.dtype.newbyteorder("<"), copy=False).tobytes()


def _quantization(quantization: Quantization) -> dict[str, Any]:
    return {
        "scale": quantization.scales,
        "zero_point": quantization.zero_points,
        "quantized_dimension": quantization.axis,
    }


def _operator(node: Node, codes: _Pool) -> dict[str, Any]:
    table = {
        "opcode_index": codes.index((node.op, node.version)),
        "inputs": node.inputs,
        "outputs": node.outputs,
    }
    if node.intermediates:
        table["intermediates"] = node.intermediates
    if node.custom_options:
        table["custom_options"] = node.custom_options
    kind = OPERATORS.get(node.op, "")
    if kind:
        first = kind in UNIONS["BuiltinOptions"]
        options = {
            name: value
            for name, value in node.options.items()
            if name not in FIELDS[kind] or value != FIELDS[kind][name].default
        }
        table["builtin_options" if first else "builtin_options_2"] = (kind, options)
    elif node.options:
        raise ValueError(f"{node.op} has no options, but {sorted(node.options)} are given")
    return table


def _operator_code(op: str, version: int) -> dict[str, Any]:
    table: dict[str, Any] = {"version": version}
    if op.startswith("CUSTOM:"):
        code = OPERATOR_NAMES.index("CUSTOM")
        table["custom_code"] = op.removeprefix("CUSTOM:")
    elif op in OPERATORS:
        code = OPERATOR_NAMES.index(op)
    elif op.startswith("BUILTIN_") and op.removeprefix("BUILTIN_").isdecimal():
        code = int(op.removeprefix("BUILTIN_"))
    else:
        raise ValueError(f"no operator of TFLite is called {op}")
    table["deprecated_builtin_code"] = min(code, PLACEHOLDER_CODE)
    table["builtin_code"] = code
    return table


def _signature(signature: Signature) -> dict[str, Any]:
    def tensor_map(names: Mapping[str, int]) -> list[dict[str, Any]]:
        return [{"name": name, "tensor_index": index} for name, index in names.items()]

    return {
        "inputs": tensor_map(signature.inputs),
        "outputs": tensor_map(signature.outputs),
        "signature_key": signature.key,
        "subgraph_index": signature.subgraph,
    }


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """flatbuffers' Builder for tables given as dicts. Its offsets count from the file's end."""

    def table(self, kind: str, values: Mapping[str, Any]) -> int:
        """Write a table and, before it, what it points to; return its offset.

        A union's value is (type, dict). Numbers that equal their default are left out.
        """
        fields = FIELDS[kind]
        unknown = sorted(values.keys() - fields.keys())
        if unknown:
            raise ValueError(
                f"{kind} has no field {', '.join(unknown)}; it has {', '.join(fields)}"
            )
        offsets = {
            name: self._outside(kind, fields[name], value)
            for name, value in values.items()
            if fields[name].is_vector or fields[name].number is None
        }
        self.StartObject(slots(kind))
        for name, value in values.items():
            field = fields[name]
            if name not in offsets:
                default = _number(kind, field, field.default)
                self.PrependSlot(field.number, field.slot, _number(kind, field, value), default)
            elif field.type in UNIONS:
                self.PrependUint8Slot(field.slot, UNIONS[field.type].index(value[0]) + 1, 0)
                self.PrependUOffsetTRelativeSlot(field.slot + 1, offsets[name], 0)
            else:
                self.PrependUOffsetTRelativeSlot(field.slot, offsets[name], 0)
        return int(self.EndObject())

    def _outside(self, kind: str, field: Field, value: Any) -> int:
        """Write what lies outside the table that refers to it, and return its offset."""
        if field.type in UNIONS:
            return self.table(*value)
        if field.type == "string":
            return int(self.CreateString(value))
        if not field.is_vector:
            return self.table(field.type, value)
        if field.number is None:
            return self._tables(field.type, value)
        if isinstance(value, bytes):
            if kind == "Buffer":
                self.Prep(BUFFER_ALIGNMENT, len(value))
            return int(self.CreateNumpyVector(np.frombuffer(value, np.uint8)))
        dtype = np.dtype(field.number.packer_type.format)
        if not isinstance(value, np.ndarray):
            value = np.array([_number(kind, field, number) for number in value], dtype)
        if value.dtype != dtype:
            raise ValueError(f"{kind}.{field.name}: {value.dtype} numbers, expected {dtype}")
        return int(self.CreateNumpyVector(value))

    def _tables(self, kind: str, values: Sequence[Mapping[str, Any]]) -> int:
        offsets = [self.table(kind, value) for value in values]
        self.StartVector(OFFSET_BYTES, len(offsets), OFFSET_BYTES)
        for offset in reversed(offsets):
            self.PrependUOffsetTRelative(offset)
        return int(self.EndVector())


def _number(kind: str, field: Field, value: Any) -> Any:
    """A number, or an enumeration's code. Raises ValueError if its type cannot hold it."""
    if isinstance(value, str):
        names = ENUMS[field.type].names if field.type in ENUMS else ()
        if value not in names:
            raise ValueError(f"{kind}.{field.name}: {value!r}, expected one of {names}")
        return names.index(value)
    try:
        field.number.packer_type.pack(value)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{kind}.{field.name}: {value!r} is no {field.type}: {error}") from None
    return field.number.py_type(value)
