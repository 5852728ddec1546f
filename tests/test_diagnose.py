"""diagnose names what is wrong: faults put into generated C, and runtimes that do disagree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import faults
import microinfer as mi
from diagnosed import DIGITS, MOBILENET, UNET, faulty, inputs_of, named, names, run_of
from faults import Fault, Files, Site
from faults_table import FAULTS
from microinfer.debug.hypotheses import HYPOTHESES, MEMORY
from microinfer.graph import Graph
from one_op import activation, constant, int32, one_op

Array = NDArray[Any]
MODELS = Path(__file__).parent.parent / "models"
SAMPLES = 6


# -- one fault at a time --------------------------------------------------------------------

# Where each fault is put, if not into layer 0 of digits: model and layer, or more of them.
PLACES: dict[str, list[tuple[str, int]]] = {
    "half up": [(DIGITS, 2)],
    "half even": [(DIGITS, 1), (DIGITS, 8)],
    "truncation": [(DIGITS, 1), (DIGITS, 3), (DIGITS, 8), (DIGITS, 9)],
    "average cut off": [("operators/open_batch_uint8", 2)],
    "input zero point ignored": [(DIGITS, 0), (DIGITS, 1), (UNET, 3), (MOBILENET, 2)],
    "zero point of input 1 ignored": [(DIGITS, 3), (MOBILENET, 9)],
    "zero point of input 2 negated": [(DIGITS, 3)],
    "output zero point ignored": [(DIGITS, 0), (DIGITS, 3), (DIGITS, 9)],
    "input zero point of uint8": [(MOBILENET, 2)],
    "output zero point of uint8": [(MOBILENET, 0)],
    "padding of 0": [(DIGITS, 0), (DIGITS, 1)],
    "padding negated": [(MOBILENET, 4)],
    "input xor 0x80": [(DIGITS, 0), (DIGITS, 3), (DIGITS, 9), (DIGITS, 10), (MOBILENET, 1)],
    "output xor 0x80": [(DIGITS, 0), (DIGITS, 10)],
    "bias of 16 bits": [(MOBILENET, 8)],
    "accumulator of 16 bits": [(DIGITS, 0), (DIGITS, 9)],
    "no activation": [(UNET, 0)],
    "RELU of nothing": [(DIGITS, 2)],
    "RELU6 of nothing": [(DIGITS, 7)],
    "RELU without zero point": [(DIGITS, 0)],
    "weights transposed": [(DIGITS, 9)],
    "kernel transposed": [(DIGITS, 0), (DIGITS, 1)],
    "OIHW": [(UNET, 1)],
    "depthwise CHW": [(DIGITS, 1)],
    "HWIO": [(UNET, 1)],
    "input channels reversed": [(DIGITS, 2)],
    "NCHW": [(DIGITS, 1), (DIGITS, 8)],
    "NCHW flattened": [("operators/separable_int8", 4)],
    "padding first": [(DIGITS, 4), (UNET, 1)],
    "stride swapped": [("gesture_int8", 2)],
    "overlap": [(DIGITS, 2)],
    "not run": [(DIGITS, 1)],
}
# Those that real data can hardly tell from each other; test_needles can.
ALIKE = {"float32, rintf", "float32, roundf", "float64, round"}
# Those with models of their own, below.
ELSEWHERE = {"weights zero point ignored", "dilation swapped", "dilation ignored"}

SITES = [
    (fault, *place)
    for fault in FAULTS
    if fault.key not in ELSEWHERE
    for place in PLACES.get(fault.key, [(DIGITS, 0)])
]


@pytest.mark.parametrize(
    ("fault", "model", "layer"), SITES, ids=[f"{f.key}-{m.split('/')[-1]}-{n}" for f, m, n in SITES]
)
def test_a_fault_is_named(fault: Fault, model: str, layer: int) -> None:
    interpreter, samples, expected = run_of(model)
    site = Site(interpreter.graph, layer)
    observed = faulty(fault, site).trace(*samples)
    causes = mi.diagnose(interpreter, expected, observed, layer)
    assert causes
    assert causes[0].exact
    if fault.key in ALIKE:
        assert set(fault.names) & set(names(causes)), causes
    else:
        assert causes[0].name in fault.names, causes


# -- faults that need a model of their own --------------------------------------------------


def needles() -> tuple[Graph, tuple[Array, ...]]:
    """A FULLY_CONNECTED of biases alone, which lie as close to ties as integers can."""
    real = float(np.float32(0.01)) * float(np.float32(0.001)) / 71.0
    ties = (np.arange(-120, 120) + 0.5) / real
    biases = np.concatenate([np.floor(ties), np.ceil(ties)]).astype(np.int64)
    weights = np.zeros((len(biases), 4), np.int8)
    x, y = activation((1, 4), 0.01), activation((1, len(biases)), 71.0, name="y")
    bias = int32(biases, np.float32(0.01) * np.float32(0.001), "bias")
    graph = one_op("FULLY_CONNECTED", [x, constant(weights, 0.001), bias], y)
    return graph, (np.zeros((2, 1, 4), np.int8),)


@pytest.mark.parametrize(
    "key", ["single rounding", "float32, rintf", "float32, roundf", "float64, round", "half up"]
)
def test_needles_tell_roundings_apart(key: str) -> None:
    graph, samples = needles()
    interpreter = mi.Interpreter(graph)
    observed = faulty(named(key), Site(graph, 0)).trace(*samples)
    causes = mi.diagnose(interpreter, interpreter.trace(*samples), observed, 0)
    assert causes[0].name in named(key).names
    assert causes[0].exact


def windows() -> tuple[Graph, tuple[Array, ...]]:
    """A CONV_2D with dilation in height only."""
    rng = np.random.default_rng(1)
    weights = rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8)
    x = activation((1, 9, 9, 2), 0.05, 7)
    y = activation((1, 5, 7, 4), 0.02, -3, name="y")
    graph = one_op(
        "CONV_2D",
        [x, constant(weights, [0.01, 0.02, 0.03, 0.01]), int32([90, -80, 70, 5])],
        y,
        padding="VALID",
        dilation_h_factor=2,
        dilation_w_factor=1,
        stride_h=1,
        stride_w=1,
    )
    return graph, inputs_of(graph)


@pytest.mark.parametrize("key", ["dilation swapped", "dilation ignored"])
def test_dilation(key: str) -> None:
    graph, samples = windows()
    interpreter = mi.Interpreter(graph)
    observed = faulty(named(key), Site(graph, 0)).trace(*samples)
    causes = mi.diagnose(interpreter, interpreter.trace(*samples), observed, 0)
    assert names(causes)[:1] == ["dilation swapped"]
    assert ("ignored" in causes[0].sentence) == ("ignored" in key)


@pytest.mark.parametrize("dilation", [(1, 1), (1, 2)])
def test_dilation_that_the_padding_follows(dilation: tuple[int, int]) -> None:
    """SAME padding as of the wrong dilation, by a runtime that works out its padding itself."""

    def model(height: int, width: int) -> Graph:
        rng = np.random.default_rng(1)
        weights = rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8)
        factors = {"dilation_h_factor": height, "dilation_w_factor": width}
        x = activation((1, 9, 9, 2), 0.05, 7)
        y = activation((1, 9, 9, 4), 0.02, -3, name="y")
        operands = [x, constant(weights, [0.01, 0.02, 0.03, 0.01]), int32([90, -80, 70, 5])]
        strides = {"stride_h": 1, "stride_w": 1}
        return one_op("CONV_2D", operands, y, padding="SAME", **strides, **factors)

    samples = inputs_of(model(2, 1))
    interpreter = mi.Interpreter(model(2, 1))
    observed = mi.compile(model(*dilation)).trace(*samples)
    causes = mi.diagnose(interpreter, interpreter.trace(*samples), observed, 0)
    assert names(causes)[:1] == ["dilation swapped"]
    assert causes[0].sentence.endswith("; the padding follows from it")


def test_zero_point_of_weights() -> None:
    rng = np.random.default_rng(1)
    weights = constant(rng.integers(-128, 128, (5, 8)).astype(np.int8), 0.02, 9)
    x, y = activation((1, 8), 0.05, 3), activation((1, 5), 0.1, 1, name="y")
    graph = one_op("FULLY_CONNECTED", [x, weights, None], y)
    samples = inputs_of(graph)
    interpreter = mi.Interpreter(graph)
    fault = named("weights zero point ignored")
    observed = faulty(fault, Site(graph, 0)).trace(*samples)
    causes = mi.diagnose(interpreter, interpreter.trace(*samples), observed, 0)
    assert causes[0].name == "zero point of the weights"


def test_every_hypothesis_has_a_fault() -> None:
    """Those of other profiles and of state have tests of their own."""
    covered = {name for fault in FAULTS for name in fault.names}
    own = {"double rounding", "dropped state"}
    assert covered | own == {hypothesis.name for hypothesis in (*HYPOTHESES, *MEMORY)}


# -- two at a time --------------------------------------------------------------------------

PAIRS = [
    ("bias missing", "half up", DIGITS, 2),
    ("input zero point ignored", "truncation", DIGITS, 9),
    ("OIHW", "bias missing", UNET, 1),
    ("NCHW", "one scale", DIGITS, 1),
]


@pytest.mark.parametrize(("first", "second", "model", "layer"), PAIRS)
def test_two_faults_at_once(first: str, second: str, model: str, layer: int) -> None:
    interpreter, samples, expected = run_of(model)
    site = Site(interpreter.graph, layer)

    def edit(files: Files) -> Files:
        once = named(first).edit(files, site)
        twice = named(second).edit(once or files, site)
        assert once is not None
        assert twice is not None
        return twice

    observed = faults.build(interpreter.graph, edit).trace(*samples)
    causes = mi.diagnose(interpreter, expected, observed, layer)
    assert causes[0].exact
    wanted = {named(first).names[0], named(second).names[0]}
    assert set(causes[0].name.split(" + ")) == wanted
