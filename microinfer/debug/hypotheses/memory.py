"""Memory that was not written, or written over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Fewer equal bytes than this in a row, or fewer kinds of them, may be chance.
LEAST_BYTES = 8
LEAST_KINDS = 4


@dataclass(frozen=True, eq=False)
class Scene:
    """A layer's output among all tensors of the run, as bytes.

    outputs  [samples, bytes] that were observed, of the first output; ``correct`` likewise
    itemsize of its elements
    tensors  the others by index, [samples, bytes]: observed, else expected
    earlier  which of these there are when the layer runs
    makers   what computes each: "layer 3 CONV_2D", "the model's input"
    """

    outputs: NDArray[np.uint8]
    correct: NDArray[np.uint8]
    itemsize: int
    tensors: dict[int, NDArray[np.uint8]]
    earlier: list[int]
    makers: dict[int, str]


@dataclass(frozen=True)
class MemoryHypothesis:
    """``explain`` gives sentences with the bytes [samples, bytes] that each predicts."""

    name: str
    explain: Callable[[Scene], Iterator[tuple[str, NDArray[np.uint8]]]]
    fix: str


def bytes_of(array: Array, samples: int) -> NDArray[np.uint8]:
    """[samples, bytes]."""
    flat = np.ascontiguousarray(array).reshape(samples, -1)
    return flat.view(np.uint8)


def _plain(part: bytes) -> bool:
    """Whether so few bytes, or so few kinds of them, may be equal by chance."""
    return len(part) < LEAST_BYTES or len(set(part)) < LEAST_KINDS


def _stale(scene: Scene) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    samples, size = scene.outputs.shape
    if _plain(scene.outputs.tobytes()):
        return
    if samples > 1 and (scene.correct != scene.correct[:1]).any():
        yield (
            "the output is the same for every sample: the layer did not write it again, or nothing"
            " that it reads has a say in it, as of weights that are 0",
            np.repeat(scene.outputs[:1], samples, axis=0),
        )
    for index, own in scene.tensors.items():
        if own.shape[1] < size:
            continue
        what = f"the output equals {scene.makers[index]}'s"
        if index in scene.earlier:
            yield f"{what}, and was not written", own[:, :size]
        if samples > 1:
            late = np.concatenate([scene.outputs[:1], own[:-1, :size]])
            yield f"{what} of the sample before, and was not written", late


def _cleared(scene: Scene) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    value = scene.outputs[0, 0]
    text = int(np.array([value]).view(np.int8)[0])
    yield (
        f"every byte of the output is {text}: it was never written, or all of it saturates",
        np.full_like(scene.outputs, value),
    )


def _overlap(scene: Scene) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    wrong = scene.outputs != scene.correct
    touched = np.flatnonzero(wrong.any(axis=0))
    if not len(touched):
        return
    first, last = int(touched[0]), int(touched[-1]) + 1
    size = scene.outputs.shape[1]
    sample = int(np.argmax(wrong.sum(axis=1)))
    for index in scene.earlier:
        own = scene.tensors[index]
        place = _found(own[sample].tobytes(), scene.outputs[sample, first:last].tobytes())
        if place < 0:
            continue
        predicted = scene.correct.copy()
        predicted[:, first:last] = own[:, place : place + last - first]
        begin, end = first // scene.itemsize, -(-last // scene.itemsize)
        yield (
            f"elements {begin}..{end - 1} of {size // scene.itemsize} are {scene.makers[index]}'s,"
            f" from its element {place // scene.itemsize} on: their memory overlaps",
            predicted,
        )
    if last - first >= LEAST_BYTES and (first > 0 or last < size):
        for value in np.unique(scene.outputs[sample, first:last][:1]):
            predicted = scene.correct.copy()
            predicted[:, first:last] = value
            text = int(np.array([value]).view(np.int8)[0])
            begin, end = first // scene.itemsize, -(-last // scene.itemsize)
            yield (
                f"elements {begin}..{end - 1} are {text}: they were not written, or cleared later",
                predicted,
            )


def _found(whole: bytes, part: bytes) -> int:
    """Where ``part`` is in ``whole``, or -1; also -1 if it is too plain to be told."""
    return -1 if _plain(part) else whole.find(part)


MEMORY = (
    MemoryHypothesis(
        "stale buffer",
        _stale,
        "look whether the layer runs at all, and whether its output's address is the one that is"
        " read: the arena plan, or a cache that was not flushed",
    ),
    MemoryHypothesis(
        "output of one value",
        _cleared,
        "look whether the layer runs at all; if it does, at its scales, zero points and bias",
    ),
    MemoryHypothesis(
        "buffer overlap",
        _overlap,
        "give the two tensors memory apart: both are alive at this layer",
    ),
)
