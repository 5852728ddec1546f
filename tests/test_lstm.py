"""UNIDIRECTIONAL_SEQUENCE_LSTM against both runtimes where random models do not look."""

from __future__ import annotations

import numpy as np
import pytest

import microinfer as mi
import recurrent
from compared import Compared
from microinfer.fixedpoint import quantize_multiplier, requantize
from microinfer.graph import Graph
from microinfer.tflite import write
from oracles import ORACLES, differing

SIDE = 256
OPEN = 32767  # the bias of a gate that lets through what 15 bits can say


def every_input(gate: str, power: int) -> Graph:
    """256 batches of 256 units, in which ``gate`` sees all 65536 values before its function.

    The input's weight of 1 adds -128..127 to biases 256 apart. Cell and output show the gate.
    """
    ones, zeros = np.ones((SIDE, 1), np.int8), np.zeros((SIDE, 1), np.int8)
    own = [ones if gate == name else zeros for name in ("input", "forget", "cell", "output")]
    weights = [(array, 2.0**-6) for array in own]
    weights += [(np.zeros((SIDE, SIDE), np.int8), 2.0**-6)] * 4
    biases = np.full((4, SIDE), OPEN)
    steps = np.arange(SIDE) * SIDE - 2**15 + 128
    biases[("input", "forget", "cell", "output").index(gate)] = steps
    return recurrent.lstm((2.0**-6, 0), weights, biases, (2.0**-7, 0), power, SIDE, steps=1)


@pytest.mark.parametrize("power", range(-15, -8))
@pytest.mark.parametrize("numerics", ORACLES)
def test_functions_equal_the_runtimes_for_every_input(
    numerics: str, power: int, compared: Compared
) -> None:
    """Four invocations: the cell adds up and goes through its tanh for each scale."""
    x = np.broadcast_to(np.arange(-128, 128, dtype=np.int8).reshape(SIDE, 1, 1), (4, SIDE, 1, 1))
    elements = wrong = 0
    for gate in ("cell", "input", "output") if power in (-15, -12) else ("cell",):
        graph = every_input(gate, power)
        theirs = ORACLES[numerics](write(graph), x)
        trace = mi.Interpreter(graph, numerics).trace(x)
        elements += sum(values.size for values in theirs.values())
        wrong += sum(differing(trace.tensor(i), values) for i, values in theirs.items())
    compared(f"LSTM, cell 2^{power}, every input", numerics, "4 invocations", elements, wrong)
    assert wrong == 0


@pytest.mark.parametrize("numerics", ORACLES)
def test_multipliers_are_of_each_runtimes_precision(numerics: str, compared: Compared) -> None:
    """Biases that a product of scales in float32 rounds to another integer than one in float64.

    The cell gate sees them, and a cell of scale 2^-15 shows its tanh.
    """
    rng = np.random.default_rng(1)
    units, told, elements, wrong = 200, 0, 0, 0
    for _ in range(10):
        source, weight = (np.float32(rng.uniform(1e-5, 2e-5)) for _ in range(2))
        double = float(source) * float(weight)
        single = float(source * weight)
        ties = np.arange(units) * 7 + 0.5
        biases = np.zeros((4, units), np.int64)
        biases[[0, 3]] = 2**30
        biases[2] = np.rint(ties / ((double + single) / 2 * 4096))
        outcomes = [
            requantize(biases[2], *quantize_multiplier(real * 4096)) for real in (double, single)
        ]
        told += int((outcomes[0] != outcomes[1]).sum())
        weights = [(np.zeros((units, 1)), float(weight))] * 4
        weights += [(np.zeros((units, units)), float(weight))] * 4
        graph = recurrent.lstm((float(source), 0), weights, biases, (2.0**-7, 0), -15)
        x = np.zeros((1, 1, 1, 1), np.int8)
        theirs = ORACLES[numerics](write(graph), x)
        trace = mi.Interpreter(graph, numerics).trace(x)
        elements += sum(values.size for values in theirs.values())
        wrong += sum(differing(trace.tensor(i), values) for i, values in theirs.items())
    assert told > 500
    compared("LSTM, precision of multipliers", numerics, "10 models", elements, wrong)
    assert wrong == 0


def test_litert_writes_the_hidden_state_by_the_fifth_intermediate() -> None:
    """TFLM by the hidden state's own quantization."""
    weights = [([[1]], 2.0**-6)] * 8
    biases = np.array([[OPEN], [0], [OPEN], [OPEN]])
    graph = recurrent.lstm((0.1, 0), weights, biases, (2.0**-7, 0), -12, written=(2.0**-6, -20))
    x = np.zeros((1, 1, 1, 1), np.int8)
    given = {name: oracle(write(graph), x)[graph.outputs[0]] for name, oracle in ORACLES.items()}
    assert {name: values.ravel().tolist() for name, values in given.items()} == {
        "tflm": [97],
        "litert": [29],
    }
    for name, values in given.items():
        np.testing.assert_array_equal(mi.Interpreter(graph, name).run(x)[0], values)
        np.testing.assert_array_equal(mi.compile(graph, name).run(x)[0], values)
