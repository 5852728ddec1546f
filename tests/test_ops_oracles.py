"""Models of one operator, drawn by Hypothesis, give TFLM's bits and LiteRT's.

No example is skipped: what a runtime refuses is not drawn, or is drawn to see it refused.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from compared import Compared
from microinfer import Interpreter
from one_op import OneOp
from oracles import ORACLES, Refused, differing, litert_tensors
from strategies import MODELS, TFLM_ONLY

PAIRS = [
    (op, numerics)
    for op in MODELS
    for numerics in ORACLES
    if not (numerics == "litert" and op in TFLM_ONLY)
]


@pytest.mark.parametrize(("op", "numerics"), PAIRS)
def test_one_op_models_equal_the_runtime(op: str, numerics: str, compared: Compared) -> None:
    models = elements = wrong = 0

    @given(MODELS[op])
    def check(model: OneOp) -> None:
        nonlocal models, elements, wrong
        theirs = ORACLES[numerics](model.data, *model.inputs)
        trace = Interpreter(model.graph, numerics).trace(*model.inputs)
        (index,) = model.graph.outputs
        count = differing(trace.tensor(index), theirs[index])
        models, elements, wrong = models + 1, elements + theirs[index].size, wrong + count
        assert count == 0, (trace.tensor(index), theirs[index])

    try:
        check()
    finally:
        compared(op, numerics, f"{models} models", elements, wrong)


@pytest.mark.parametrize("op", TFLM_ONLY)
def test_what_is_drawn_for_tflm_only_is_refused_by_litert(op: str) -> None:
    @given(MODELS[op])
    def check(model: OneOp) -> None:
        with pytest.raises(Refused):
            litert_tensors(model.data, *model.inputs)

    check()
