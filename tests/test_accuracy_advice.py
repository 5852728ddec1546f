"""What accuracy names and what it promises, on networks that are quantized badly in a known way.

Promised gains are held against networks that were really quantized the better way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from microinfer.debug import remedies
from microinfer.debug.accuracy import Accuracy, Trial
from microinfer.graph import Graph
from perceptron import HIDDEN, Perceptron

MODELS = Path(__file__).parent.parent / "models" / "operators"
OPERATORS = Path(__file__).parent.parent / "docs" / "OPERATORS.md"
UNEVEN = np.geomspace(1, 0.01, HIDDEN)


def sqnr(network: Perceptron, graph: Graph) -> float:
    """Of the integer model's outputs, as it runs, against the network in float64, in dB."""
    output = graph.tensors[graph.outputs[0]].quantization
    assert output is not None
    (q,) = mi.Interpreter(graph).run(network.integers())
    got = output.scale * (q.reshape(len(q), -1).astype(np.float64) - output.zero_point)
    exact = network.outputs()
    return float(10 * np.log10((exact**2).sum() / ((got - exact) ** 2).sum()))


def measured(network: Perceptron, graph: Graph, floats: bool = True) -> Accuracy:
    return mi.accuracy(graph, network.integers(), network.float_graph() if floats else None)


def trial(found: Accuracy, layer: int, remedy: str) -> Trial:
    (advice,) = (advice for advice in found.advice if advice.index == layer)
    (own,) = (trial for trial in advice.trials if trial.remedy == remedy)
    return own


def test_a_well_quantized_network_has_nothing_to_name() -> None:
    network = Perceptron.random()
    found = measured(network, network.int8_graph())
    assert found.output.sqnr_db == pytest.approx(sqnr(network, network.int8_graph()), abs=0.01)
    assert found.output.sqnr_db > 35
    assert all(layer.clipped_low == layer.clipped_high == 0 for layer in found.layers)
    assert not any("clipping" in advice.sentence for advice in found.advice)
    assert found.notes == ()


@pytest.mark.parametrize("floats", [True, False])
def test_a_narrow_range_is_clipping_and_calibration_mends_it(floats: bool) -> None:
    network = Perceptron.random()
    narrow = network.int8_graph(range_of_hidden=0.4)
    found = measured(network, narrow, floats)
    hidden, top = network.hidden(), float(network.hidden().max())
    layer = found.layers[0]
    assert layer.clipped_low == 0
    beyond = (hidden > 0.4 * top * (1 + 0.5 / 255)).mean()
    assert layer.clipped_high == pytest.approx(beyond, abs=2 / hidden.size)
    assert layer.saturated_channels
    assert layer.split.clipping > 10 * layer.split.activation
    assert found.advice[0].index == 0
    assert found.advice[0].sentence.startswith("clipping: ")
    promised = trial(found, 0, "calibration range").sqnr_gain_db
    # Really calibrated; the float model's outputs are what both are held against.
    gained = sqnr(network, network.int8_graph()) - sqnr(network, narrow)
    assert gained > 10
    assert promised == pytest.approx(gained, abs=1.5 if floats else 4)


def test_one_scale_for_uneven_channels_is_weight_rounding_and_more_scales_mend_it() -> None:
    network = Perceptron.random(UNEVEN, inverse=True)
    one_scale = network.int8_graph(per_channel=False)
    found = measured(network, one_scale)
    split = found.layers[0].split
    assert split.weight is not None
    assert split.weight > max(split.activation, split.clipping)
    assert found.advice[0].sentence.startswith("rounding of its weights: ")
    assert "one scale serves channels whose largest weights differ" in found.advice[0].sentence
    first = found.advice[0].index
    own = trial(found, first, "per-channel weights")
    assert own.sqnr_gain_db > 0.5
    # The same layer really quantized per channel: the other one as it was.
    both = network.int8_graph(per_channel=True)
    mended = replaced(one_scale, both, first)
    gained = sqnr(network, mended) - sqnr(network, one_scale)
    assert own.sqnr_gain_db == pytest.approx(gained, abs=1)


def test_without_the_float_model_one_scale_is_pointed_at() -> None:
    network = Perceptron.random(UNEVEN, inverse=True)
    found = measured(network, network.int8_graph(per_channel=False), floats=False)
    assert any("what that costs needs the float model" in own.sentence for own in found.advice)
    found = measured(network, network.int8_graph(per_channel=True), floats=False)
    assert not any("the float model" in own.sentence for own in found.advice)


def replaced(graph: Graph, other: Graph, layer: int) -> Graph:
    """``graph`` with the weights and bias of one layer of ``other``."""
    tensors = list(graph.tensors)
    for place in graph.nodes[layer].inputs[1:]:
        if place >= 0:
            tensors[place] = other.tensors[place]
    return replace(graph, tensors=tuple(tensors))


def test_channels_of_unlike_sizes_ask_for_equalisation() -> None:
    network = Perceptron.random(UNEVEN, inverse=True)
    uneven = network.int8_graph()
    found = measured(network, uneven)
    assert found.advice[0].index == 0
    own = trial(found, 0, "equalisation")
    assert found.advice[0].trials[0].remedy in ("equalisation", "16 bits")
    equal = network.equalised()
    np.testing.assert_allclose(equal.outputs(), network.outputs(), rtol=1e-9)
    gained = sqnr(network, equal.int8_graph()) - sqnr(network, uneven)
    assert gained > 5
    assert own.sqnr_gain_db == pytest.approx(gained, abs=2)


def test_together_is_what_all_of_it_gains() -> None:
    network = Perceptron.random()
    narrow = network.int8_graph(range_of_hidden=0.4)
    found = measured(network, narrow)
    assert found.together is not None
    assert found.together.sqnr_gain_db > found.advice[0].trials[0].sqnr_gain_db - 0.5
    assert found.together.sentence.startswith("layer 0: ")


def test_the_gain_of_the_class_is_counted() -> None:
    network = Perceptron.random()
    narrow = network.int8_graph(range_of_hidden=0.1)
    found = measured(network, narrow)
    own = trial(found, 0, "calibration range")
    (q,) = mi.Interpreter(narrow).run(network.integers()[:100])
    (better,) = mi.Interpreter(network.int8_graph()).run(network.integers()[:100])
    exact = network.outputs()[:100].argmax(axis=1)
    before = (q.reshape(100, -1).argmax(axis=1) == exact).mean()
    after = (better.reshape(100, -1).argmax(axis=1) == exact).mean()
    assert after - before > 0.1
    assert own.agreement_gain == pytest.approx(after - before, abs=0.03)
    assert found.trial_samples == 100


def test_a_large_model_is_tried_on_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Perceptron.random()
    monkeypatch.setattr(remedies, "WORK", 624 * 10 * 7)  # 16 x 24 + 24 x 10 in each of 20 / 2 runs
    found = measured(network, network.int8_graph())
    assert found.trial_samples == 7


def test_16_bits_are_for_operators_that_have_them() -> None:
    """The types that docs/OPERATORS.md lists; not of indices, nor of what only moves."""
    rows = [line.split("|") for line in OPERATORS.read_text().splitlines() if line.startswith("|")]
    types = {row[1].strip(): row[2] for row in rows}
    narrow = {op for op, own in types.items() if "int8" in own and "int16" not in own}
    assert {*remedies.NARROW} == narrow - {"ARG_MAX", "ARG_MIN", "READ_VARIABLE"}


def test_a_simulation_that_is_not_the_model_is_said_to_be_none() -> None:
    """The integer LSTM keeps its state in int8 at each step: its arithmetic, not its output's
    rounding, makes most of its error."""
    graph = mi.load(MODELS / "lstm_int8.tflite")
    with np.load(MODELS / "lstm_int8.npz") as file:
        found = mi.accuracy(graph, file["input"])
    (note,) = found.notes
    (judged,) = (layer for layer in found.layers if layer.name == found.judged)
    assert f"the integer model has {judged.accumulated_sqnr_db:.1f} dB" in note
    assert found.arithmetic_db > 10
    lstm = next(advice for advice in found.advice if advice.index == 0)
    assert "16 bits" not in [trial.remedy for trial in lstm.trials]
