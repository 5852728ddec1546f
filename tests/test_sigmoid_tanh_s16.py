"""Sigmoid and tanh on int16: all 65536 inputs, against both runtimes' LOGISTIC and TANH, C too.

The forms by polynomial are only in LiteRT's LSTM, and are compared with it there.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from c_kernels_support.runtime import Runtime
from compared import Compared
from microinfer import sigmoid_tanh_s16 as s16
from microinfer.graph import Tensor
from microinfer.tflite import write
from one_op import one_op, quantization
from oracles import ORACLES, differing

EVERY = np.arange(-(2**15), 2**15)
# Around the powers of two that are special, where 15 bits end, and what converters choose.
SCALES = [
    *(2.0**-k for k in (17, 16, 15, 14, 13, 12, 11, 10, 5)),
    *(2.0**-12 * (1 + step) for step in (2e-4, -2e-4, 2e-3, -2e-3)),
    *(2.0**-40, 1.0, 4 / 3, 2.5),
    *(np.random.default_rng(5).uniform(1, 24, 12) / 32768).tolist(),
]


def argument(op: str, scale: float) -> tuple[int, int]:
    """Multiplier and shift, as both runtimes' Prepare forms them.

    [TFLM] micro/kernels/logistic_common.cc, tanh.cc.
    """
    exact = math.log2(scale)
    left = 12 + round(exact)
    if abs(exact - round(exact)) < 1e-3 and left in ((0,) if op == "LOGISTIC" else (0, 1)):
        return 3 << left, 0
    return s16.table_multiplier(scale)


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("runtime", ORACLES)
def test_table_equals_the_runtime_for_every_input(
    op: str, runtime: str, compared: Compared
) -> None:
    function = s16.sigmoid_by_table if op == "LOGISTIC" else s16.tanh_by_table
    wrong = 0
    for scale in map(np.float32, SCALES):
        x = Tensor("x", (65536,), "INT16", quantization(scale))
        y = Tensor("y", (65536,), "INT16", quantization(2.0**-15))
        graph = one_op(op, [x], y, version=3)
        theirs = ORACLES[runtime](write(graph), EVERY.astype(np.int16)[None])[graph.outputs[0]][0]
        ours = function(EVERY, *argument(op, float(scale)))
        assert ours.min() >= -32768
        assert ours.max() <= 32767
        wrong += differing(ours.astype(np.int16), theirs)
    compared(f"{op} int16", runtime, f"{len(SCALES)} scales", 65536 * len(SCALES), wrong)
    assert wrong == 0


@pytest.fixture(scope="module")
def runtime_c(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    folder: Path = tmp_path_factory.mktemp("runtime")
    return Runtime(folder)


def test_c_equals_python_for_every_input(runtime_c: Runtime) -> None:
    every = EVERY.tolist()
    arguments = [(3, 0), (6, 0), (65535, 0), (32767, 0), (32767, 31), (20000, 5), (16384, 1)]
    for multiplier, shift in arguments:
        for name in ("sigmoid_by_table", "tanh_by_table"):
            ours = getattr(s16, name)(EVERY, multiplier, shift)
            function = getattr(runtime_c, f"mi_{name}")
            assert [function(x, multiplier, shift) for x in every] == ours.tolist()
    function = runtime_c.mi_sigmoid_by_polynomial
    assert [function(x) for x in every] == s16.sigmoid_by_polynomial(EVERY).tolist()
    function = runtime_c.mi_tanh_by_polynomial
    for bits in range(7):
        assert [function(x, bits) for x in every] == s16.tanh_by_polynomial(EVERY, bits).tolist()


def test_the_table_rises_to_its_end() -> None:
    assert (s16.TABLE[0], s16.TABLE[-1]) == (32768, 65535)
    assert (np.diff(s16.TABLE) >= 0).all()
