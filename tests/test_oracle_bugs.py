"""Where a runtime is wrong: its bits, and ours beside them (see ARITHMETIC.md)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cases.case import binary
from microinfer import Interpreter
from microinfer.graph import Tensor
from microinfer.tflite import write
from one_op import activation, constant, int32, one_op
from oracles import ORACLES, litert_tensors, tflm_tensors


@pytest.mark.parametrize("runtime", ORACLES)
def test_div_of_little_by_much_is_not_nothing(runtime: str) -> None:
    """0 / 127 and 1 / 127, whose last shift would be by 36 and 35 bits."""
    graph = binary("DIV", (1.0, 0), (1.0, 0), (1.0, 7), (2,))
    inputs = np.array([[0, 1]], np.int8), np.array([[127, 127]], np.int8)
    theirs = ORACLES[runtime](write(graph), *inputs)[graph.outputs[0]]
    (ours,) = Interpreter(graph, runtime).run(*inputs)
    assert ours.tolist() == [[7, 7]]
    assert theirs.tolist() == [[8, 127]]


def fails(script: str) -> bool:
    """Whether a Python that runs it ends with an error, or by a signal."""
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parent)])
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
    )
    return result.returncode != 0


SVDF_INT8 = """
import numpy as np
import recurrent
from microinfer import Interpreter
from microinfer.tflite import write
from oracles import litert_tensors

eights = [[8] * 5] * 64
graph = recurrent.svdf(
    (1.0, 0), ([[1]] * 64, 1.0), (eights, 1.0), (1.0, 10), (64.0, 0), [0] * 64, type="INT8"
)
theirs = litert_tensors(write(graph), np.ones((20, 1, 1), np.int8))[graph.outputs[0]]
(ours,) = Interpreter(graph).run(np.ones((20, 1, 1), np.int8))
np.testing.assert_array_equal(theirs, ours)
"""


def test_litert_mistakes_an_svdf_with_an_int8_state_for_one_of_int16() -> None:
    """It takes twice as many bytes as there are: wrong outputs at best, most often a crash."""
    pytest.importorskip("ai_edge_litert.interpreter")
    assert fails(SVDF_INT8)


SVDF_WITHOUT_BIAS = """
import numpy as np
import recurrent
from microinfer.tflite import write
from oracles import tflm_tensors

graph = recurrent.svdf((1.0, 0), ([[1]], 1.0), ([[1]], 1.0), (1.0, 0), (1.0, 0))
tflm_tensors(write(graph), np.ones((1, 1, 1), np.int8))
"""


def test_tflm_does_not_survive_an_svdf_without_bias() -> None:
    pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    assert fails(SVDF_WITHOUT_BIAS)


@pytest.mark.parametrize(
    ("op", "runtime"),
    [("CONV_2D", "litert"), ("TRANSPOSE_CONV", "litert"), ("TRANSPOSE_CONV", "tflm")],
)
def test_an_int32_bias_of_int16_is_not_read_as_int64(op: str, runtime: str) -> None:
    """Bias 0, 1, 0, 0: the first two are 2^32 if they are one number. LiteRT reads them so unless
    the option quantized_bias_type says INT32; TFLM's TRANSPOSE_CONV always does."""
    shape = (1, 1, 1, 4)
    x = activation(shape, 1.0, 0, "x", "INT16")
    weights = constant(np.ones((4, 1, 1, 4), np.int8), 1.0)
    operands = [x, weights, int32([0, 1, 0, 0], 1.0)]
    if op == "TRANSPOSE_CONV":
        operands = [int32(shape), weights, x, operands[2]]
    y = activation(shape, 2.0**10, 0, "y", "INT16")
    graph = one_op(op, operands, y, stride_h=1, stride_w=1)
    inputs = np.int16([[[[[1, 2, 3, 4]]]]])
    theirs = ORACLES[runtime](write(graph), inputs)[graph.outputs[0]]
    (ours,) = Interpreter(graph, runtime).run(inputs)
    assert ours.ravel().tolist() == [0, 0, 0, 0]
    assert theirs.ravel().tolist()[0] == 32767


def test_tflm_compares_int16_as_something_else() -> None:
    """It has GREATER only, and what it gives there has nothing to do with the inputs."""
    x1, x2 = (activation((64,), 1.0, type="INT16", name=name) for name in ("x1", "x2"))
    graph = one_op("GREATER", [x1, x2], Tensor("y", (64,), "BOOL"))
    ramp = np.arange(64, dtype=np.int16)[None]
    theirs = tflm_tensors(write(graph), ramp, ramp[:, ::-1].copy())[graph.outputs[0]]
    (ours,) = Interpreter(graph, "tflm").run(ramp, ramp[:, ::-1].copy())
    assert ours.tolist() == [[False] * 32 + [True] * 32]
    assert theirs.tolist() != ours.tolist()


def test_litert_sums_the_bytes_of_int16() -> None:
    """100 + 200 + 300."""
    graph = one_op(
        "SUM",
        [activation((3,), 1.0, type="INT16"), int32([0])],
        activation((1,), 1.0, name="y", type="INT16"),
        keep_dims=True,
    )
    sample = np.array([[100, 200, 300]], np.int16)
    theirs = litert_tensors(write(graph), sample)[graph.outputs[0]]
    assert Interpreter(graph, "litert").run(sample)[0].tolist() == [[600]]
    assert theirs.tolist() != [[600]]


def test_litert_prelu_of_int16_loses_most_of_a_negative() -> None:
    """-32768 * 2^-8 * 1024 * 2^-4 / 4 is -2048; PRELU on int16 is refused."""
    x, slopes = (activation((1,), scale, type="INT16") for scale in (2.0**-8, 2.0**-4))
    graph = one_op("PRELU", [x, slopes], activation((1,), 4.0, name="y", type="INT16"))
    samples = np.array([[-32768]], np.int16), np.array([[1024]], np.int16)
    theirs = litert_tensors(write(graph), *samples)[graph.outputs[0]]
    assert abs(int(theirs[0, 0])) < 200


def test_tflm_takes_a_depth_multiplier_of_0_at_its_word() -> None:
    """Two channels of ones, weights 1 and bias 3: 4 everywhere."""
    x = activation((1, 2, 2, 2), 1.0)
    weights = constant(np.ones((1, 1, 1, 2), np.int8), 1.0)
    y = activation((1, 2, 2, 2), 1.0, name="y")
    operands = [x, weights, int32([3, 3], 1.0)]
    options = dict(stride_h=1, stride_w=1, depth_multiplier=0)
    graph = one_op("DEPTHWISE_CONV_2D", operands, y, **options)
    ones = np.ones((1, 1, 2, 2, 2), np.int8)
    (ours,) = Interpreter(graph, "tflm").run(ones)
    assert ours.ravel().tolist() == [4] * 8
    assert litert_tensors(write(graph), ones)[graph.outputs[0]].ravel().tolist() == [4] * 8
    assert tflm_tensors(write(graph), ones)[graph.outputs[0]].ravel().tolist() != [4] * 8


def test_reals_beyond_int32_saturate_here() -> None:
    graph = one_op("QUANTIZE", [activation((2,), None)], activation((2,), 1.0, name="y"))
    far = np.array([[1e30, -1e30]], np.float32)
    assert Interpreter(graph).run(far)[0].tolist() == [[127, -128]]
