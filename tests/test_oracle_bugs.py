"""Where both runtimes are wrong: their bits, and ours beside them (see ARITHMETIC.md)."""

from __future__ import annotations

import numpy as np
import pytest

from cases.case import binary
from microinfer import Interpreter
from microinfer.tflite import write
from oracles import ORACLES


@pytest.mark.parametrize("runtime", ORACLES)
def test_div_of_little_by_much_is_not_nothing(runtime: str) -> None:
    """0 / 127 and 1 / 127, whose last shift would be by 36 and 35 bits."""
    graph = binary("DIV", (1.0, 0), (1.0, 0), (1.0, 7), (2,))
    inputs = np.array([[0, 1]], np.int8), np.array([[127, 127]], np.int8)
    theirs = ORACLES[runtime](write(graph), *inputs)[graph.outputs[0]]
    (ours,) = Interpreter(graph, runtime).run(*inputs)
    assert ours.tolist() == [[7, 7]]
    assert theirs.tolist() == [[8, 127]]
