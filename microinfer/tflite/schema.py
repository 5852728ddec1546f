"""What a .tflite file is made of: the facts of TFLite's FlatBuffers schema, as data.

A table of the file is a list of fields, and here a line of text that names them in the order of
their slots (FlatBuffers only ever adds fields at the end, so a slot never changes its meaning):

    name:type       a number, an enumeration, ``string``, another table, or a union
    name:[type]     a vector of those
    name:type=5     with a default other than 0, false, the first name, or nothing
    _:type          a slot that is no longer used

A union takes two slots: the code of the member's type, then the member.

The facts come from TensorFlow Lite's schema.fbs, revision 3d (Apache-2.0, The TensorFlow
Authors); ``tests/test_schema.py`` compares slots, types, defaults and codes with the Python
module that ai-edge-litert generates from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from flatbuffers import number_types

from .enums import ENUMS
from .options import OPTIONS, OPTIONS_UNIONS

FILE_IDENTIFIER = b"TFL3"
VERSION = 3
OFFSET_BYTES = number_types.UOffsetTFlags.bytewidth

TABLES: Mapping[str, str] = {
    "Model": (
        "version:uint operator_codes:[OperatorCode] subgraphs:[SubGraph] description:string "
        "buffers:[Buffer] metadata_buffer:[int] metadata:[Metadata] "
        "signature_defs:[SignatureDef] external_buffer_groups:[ExternalBufferGroup] "
        "external_buffers:[ExternalBuffer]"
    ),
    "OperatorCode": (
        "deprecated_builtin_code:byte custom_code:string version:int=1 builtin_code:int"
    ),
    "SubGraph": (
        "tensors:[Tensor] inputs:[int] outputs:[int] operators:[Operator] name:string "
        "debug_metadata_index:int=-1"
    ),
    "Tensor": (
        "shape:[int] type:TensorType buffer:uint name:string quantization:QuantizationParameters "
        "is_variable:bool sparsity:SparsityParameters shape_signature:[int] has_rank:bool "
        "variant_tensors:[VariantSubType] external_buffer:uint"
    ),
    "QuantizationParameters": (
        "min:[float] max:[float] scale:[float] zero_point:[long] details:QuantizationDetails "
        "quantized_dimension:int"
    ),
    "CustomQuantization": "custom:[ubyte]",
    "BlockwiseQuantization": "scales:int zero_points:int block_size:int block_shape:[int]",
    "MultiAxisQuantization": "scales:int zero_points:int block_size:int quantized_dimensions:[int]",
    "SparsityParameters": "traversal_order:[int] block_map:[int] dim_metadata:[DimensionMetadata]",
    "DimensionMetadata": (
        "format:DimensionType dense_size:int array_segments:SparseIndexVector "
        "array_indices:SparseIndexVector"
    ),
    "Int32Vector": "values:[int]",
    "Uint16Vector": "values:[ushort]",
    "Uint8Vector": "values:[ubyte]",
    "VariantSubType": "shape:[int] type:TensorType has_rank:bool",
    "Operator": (
        "opcode_index:uint inputs:[int] outputs:[int] builtin_options:BuiltinOptions "
        "custom_options:[ubyte] custom_options_format:CustomOptionsFormat "
        "mutating_variable_inputs:[bool] intermediates:[int] large_custom_options_offset:ulong "
        "large_custom_options_size:ulong builtin_options_2:BuiltinOptions2 "
        "debug_metadata_index:int=-1"
    ),
    "Buffer": "data:[ubyte] offset:ulong size:ulong",
    "ExternalBufferGroup": "name:string",
    "ExternalBuffer": "id:uint group:uint offset:ulong length:ulong packing:string",
    "Metadata": "name:string buffer:uint",
    "TensorMap": "name:string tensor_index:uint",
    "SignatureDef": (
        "inputs:[TensorMap] outputs:[TensorMap] signature_key:string _:string subgraph_index:uint"
    ),
    **OPTIONS,
}

# Members in the order of their codes, which count from 1; 0 means that there is none.
UNIONS: Mapping[str, tuple[str, ...]] = {
    "QuantizationDetails": (
        "CustomQuantization",
        "BlockwiseQuantization",
        "MultiAxisQuantization",
    ),
    "SparseIndexVector": ("Int32Vector", "Uint16Vector", "Uint8Vector"),
    **{union: tuple(members.split()) for union, members in OPTIONS_UNIONS.items()},
}

# flatbuffers' number types: ``bytewidth``, ``packer_type`` (a little-endian struct), ``min_val``.
SCALARS: Mapping[str, Any] = {
    "bool": number_types.BoolFlags,
    "byte": number_types.Int8Flags,
    "ubyte": number_types.Uint8Flags,
    "ushort": number_types.Uint16Flags,
    "int": number_types.Int32Flags,
    "uint": number_types.Uint32Flags,
    "long": number_types.Int64Flags,
    "ulong": number_types.Uint64Flags,
    "float": number_types.Float32Flags,
}


@dataclass(frozen=True)
class Field:
    """One field of a table. ``default`` is its value where the file has none.

    ``type`` is a scalar, an enumeration, a union, a table or ``string``. The value of an
    enumeration is a name, of a vector a tuple, of an absent table None.
    """

    name: str
    slot: int
    type: str
    is_vector: bool
    default: Any

    @cached_property
    def number(self) -> Any:
        """The flatbuffers number type of one scalar or enumeration, else None."""
        storage = ENUMS[self.type].storage if self.type in ENUMS else self.type
        return SCALARS.get(storage)


def _default(type_: str, is_vector: bool, text: str) -> Any:
    if is_vector:
        return ()
    if type_ in ENUMS:
        return text or ENUMS[type_].names[0]
    if type_ == "string":
        return ""
    if type_ == "bool":
        return text == "true"
    if type_ in SCALARS:
        return SCALARS[type_].py_type(text or 0)
    return None


def _fields(text: str) -> dict[str, Field]:
    """The fields of one table's line of text, by name."""
    fields = {}
    slot = 0
    for item in text.split():
        name, _, rest = item.partition(":")
        type_, _, default = rest.partition("=")
        is_vector = type_.startswith("[")
        type_ = type_.strip("[]")
        if name != "_":
            value = _default(type_, is_vector, default)
            fields[name] = Field(name, slot, type_, is_vector, value)
        slot += 2 if type_ in UNIONS else 1
    return fields


FIELDS: Mapping[str, Mapping[str, Field]] = {
    **{table: {} for members in UNIONS.values() for table in members},
    **{table: _fields(text) for table, text in TABLES.items()},
}


def defaults(table: str) -> dict[str, Any]:
    """Every field of a table with its default."""
    return {name: field.default for name, field in FIELDS[table].items()}


@cache
def slots(table: str) -> int:
    """How many slots a table has, up to the last one in use; none for an unknown table."""
    fields = FIELDS.get(table, {}).values()
    return max((field.slot + (2 if field.type in UNIONS else 1) for field in fields), default=0)
