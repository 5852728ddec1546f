"""Elements smaller than a byte: packed in a .tflite file, one per int8 or uint8 in memory.

The first element lies in the lowest bits of the first byte; the last byte is filled with zeros.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BITS: Mapping[str, int] = {"INT4": 4, "UINT4": 4, "INT2": 2}


def packed_bytes(type_: str, count: int) -> int:
    """Bytes that ``count`` elements take in the file."""
    return (count * BITS[type_] + 7) // 8


def unpack(packed: NDArray[np.uint8], type_: str, count: int) -> NDArray[Any]:
    """The first ``count`` elements: int8 with the sign extended, or uint8."""
    bits = BITS[type_]
    elements = np.empty((len(packed), 8 // bits), np.uint8)
    for lane in range(8 // bits):
        elements[:, lane] = (packed >> (lane * bits)) & ((1 << bits) - 1)
    flat = elements.reshape(-1)[:count]
    if type_.startswith("U"):
        return flat
    sign = np.uint8(1 << (bits - 1))
    flat ^= sign
    flat -= sign  # modulo 256, which is what two's complement wants
    return flat.view(np.int8)


def pack(elements: NDArray[Any], type_: str) -> NDArray[np.uint8]:
    """The reverse of ``unpack``. Raises ValueError for an element outside the type's range."""
    bits = BITS[type_]
    lowest = 0 if type_.startswith("U") else -(1 << (bits - 1))
    highest = lowest + (1 << bits) - 1
    flat = elements.reshape(-1)
    if flat.size and not lowest <= flat.min() <= flat.max() <= highest:
        raise ValueError(
            f"{type_} elements range from {flat.min()} to {flat.max()}, "
            f"expected {lowest} to {highest}"
        )
    lanes = 8 // bits
    padded = np.zeros((packed_bytes(type_, flat.size), lanes), np.uint8)
    padded.reshape(-1)[: flat.size] = flat.astype(np.uint8) & ((1 << bits) - 1)
    packed = np.zeros(len(padded), np.uint8)
    for lane in range(lanes):
        packed |= padded[:, lane] << (lane * bits)
    return packed
