"""Runs for the tests of diagnose: models, samples, C with a fault in it, what is found."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import faults
import microinfer as mi
from faults import Fault, Files, Site
from faults_table import FAULTS
from microinfer.debug.diagnose import Cause
from microinfer.graph import Graph
from microinfer.trace import LayerTrace, Trace

Array = NDArray[Any]
MODELS = Path(__file__).parent.parent / "models"
SAMPLES = 6
DIGITS = "digits_int8"
UNET, MOBILENET = "operators/unet_int8", "operators/mobilenet_int8"


@cache
def graph_of(name: str) -> Graph:
    return mi.load(MODELS / f"{name}.tflite")


@cache
def run_of(name: str) -> tuple[mi.Interpreter, tuple[Array, ...], Trace]:
    """An interpreter of a model of models/, samples, and their trace."""
    interpreter = mi.Interpreter(graph_of(name))
    samples = inputs_of(interpreter.graph)
    return interpreter, samples, interpreter.trace(*samples)


def inputs_of(graph: Graph, samples: int = SAMPLES, seed: int = 0) -> tuple[Array, ...]:
    rng = np.random.default_rng(seed)
    arrays = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        shape = (samples, *tensor.shape)
        if tensor.dtype.kind == "f":
            arrays.append(rng.normal(size=shape).astype(tensor.dtype))
            continue
        limits = np.iinfo(tensor.dtype)
        arrays.append(rng.integers(limits.min, limits.max, shape, tensor.dtype, endpoint=True))
    return tuple(arrays)


def traced(graph: Graph, tensors: dict[int, Array], inputs: tuple[Array, ...]) -> Trace:
    """Tensors of a runtime as a Trace."""
    layers = [
        LayerTrace(i, node, [tensors[index] for index in node.outputs])
        for i, node in enumerate(graph.nodes)
    ]
    return Trace(layers, dict(zip(graph.inputs, inputs, strict=True)), "oracle")


def names(causes: list[Cause]) -> list[str]:
    return [cause.name for cause in causes]


def faulty(fault: Fault, site: Site) -> mi.Native:
    def edit(files: Files) -> Files:
        edited = fault.edit(files, site)
        assert edited is not None, "the fault changes nothing here"
        return edited

    return faults.build(site.graph, edit)


def named(key: str) -> Fault:
    return next(fault for fault in FAULTS if fault.key == key)


def differing_layers(
    interpreter: mi.Interpreter, expected: Trace, observed: Trace
) -> dict[int, list[Cause]]:
    """What is diagnosed of each layer that differs by itself."""
    causes = {
        layer.index: mi.diagnose(interpreter, expected, observed, layer.index)
        for layer in interpreter.layers
    }
    return {index: found for index, found in causes.items() if found}
