"""The figures of accuracy against NumPy written here, TFLM's integers and LiteRT's floats."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from float_models import reals
from microinfer.debug import accuracy_run
from microinfer.debug.accuracy import LayerAccuracy
from microinfer.debug.accuracy_run import Replay
from microinfer.graph import Graph
from microinfer.passes import runnable
from microinfer.tflite import read, read_file, write
from one_op import Array
from oracles import litert_tensors, tflm_tensors
from perceptron import Perceptron
from shared_models import shared_model

MODELS = Path(__file__).parent.parent / "models"
NAMES = ("digits", "gesture", "vibration")
SAMPLES = 12


def files(name: str) -> tuple[Path, Path, Array]:
    inputs = np.load(MODELS / f"{name}_inputs.npy")[::5][:SAMPLES]
    return MODELS / f"{name}_int8.tflite", MODELS / f"{name}_float32.tflite", inputs


def close(got: float, expected: float) -> None:
    assert got == pytest.approx(expected, rel=2e-4, abs=2e-4)


def decibels(y: Array, q: Array) -> float:
    error = ((q - y) ** 2).sum()
    return np.inf if error == 0 else float(10 * np.log10((y**2).sum() / error))


def rms(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))


@pytest.mark.parametrize("name", NAMES)
def test_accumulated_figures_are_those_of_the_runtimes(name: str) -> None:
    model, float_model, inputs = files(name)
    graph, floats = mi.load(model), read_file(float_model)
    labels = np.load(MODELS / f"{name}_labels.npy")[::5][:SAMPLES]
    given = {} if name == "vibration" else {"labels": labels}
    found = mi.accuracy(graph, inputs, floats, **given)
    assert found.notes == ()
    samples = inputs.reshape(SAMPLES, *graph.tensors[graph.inputs[0]].shape)
    ran = tflm_tensors(model.read_bytes(), samples)
    exact = litert_tensors(float_model.read_bytes(), reals(graph.tensors[graph.inputs[0]], samples))
    assert [layer.index for layer in found.layers] == list(range(len(graph.nodes)))
    for layer, node, twin in zip(found.layers, graph.nodes, floats.nodes, strict=True):
        tensor = graph.tensors[node.outputs[0]]
        integers = ran[node.outputs[0]]
        q = reals(tensor, integers).astype(np.float64)
        y = exact[twin.outputs[0]].astype(np.float64)
        assert tensor.quantization is not None
        step = tensor.quantization.scale
        assert layer.step == step
        assert layer.elements == q.size
        close(layer.accumulated_sqnr_db, decibels(y, q))
        close(
            layer.accumulated_cosine, float((y * q).sum() / np.sqrt((y * y).sum() * (q * q).sum()))
        )
        close(layer.accumulated_max_error_steps, float(np.abs(q - y).max() / step))
        close(layer.accumulated_rms_error_steps, rms((q - y) / step))
        assert layer.range_used == (int(integers.max()) - int(integers.min()) + 1) / 256
        columns = integers.reshape(-1, integers.shape[-1])
        assert layer.channels == columns.shape[1]
        dead = np.flatnonzero((columns == columns[0]).all(axis=0))
        assert layer.dead_channels == tuple(dead)
    output = found.output
    q = reals(graph.tensors[graph.outputs[0]], ran[graph.outputs[0]]).astype(np.float64)
    y = exact[floats.outputs[0]].astype(np.float64)
    close(output.sqnr_db, decibels(y, q))
    close(output.relative_error, float(np.linalg.norm(q - y) / np.linalg.norm(y)))
    close(output.max_error, float(np.abs(q - y).max()))
    if name == "vibration":
        assert output.agreement is output.top1 is None
        return
    ours, theirs = q.reshape(SAMPLES, -1).argmax(1), y.reshape(SAMPLES, -1).argmax(1)
    assert output.agreement == (ours == theirs).mean()
    assert output.top1 == (ours == labels).mean()
    assert output.float_top1 == (theirs == labels).mean()


def alone(graph: Graph, layer: int) -> Graph:
    """One layer of a graph as a model."""
    node = graph.nodes[layer]
    return replace(graph, nodes=(node,), inputs=node.inputs[:1], outputs=node.outputs)


def test_isolated_figures_by_numpy() -> None:
    """Of a dense layer with ReLU, from the definitions: each part by a formula of its own."""
    model, float_model, _ = files("vibration")
    inputs = np.load(MODELS / "vibration_inputs.npy")[-SAMPLES:]  # damaged bearings: out of range
    graph, floats = mi.load(model), read_file(float_model)
    found = mi.accuracy(graph, inputs, floats)
    samples = inputs.reshape(SAMPLES, *graph.tensors[graph.inputs[0]].shape)
    given = reals(graph.tensors[graph.inputs[0]], samples)
    exact = litert_tensors(float_model.read_bytes(), given)
    for index in (0, 2):
        node, twin = graph.nodes[index], floats.nodes[index]
        source, weights, bias = (graph.tensors[i] for i in node.inputs)
        output = graph.tensors[node.outputs[0]]
        assert source.quantization is not None
        assert weights.quantization is not None
        assert output.quantization is not None
        a = given if index == 0 else exact[twin.inputs[0]]
        s, z = source.quantization.scale, source.quantization.zero_point
        integers = np.clip(np.rint(a / np.float32(s)) + z, -128, 127).astype(np.int8)
        x = (integers.astype(np.float64) - z).reshape(SAMPLES, -1) * s
        assert weights.data is not None
        assert bias.data is not None
        w = weights.data * weights.quantization.scales.astype(np.float64)[:, None]
        b = bias.data * (s * weights.quantization.scales.astype(np.float64))
        fw, fb = (floats.tensors[i].data.astype(np.float64) for i in twin.inputs[1:])
        step, zero_point = output.quantization.scale, output.quantization.zero_point
        y0, y1, y2 = (np.maximum(x @ own.T + c, 0) / step for own, c in ((fw, fb), (w, fb), (w, b)))
        above = y2 > 127.5 - zero_point
        y3 = np.where(above, 127 - zero_point, y2)
        y4 = np.rint(y3)
        ran = tflm_tensors(write(read(write(alone(graph, index)))), integers)
        y5 = ran[node.outputs[0]].reshape(SAMPLES, -1).astype(np.float64) - zero_point
        layer = found.layers[index]
        split = layer.split
        assert split.weight is not None
        assert split.bias is not None
        assert split.arithmetic is not None
        close(split.weight, rms(y1 - y0))
        close(split.bias, rms(y2 - y1))
        close(split.clipping, rms(y3 - y2))
        close(split.activation, rms(y4 - y3))
        close(split.arithmetic, rms(y5 - y4))
        close(layer.sqnr_db, decibels(y0, y5))
        close(layer.rms_error_steps, rms(y5 - y0))
        close(layer.max_error_steps, float(np.abs(y5 - y0).max()))
        close(layer.cosine, float((y0 * y5).sum() / np.sqrt((y0**2).sum() * (y5**2).sum())))
        assert (layer.clipped_low, layer.clipped_high) == (0, above.mean())
        assert layer.saturated_channels == tuple(np.flatnonzero(above.mean(axis=0) > 0.01))
    assert found.layers[0].clipped_high > 0


def test_the_accumulated_split_by_numpy() -> None:
    """Each step taken by both layers of a network at once."""
    network = Perceptron.random()
    graph = network.int8_graph(range_of_hidden=0.6)
    found = mi.accuracy(graph, network.integers(), network.float_graph())
    x = network.samples
    tensors = {tensor.name: tensor for tensor in graph.tensors}
    w, v = (
        tensors[n].data * tensors[n].quantization.scales.astype(np.float64)[:, None]
        for n in ("first", "second")
    )
    b = tensors["bias"].data * (tensors["first"].quantization.scales.astype(np.float64) / 64)
    top = 255 * tensors["hidden"].quantization.scale
    step = tensors["y"].quantization.scale
    hidden = np.maximum(x @ w.T + network.biases(), 0)
    biased = np.maximum(x @ w.T + b, 0)
    ways = [
        network.outputs(),
        hidden @ v.T,
        biased @ v.T,
        np.where(biased > top * (1 + 0.5 / 255), top, biased) @ v.T,
    ]
    (q,) = mi.Interpreter(graph).run(network.integers())
    ways.append(reals(tensors["y"], q.reshape(len(q), -1)).astype(np.float64))
    split = found.layers[1].accumulated_split
    parts = [split.weight, split.bias, split.clipping, split.activation]
    for part, before, after in zip(parts, ways[:-1], ways[1:], strict=True):
        assert part is not None
        close(part, rms(after - before) / step)
    assert split.arithmetic is None


def test_what_cannot_be_seen_is_not_called_zero() -> None:
    model, float_model, inputs = files("digits")
    for layer in mi.accuracy(mi.load(model), inputs).layers:
        assert layer.split.weight is layer.split.bias is None
        assert layer.accumulated_split.weight is layer.accumulated_split.bias is None
    found = mi.accuracy(mi.load(model), inputs, read_file(float_model))
    assert all(layer.split.weight is not None for layer in found.layers)


def test_a_layer_without_a_match_in_the_float_model_is_named() -> None:
    model, float_model, inputs = files("digits")
    floats = read_file(float_model)
    place = floats.nodes[5].inputs[1]
    tensors = list(floats.tensors)
    data = tensors[place].data
    assert data is not None
    tensors[place] = replace(tensors[place], data=data[::-1].copy())
    found = mi.accuracy(mi.load(model), inputs, replace(floats, tensors=tuple(tensors)))
    assert found.notes[0].startswith("layer 5 CONV_2D has no match in the float model")
    assert "gives other outputs than" in found.notes[1]
    assert found.layers[5].split.weight is None
    assert found.layers[4].split.weight is not None


def test_the_float_model_has_to_be_one_and_the_right_one() -> None:
    model, _, inputs = files("digits")
    graph = mi.load(model)
    with pytest.raises(mi.BadInput, match="none of its layers has weights like those"):
        mi.accuracy(graph, inputs, read_file(files("gesture")[1]))
    with pytest.raises(
        mi.BadInput, match="the float model is none: its layer 0 CONV_2D gives INT8"
    ):
        mi.accuracy(graph, inputs, graph)


def test_dynamic_range_weights_are_said_to_be_rounded() -> None:
    floats = read_file(shared_model("mlperf_kws_float32"))
    graph = mi.load(shared_model("mlperf_kws_int8"))
    rng = np.random.default_rng(0)
    found = mi.accuracy(graph, rng.integers(-128, 128, (2, 49, 10, 1), np.int8), floats)
    assert any("stores weights as INT8" in note for note in found.notes)


def equal(one: mi.debug.accuracy.Accuracy, other: mi.debug.accuracy.Accuracy) -> None:
    """Bit for bit."""
    assert pickle.dumps(one.output) == pickle.dumps(other.output)
    for a, b in zip(one.layers, other.layers, strict=True):
        assert replace(a, node=b.node) == b
    assert one.advice == other.advice


@pytest.fixture
def many_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of two samples: several tasks."""
    monkeypatch.setattr(accuracy_run, "GROUP_ELEMENTS", 1 << 12)


def shares_out(executor: Executor) -> None:
    model, float_model, _ = files("digits")
    inputs = np.load(MODELS / "digits_inputs.npy")[::2]
    labels = np.load(MODELS / "digits_labels.npy")[::2]
    graph, floats = mi.load(model), read_file(float_model)
    serial = mi.accuracy(graph, inputs, floats, labels)
    with executor:
        equal(mi.accuracy(graph, inputs, floats, labels, executor=executor), serial)


@pytest.mark.usefixtures("many_groups")
def test_threads_give_the_same() -> None:
    shares_out(ThreadPoolExecutor(3))


@pytest.mark.usefixtures("many_groups")
def test_processes_give_the_same() -> None:
    shares_out(ProcessPoolExecutor(2, get_context("forkserver")))


def test_a_dask_cluster_gives_the_same(many_groups: None) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        shares_out(client.get_executor())


@pytest.mark.parametrize("name", ["lstm_int8", "streaming_int8"])
def test_states_go_on_from_group_to_group(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = mi.load(MODELS / "operators" / f"{name}.tflite")
    with np.load(MODELS / "operators" / f"{name}.npz") as file:
        inputs = file["input"][:8]
    whole = mi.accuracy(graph, inputs)
    monkeypatch.setattr(accuracy_run, "GROUP_ELEMENTS", 1)
    single = mi.accuracy(graph, inputs)
    for a, b in zip(whole.layers, single.layers, strict=True):
        assert a.accumulated_sqnr_db == pytest.approx(b.accumulated_sqnr_db, rel=1e-4)
        assert a.range_used == b.range_used
    assert whole.output.sqnr_db > 35


def test_a_job_travels_without_what_is_made_of_it() -> None:
    """Some operators are prepared by functions that cannot be pickled; and tables are large."""
    for path in sorted((MODELS / "operators").glob("*_int8.tflite")):
        graph = runnable(mi.load(path))
        job = accuracy_run.Job.of(graph, "tflm", None)
        Replay(job)
        data = pickle.dumps(job)
        assert len(data) < 3 * path.stat().st_size
        assert pickle.loads(data).layers[-1].node == job.layers[-1].node


@pytest.mark.full
def test_a_thousand_samples_of_vww_in_two_minutes_of_one_core() -> None:
    graph = mi.load(shared_model("mlperf_vww_int8"))
    floats = read_file(shared_model("mlperf_vww_float32"))
    images = np.random.default_rng(0).integers(-128, 128, (1000, 96, 96, 3), np.int8)
    began = time.process_time()
    found = mi.accuracy(graph, images, floats)
    assert time.process_time() - began < 120
    assert found.samples == 1000


def test_what_a_variable_gives_is_exact() -> None:
    """Its error is the assigned value's: a layer that only moves has none of its own."""
    graph = mi.load(MODELS / "operators" / "streaming_int8.tflite")
    with np.load(MODELS / "operators" / "streaming_int8.npz") as file:
        found = mi.accuracy(graph, file["input"][:30])
    moves = [layer for layer in found.layers if layer.node.op == "READ_VARIABLE"]
    assert len(moves) == 2
    assert all(layer.sqnr_db == np.inf and layer.max_error_steps == 0 for layer in moves)
    assert any("variables" in note for note in found.notes)
    assert found.advice == ()


def test_an_executor_cannot_share_out_a_sequence() -> None:
    graph = mi.load(MODELS / "operators" / "lstm_int8.tflite")
    inputs = np.zeros((2, 25, 6), np.int8)
    with ThreadPoolExecutor(1) as pool, pytest.raises(mi.BadInput, match="the model has state"):
        mi.accuracy(graph, inputs, executor=pool)


@pytest.mark.parametrize("name", ["separable_int4", "attention_int16", "open_batch_float32"])
def test_other_types(name: str) -> None:
    graph = mi.load(MODELS / "operators" / f"{name}.tflite")
    with np.load(MODELS / "operators" / f"{name}.npz") as file:
        found = mi.accuracy(graph, file["input"])
    assert found.output.sqnr_db > (60 if "int16" in name else 40)
    assert found.output.agreement == 1


def test_dead_channels_need_two_values_to_be_seen() -> None:
    model, _, inputs = files("vibration")
    assert all(
        layer.dead_channels is None for layer in mi.accuracy(mi.load(model), inputs[:1]).layers
    )


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.zeros(3, int), "labels: got 3, expected 12, one per sample"),
        (np.full(12, 10), "labels: got 10..10, expected 0..9"),
        (np.zeros(12), "labels: got dtype float64, expected integers"),
        (np.eye(12, 10), r"labels: got \(12, 10\), expected \(12,\), .* numpy.argmax"),
    ],
)
def test_labels_that_do_not_fit(labels: Array, says: str) -> None:
    model, _, inputs = files("digits")
    with pytest.raises(mi.BadInput, match=says):
        mi.accuracy(mi.load(model), inputs, labels=labels)


def test_an_autoencoder_has_no_classes() -> None:
    model, _, inputs = files("vibration")
    with pytest.raises(mi.BadInput, match="labels are for a model that gives one value per class"):
        mi.accuracy(mi.load(model), inputs, labels=np.zeros(12, int))


def test_every_sample_is_told() -> None:
    model, _, inputs = files("digits")
    told: list[int] = []
    mi.accuracy(mi.load(model), inputs, advance=told.append)
    assert sum(told) == SAMPLES


def test_samples_may_stay_on_disk() -> None:
    model, _, _ = files("digits")
    path = MODELS / "digits_inputs.npy"
    graph = mi.load(model)
    equal(mi.accuracy(graph, np.load(path, mmap_mode="r")), mi.accuracy(graph, np.load(path)))


def test_the_profile_is_the_one_asked_for() -> None:
    """MEAN of the two runtimes is the same, FULLY_CONNECTED's rounding is not."""
    model, _, _ = files("vibration")
    inputs = np.load(MODELS / "vibration_inputs.npy")
    graph = mi.load(model)
    for numerics in ("tflm", "litert"):
        found = mi.accuracy(graph, inputs, numerics=numerics)
        (q,) = mi.Interpreter(graph, numerics).run(inputs)
        values = q.reshape(len(q), -1)
        assert found.layers[-1].range_used == (int(values.max()) - int(values.min()) + 1) / 256
        assert found.numerics == numerics
    assert mi.accuracy(graph, inputs).output != found.output


def test_figures_are_plain() -> None:
    """Of every field: Python's own numbers, which JSON and reports take as they are."""
    model, float_model, inputs = files("digits")
    for layer in mi.accuracy(mi.load(model), inputs, read_file(float_model)).layers:
        assert isinstance(layer, LayerAccuracy)
        for value in vars(layer).values():
            assert not isinstance(value, np.generic)
