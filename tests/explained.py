"""Elements of layers to be explained: of the models in the tree, and of models of one operator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import microinfer as mi
from microinfer.prepare import PreparedLayer

ROOT = Path(__file__).resolve().parent.parent
MODELS = sorted(
    path.relative_to(ROOT / "models").with_suffix("").as_posix()
    for path in (ROOT / "models").rglob("*.tflite")
    if path.parent.name == "operators" or "float32" not in path.name  # what is quantized
)


def loaded(name: str) -> mi.Graph:
    return mi.load(ROOT / "models" / f"{name}.tflite")


def inputs(graph: mi.Graph, samples: int = 3) -> list[NDArray[Any]]:
    """Random samples, some of them all over the type's range."""
    rng = np.random.default_rng(5)
    arrays = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        shape = (samples, *tensor.shape)
        if tensor.dtype.kind == "f":
            arrays.append(rng.uniform(-1, 1, shape).astype(tensor.dtype))
        else:
            limits = np.iinfo(tensor.dtype)
            drawn = rng.integers(limits.min, limits.max, shape, tensor.dtype, endpoint=True)
            arrays.append(drawn)
    return arrays


class Element(NamedTuple):
    """One output element: its layer, sample and place, and the interpreter's value."""

    layer: PreparedLayer
    sample: int
    at: tuple[int, ...]
    value: Any


def elements(
    interpreter: mi.Interpreter, trace: mi.Trace, count: int, seed: int = 0
) -> Iterator[Element]:
    """Some of each layer's first output: the first, the last, the largest, and others."""
    rng = np.random.default_rng(seed)
    for layer in interpreter.layers:
        if not layer.op.computes or not layer.node.outputs:
            continue
        tensor = interpreter.graph.tensors[layer.node.outputs[0]]
        values = trace.tensor(layer.node.outputs[0]).reshape(-1, *tensor.shape)
        flat = [values.size - 1, int(values.argmax()), *rng.integers(0, values.size, count)]
        for place in flat[-count:]:
            sample, *at = (int(i) for i in np.unravel_index(place, values.shape))
            yield Element(layer, sample, tuple(at), values[(sample, *at)])
