"""int4 weights, int16 and recurrent layers by CMSIS-NN, many shapes in one program.

With the library: `make verify-cmsis`. CMSIS_NN_PATH has to point to a checkout of it; without,
pytest does not collect this file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

import microinfer as mi
import recurrent
from compared import Compared
from microinfer.emit.cmsis_nn import conv
from microinfer.emit.cmsis_nn import elementwise as chosen_elementwise
from microinfer.emit.cmsis_nn import recurrent as chosen_recurrent
from microinfer.targets import HOST
from one_op import Array, activation, constant, int4, int32, int64, one_op
from test_cmsis_nn_choice import packed_depthwise, wide_convolution, wide_softmax
from test_cmsis_nn_library import FULL, ON, traced
from together import together

Model = tuple[mi.Graph, tuple[Array, ...]]
TARGETS = [HOST, "cortex-m4", "cortex-m55"]
SAMPLES = 3


def numbers(rng: np.random.Generator, shape: tuple[int, ...], type: str) -> Array:
    """[SAMPLES, *shape]: anything, extremes, and small."""
    dtype = np.int16 if type == "INT16" else np.int8
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    kinds = (
        rng.integers(low, high + 1, shape),
        rng.choice([low, high], shape),
        rng.integers(-9, 10, shape),
    )
    return np.stack(kinds).astype(dtype)


def convolution(rng: np.random.Generator, type: str, weights: str) -> Model:
    """Images of one row, more channels than a vector or a block has, every stride, padding and
    dilation; with, for int16, more taps than are summed in int32 at first."""
    depthwise, row = rng.random() < 0.5, rng.random() < 0.3
    height, width = (1 if row else int(rng.integers(1, 8))), int(rng.integers(1, 18))
    channels = int(rng.choice([1, 2, 3, 4, 5, 6, 8, 12, 17, 32, 33, 64, 130, 132]))
    padding = str(rng.choice(["SAME", "VALID"]))
    kernel = [1 if row else int(rng.integers(1, 5)), int(rng.integers(1, 6))]
    dilation = (1, 1) if rng.random() < 0.8 else (1 if row else 2, 2)
    if padding == "VALID":
        kernel = [min(kernel[0], height), min(kernel[1], width)]
        dilation = tuple(
            d if (k - 1) * d < extent else 1
            for k, d, extent in zip(kernel, dilation, (height, width), strict=True)
        )
    stride = (1, 1)
    if dilation == (1, 1):
        stride = (1 if row else int(rng.integers(1, 4)), int(rng.integers(1, 5)))
    times = int(rng.choice([1, 1, 1, 2, 3, 4])) if channels < 20 else 1
    outputs = channels * times if depthwise else int(rng.integers(1, 14))
    batches = int(rng.choice([1, 1, 2]))
    shape = (1, *kernel, outputs) if depthwise else (outputs, *kernel, channels)
    taps = kernel[0] * kernel[1] * (1 if depthwise else channels)
    axis = 3 if depthwise else 0
    scales = rng.uniform(0.005, 0.02, outputs)
    zero_points = [0, 0] if type == "INT16" else rng.integers(-128, 128, 2).tolist()
    source = activation((batches, height, width, channels), 0.5, zero_points[0], type=type)
    values = rng.integers(-8, 8, shape) if weights == "INT4" else rng.integers(-127, 128, shape)
    none = np.zeros(outputs, int)
    filters = (
        int4(values, scales, axis, "w")
        if weights == "INT4"
        else constant(values, scales, none, axis, "w")
    )
    inputs = [source, filters]
    narrow = type == "INT8" or (not depthwise and rng.random() < 0.3)
    if narrow or rng.random() < 0.7:
        bias = rng.integers(-20000, 20000, outputs)
        inputs.append(int32(bias) if narrow else int64(bias * 1000))
    size = [
        -(-extent // step) if padding == "SAME" else (extent - (k - 1) * d - 1) // step + 1
        for extent, k, d, step in zip((height, width), kernel, dilation, stride, strict=True)
    ]
    spread = 0.5 * 0.012 * taps**0.5 * float(np.abs(values).mean() + 1)
    graph = one_op(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        inputs,
        activation((batches, *size, outputs), spread, zero_points[1], "y", type),
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        dilation_h_factor=dilation[0],
        dilation_w_factor=dilation[1],
        **({"depth_multiplier": times} if depthwise else {}),
        **(
            {"quantized_bias_type": "INT32"} if type == "INT16" and narrow and not depthwise else {}
        ),
    )
    return graph, (numbers(rng, source.shape, type),)


def dense(rng: np.random.Generator, type: str, weights: str) -> Model:
    """Rows of every remainder to the library's four, and columns to its 16 and 32; beyond 512."""
    rows, size = int(rng.integers(1, 4)), int(rng.choice([*range(1, 70), 513, 520, 700]))
    outputs = int(rng.integers(1, 14))
    zero_points = [0, 0] if type == "INT16" else rng.integers(-128, 128, 2).tolist()
    values = rng.integers(-8, 8, (outputs, size))
    if weights == "INT8":
        values = rng.integers(-127, 128, (outputs, size)) // (1 if size < 500 else 2)
    source = activation((rows, size), 0.5, zero_points[0], type=type)
    # Of int16 per channel, and with an int32 bias, it is a convolution.
    per_channel = type == "INT16" and rng.random() < 0.5
    scales = rng.uniform(0.005, 0.02, outputs) if per_channel else 0.01
    filters = (
        int4(values, 0.01)
        if weights == "INT4"
        else constant(values, scales, np.zeros(outputs if per_channel else 1, int), name="w")
    )
    inputs = [source, filters]
    narrow = type == "INT8" or rng.random() < 0.3
    if narrow or rng.random() < 0.7:
        bias = rng.integers(-20000, 20000, outputs)
        inputs.append(int32(bias) if narrow else int64(bias * 1000))
    spread = 0.005 * size**0.5 * float(np.abs(values).mean() + 1)
    y = activation((rows, outputs), spread, zero_points[1], "y", type)
    stated = {"quantized_bias_type": "INT32"} if type == "INT16" and narrow else {}
    return one_op("FULLY_CONNECTED", inputs, y, **stated), (numbers(rng, source.shape, type),)


def matmul(rng: np.random.Generator) -> Model:
    matrices, rows, columns = (int(rng.integers(1, 4)), *map(int, rng.integers(1, 11, 2)))
    depth = int(rng.integers(1, 40))
    lhs = activation((matrices, rows, depth), 1e-4, type="INT16")
    rhs = activation((matrices, columns, depth), 1e-4, type="INT16", name="r")
    y = activation((matrices, rows, columns), 1e-4 * depth**0.5, name="y", type="INT16")
    graph = one_op("BATCH_MATMUL", [lhs, rhs], y, adj_y=True)
    return graph, (numbers(rng, lhs.shape, "INT16"), numbers(rng, rhs.shape, "INT16"))


def pool(rng: np.random.Generator) -> Model:
    height, width = map(int, rng.integers(1, 9, 2))
    channels = int(rng.choice([1, 2, 3, 4, 7, 8, 9, 16, 17]))
    kernel = [min(int(k), e) for k, e in zip(rng.integers(1, 5, 2), (height, width), strict=True)]
    stride = rng.integers(1, 4, 2).tolist()
    padding = str(rng.choice(["SAME", "VALID"]))
    size = [
        -(-e // s) if padding == "SAME" else (e - k) // s + 1
        for e, s, k in zip((height, width), stride, kernel, strict=True)
    ]
    source = activation((2, height, width, channels), 0.5, type="INT16")
    graph = one_op(
        str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])),
        [source],
        activation((2, *size, channels), 0.5, name="y", type="INT16"),
        padding=padding,
        filter_height=kernel[0],
        filter_width=kernel[1],
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation_function=str(rng.choice(["NONE", "RELU6"])),
    )
    return graph, (numbers(rng, source.shape, "INT16"),)


def elementwise(rng: np.random.Generator) -> Model:
    shape, op = (1, int(rng.integers(1, 20))), str(rng.choice(["ADD", "MUL"]))
    scales = rng.uniform(1e-5, 1e-3, 2)
    sources = [activation(shape, s, name=f"x{i}", type="INT16") for i, s in enumerate(scales)]
    largest = float(scales.max() if op == "ADD" else scales.prod() * 2**14)
    y = activation(shape, largest * rng.uniform(0.7, 2), name="y", type="INT16")
    graph = one_op(op, sources, y)
    return graph, tuple(numbers(rng, shape, "INT16") for _ in sources)


def softmax(rng: np.random.Generator) -> Model:
    """To int16; with eight classes the largest sum is just small enough."""
    type = str(rng.choice(["INT8", "INT16"]))
    shape = (int(rng.integers(1, 5)), int(rng.integers(2, 9)))
    source = activation(shape, float(rng.uniform(1e-5, 1e-2)), type=type)
    own = (1 / 65536, -32768) if type == "INT8" else (1 / 32768, 0)
    graph = one_op("SOFTMAX", [source], activation(shape, *own, "y", "INT16"), beta=1.0)
    return graph, (numbers(rng, shape, type),)


def svdf(rng: np.random.Generator) -> Model:
    """Sums over time that wrap, now and then."""
    type = str(rng.choice(["INT8", "INT16"]))
    limit = 127 if type == "INT8" else 32767
    rank, units, batches = map(int, rng.integers(1, 4, 3))
    size, memory = int(rng.integers(1, 40)), int(rng.integers(1, 12))
    filters = rank * units
    zero_point = int(rng.integers(-128, 128))
    feature = (rng.integers(-127, 128, (filters, size)), 0.01)
    state = float(np.float32(0.5 * 0.01 * 5000 * size**0.5 / limit * rng.choice([1, 3])))
    time = (rng.integers(-limit, limit + 1, (filters, memory)), 0.001)
    output = (state * 0.001 * limit**2 / 100, int(rng.integers(-128, 128)))
    bias = rng.integers(-(limit**2), limit**2, units)
    x = (0.5, zero_point)
    graph = recurrent.svdf(x, feature, time, (state, 0), output, bias, rank, batches, type)
    return graph, (numbers(rng, (batches, size), "INT8"),)


def lstm(rng: np.random.Generator) -> Model:
    """Weights so small that no recurrent term leaves int16."""
    batches, steps = map(int, rng.integers(1, 4, 2))
    size, units = map(int, rng.integers(1, 22, 2))
    time_major = bool(rng.integers(2))
    weights = [(rng.integers(-127, 128, (units, size)), 0.01) for _ in range(4)] + [
        (rng.integers(-127, 128, (units, units)), 0.05 / units) for _ in range(4)
    ]
    biases = rng.integers(-2000, 2000, (4, units))
    x, hidden = (0.02, int(rng.integers(-9, 9))), (1 / 128, int(rng.integers(-9, 9)))
    power, clip = int(rng.integers(-15, -8)), float(rng.choice([0.0, 0.7]))
    graph = recurrent.lstm(
        x, weights, biases, hidden, power, batches, steps, time_major, cell_clip=clip
    )
    shape = graph.tensors[graph.inputs[0]].shape
    return graph, (numbers(rng, shape, "INT8"),)


FORMS: dict[str, Callable[[np.random.Generator], Model]] = {
    "convolutions, int4": lambda rng: convolution(rng, "INT8", "INT4"),
    "convolutions, int16": lambda rng: convolution(rng, "INT16", "INT8"),
    "fully connected, int4": lambda rng: dense(rng, "INT8", "INT4"),
    "fully connected, int16": lambda rng: dense(rng, "INT16", "INT8"),
    "matrix products, int16": matmul,
    "pools, int16": pool,
    "elementwise, int16": elementwise,
    "softmax to int16": softmax,
    "SVDF": svdf,
    "LSTM": lstm,
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(20 if FULL else 1))
def test_many_shapes(seed: int, form: str, name: str, compared: Compared) -> None:
    rng = np.random.default_rng([seed, *form.encode()])
    models = [FORMS[form](rng) for _ in range(40)]
    graph = together([own for own, _ in models])
    inputs = [array for _, arrays in models for array in arrays]
    planned = mi.plan(graph, kernels="cmsis-nn", core=ON[name])
    chosen = Counter(layer.library for layer in planned.layers)
    report = mi.diff(mi.Interpreter(graph).trace(*inputs), traced(graph, name, *inputs))
    wrong = sum(layer.differing for layer in report.layers)
    layers = f"{len(models) - chosen['']} of {len(models)} layers"
    compared(f"{form} by CMSIS-NN", name, layers, report.elements, wrong)
    assert len(models) - chosen[""] >= 20
    report.assert_identical()


# -- where the library is wrong -------------------------------------------------------------


def differs(graph: mi.Graph, name: str, inputs: Array) -> bool:
    expected = mi.Interpreter(graph).trace(inputs)
    return not mi.diff(expected, traced(graph, name, inputs)).identical


@pytest.mark.parametrize("name", TARGETS)
def test_softmax_of_int16_is_wrong_from_nine_classes_on(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight times 32762 and 47 are 262143, of which the library takes the reciprocal of 1/2 for
    that of 1."""
    graph = wide_softmax(10)
    low = np.arange(-1200, 1200, 8, dtype=np.int16)
    inputs = np.full((len(low), 1, 10), 32767, np.int16)
    inputs[:, 0, 8], inputs[:, 0, 9] = low, -32768
    assert not differs(graph, name, inputs[:2])
    monkeypatch.setattr(chosen_elementwise, "DEPTHS_S16", range(2, 99))
    assert differs(graph, name, inputs)


def test_the_last_of_odd_channels_of_many_int16_taps_is_wrong_with_dsp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes on beyond the last weight."""
    graph = wide_convolution(515, 5)
    inputs = np.full((1, 1, 1, 3, 515), 20000, np.int16)
    inputs[..., ::2] = -20000
    assert not differs(graph, "cortex-m4", inputs)
    monkeypatch.setattr(conv, "FAST_COLUMNS", 2**16)
    assert differs(graph, "cortex-m4", inputs)


@pytest.mark.parametrize("name", [HOST, "cortex-m4"])
def test_odd_channels_of_int4_are_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two images: of one it has another way, which is right."""
    graph = packed_depthwise(7, 2)
    inputs = np.random.default_rng(3).integers(-128, 128, (1, 2, 4, 4, 7)).astype(np.int8)
    assert not differs(graph, name, inputs)
    monkeypatch.setattr(conv, "BYTE_CHANNELS", 1)
    assert differs(graph, name, inputs)


@pytest.mark.parametrize("name", TARGETS)
def test_a_recurrent_term_beyond_int16_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """-20,000 of the input and 40,000 of the hidden state are 12,767 in TFLM."""
    weights = [(np.full((4, 2), -127), 0.02)] * 4 + [(np.full((4, 4), 127), 0.02)] * 4
    biases = np.zeros((4, 4), int)
    graph = recurrent.lstm((0.01, 0), weights, biases, (1 / 128, 0), -12, 1, 6)
    inputs = np.full((1, 1, 6, 2), -128, np.int8)
    inputs[0, 0, 3:] = 127
    assert not differs(graph, name, inputs)
    monkeypatch.setattr(chosen_recurrent, "LARGEST_TERM", 2**30)
    assert differs(graph, name, inputs)
