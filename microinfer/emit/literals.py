"""Python values as C literals, and arrays as columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

C_TYPES = {
    "bool": "int8_t",  # 0 or 1
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint8": "uint8_t",
    "float32": "float",
    "float64": "double",
}
LINE = 96  # characters


def c_type(dtype: np.dtype[Any]) -> str:
    """The C type of one element."""
    return C_TYPES[dtype.name]


def integer(value: int) -> str:
    """An int that fits int32, or int64 with its macro. C has no literal for the smallest ones."""
    if value == -(2**31):
        return "(-2147483647 - 1)"
    if -(2**31) < value < 2**31:
        return str(value)
    if value == -(2**63):
        return "(-INT64_C(9223372036854775807) - 1)"
    return f"INT64_C({value})"


def real(value: float | np.float32) -> str:
    """The shortest decimal that reads back as the same float or double."""
    assert math.isfinite(value)
    if isinstance(value, np.float32):
        small = 1e-6 < abs(value) < 1e6 or value == 0
        shortest = np.format_float_positional if small else np.format_float_scientific
        return f"{shortest(value, unique=True, trim='0')}f"
    return repr(float(value))


def scalar(value: Any) -> str:
    """A literal of an int, a NumPy integer, a float or a NumPy float."""
    if isinstance(value, float | np.floating):
        return real(value)
    return integer(int(value))


def columns(values: NDArray[Any], indent: str = "    ") -> Iterator[str]:
    """Lines of aligned numbers, as many to a line as fit, in powers of two."""
    texts = [scalar(value) for value in values.reshape(-1)]
    width = max((len(text) for text in texts), default=1)
    per_line = 1
    while per_line < 16 and 2 * per_line * (width + 2) <= LINE - len(indent):
        per_line *= 2
    for start in range(0, len(texts), per_line):
        row = texts[start : start + per_line]
        yield (indent + " ".join(f"{text:>{width}}," for text in row)).rstrip()
