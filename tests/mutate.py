"""Damaged copies of a .tflite file, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from microinfer.tflite.table import File, root_table

BIG_BUFFER = 64  # bytes; smaller ones are hit as often as the structure around them

Places = Callable[[int], list[int]]


def structure(data: bytes) -> np.ndarray:
    """Byte offsets that lie outside of the big constants: vtables, tables, vectors, names."""
    outside = np.ones(len(data), bool)
    for buffer in root_table(File(data))["buffers"]:
        start, length = buffer.span("data")
        if length >= BIG_BUFFER:
            outside[start : start + length] = False
    return np.flatnonzero(outside)


def mutants(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """``count`` damaged copies; every other one is damaged in its structure only."""
    rng = np.random.default_rng(seed)
    inside = structure(data)
    everywhere = np.arange(len(data))
    for index in range(count):
        places = inside if index % 2 else everywhere

        def pick(how_many: int, places: np.ndarray = places) -> list[int]:
            return [int(place) for place in rng.choice(places, how_many)]

        mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        yield mutation(bytearray(data), pick, rng)


def _flip_bits(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    for place in pick(int(rng.integers(1, 9))):
        data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _change_bytes(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    for place in pick(int(rng.integers(1, 33))):
        data[place] = int(rng.integers(256))
    return bytes(data)


def _change_words(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    """Aligned 32-bit words: random, small, close to the file's size, or extreme."""
    for place in pick(int(rng.integers(1, 5))):
        word = (
            int(rng.integers(2**32)),
            int(rng.integers(64)),
            len(data) - int(rng.integers(256)),
            int(rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])),
        )[int(rng.integers(4))]
        start = min(place & ~3, len(data) - 4)
        data[start : start + 4] = (word % 2**32).to_bytes(4, "little")
    return bytes(data)


def _copy_words(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    """Words from elsewhere in the file: plausible offsets, lengths and indices."""
    for target in pick(int(rng.integers(1, 5))):
        (source,) = pick(1)
        source, target = (min(place & ~3, len(data) - 4) for place in (source, target))
        data[target : target + 4] = data[source : source + 4]
    return bytes(data)


def _truncate(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    return bytes(data[: pick(1)[0]])


def _swap_blocks(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    size = int(rng.integers(1, 257))
    first, second = sorted(pick(2))
    size = min(size, second - first, len(data) - second)
    block = data[first : first + size]
    data[first : first + size] = data[second : second + size]
    data[second : second + size] = block
    return bytes(data)


def _insert(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    place = pick(1)[0]
    data[place:place] = rng.bytes(int(rng.integers(1, 65)))
    return bytes(data)


def _delete(data: bytearray, pick: Places, rng: np.random.Generator) -> bytes:
    place = pick(1)[0]
    del data[place : place + int(rng.integers(1, 65))]
    return bytes(data)


MUTATIONS = (
    _flip_bits,
    _change_bytes,
    _change_words,
    _copy_words,
    _truncate,
    _swap_blocks,
    _insert,
    _delete,
)
