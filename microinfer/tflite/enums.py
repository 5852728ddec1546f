"""The enumerations of TFLite's schema: what is stored, and the names in the order of the codes.

Every enumeration counts from 0 without a gap, so a name's place is its code.
``tests/test_schema.py`` compares them with the module generated from the schema itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Enum(NamedTuple):
    """``storage`` is the scalar type in the file; ``names[code]`` the name of a code."""

    storage: str
    names: tuple[str, ...]


ENUMS: Mapping[str, Enum] = {
    name: Enum(storage, tuple(names.split()))
    for name, storage, names in [
        (
            "TensorType",
            "byte",
            "FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 "
            "COMPLEX128 UINT64 RESOURCE VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 "
            "FLOAT8_E4M3FN FLOAT8_E5M2",
        ),
        ("Padding", "byte", "SAME VALID"),
        ("ActivationFunctionType", "byte", "NONE RELU RELU_N1_TO_1 RELU6 TANH SIGN_BIT"),
        ("FullyConnectedOptionsWeightsFormat", "byte", "DEFAULT SHUFFLED4x16INT8"),
        ("LSTMKernelType", "byte", "FULL BASIC"),
        ("LSHProjectionType", "byte", "UNKNOWN SPARSE DENSE"),
        ("CombinerType", "byte", "SUM MEAN SQRTN"),
        ("MirrorPadMode", "byte", "REFLECT SYMMETRIC"),
        ("ReduceWindowFunction", "int", "UNSUPPORTED ADD MUL MINIMUM MAXIMUM ALL ANY"),
        ("DimensionType", "byte", "DENSE SPARSE_CSR"),
        ("RngAlgorithm", "byte", "DEFAULT PHILOX THREEFRY"),
        ("CustomOptionsFormat", "byte", "FLEXBUFFERS"),
        ("StablehloPrecisionConfig", "uint", "DEFAULT HIGH HIGHEST"),
        (
            "StablehloComparisonDirection",
            "uint",
            "STABLEHLO_COMPARISON_DIRECTION_EQ STABLEHLO_COMPARISON_DIRECTION_NE "
            "STABLEHLO_COMPARISON_DIRECTION_GE STABLEHLO_COMPARISON_DIRECTION_GT "
            "STABLEHLO_COMPARISON_DIRECTION_LE STABLEHLO_COMPARISON_DIRECTION_LT",
        ),
        (
            "StablehloComparisonType",
            "uint",
            "STABLEHLO_COMPARISON_TYPE_NOTYPE STABLEHLO_COMPARISON_TYPE_FLOAT "
            "STABLEHLO_COMPARISON_TYPE_FLOAT_TOTAL_ORDER STABLEHLO_COMPARISON_TYPE_SIGNED "
            "STABLEHLO_COMPARISON_TYPE_UNSIGNED",
        ),
    ]
}
