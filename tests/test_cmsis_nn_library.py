"""Generated calls of CMSIS-NN with the real library: `make verify-cmsis`.

CMSIS_NN_PATH has to point to a checkout of it; without, pytest does not collect this file.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import microinfer as mi
from cases import TABLES, Case
from command_line import GESTURE, microinfer
from compared import Compared
from microinfer import cmsis_nn
from microinfer.emit.cmsis_nn import CORES, conv, elementwise
from microinfer.targets import HOST, emulated, target
from one_op import Array, activation, constant, int32, one_op
from oracles import differing
from shared_models import INT8_MODELS, shared_model
from strategies import MODELS
from test_cmsis_nn_choice import depthwise, one_row
from test_native import OWN_MODELS, extremes_and_noise
from together import together

ON = {HOST: "plain", "cortex-m0plus": "plain", "cortex-m4": "dsp", "cortex-m55": "mve"}
OPERATORS = (
    "CONV_2D",
    "CONV_2D without bias",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "AVERAGE_POOL_2D",
    "MAX_POOL_2D",
    "SOFTMAX",
    "ADD",
    "MUL",
    "TRANSPOSE_CONV",
    "BATCH_MATMUL",
    "PAD",
    "TRANSPOSE",
    "CONV_2D int4",
    "DEPTHWISE_CONV_2D int4",
    "FULLY_CONNECTED int4",
    "CONV_2D int16",
    "CONV_2D int16 int32 bias",
    "CONV_2D int16 without bias",
    "DEPTHWISE_CONV_2D int16",
    "FULLY_CONNECTED int16",
    "FULLY_CONNECTED int16 int32 bias",
    "BATCH_MATMUL int16",
    "AVERAGE_POOL_2D int16",
    "MAX_POOL_2D int16",
    "ADD int16",
    "MUL int16",
    "SOFTMAX int16",
    "SOFTMAX INT8 to INT16",
    "SVDF",
    "SVDF with an int8 state",
    "SVDF without bias",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
)
# Of float32 and uint8 ports the library knows nothing.
OPERATOR_MODELS = sorted(
    path.stem for path in Path("models/operators").glob("*.tflite") if "open_batch" not in path.stem
)
FULL = os.environ.get("MICROINFER_FULL") == "1"


def traced(graph: mi.Graph, name: str, *inputs: Array) -> mi.Trace:
    """A run of the C with the library, on a core or on this machine."""
    with (
        nullcontext(mi.compile(graph, kernels="cmsis-nn", flags=["-O1"]))
        if name == HOST
        else emulated(graph, target(name), kernels="cmsis-nn")
    ) as device:
        return device.trace(*inputs)


def library_layers(graph: mi.Graph, name: str) -> int:
    planned = mi.plan(graph, kernels="cmsis-nn", core=ON[name])
    return sum(bool(layer.library) for layer in planned.layers)


# -- the same bits --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ON)
@pytest.mark.parametrize("model", [*INT8_MODELS, *OWN_MODELS, *OPERATOR_MODELS])
def test_every_layer_of_every_model(model: str, name: str, compared: Compared) -> None:
    path: str | Path = f"models/operators/{model}.tflite"
    if model not in OPERATOR_MODELS:
        path = f"models/{model}_int8.tflite" if model in OWN_MODELS else shared_model(model)
    graph = mi.load(path)
    inputs = extremes_and_noise(graph, 6 if name == HOST else 3)
    expected = mi.Interpreter(graph).trace(*inputs)
    report = mi.diff(expected, traced(graph, name, *inputs))
    wrong = sum(layer.differing for layer in report.layers)
    layers = f"{library_layers(graph, name)} of {len(graph.nodes)} layers"
    compared(f"{model} by CMSIS-NN", name, layers, report.elements, wrong)
    report.assert_identical()


CASES = [
    pytest.param(case, id=f"{op}-{case.name}")
    for op, table in TABLES.items()
    if op in OPERATORS
    for case in table
]


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("case", CASES)
def test_case_tables(case: Case, name: str) -> None:
    last = traced(case.graph, name, *case.samples())[-1]
    outputs = last.outputs[: len(case.graph.outputs)]  # states follow
    for got, expected in zip(outputs, case.outputs("tflm"), strict=True):
        assert not differing(got, expected), case.why


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("op", OPERATORS)
def test_random_models(op: str, name: str) -> None:
    @settings(
        max_examples=20 if FULL else 2,
        deadline=None,
        suppress_health_check=[HealthCheck.filter_too_much],
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        drawn = [data.draw(MODELS[op]) for _ in range(8)]
        models = [model for model in drawn if library_layers(model.graph, name)]
        assume(models)
        graph = together([model.graph for model in models])
        inputs = [array for model in models for array in model.inputs]
        expected = mi.Interpreter(graph).trace(*inputs)
        mi.diff(expected, traced(graph, name, *inputs)).assert_identical()

    check()


def larger_convolution(rng: np.random.Generator) -> tuple[mi.Graph, Array]:
    """Of shapes beyond those of the strategies, for the library's blocks and short cuts: images of
    one row, more channels than a vector or a block has, every stride and padding."""
    depthwise, row = rng.random() < 0.4, rng.random() < 0.3
    height, width = (1 if row else int(rng.integers(1, 12))), int(rng.integers(1, 24))
    channels = int(rng.choice([1, 2, 3, 4, 8, 12, 17, 33, 130]))
    padding = str(rng.choice(["SAME", "VALID"]))
    kernel = [1 if row else int(rng.integers(1, 6)), int(rng.integers(1, 8))]
    if padding == "VALID":
        kernel = [min(kernel[0], height), min(kernel[1], width)]
    stride = (1 if row else int(rng.integers(1, 4)), int(rng.integers(1, 5)))
    outputs = channels * int(rng.choice([1, 1, 2, 4, 8])) if depthwise else int(rng.integers(1, 33))
    shape = (1, *kernel, outputs) if depthwise else (outputs, *kernel, channels)
    taps = kernel[0] * kernel[1] * (1 if depthwise else channels)
    scales, none = rng.uniform(0.005, 0.02, outputs), np.zeros(outputs, int)
    source = activation((1, height, width, channels), 0.5, int(rng.integers(-128, 128)))
    weights = rng.integers(-127, 128, shape)
    inputs = [source, constant(weights, scales, none, axis=3 if depthwise else 0, name="w")]
    if rng.random() < 0.7:
        bias = rng.integers(-20000, 20000, outputs).astype(np.int32)
        inputs.append(constant(bias, 0.5 * scales, none, name="b"))
    size = [
        -(-extent // step) if padding == "SAME" else (extent - k) // step + 1
        for extent, k, step in zip((height, width), kernel, stride, strict=True)
    ]
    graph = one_op(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        inputs,
        activation((1, *size, outputs), float(0.8 * taps**0.5), int(rng.integers(-128, 128)), "y"),
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        **({"depth_multiplier": outputs // channels} if depthwise else {}),
    )
    return graph, rng.integers(-128, 128, (2, *source.shape)).astype(np.int8)


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("seed", range(200 if FULL else 20))
def test_larger_convolutions(seed: int, name: str) -> None:
    graph, inputs = larger_convolution(np.random.default_rng(seed))
    expected = mi.Interpreter(graph).trace(inputs)
    mi.diff(expected, traced(graph, name, inputs)).assert_identical()


# -- where the library is wrong -------------------------------------------------------------


def differs(graph: mi.Graph, name: str, inputs: Array) -> bool:
    expected = mi.Interpreter(graph).trace(inputs)
    return not mi.diff(expected, traced(graph, name, inputs)).identical


@pytest.mark.parametrize(
    ("width", "kernel", "padding"),
    [(10, 3, "VALID"), (10, 6, "SAME")],
    ids=["uncovered end", "two elements of padding"],
)
def test_short_cut_for_one_row_is_wrong_with_mve(
    width: int, kernel: int, padding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = one_row(width, kernel, 2, padding)
    inputs = np.full((1, 1, 1, width, 4), 100, np.int8)
    assert not differs(graph, "cortex-m55", inputs)
    monkeypatch.setattr(conv, "_one_row_works", lambda params: True)
    assert differs(graph, "cortex-m55", inputs)


def test_many_depthwise_channels_without_bias_are_wrong_with_mve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = depthwise(130)
    inputs = np.random.default_rng(4).integers(-128, 128, (1, 1, 6, 5, 130)).astype(np.int8)
    for name in (HOST, "cortex-m4", "cortex-m55"):
        assert not differs(graph, name, inputs)
    monkeypatch.setattr(conv, "_biased", lambda params: params)
    assert differs(graph, "cortex-m55", inputs)


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
def test_softmax_of_many_equal_classes_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = one_op(
        "SOFTMAX", [activation((1, 600), 0.1)], activation((1, 600), 1 / 256, -128), beta=1.0
    )
    inputs = np.zeros((1, 1, 600), np.int8)
    assert not differs(graph, name, inputs)
    monkeypatch.setattr(elementwise, "LARGEST_DEPTH", 4095)
    assert differs(graph, name, inputs)


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("channels", [16, 17, 20])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 2), (2, 1), (3, 2)])
def test_transpose_conv_of_many_channels(
    strides: tuple[int, int], channels: int, name: str
) -> None:
    """Above 16 channels the library makes a convolution of it."""
    rng = np.random.default_rng(3)
    height, width = 4 * strides[0], 5 * strides[1]
    graph = one_op(
        "TRANSPOSE_CONV",
        [
            int32([1, height, width, 3]),
            constant(rng.integers(-127, 128, (3, 3, 4, channels)), 0.01, name="w"),
            activation((1, 4, 5, channels), 0.5, -7),
            int32(rng.integers(-5000, 5000, 3), 0.005),
        ],
        activation((1, height, width, 3), 0.7, 5, name="y"),
        padding="SAME",
        stride_h=strides[0],
        stride_w=strides[1],
    )
    inputs = rng.integers(-128, 128, (2, 1, 4, 5, channels)).astype(np.int8)
    (layer,) = mi.plan(graph, kernels="cmsis-nn", core=ON[name]).layers
    if channels > 16 and strides != (3, 2):
        assert layer.calls[0].kernel.function == "mi_cmsis_nn_transpose_conv_reversed_s8"
    expected = mi.Interpreter(graph).trace(inputs)
    assert len(np.unique(expected[0].outputs[0])) > 20
    mi.diff(expected, traced(graph, name, inputs)).assert_identical()


# -- verbs ----------------------------------------------------------------------------------


def test_verify_and_bench() -> None:
    said = microinfer("verify", GESTURE, "--kernels", "cmsis-nn", "--random", "2", "--json")
    assert said.code == 0, said.stderr
    assert said.json["identical"] is True
    assert said.json["kernels"] == "cmsis-nn"
    arguments = ("bench", GESTURE, "--target", "cortex-m4", "--kernels", "cmsis-nn")
    facts = microinfer(*arguments, "--json").json
    assert facts["instructions"] < facts["own"]["instructions"]
    assert [layer["function"] for layer in facts["layers"]][1] == "arm_convolve_s8"
    table = microinfer(*arguments).stdout
    assert f"{facts['instructions']:,}" in table
    assert f"{facts['own']['instructions']:,}" in table


def test_the_library_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = cmsis_nn.library(["gcc"], "ar", ["-O0"])
    made = found.archive.stat().st_mtime_ns
    assert cmsis_nn.library(["gcc"], "ar", ["-O0"]).archive.stat().st_mtime_ns == made
    assert cmsis_nn.library(["gcc"], "ar", ["-O1"]).archive != found.archive
    assert [path.suffix for path in (tmp_path / "microinfer").iterdir()] == [".a", ".a"]


def test_the_cache_of_who_has_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cmsis_nn.library(["gcc"], "ar", ["-O0"]).archive.parent.parent == tmp_path
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    (tmp_path / "microinfer-12345").mkdir()  # by somebody else
    with pytest.raises(mi.ToolchainError, match="belongs to another user: set XDG_CACHE_HOME"):
        cmsis_nn.library(["gcc"], "ar", ["-O0"])


def test_every_core_has_a_form() -> None:
    assert set(ON.values()) == set(CORES)
    for name, form in ON.items():
        assert name == HOST or target(name).cmsis_nn == form
