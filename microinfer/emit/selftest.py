"""What the generated self-test checks: one input, and a CRC-32 of every layer's output."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import split_batch
from ..errors import BadInput
from ..interpreter import Interpreter
from .literals import c_type, columns
from .plan import Plan


@dataclass(frozen=True)
class Selftest:
    """``stored`` has the lines of each input's values, or is empty for the formula.

    The formula is byte i of an input = (37 i + 11) mod 256 - 128; a float input's element i is
    that number, a bool's whether it is not 0. ``crcs`` has one CRC-32 per layer output, in order.
    """

    stored: list[list[str]]
    stored_types: list[str]
    crcs: list[str]


def pattern(size: int) -> NDArray[np.int8]:
    """The formula's input."""
    return (((np.arange(size, dtype=np.int64) * 37 + 11) % 256) - 128).astype(np.int8)


def selftest(plan: Plan, samples: Sequence[NDArray[Any]] | None) -> Selftest:
    """Run the plan's model on ``samples``, or on the formula's input, and record the CRCs."""
    graph = plan.graph
    if samples is None:
        inputs = [
            pattern(graph.tensors[i].size)
            .reshape(graph.tensors[i].shape)
            .astype(graph.tensors[i].dtype)
            for i in graph.inputs
        ]
    else:
        batch = split_batch(graph, samples)
        if batch.samples != 1:
            raise BadInput(f"the self-test stores one sample, got {batch.samples}")
        inputs = [array[0] for array in batch.arrays]
    trace = Interpreter(graph, plan.numerics.name).trace(*inputs)
    crcs = [zlib.crc32(np.ascontiguousarray(out).tobytes()) for one in trace for out in one.outputs]
    return Selftest(
        stored=[] if samples is None else [list(columns(array)) for array in inputs],
        stored_types=[c_type(array.dtype) for array in inputs],
        crcs=[f"0x{crc:08x}u" for crc in crcs],
    )
