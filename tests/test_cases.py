"""The case tables on every engine, and on the runtimes that are said to confirm them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import microinfer as mi
from cases import TABLES, Case
from microinfer.ops import OPS
from microinfer.tflite import write
from one_op import Array
from oracles import ORACLES, differing

# An engine: the outputs [1, *shape] of a graph in a profile, for inputs [1, *shape].
ENGINES: dict[str, Callable[..., list[Array]]] = {
    "numpy": lambda graph, numerics, *inputs: mi.Interpreter(graph, numerics).run(*inputs),
    "c": lambda graph, numerics, *inputs: mi.compile(graph, numerics).run(*inputs),
}

CASES = [
    pytest.param(case, numerics, id=f"{op}-{case.name}-{numerics}")
    for op, table in TABLES.items()
    for case in table
    for numerics in ORACLES
]

CONFIRMED = [param for param in CASES if param.values[1] in param.values[0].confirmed_by]


def check(case: Case, numerics: str, outputs: list[Array]) -> None:
    for got, expected in zip(outputs, case.outputs(numerics), strict=True):
        wrong = differing(got, expected)
        assert not wrong, f"got {got.tolist()}, expected {expected.tolist()}: {case.why}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("case", "numerics"), CASES)
def test_case_on_an_engine(case: Case, numerics: str, engine: str) -> None:
    check(case, numerics, ENGINES[engine](case.graph, numerics, *case.samples()))


@pytest.mark.parametrize(("case", "numerics"), CONFIRMED)
def test_case_is_what_the_runtime_gives(case: Case, numerics: str) -> None:
    computed = ORACLES[numerics](write(case.graph), *case.samples())
    check(case, numerics, [computed[index] for index in case.graph.outputs])


def test_every_operator_has_a_table() -> None:
    assert set(TABLES) == set(OPS)


def test_names_are_unique_within_a_table() -> None:
    for table in TABLES.values():
        assert len({case.name for case in table}) == len(table)
