"""The two runtimes that judge microinfer's bits, each behind one function.

TFLM    TensorFlow Lite Micro's reference kernels (package tflite-micro): profile "tflm"
LITERT  LiteRT's BUILTIN_REF kernels (package ai-edge-litert): profile "litert"; its default
        kernels are XNNPACK's, whose bits are their own

Both abort the whole process, and pytest with it, on what they only check in C++: real multipliers
of 1 and more in ADD and SUB, a SOFTMAX whose beta x scale is too small. Models handed in here
must stay clear of that. Where a package is missing, the test is skipped (see strict_skips.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from microinfer.graph import Graph
from microinfer.ops import results
from microinfer.tflite import read

Array = NDArray[Any]
Tensors = dict[int, Array]

ARENA_BYTES = 1 << 20  # beyond what the tensors themselves need


class Refused(Exception):
    """The runtime does not take the model."""


def tflm_tensors(data: bytes, *inputs: Array) -> Tensors:
    """Every computed tensor of a .tflite by TFLM, variable tensors included: index to array
    [samples, *shape]. Samples are consecutive invocations.

    ``inputs`` are [samples, *shape], one per model input. Raises Refused.
    """
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    graph = read(data)
    arena_bytes = ARENA_BYTES + 2 * sum(
        tensor.nbytes + 256 for tensor in graph.tensors if tensor.data is None
    )
    try:
        interpreter = runtime.Interpreter.from_bytes(
            data,
            arena_size=arena_bytes,
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )
    except RuntimeError as error:
        raise Refused(f"TFLM: {error}") from None

    def run(sample: tuple[Array, ...]) -> None:
        for position, array in enumerate(sample):
            interpreter.set_input(array, position)
        try:
            interpreter.invoke()
        except RuntimeError as error:  # a type that only the kernel itself does not take
            raise Refused(f"TFLM: {error}") from None

    return _gather(graph, inputs, run, lambda i: interpreter.GetTensor(i, 0)["tensor_data"])


def litert_tensors(data: bytes, *inputs: Array) -> Tensors:
    """As ``tflm_tensors``, by LiteRT's reference kernels."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    graph = read(data)
    try:
        interpreter = litert.Interpreter(
            model_content=data,
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise Refused(f"LiteRT: {error}") from None

    def run(sample: tuple[Array, ...]) -> None:
        for index, array in zip(graph.inputs, sample, strict=True):
            interpreter.set_tensor(index, array)
        try:
            interpreter.invoke()
        except RuntimeError as error:
            raise Refused(f"LiteRT: {error}") from None

    return _gather(graph, inputs, run, interpreter.get_tensor)


def _gather(
    graph: Graph,
    inputs: tuple[Array, ...],
    run: Callable[[tuple[Array, ...]], None],
    tensor: Callable[[int], Array],
) -> Tensors:
    """Run sample by sample; copies, as a runtime may hand out its own memory."""
    computed = [index for node in graph.nodes for index in results(node)]
    values: dict[int, list[Array]] = {index: [] for index in computed}
    for sample in zip(*inputs, strict=True):
        run(sample)
        for index in computed:
            values[index].append(np.array(tensor(index)))
    return {index: np.stack(arrays) for index, arrays in values.items()}


Oracle = Callable[..., Tensors]

ORACLES: Mapping[str, Oracle] = {"tflm": tflm_tensors, "litert": litert_tensors}


def differing(a: Array, b: Array) -> int:
    """How many elements differ in any bit. Arrays of different dtype or shape differ in all."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return max(a.size, b.size)
    bits = np.dtype(f"u{a.dtype.itemsize}")
    return int(
        np.count_nonzero(np.ascontiguousarray(a).view(bits) != np.ascontiguousarray(b).view(bits))
    )
