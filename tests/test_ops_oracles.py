"""Models of one operator, drawn by Hypothesis, give TFLM's bits and LiteRT's.

No example is skipped: what a runtime refuses is not drawn, or is drawn to see it refused. Where
only one runtime has an operator, both profiles compute its bits.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from cases import TABLES
from compared import Compared
from microinfer import Interpreter
from microinfer.tflite import write
from one_op import OneOp
from oracles import ORACLES, Refused, differing, litert_tensors
from strategies import LITERT_ONLY, LITERT_WRONG, MODELS, TFLM_ONLY, TFLM_WRONG

ONLY = {**dict.fromkeys(TFLM_ONLY, "tflm"), **dict.fromkeys(LITERT_ONLY, "litert")}
# The runtime that judges both profiles.
JUDGES = {
    **ONLY,
    **dict.fromkeys(LITERT_WRONG, "tflm"),
    **dict.fromkeys(TFLM_WRONG, "litert"),
}


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("op", MODELS)
def test_one_op_models_equal_the_runtime(op: str, numerics: str, compared: Compared) -> None:
    models = elements = wrong = 0
    runtime = JUDGES.get(op, numerics)

    @settings(deadline=None)
    @given(MODELS[op])
    def check(model: OneOp) -> None:
        nonlocal models, elements, wrong
        theirs = ORACLES[runtime](model.data, *model.inputs)
        trace = Interpreter(model.graph, numerics).trace(*model.inputs)
        models += 1
        for index, values in theirs.items():  # of a state, what it is after the layer
            count = differing(trace.tensor(index), values)
            elements, wrong = elements + values.size, wrong + count
            assert count == 0, (trace.tensor(index), values)

    try:
        check()
    finally:
        compared(
            op if runtime == numerics else f"{op} in {numerics}",
            runtime,
            f"{models} models",
            elements,
            wrong,
            op=op.split()[0],
            profile=numerics,
        )


@pytest.mark.parametrize("op", ONLY)
def test_what_is_drawn_for_one_runtime_only_is_refused_by_the_other(op: str) -> None:
    (other,) = ORACLES.keys() - {ONLY[op]}

    @settings(deadline=None)
    @given(MODELS[op])
    def check(model: OneOp) -> None:
        with pytest.raises(Refused):
            ORACLES[other](model.data, *model.inputs)

    check()


def test_litert_sums_int8_as_if_it_were_uint8() -> None:
    """Recorded, not reproduced: ARITHMETIC.md."""
    (case,) = (case for case in TABLES["SUM"] if case.name == "each_value_above_its_zero_point")
    (index,) = case.graph.outputs
    # Output bytes: 255 - 5, 254 - 5 and 30 - 5 are 524, above -2, cut at 255.
    theirs = litert_tensors(write(case.graph), *case.samples())[index]
    assert theirs.view(np.uint8).tolist() == [[255]]
    assert case.outputs("litert")[0].tolist() == [[10]]
