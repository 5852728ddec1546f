"""What a report says, held against values from elsewhere: TFLM's tensors, NumPy, sums by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from command_line import DIGITS, DIGITS_INPUTS, MODELS, microinfer
from microinfer.cli.report import facts
from microinfer.debug.diagnose import Cause
from microinfer.debug.histogram import Histogram, of_output, of_weights
from microinfer.debug.report import report
from microinfer.debug.summary import sentences
from microinfer.trace import Trace
from one_op import activation, constant, int32, one_op
from oracles import Array, litert_tensors, tflm_tensors

SAMPLES = np.load(DIGITS_INPUTS)[:20]


@pytest.fixture(scope="module")
def tflm() -> dict[int, Array]:
    """Every tensor of digits, by TFLM."""
    return tflm_tensors(DIGITS.read_bytes(), SAMPLES[:, None])


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report on digits, as JSON has it."""
    samples = tmp_path_factory.mktemp("samples") / "some.npy"
    np.save(samples, SAMPLES)
    said = microinfer("report", DIGITS, "--inputs", samples, "--json")
    assert (said.code, said.stderr) == (0, "")
    return said.json


def test_activations_are_those_of_tflm(digits: Any, tflm: dict[int, Array]) -> None:
    for layer in digits["layers"]:
        (own,) = layer["values"]
        values = tflm[own["tensor"]]
        expected = [int((values == q).sum()) for q in range(-128, 128)]
        assert own["histogram"]["counts"] == expected
        assert own["histogram"]["at_low"] == expected[0]
        assert own["histogram"]["at_high"] == expected[-1]


def test_inputs_are_those_of_the_samples(digits: Any) -> None:
    (own,) = digits["inputs"]
    assert own["histogram"]["counts"] == [int((q == SAMPLES).sum()) for q in range(-128, 128)]
    assert own["histogram"]["at_low"] == int((SAMPLES == -128).sum()) > 0


def test_weights_are_those_of_the_file(digits: Any) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    file = litert.Interpreter(
        str(DIGITS), experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    file.allocate_tensors()
    details = {own["index"]: own for own in file.get_tensor_details()}
    seen = 0
    for own in (own for layer in digits["layers"] for own in layer["weights"]):
        q, said = file.get_tensor(own["tensor"]), details[own["tensor"]]["quantization_parameters"]
        assert own["histogram"]["counts"] == [int((q == v).sum()) for v in range(-128, 128)]
        axis = said["quantized_dimension"]
        rows = np.moveaxis(q, axis, 0).reshape(q.shape[axis], -1).astype(int)
        assert own["largest"] == np.abs(rows).max(1).tolist()
        assert own["reach"] == pytest.approx(np.abs(rows).max(1) * said["scales"].astype(float))
        assert (own["scale_min"], own["scale_max"]) == (said["scales"].min(), said["scales"].max())
        seen += 1
    assert seen == 8  # three CONV_2D, three DEPTHWISE_CONV_2D, the first, FULLY_CONNECTED


def test_cost_by_hand(digits: Any) -> None:
    layers = digits["layers"]
    assert layers[0]["op"] == "CONV_2D"
    assert layers[0]["cost"]["macs"] == 8 * 8 * 24 * 3 * 3 * 1
    assert layers[9]["cost"]["macs"] == 48 * 10
    assert layers[0]["cost"]["output_bytes"] == 8 * 8 * 24
    assert digits["macs"] == sum(layer["cost"]["macs"] for layer in layers)
    assert digits["constant_bytes"] == sum(layer["cost"]["constant_bytes"] for layer in layers)
    assert digits["target"] is None
    assert layers[0]["cost"]["instructions"] is None


def test_no_two_buffers_share_a_byte_at_one_time(digits: Any) -> None:
    used: dict[tuple[int, int], int] = {}
    for number, own in enumerate(digits["buffers"]):
        for layer in range(own["first_layer"], own["last_layer"] + 1):
            for byte in range(own["offset"], own["offset"] + own["bytes"]):
                assert used.setdefault((layer, byte), number) == number
    assert max(byte for _, byte in used) + 1 == digits["arena_bytes"]
    kinds = [own["kind"] for own in digits["buffers"]]
    assert kinds.count("input") == kinds.count("output") == 1


def test_json_has_its_keys(digits: Any) -> None:
    assert list(digits) == [
        "file", "summary", "sha256", "numerics", "runtime", "samples", "inputs", "outputs",
        "layers", "accuracy", "difference", "arena_bytes", "state_bytes", "scratch_bytes",
        "constant_bytes", "macs", "buffers", "target",
    ]  # fmt: skip
    assert list(digits["layers"][0]) == [
        "index", "location", "op", "kernels", "inputs", "outputs", "name", "type", "shape", "cost",
        "values", "weights", "accuracy", "difference",
    ]  # fmt: skip
    assert digits["file"] == "digits_int8.tflite"
    assert digits["samples"] == 20
    assert digits["difference"] is None
    assert digits["layers"][0]["accuracy"]["op"] == "CONV_2D"


def test_error_of_the_last_layer_but_one_is_that_of_the_float_model(tflm: dict[int, Array]) -> None:
    """The accumulated error in layer 9, the logits, against LiteRT's run of the float model."""
    floats = mi.tflite.read_file(MODELS / "digits_float32.tflite")
    graph = mi.load(DIGITS)
    found = report(graph, SAMPLES, float_model=floats)
    own = graph.tensors[graph.inputs[0]].quantization
    assert own is not None
    reals = (np.float32(own.scale) * (SAMPLES.astype(np.float32) - own.zero_point))[:, None]
    theirs = litert_tensors((MODELS / "digits_float32.tflite").read_bytes(), reals)
    logits = next(node for node in floats.nodes if node.op == "SOFTMAX").inputs[0]
    y = theirs[logits].astype(np.float64)
    tensor = graph.tensors[found.layers[9].outputs[0]]
    assert tensor.quantization is not None
    q = tflm[found.layers[9].outputs[0]].astype(np.float64) - tensor.quantization.zero_point
    error = q * tensor.quantization.scale - y
    expected = 10 * np.log10((y**2).sum() / (error**2).sum())
    assert found.layers[9].accuracy is not None
    assert found.layers[9].accuracy.accumulated_sqnr_db == pytest.approx(expected, abs=0.01)


class Altered:
    """The interpreter with one value of one sample and layer changed."""

    def __init__(self, sample: int, layer: int, element: tuple[int, ...], by: int) -> None:
        self._runs = mi.Interpreter(mi.load(DIGITS))
        self._change = sample, layer, element, by
        self.groups: list[int] = []

    def trace(self, *inputs: Array) -> Trace:
        trace = self._runs.trace(*inputs)
        sample, layer, element, by = self._change
        first = sum(self.groups)
        self.groups.append(len(inputs[0]))
        if first <= sample < first + len(inputs[0]):
            outputs = [output.copy() for output in trace[layer].outputs]
            outputs[0][(sample - first, *element)] += by
            trace.layers[layer] = replace(trace[layer], outputs=outputs)
            return Trace(trace.layers, trace.inputs, trace.numerics)
        return trace


def test_a_difference_is_found_where_it_is() -> None:
    other = Altered(sample=7, layer=4, element=(0, 2, 1, 5), by=3)
    found = report(mi.load(DIGITS), SAMPLES, against=("a board", other))
    assert found.difference is not None
    first = found.difference.first
    assert first is not None
    assert (first.layer.index, first.sample, first.element) == (4, 7, (0, 2, 1, 5))
    assert first.observed - first.expected == 3
    assert found.difference.differing == 1
    assert [own.difference.differing for own in found.layers if own.difference] == [
        0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    ]  # fmt: skip
    said = found.summary[1]
    assert said.startswith("Different from a board: 1 of ")
    assert (
        f"It begins in layer 4 DEPTHWISE_CONV_2D, sample 7, element (0, 2, 1, 5): {first.expected}"
        f" here, {first.observed} there." in said
    )


def test_json_says_of_a_difference_what_diff_says() -> None:
    arguments = [DIGITS, "--input", DIGITS_INPUTS, "--against", "xnnpack", "--json"]
    one, other = microinfer("report", *arguments), microinfer("diff", *arguments)
    assert one.code == other.code == 1
    found = one.json["difference"]
    for key in ("identical", "elements", "differing", "first", "causes"):
        assert found[key] == other.json[key], key
    assert [layer["difference"] for layer in one.json["layers"]] == other.json["layers"]


def test_causes_that_cannot_be_told_apart_are_all_named() -> None:
    other = Altered(sample=7, layer=4, element=(0, 2, 1, 5), by=3)
    found = report(mi.load(DIGITS), SAMPLES, against=("a board", other))
    assert found.difference is not None
    one, two, part = (
        Cause(name, f"it is {name}", f"mend {name}", matching, 9)
        for name, matching in (("one", 9), ("two", 9), ("nearly", 8))
    )
    for causes, does, does_not in (
        ((one, part), "all 9 values that were looked at. What to do: Mend one.", "nearly"),
        ((one, two, part), "Mend one. The samples cannot tell it apart from: two.", "nearly"),
        ((part, part), "reproduces 8 of 9 values that were looked at. What to do:", "cannot tell"),
    ):
        difference = replace(found.difference, causes=causes)
        text = " ".join(sentences(replace(found, difference=difference)))
        assert does in text
        assert does_not not in text


def test_other_inputs_are_said_to_be_that(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    mi.Interpreter(mi.load(DIGITS)).trace(SAMPLES[::-1]).save(path)
    samples = tmp_path / "some.npy"
    np.save(samples, SAMPLES)
    said = microinfer("report", DIGITS, "-i", samples, "--against", path, "--json")
    assert said.code == 1
    assert "It begins in input 0, sample 0, element " in said.json["summary"][1]
    assert "The two sides ran on other inputs" in said.json["summary"][2]
    assert said.json["difference"]["causes"] == []


def test_layers_that_the_other_side_lacks_are_named(tmp_path: Path) -> None:
    trace = mi.Interpreter(mi.load(DIGITS)).trace(SAMPLES)
    path = tmp_path / "some_layers.npz"
    np.savez(path, layer_3=trace[3].outputs[0], layer_9=trace[9].outputs[0])
    samples = tmp_path / "some.npy"
    np.save(samples, SAMPLES)
    said = microinfer("report", DIGITS, "-i", samples, "--against", path, "--json")
    assert said.code == 0
    values = 20 * (8 * 8 * 24 + 10)
    assert said.json["summary"][1] == (
        f"Identical to some_layers.npz: {values:,} values in 2 layers. Not compared, as it has"
        " none: layers 0, 1, 2, 4, 5, 6, 7, 8, 10."
    )


def test_nothing_differs_from_itself() -> None:
    found = report(mi.load(DIGITS), SAMPLES, against=("itself", mi.Interpreter(mi.load(DIGITS))))
    assert found.difference is not None
    assert found.difference.identical
    values = 20 * (4 * 8 * 8 * 24 + 4 * 4 * 24 + 3 * 4 * 4 * 48 + 48 + 10 + 10)
    assert f"Identical to itself: {values:,} values in 11 layers." in found.summary


def test_traces_of_many_samples_are_never_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microinfer.debug.report.AT_ONCE", 5 * 8_900)
    sizes: list[int] = []
    run = mi.Interpreter.trace

    def counted(self: mi.Interpreter, *inputs: Array) -> Trace:
        sizes.append(len(inputs[0]))
        return run(self, *inputs)

    monkeypatch.setattr(mi.Interpreter, "trace", counted)
    stages: list[tuple[str, int | None]] = []
    done: list[int] = []

    @contextmanager
    def stage(what: str, samples: int | None) -> Iterator[Any]:
        stages.append((what, samples))
        yield done.append

    parts = report(mi.load(DIGITS), SAMPLES, stage=stage)
    assert sizes == [5, 5, 5, 5]
    assert stages == [("counting values", 20), ("comparing with floats", 20)]
    assert sum(done) == 40
    monkeypatch.undo()
    whole = report(mi.load(DIGITS), SAMPLES)
    assert str(facts(parts)) == str(facts(whole))


def test_a_model_with_state_is_run_from_its_reset() -> None:
    """The histogram of a state's layer is that of consecutive invocations, as TFLM has them."""
    path = MODELS / "operators" / "lstm_int8.tflite"
    with np.load(path.with_suffix(".npz")) as file:
        inputs = [file[key] for key in file.files if key.startswith("input")]
    graph = mi.load(path)
    arrays = [
        x.reshape(-1, *graph.tensors[i].shape)[:6]
        for x, i in zip(inputs, graph.inputs, strict=True)
    ]
    theirs = tflm_tensors(path.read_bytes(), *arrays)
    for layer in report(graph, *arrays).layers:
        for own in layer.values:
            counts = [int((theirs[own.tensor] == q).sum()) for q in range(-128, 128)]
            assert own.histogram.counts.tolist() == counts


@pytest.mark.parametrize(
    ("type_", "values", "bins"),
    [
        ("INT8", [-128, -128, 0, 127], {0: 2, 128: 1, 255: 1}),
        ("UINT8", [0, 255, 255], {0: 1, 255: 2}),
        ("INT16", [-32768, -32513, 255, 256, 32767], {0: 2, 128: 1, 129: 1, 255: 1}),
        ("INT4", [-8, 7, 7, 0], {0: 1, 8: 1, 15: 2}),
    ],
)
def test_a_histogram_counts(type_: str, values: list[int], bins: dict[int, int]) -> None:
    tensor = activation((len(values),), 1.0, type=type_)
    own = Histogram.of(tensor)
    own.count(np.array(values, tensor.dtype))
    own.count(np.array(values[:1], tensor.dtype))
    bins = {**bins, next(iter(bins)): bins[next(iter(bins))] + 1}
    assert {i: count for i, count in enumerate(own.counts.tolist()) if count} == bins
    assert own.elements == len(values) + 1
    assert own.at_low == values.count(own.low) + (values[0] == own.low)
    assert own.at_high == values.count(own.high)


def test_the_ends_of_an_activation_function_are_the_histogram_s() -> None:
    x, y = activation((1, 2), 0.5, 0), activation((1, 3), 0.1, -20, "y")
    weights = constant([[1, 2], [3, 4], [5, 127]], 0.1)
    graph = one_op(
        "FULLY_CONNECTED",
        [x, weights, int32([0, 0, 0], 0.05)],
        y,
        fused_activation_function="RELU6",
    )
    found = report(graph, np.array([[[100, 100]], [[-100, 3]]], np.int8))
    ((own,),) = [layer.values for layer in found.layers]
    assert (own.histogram.low, own.histogram.high) == (-20, 40)  # 0 and 6
    assert (own.low_end, own.high_end) == ("zero", "function")
    # By hand: real inputs (50, 50) and (-50, 1.5); weights 0.1 times the integers.
    reals = np.array([[50, 50], [-50, 1.5]]) @ (0.1 * np.array([[1, 2], [3, 4], [5, 127]]).T)
    assert own.histogram.at_low == int((reals <= 0).sum()) == 3
    assert own.histogram.at_high == int((reals >= 6).sum()) == 3


def test_layers_without_steps_have_no_histogram() -> None:
    floats = MODELS / "operators" / "open_batch_float32.tflite"
    graph = mi.load(floats)
    for layer in mi.Interpreter(graph).layers:
        for index in layer.node.outputs:
            tensor = graph.tensors[index]
            assert (of_output(layer, tensor) is None) == (tensor.type in ("FLOAT32", "INT32"))


def test_a_channel_of_zeros_is_counted() -> None:
    weights = constant([[1, -127], [0, 0], [5, 6]], [0.5, 0.25, 2.0], axis=0)
    x, y = activation((1, 2)), activation((1, 3), name="y")
    graph = one_op("FULLY_CONNECTED", [x, weights, None], y)
    (own,) = of_weights(mi.Interpreter(graph).layers[0], graph.tensors)
    assert own.unused == 1
    assert own.largest == (127, 0, 6)
    assert own.reach == (63.5, 0.0, 12.0)
    assert (own.histogram.low, own.histogram.at_low) == (-127, 1)


def test_real_samples_show_what_the_input_cuts_off() -> None:
    """digits_dim was calibrated with pictures half as bright: 255 * 8 / 255 is its largest real."""
    graph = mi.load(MODELS / "digits_dim_int8.tflite")
    reals = np.load(MODELS / "digits_inputs_float32.npy")
    found = mi.report(graph, reals, labels=np.load(MODELS / "digits_labels.npy"))
    (own,) = found.accuracy.inputs
    clipped = (reals > 8 + 8 / 255 / 2).mean()
    assert own.clipped_high == pytest.approx(clipped, abs=1e-6)
    (sentence,) = [text for text in found.summary if "cuts off" in text]
    assert f"{100 * clipped:.3g} % of the samples' values" in sentence
    assert "from 0 to 8" in sentence
    assert "Look at the input: " in "\n".join(found.summary)
    assert mi.report_page(found).count("the input serving_default_image:0") == 1
