"""What one line of a case table is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microinfer.graph import Graph
from one_op import Array, activation, one_op

BY_HAND = "by hand"
# What was recorded: TFLM 0.dev20261023182759 and LiteRT 2.3.0 BUILTIN_REF, which agreed.
RECORDED = "recorded from both runtimes"
BOTH = ("tflm", "litert")


@dataclass(frozen=True)
class Case:
    """A one-op graph, one sample for each of its inputs, and what comes out.

    ``expected`` is for both profiles, or a mapping that has each one's; of a graph with several
    outputs, a list of what each of them gives. With state, inputs and outputs are of
    ``invocations`` in a row, the first one after a reset. ``why`` says what would go wrong.
    ``confirmed_by`` are the runtimes that are asked as well; where one is missing, ``why`` says
    why.
    """

    name: str
    graph: Graph
    inputs: Sequence[ArrayLike]
    expected: ArrayLike | Mapping[str, ArrayLike]
    why: str
    source: str = BY_HAND
    confirmed_by: tuple[str, ...] = BOTH
    invocations: int = 1

    def samples(self) -> tuple[Array, ...]:
        """The inputs as [invocations, *shape], in their tensors' types."""
        tensors = [self.graph.tensors[index] for index in self.graph.inputs]
        return tuple(
            _exact(values, tensor.dtype, (self.invocations, *tensor.shape))
            for tensor, values in zip(tensors, self.inputs, strict=True)
        )

    def outputs(self, numerics: str) -> tuple[Array, ...]:
        """The expected outputs as [invocations, *shape]."""
        expected = self.expected
        if isinstance(expected, Mapping):
            expected = expected[numerics]
        tensors = [self.graph.tensors[index] for index in self.graph.outputs]
        each: Any = [expected] if len(tensors) == 1 else expected
        return tuple(
            _exact(values, tensor.dtype, (self.invocations, *tensor.shape))
            for tensor, values in zip(tensors, each, strict=True)
        )


def _exact(values: ArrayLike, dtype: np.dtype, shape: tuple[int, ...]) -> Array:
    """``values`` as they are written: a table whose integers would wrap is wrong."""
    written = np.asarray(values)
    array = written.astype(dtype).reshape(shape)
    assert dtype.kind == "f" or (array.ravel() == written.ravel()).all(), values
    return array


Quantized = tuple[float, int]  # scale, zero point
Shape = tuple[int, ...]


def unary(op: str, source: Quantized, output: Quantized, shape: Shape, **options: Any) -> Graph:
    """An operator from one int8 tensor to another of the same shape."""
    return one_op(op, [activation(shape, *source)], activation(shape, *output, name="y"), **options)


def binary(
    op: str, first: Quantized, second: Quantized, output: Quantized, *shapes: Shape, **options: Any
) -> Graph:
    """An operator on two int8 tensors; ``shapes`` of both and of the output, or one for all."""
    shape1, shape2, shape = shapes * 3 if len(shapes) == 1 else shapes
    operands = [activation(shape1, *first, name="x1"), activation(shape2, *second, name="x2")]
    return one_op(op, operands, activation(shape, *output, name="y"), **options)
