"""The accumulators that explanations start from give the layer's own outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from microinfer.debug import weighted

MODELS = Path(__file__).parent.parent / "models"
NAMES = ["digits_int8", "operators/unet_int8", "operators/attention_int16"]


@pytest.mark.parametrize("numerics", ["tflm", "litert"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_follow_from_the_accumulators(name: str, numerics: str) -> None:
    interpreter = mi.Interpreter(mi.load(MODELS / f"{name}.tflite"), numerics=numerics)
    graph = interpreter.graph
    rng = np.random.default_rng(0)
    inputs = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        limits = np.iinfo(tensor.dtype)
        inputs.append(
            rng.integers(limits.min, limits.max, (3, *tensor.shape), tensor.dtype, endpoint=True)
        )
    trace = interpreter.trace(*inputs)
    checked = 0
    for layer in filter(weighted.is_weighted, interpreter.layers):
        source = layer.op.operand_indices(layer.node)[0]
        shape = graph.tensors[layer.node.outputs[0]].shape
        x = trace.tensor(source).reshape(3, *graph.tensors[source].shape)
        acc = weighted.accumulators(layer, x, shape)
        params = layer.params
        outputs = weighted.rounded(params, acc) + weighted.zero_points(params)[1]
        outputs = np.clip(outputs, params.activation_min, params.activation_max)
        np.testing.assert_array_equal(outputs, trace[layer.index].outputs[0])
        assert len(weighted.reals(params)) in (1, shape[-1])
        checked += 1
    assert checked
