"""The tables of field facts equal the module that ai-edge-litert generates from the schema.

With the version that they were taken from, they are equal. An older or newer one may lack or add
fields and codes, but what both have must agree.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import re
from collections.abc import Mapping
from typing import Any

import pytest

from authored import schema
from microinfer.graph import DTYPES
from microinfer.tflite.enums import ENUMS
from microinfer.tflite.operators import OPERATOR_NAMES, OPERATORS
from microinfer.tflite.schema import FIELDS, SCALARS, UNIONS

SAME_VERSION = importlib.metadata.version("ai-edge-litert") == "2.3.0"
SOURCE = inspect.getsource(schema)

# Every `def <Table>Add<Field>(builder, x): builder.Prepend<Type>Slot(<slot>, x, <default>)`.
ADDERS = re.findall(
    r"def (\w+?)Add(\w+)\(builder, \w+\):\s+builder\.Prepend(\w+)Slot\((\d+), .*, ([^,)]+)\)",
    SOURCE,
)
# Every `def <Table>Start<Field>Vector(builder, n): return builder.StartVector(<element bytes>,`.
ELEMENT_BYTES = {
    (table, field): int(width)
    for table, field, width in re.findall(
        r"def (\w+?)Start(\w+)Vector\(builder, numElems\):\s+return builder\.StartVector\((\d+),",
        SOURCE,
    )
}
ALL_OPTIONS = set(UNIONS["BuiltinOptions"]) | set(UNIONS["BuiltinOptions2"])


def camel(name: str) -> str:
    """The generator's name of a field: ``stride_w`` is ``StrideW``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def generated(name: str) -> dict[str, int]:
    """An enumeration or union of the generated module: code by name."""
    members = vars(getattr(schema, name)).items()
    return {key: code for key, code in members if isinstance(code, int)}


def assert_agree(ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> None:
    if SAME_VERSION:
        assert ours == theirs
    common = ours.keys() & theirs.keys()
    assert {key: ours[key] for key in common} == {key: theirs[key] for key in common}


def our_slots() -> dict[tuple[str, str], tuple[int, str, Any]]:
    """(table, field): (slot, flatbuffers type, default), in the generator's words."""
    slots = {}
    for table, fields in FIELDS.items():
        for name, field in fields.items():
            slot = field.slot
            if field.type in UNIONS:
                slots[table, camel(name) + "Type"] = (slot, "Uint8", 0)
                slot += 1
            if field.number is None or field.is_vector:
                slots[table, camel(name)] = (slot, "UOffsetTRelative", 0)
                continue
            default = field.default
            if field.type in ENUMS:
                default = ENUMS[field.type].names.index(default)
            type_ = field.number.__name__.removesuffix("Flags")
            slots[table, camel(name)] = (slot, type_, default)
    return slots


def test_every_field_has_the_generated_slot_type_and_default() -> None:
    theirs = {
        (table, field): (int(slot), type_, float(default) if "." in default else int(default))
        for table, field, type_, slot, default in ADDERS
    }
    assert_agree(our_slots(), theirs)


def test_every_vector_has_elements_of_the_generated_width() -> None:
    ours = {
        (table, camel(name)): 4 if field.number is None else field.number.bytewidth
        for table, fields in FIELDS.items()
        for name, field in fields.items()
        if field.is_vector
    }
    assert_agree(ours, ELEMENT_BYTES)


def test_every_table_is_known() -> None:
    tables = set(re.findall(r"^def (\w+)Start\(builder\)", SOURCE, re.MULTILINE))
    assert_agree(dict.fromkeys(FIELDS), dict.fromkeys(tables))


@pytest.mark.parametrize("name", ENUMS)
def test_enumerations_have_the_generated_codes(name: str) -> None:
    assert_agree({key: code for code, key in enumerate(ENUMS[name].names)}, generated(name))
    assert ENUMS[name].storage in SCALARS


@pytest.mark.parametrize("name", UNIONS)
def test_unions_have_the_generated_codes(name: str) -> None:
    ours = {key: code for code, key in enumerate(("NONE", *UNIONS[name]))}
    assert_agree(ours, generated(name))


def test_operators_have_the_generated_codes() -> None:
    ours = {name: code for code, name in enumerate(OPERATORS)}
    assert_agree(ours, generated("BuiltinOperator"))


def test_every_type_that_a_field_names_exists() -> None:
    for fields in FIELDS.values():
        for field in fields.values():
            assert field.type in {*SCALARS, *ENUMS, *UNIONS, *FIELDS, "string"}


def test_every_tensor_type_has_a_dtype() -> None:
    assert set(DTYPES) == set(ENUMS["TensorType"].names)


# Where the options are not called as the operator is. The reducers share one table, and so on:
# TensorFlow's option_writer_generator.cc lists the same exceptions.
OPTIONS_OF_ANOTHER_NAME = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MULTINOMIAL": "RandomOptions",
    "RANDOM_STANDARD_NORMAL": "RandomOptions",
    "RANDOM_UNIFORM": "RandomOptions",
    "REDUCE_ALL": "ReducerOptions",
    "REDUCE_ANY": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "SUM": "ReducerOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
}


@pytest.mark.parametrize("name", OPERATOR_NAMES)
def test_an_operators_options_are_called_as_the_operator_is(name: str) -> None:
    by_name = {table.lower(): table for table in ALL_OPTIONS}
    rule = by_name.get(name.replace("_", "").lower() + "options", "")
    assert OPERATORS[name] == OPTIONS_OF_ANOTHER_NAME.get(name, rule)


def test_every_options_table_belongs_to_an_operator() -> None:
    assert set(OPERATORS.values()) - {""} == ALL_OPTIONS
