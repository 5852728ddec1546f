"""Accuracy of samples that are reals: what the model's input does to them is counted, too.

Held against NumPy written here, TFLM's integers, LiteRT's float model, and models whose input was
really calibrated another way.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from float_models import reals
from microinfer.debug import accuracy_run
from microinfer.debug.accuracy import Accuracy
from microinfer.graph import Graph, Quantization
from microinfer.tflite import read, read_file, write
from one_op import Array, activation, one_op
from oracles import litert_tensors, tflm_tensors
from perceptron import Perceptron

MODELS = Path(__file__).parent.parent / "models"
DIM = MODELS / "digits_dim_int8.tflite"
DIGITS = MODELS / "digits_int8.tflite"
FLOAT = MODELS / "digits_float32.tflite"
PICTURES = np.load(MODELS / "digits_inputs_float32.npy")
LABELS = np.load(MODELS / "digits_labels.npy")


def quantized(graph: Graph, values: Array) -> Array:
    """As a caller of the model does it: nearest, halves away from zero, saturated."""
    tensor = graph.tensors[graph.inputs[0]]
    assert tensor.quantization is not None
    q = tensor.quantization
    steps = values.astype(np.float32) / np.float32(q.scale)
    nearest = np.trunc(steps + np.copysign(np.float32(0.5), steps)) + q.zero_point
    limits = np.iinfo(tensor.dtype)
    samples = nearest.clip(limits.min, limits.max).astype(tensor.dtype)
    return samples.reshape(-1, *tensor.shape)


def decibels(y: Array, q: Array) -> float:
    return float(10 * np.log10((y**2).sum() / ((q - y) ** 2).sum()))


def rms(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))


def close(got: float, expected: float) -> None:
    assert got == pytest.approx(expected, rel=2e-4, abs=2e-4)


def classes(values: Array) -> Array:
    return values.reshape(len(values), -1).argmax(axis=1)


def right(model: bytes, integers: Array) -> float:
    """Top-1 of the sample digits by TFLM."""
    graph = read(model)
    return float((classes(tflm_tensors(model, integers)[graph.outputs[0]]) == LABELS).mean())


@pytest.fixture(scope="module")
def dim() -> Accuracy:
    return mi.accuracy(mi.load(DIM), PICTURES, read_file(FLOAT), LABELS)


@pytest.mark.parametrize("name", ["digits_dim", "vibration", "digits"])
def test_an_inputs_figures_by_numpy(name: str) -> None:
    """Pictures beyond the range, vibrations beyond it at both ends, and pictures within it."""
    graph = mi.load(MODELS / f"{name}_int8.tflite")
    values = np.load(MODELS / f"{name.removesuffix('_dim')}_inputs_float32.npy")
    values = values * np.float32(1.7 if name == "vibration" else 1)
    found = mi.accuracy(graph, values)
    (own,) = found.inputs
    tensor = graph.tensors[graph.inputs[0]]
    assert tensor.quantization is not None
    scale, zero_point = tensor.quantization.scale, tensor.quantization.zero_point
    y = values.astype(np.float64).reshape(-1) / scale
    integers = quantized(graph, values).reshape(-1)
    q = integers.astype(np.float64) - zero_point
    low, high = -128 - zero_point, 127 - zero_point
    below, above = y < low - 0.5, y > high + 0.5
    inside = np.where(below, low, np.where(above, high, y))
    assert (own.index, own.name, own.step, own.elements) == (0, tensor.name, scale, y.size)
    close(own.low, low * scale)
    close(own.high, high * scale)
    close(own.sqnr_db, decibels(y, q))
    close(own.cosine, float((y * q).sum() / np.sqrt((y * y).sum() * (q * q).sum())))
    close(own.max_error_steps, float(np.abs(q - y).max()))
    close(own.rms_error_steps, rms(q - y))
    close(own.split.clipping, rms(inside - y))
    close(own.split.activation, rms(q - inside))
    assert own.split.weight is own.split.bias is own.split.arithmetic is None
    assert (own.clipped_low, own.clipped_high) == (below.mean(), above.mean())
    assert own.range_used == (int(integers.max()) - int(integers.min()) + 1) / 256
    assert own.channels == tensor.shape[-1]
    assert own.accumulated_sqnr_db == own.sqnr_db
    assert own.accumulated_split == own.split
    assert (own.clipped_high > 0) == (name != "digits")
    assert (own.clipped_low > 0) == (name == "vibration")
    assert (own.split.clipping > 0) == (name != "digits")
    assert own.split.activation > 0


def test_the_reference_is_the_float_model_on_the_reals(dim: Accuracy) -> None:
    """LiteRT's float model is right for 97 of 100 digits, TFLM's integers for 67."""
    model, graph, floats = DIM.read_bytes(), mi.load(DIM), read_file(FLOAT)
    exact = litert_tensors(FLOAT.read_bytes(), PICTURES[:, None])
    ran = tflm_tensors(model, quantized(graph, PICTURES))
    assert dim.notes == ()
    for layer, node, twin in zip(dim.layers, graph.nodes, floats.nodes, strict=True):
        y = exact[twin.outputs[0]].astype(np.float64)
        q = reals(graph.tensors[node.outputs[0]], ran[node.outputs[0]]).astype(np.float64)
        close(layer.accumulated_sqnr_db, decibels(y, q))
        close(layer.accumulated_rms_error_steps, rms((q - y) / layer.step))
    theirs, ours = classes(exact[floats.outputs[0]]), classes(ran[graph.outputs[0]])
    assert dim.output.float_top1 == (theirs == LABELS).mean() == 0.97
    assert dim.output.top1 == (ours == LABELS).mean() == 0.67
    assert dim.output.agreement == (ours == theirs).mean()


def test_the_inputs_clipping_is_named_first_and_its_gain_is_real(dim: Accuracy) -> None:
    """Against the same model with the input's scale doubled, as TFLM runs it."""
    first = dim.advice[0]
    assert (first.index, first.input) == (None, 0)
    assert first.sentence.startswith("clipping: ")
    assert "above what the input can hold" in first.sentence
    own = next(trial for trial in first.trials if trial.remedy == "calibration range")
    assert own.sentence == "calibrate the input to 0..16; the model has 0..8"
    mended = write(doubled(mi.load(DIM)))
    gained = right(mended, quantized(read(mended), PICTURES)) - 0.67
    assert gained > 0.25
    assert own.top1_gain == pytest.approx(gained, abs=0.021)
    assert own.agreement_gain == pytest.approx(0.3, abs=0.03)
    assert dim.together is not None
    assert dim.together.sentence.startswith("the input: calibration range, layer ")
    assert dim.together.top1_gain == pytest.approx(gained, abs=0.03)


def doubled(graph: Graph) -> Graph:
    """With twice the range of the input; the first layer's bias in its new steps."""
    tensors = list(graph.tensors)
    source, _, place = graph.nodes[0].inputs
    for index in (source, place):
        tensor = tensors[index]
        assert tensor.quantization is not None
        q = Quantization(tensor.quantization.scales * np.float32(2),
                         tensor.quantization.zero_points, tensor.quantization.axis)  # fmt: skip
        tensors[index] = replace(tensor, quantization=q)
    bias = tensors[place]
    assert bias.data is not None
    tensors[place] = replace(bias, data=np.rint(bias.data / 2).astype(np.int32))
    return replace(graph, tensors=tuple(tensors))


def test_without_labels_gains_are_of_the_same_class() -> None:
    found = mi.accuracy(mi.load(DIM), PICTURES)
    assert found.advice[0].input == 0
    trial = found.advice[0].trials[0]
    assert trial.top1_gain is None
    assert trial.agreement_gain == pytest.approx(0.3, abs=0.05)


def test_a_wide_enough_input_only_rounds() -> None:
    graph, floats = mi.load(DIGITS), read_file(FLOAT)
    found = mi.accuracy(graph, PICTURES, floats, LABELS)
    (own,) = found.inputs
    assert own.clipped_low == own.clipped_high == own.split.clipping == 0
    assert own.sqnr_db > 50
    assert all(advice.input is None for advice in found.advice)
    assert found.output.float_top1 == 0.97
    # Alone, the first layer gets the same integers; accumulated, the input's error is in it.
    given = mi.accuracy(graph, quantized(graph, PICTURES), floats, LABELS)
    assert given.inputs == ()
    assert found.layers[0].sqnr_db == given.layers[0].sqnr_db
    assert found.layers[0].accumulated_sqnr_db < given.layers[0].accumulated_sqnr_db - 0.1


def test_the_accumulated_split_has_the_inputs_parts() -> None:
    """Of a network whose hidden layer and input are cut off, by NumPy."""
    network = Perceptron.random()
    samples = network.samples * 3.1
    graph = network.int8_graph()
    found = mi.accuracy(graph, samples[:, None], network.float_graph())
    w, v = network.first, network.second
    tensors = {tensor.name: tensor for tensor in graph.tensors}
    scaled = [
        tensors[n].data * tensors[n].quantization.scales.astype(np.float64)[:, None]
        for n in ("first", "second")
    ]
    b = tensors["bias"].data * (tensors["first"].quantization.scales.astype(np.float64) / 64)
    x = samples.astype(np.float32).astype(np.float64)

    def cut(values: Array, low: float, high: float, step: float) -> Array:
        within = (values > low - step / 2) & (values < high + step / 2)
        return np.where(within, values, values.clip(low, high))

    def hidden(values: Array, weights: Array, bias: Array) -> Array:
        return np.maximum(values @ weights.T + bias, 0)

    step = tensors["hidden"].quantization.scale
    inside = cut(x, -2.0, 127 / 64, 1 / 64)
    ways = [
        hidden(x, w, network.biases()),
        hidden(x, scaled[0], network.biases()),
        hidden(x, scaled[0], b),
        cut(hidden(inside, scaled[0], b), 0, 255 * step, step),
    ]
    ran = tflm_tensors(write(graph), quantized(graph, samples))
    ways.append(reals(tensors["hidden"], ran[graph.nodes[0].outputs[0]])[:, 0].astype(np.float64))
    split = found.layers[0].accumulated_split
    parts = [split.weight, split.bias, split.clipping, split.activation]
    for part, before, after in zip(parts, ways[:-1], ways[1:], strict=True):
        assert part is not None
        close(part, rms(after - before) / step)
    assert split.clipping > 1
    assert v.shape == scaled[1].shape


def test_a_better_range_gains_what_is_promised() -> None:
    """A network whose input alone is calibrated for samples a quarter as large, and has the range
    that the samples need in another."""
    network = Perceptron.random()
    good = network.int8_graph()
    narrow = four_times(good)
    found = mi.accuracy(narrow, network.samples[:, None], network.float_graph())
    (own,) = found.inputs
    assert own.high == pytest.approx(127 / 256)
    y = network.samples * 256
    assert (own.clipped_low, own.clipped_high) == ((y < -128.5).mean(), (y > 127.5).mean())
    first = found.advice[0]
    assert (first.index, first.input) == (None, 0)
    assert first.sentence.startswith("clipping: ")
    trial = next(trial for trial in first.trials if trial.remedy == "calibration range")
    gained = sqnr(network, good) - sqnr(network, narrow)
    assert gained > 10
    # The good one's steps are the samples' own, which leaves nothing to round.
    assert gained - 2 < trial.sqnr_gain_db < gained


def sqnr(network: Perceptron, graph: Graph) -> float:
    """Of the model as TFLM runs it on the network's samples, against the network in float64."""
    (output,) = graph.outputs
    ran = tflm_tensors(write(graph), quantized(graph, network.samples))[output]
    return decibels(network.outputs(), reals(graph.tensors[output], ran)[:, 0].astype(np.float64))


def four_times(graph: Graph) -> Graph:
    """A quarter of the input's range, at four times the resolution."""
    tensors = list(graph.tensors)
    source, _, place = graph.nodes[0].inputs
    for index in (source, place):
        tensor = tensors[index]
        assert tensor.quantization is not None
        q = replace(tensor.quantization, scales=tensor.quantization.scales / np.float32(4))
        tensors[index] = replace(tensor, quantization=q)
    bias = tensors[place]
    assert bias.data is not None
    tensors[place] = replace(bias, data=bias.data * 4)
    return replace(graph, tensors=tuple(tensors))


def test_halves_are_rounded_as_the_caller_rounds_them() -> None:
    """Away from zero: the first layer, alone, then gets the same integers as from the caller."""
    network = Perceptron.random()
    graph = network.int8_graph()
    halves = network.samples.clip(-1.9, 1.9) + 1 / 128
    found = mi.accuracy(graph, halves[:, None], network.float_graph())
    given = mi.accuracy(graph, quantized(graph, halves), network.float_graph())
    assert found.layers[0].sqnr_db == given.layers[0].sqnr_db
    close(found.inputs[0].rms_error_steps, 0.5)
    assert (
        found.output.agreement
        == (
            classes(tflm_tensors(write(graph), quantized(graph, halves))[graph.outputs[0]])
            == classes(Perceptron(network.first, network.second, halves).outputs())
        ).mean()
    )


def test_two_inputs_one_of_reals() -> None:
    a, b = (activation((1, 4), 0.5, 3, name=name) for name in "ab")
    graph = one_op("ADD", [a, b], activation((1, 4), 1.5, 3, name="y"))
    rng = np.random.default_rng(1)
    integers = rng.integers(-80, 80, (50, 1, 4), np.int8)
    values = rng.uniform(-100, 100, (50, 1, 4))  # the second holds -65.5 to 62
    found = mi.accuracy(graph, [integers, values])
    (own,) = found.inputs
    assert (own.index, own.name, own.low, own.high) == (1, "b", -65.5, 62)
    exact = (integers.astype(np.float64) - 3) / 2 + values.astype(np.float32)
    second = (np.rint(values * 2) + 3).clip(-128, 127).astype(np.int8)
    ran = tflm_tensors(write(graph), integers, second)[graph.outputs[0]]
    close(
        found.layers[0].accumulated_sqnr_db,
        decibels(exact, reals(graph.tensors[graph.outputs[0]], ran)),
    )
    first = found.advice[0]
    assert (first.index, first.input) == (None, 1)
    sentences = [trial.sentence for trial in first.trials]
    assert any(sentence.startswith("calibrate input 1 to -") for sentence in sentences)
    both = mi.accuracy(graph, [values, values])
    assert [own.name for own in both.inputs] == ["a", "b"]


def test_executors_and_files_on_disk_give_the_same(
    tmp_path: Path, dim: Accuracy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reals.npy"
    np.save(path, PICTURES)
    graph, floats = mi.load(DIM), read_file(FLOAT)
    on_disk = mi.accuracy(graph, np.load(path, mmap_mode="r"), floats, LABELS)
    assert pickle.dumps(on_disk.inputs) == pickle.dumps(dim.inputs)
    assert on_disk.output == dim.output
    monkeypatch.setattr(accuracy_run, "GROUP_ELEMENTS", 1 << 12)
    serial = mi.accuracy(graph, PICTURES, floats, LABELS)
    with ThreadPoolExecutor(3) as pool:
        shared = mi.accuracy(graph, PICTURES, floats, LABELS, pool)
    assert pickle.dumps(shared.inputs) == pickle.dumps(serial.inputs)
    assert shared.output == serial.output
    assert shared.advice == serial.advice
    for one, other in zip(shared.layers, serial.layers, strict=True):
        assert replace(one, node=other.node) == other


def test_a_model_with_state_goes_on_from_group_to_group(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = mi.load(MODELS / "operators" / "streaming_int8.tflite")
    with np.load(MODELS / "operators" / "streaming_int8.npz") as file:
        tensor = graph.tensors[graph.inputs[0]]
        values = reals(tensor, file["input"][:8]) * 1.37
    whole = mi.accuracy(graph, values)
    monkeypatch.setattr(accuracy_run, "GROUP_ELEMENTS", 1)
    single = mi.accuracy(graph, values)
    (one,), (other,) = whole.inputs, single.inputs
    assert one.sqnr_db == pytest.approx(other.sqnr_db, rel=1e-5)
    assert one.clipped_high == other.clipped_high
    assert len(whole.layers) == len(single.layers)


def test_float64_is_taken_as_float32() -> None:
    graph = mi.load(DIGITS)
    values = np.random.default_rng(0).uniform(0, 16, (3, 8, 8, 1))
    one, other = (mi.accuracy(graph, x) for x in (values, values.astype(np.float32)))
    assert one.inputs == other.inputs
    assert one.output == other.output


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_reals_have_to_be_finite(bad: float) -> None:
    values = np.zeros((2, 8, 8, 1))
    values[1, 2, 3, 0] = bad
    with pytest.raises(mi.BadInput, match="values that are not finite numbers"):
        mi.accuracy(mi.load(DIGITS), values)


def test_only_quantized_inputs_take_reals() -> None:
    graph = mi.load(DIGITS)
    floats = mi.load(MODELS / "operators" / "open_batch_float32.tflite")
    with pytest.raises(mi.BadInput, match="got dtype int64, expected int8"):
        mi.accuracy(graph, np.zeros((2, 8, 8, 1), np.int64))
    with pytest.raises(mi.BadInput, match="got dtype float64, expected float32"):
        mi.accuracy(floats, np.zeros((2, *floats.tensors[floats.inputs[0]].shape)))
    with pytest.raises(mi.BadInput, match="got dtype float32, expected int8"):
        mi.Interpreter(graph).run(np.zeros((2, 8, 8, 1), np.float32))
