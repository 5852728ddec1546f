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
from ..graph import Graph
from ..interpreter import Interpreter
from ..ops.gather import index_limits
from .literals import c_type, columns
from .plan import Plan


@dataclass(frozen=True)
class Selftest:
    """``stored`` has the lines of each input's values, or is empty for the formula.

    The formula is element i of an input = (37 i + 11) mod 256 - 128, of int16 257 times as fine
    and wide; of uint8 that number modulo 256, of bool whether it is not 0; of indices
    (37 i + 11) mod 256 mod their limit. ``formulas`` has each
    input's in C. ``crcs`` has one CRC-32 per layer output, in order.
    """

    stored: list[list[str]]
    stored_types: list[str]
    formulas: list[str]
    crcs: list[str]


def pattern(size: int, dtype: np.dtype[Any], limit: int = 0) -> NDArray[Any]:
    """The formula's input; ``limit`` of indices."""
    step, start, values = _FORMULA.get(dtype.name, _FORMULA["int8"])
    numbers = (np.arange(size, dtype=np.int64) * step + start) % values
    return (numbers % limit if limit else numbers - values // 2).astype(dtype)


def _formula(dtype: np.dtype[Any], limit: int = 0) -> str:
    """``pattern`` as a C expression of the uint32_t i."""
    step, start, values = _FORMULA.get(dtype.name, _FORMULA["int8"])
    if limit:
        return f"({c_type(dtype)})((i * {step}u + {start}u) % {values}u % {limit}u)"
    number = f"(int)((i * {step}u + {start}u) % {values}u) - {values // 2}"
    return f"({c_type(dtype)})({number}{' != 0' if dtype.name == 'bool' else ''})"


# Step, start and number of values; the last divides 2^32, so that i * step may wrap.
_FORMULA = {"int8": (37, 11, 256), "int16": (37 * 257, 11 * 257, 65536)}


def known_inputs(graph: Graph) -> list[NDArray[Any]]:
    """One sample of the formula, an array per input."""
    tensors = [graph.tensors[index] for index in graph.inputs]
    return [
        pattern(tensor.size, tensor.dtype, limit).reshape(tensor.shape)
        for tensor, limit in zip(tensors, _limits(graph), strict=True)
    ]


def _limits(graph: Graph) -> list[int]:
    """Of inputs that are indices; of others 0."""
    limits = index_limits(graph)
    return [limits.get(index, 0) for index in graph.inputs]


def selftest(plan: Plan, samples: Sequence[NDArray[Any]] | None) -> Selftest:
    """Run the plan's model on ``samples``, or on the formula's input, and record the CRCs."""
    graph = plan.graph
    if samples is None:
        inputs = known_inputs(graph)
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
        formulas=[
            _formula(array.dtype, limit)
            for array, limit in zip(inputs, _limits(graph), strict=True)
        ],
        crcs=[f"0x{crc:08x}u" for crc in crcs],
    )
