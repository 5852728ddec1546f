"""What a firmware engineer prints of a run: text of traced values, in every form there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import microinfer as mi

Array = NDArray[Any]


def decimal(values: Array) -> str:
    """printf("%d,", x), 16 to a line."""
    flat = values.reshape(-1).tolist()
    return "".join(
        "".join(f"{value}," for value in flat[i : i + 16]) + "\r\n" for i in range(0, len(flat), 16)
    )


def prefixed(values: Array) -> str:
    """printf("0x%x ", x): an int8 is promoted, so that -1 comes as ffffffff."""
    return " ".join(hex(value & 0xFFFFFFFF) for value in values.reshape(-1).tolist()) + "\n"


def memory(values: Array) -> str:
    """printf("%02x", byte) of the bytes as they lie in a little-endian core."""
    data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return "".join(data[i : i + 32].hex() + "\n" for i in range(0, len(data), 32))


FORMS: dict[str, tuple[str, Callable[[Array], str]]] = {
    "decimal": ("", decimal),
    "prefixed": ("", prefixed),
    "memory": (" hex", memory),
}


def dumped(trace: mi.Trace, layers: Iterable[int], form: str = "decimal") -> str:
    """``layer N`` with the values of its first output below, for one sample."""
    mark, write = FORMS[form]
    return "".join(f"layer {i}{mark}\n{write(trace[i].outputs[0])}" for i in layers)
