"""Every tensor of every int8 model equals TFLM's (profile "tflm") and LiteRT's ("litert")."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from compared import Compared
from microinfer import Graph, Interpreter
from microinfer.tflite import read
from oracles import ORACLES, Refused, differing, litert_tensors
from shared_models import INT8_MODELS, SHARED, shared_model

OWN = Path(__file__).resolve().parent.parent / "models"
MODELS = (*INT8_MODELS, *(path.stem for path in sorted(OWN.glob("*_int8.tflite"))))
REFUSED_BY_LITERT = "tflm_person_detect_int8"
DATA = SHARED.parent / "data"

Int8Array = NDArray[np.int8]


@cache
def model(name: str) -> bytes:
    own = OWN / f"{name}.tflite"
    return (own if own.exists() else shared_model(name)).read_bytes()


def data(name: str) -> NDArray[np.generic]:
    path = DATA / f"{name}.npy"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    array: NDArray[np.generic] = np.load(path)
    return array


def made_up(shape: tuple[int, ...], zero_point: int) -> Int8Array:
    """20 samples: both ends, noise, and narrow peaks around the zero point and elsewhere."""
    rng = np.random.default_rng(1)
    noise = rng.integers(-128, 128, (8, *shape))
    centres = [zero_point] * 5 + [int(pixel) for pixel in rng.integers(-128, 128, 5)]
    widths = [0.5, 2, 6, 15, 40] * 2
    peaks = [
        rng.normal(centre, width, shape) for centre, width in zip(centres, widths, strict=True)
    ]
    ends = [np.full(shape, -128), np.full(shape, 127)]
    return np.clip(np.rint(np.stack([*ends, *noise, *peaks])), -128, 127).astype(np.int8)


def pictures(channels: int) -> Int8Array:
    """A person and none, [2, 1, 96, 96, channels]."""
    grey = np.stack([data("tflm_person_uint8"), data("tflm_no_person_uint8")]).astype(np.int16)
    return np.repeat((grey - 128).astype(np.int8).reshape(2, 1, 96, 96, 1), channels, axis=4)


def machine_sounds(graph: Graph) -> Int8Array:
    """Windows of five frames out of a spectrogram, quantized as the model's input."""
    frames = data("mlperf_ad_features_float32")
    windows = np.stack([frames[start : start + 5].reshape(1, 640) for start in range(0, 196, 14)])
    own = graph.tensors[graph.inputs[0]].quantization
    assert own is not None
    steps = np.rint(windows / np.float32(own.scale)) + own.zero_point
    return np.clip(steps, -128, 127).astype(np.int8)


def real(name: str, graph: Graph) -> Int8Array:
    """The real samples there are for a model, [samples, *shape]."""
    shape = graph.tensors[graph.inputs[0]].shape
    if name == "mlperf_kws_int8":
        return data("mlperf_kws_inputs_int8").reshape(-1, *shape).astype(np.int8)
    if name == "mlperf_ad_int8":
        return machine_sounds(graph)
    if name in ("mlperf_vww_int8", "tflm_person_detect_int8"):
        return pictures(shape[3])
    samples = OWN / f"{name.removesuffix('_int8')}_inputs.npy"
    if samples.exists():
        return np.load(samples)[:20].reshape(-1, *shape)
    return np.empty((0, *shape), np.int8)


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("name", MODELS)
def test_every_tensor_equals_the_runtimes(name: str, numerics: str, compared: Compared) -> None:
    if (name, numerics) == (REFUSED_BY_LITERT, "litert"):
        # Its biases have one axis and a quantized dimension of 3.
        with pytest.raises(Refused, match=r"quantized_dimension must be in range \[0, 1\)"):
            litert_tensors(model(name))
        return
    graph = read(model(name))
    (index,) = graph.inputs
    own = graph.tensors[index]
    assert own.quantization is not None
    inputs = np.concatenate([made_up(own.shape, own.quantization.zero_point), real(name, graph)])
    trace = Interpreter(graph, numerics).trace(inputs)
    theirs = ORACLES[numerics](model(name), inputs)
    assert set(theirs) == {index for layer in trace for index in layer.node.outputs}
    elements = sum(array.size for array in theirs.values())
    wrong = {
        layer.node.location: count
        for layer in trace
        for index, array in zip(layer.node.outputs, layer.outputs, strict=True)
        if (count := differing(array, theirs[index]))
    }
    compared(name, numerics, f"{len(inputs)} inputs", elements, sum(wrong.values()))
    assert not wrong, f"layer: elements that differ {wrong}"
