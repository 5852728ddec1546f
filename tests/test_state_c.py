"""State in C: reset first, its own part of the arena, one state per arena, the self-test."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
import recurrent
from c_build import C_WARNINGS, SANITIZERS, WARNINGS, need, run, write
from microinfer.emit.arena import MARK_BYTES
from microinfer.emit.check import PlanError, check_plan
from microinfer.state import states

PROFILES = ("tflm", "litert")


def samples(count: int = 6) -> np.ndarray:
    return np.random.default_rng(3).integers(-128, 128, (count, 1, 2)).astype(np.int8)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("numerics", PROFILES)
def test_every_layer_and_state_equals_numpy(numerics: str, begun: bool) -> None:
    graph = recurrent.everything(begun)
    interpreter, native = mi.Interpreter(graph, numerics), mi.compile(graph, numerics)
    for _ in range(2):
        for part in (samples()[:2], samples()[2:]):
            expected = interpreter.trace(part)
            mi.diff(expected, native.trace(part)).assert_identical()
            interpreter.run(part)
            native.run(part)
        interpreter.reset()
        native.reset()


def test_states_are_first_in_the_arena_and_alone_there() -> None:
    plan = mi.plan(recurrent.everything())
    persistent = [b for b in plan.buffers if b.offset < plan.state_bytes]
    others = [b for b in plan.buffers if b not in persistent]
    assert [b.tensors[0] for b in persistent] == [s.index for s in plan.states]
    assert all((b.first, b.last) == (-1, len(plan.layers)) for b in persistent)
    assert min(b.offset for b in others) == plan.state_bytes
    ends = [MARK_BYTES, *(b.end for b in persistent)]
    assert all(0 <= b.offset - end < 8 for b, end in zip(persistent, ends, strict=False))
    assert plan.state_bytes >= sum(b.nbytes for b in persistent) + MARK_BYTES
    assert len(plan.states) == len({s.index for s in states(plan.graph).values()}) == 5


def test_the_check_of_a_plan_sees_states() -> None:
    graph = recurrent.everything()
    layers = mi.Interpreter(graph).layers
    plan = mi.plan(graph)
    handles = {index for index in plan.offsets if graph.tensors[index].type == "RESOURCE"}
    own = {state.index for state in plan.states} | handles
    offsets = {index: offset for index, offset in plan.offsets.items() if index not in own}
    spans = [(b.offset, b.nbytes) for b in plan.buffers if b.offset < plan.state_bytes]
    check_plan(graph, layers, offsets, {}, plan.arena_bytes, spans)
    with pytest.raises(PlanError, match="overlaps another"):
        check_plan(graph, layers, offsets, {}, plan.arena_bytes, [*spans, spans[0]])
    low = {index: offset - 4 for index, offset in offsets.items()}
    with pytest.raises(PlanError, match="writes over a state"):
        check_plan(graph, layers, low, {}, plan.arena_bytes, spans)


RESET_FIRST = """
#include "m.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    signed char before[M_ARENA_SIZE];
    int8_t *const first = m_input(0);

    memset(first, 77, M_INPUT_SIZE);
    memcpy(before, first, M_INPUT_SIZE);
    printf("%d ", m_invoke() == M_ERROR_RESET);
    printf("%d ", memcmp(before, m_input(0), M_INPUT_SIZE) == 0);
    printf("%d ", m_reset() == M_OK);
    printf("%d\\n", m_invoke() == M_OK);
    return 0;
}
"""


def test_invoke_before_a_reset_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    need("gcc")
    files = {**mi.generate(recurrent.everything(), "m"), "main.c": RESET_FIRST}
    folder = write(tmp_path, files)
    run(["gcc", "-std=c99", "-O1", *C_WARNINGS, *SANITIZERS, "main.c", "m.c"], folder)
    assert run(["./a.out"], folder).stdout == "1 1 1 1\n"


TWO_ARENAS = """
#include "m.h"
#include <stdio.h>
#include <string.h>

static int64_t one[M_ARENA_SIZE / 8 + 1], two[M_ARENA_SIZE / 8 + 1];

static int step(void *arena, int8_t x)
{
    memset(m_input(arena, 0), x, M_INPUT_SIZE);
    if (m_invoke(arena, sizeof one) != M_OK) {
        return 1000;
    }
    return m_output(arena, 0)[0];
}

int main(void)
{
    signed char untouched[M_ARENA_SIZE];

    memset(two, 0x5a, sizeof two);
    memcpy(untouched, two, sizeof untouched);
    printf("%d ", m_invoke(two, sizeof two) == M_ERROR_RESET);
    printf("%d ", memcmp(two, untouched, sizeof untouched) == 0);
    printf("%d ", m_reset(NULL, sizeof two) == M_ERROR_ARENA);
    printf("%d\\n", m_reset(two, M_ARENA_SIZE - 1) == M_ERROR_ARENA);
    if (m_reset(one, sizeof one) != M_OK || m_reset(two, sizeof two) != M_OK) {
        return 1;
    }
    for (int8_t i = 0; i < 4; i++) {
        printf("%d %d ", step(one, (int8_t)(20 * i)), step(two, (int8_t)(-30 * i)));
    }
    m_reset(one, sizeof one);
    printf("%d %d\\n", step(one, 0), step(two, 50));
    return 0;
}
"""


def test_each_callers_arena_has_its_own_state(tmp_path: Path) -> None:
    need("gcc")
    graph = recurrent.everything()
    folder = write(tmp_path, {**mi.generate(graph, "m", arena="caller"), "main.c": TWO_ARENAS})
    run(["gcc", "-std=c99", "-O1", *C_WARNINGS, *SANITIZERS, "main.c", "m.c"], folder)
    checks, numbers = run(["./a.out"], folder).stdout.splitlines()
    assert checks == "1 1 1 1"
    one, two = mi.Interpreter(graph), mi.Interpreter(graph)

    def first(interpreter: mi.Interpreter, x: int) -> int:
        return int(interpreter.run(np.full((1, 2), x, np.int8))[0].ravel()[0])

    expected = [first(*pair) for i in range(4) for pair in ((one, 20 * i), (two, -30 * i))]
    one.reset()
    expected += [first(one, 0), first(two, 50)]
    assert [int(number) for number in numbers.split()] == expected


SELFTEST = """
#include "m.h"
#include <stdio.h>

int main(void)
{
    int layer = 99;

    for (int time = 0; time < 2; time++) {
        printf("%d ", m_selftest(&layer));
        printf("%d %d ", layer, m_invoke());
    }
    return 0;
}
"""


@pytest.mark.parametrize("stored", [False, True])
def test_the_self_test_begins_and_ends_with_a_reset(stored: bool, tmp_path: Path) -> None:
    need("gcc")
    graph = recurrent.everything()
    files = mi.generate(graph, "m", selftest_input=[samples()[0]] if stored else None)
    folder = write(tmp_path, {**files, "main.c": SELFTEST})
    build = ["gcc", "-std=c99", *C_WARNINGS, "-DM_SELFTEST", "main.c", "m.c"]
    run(build, folder)
    assert run(["./a.out"], folder).stdout == "0 -1 0 0 -1 0 "
    bias = r"(_cell_gate_bias\[\d+\] = \{\s+)(-?\d+)"
    damaged = re.sub(bias, lambda m: m[1] + str(int(m[2]) + 50_000), files["m.c"])
    assert damaged != files["m.c"]
    write(tmp_path, {"m.c": damaged})
    run(build, folder)
    assert run(["./a.out"], folder).stdout.startswith("-3 ")


FORMS = itertools.product(("static", "caller"), ("speed", "size"), (False, True))


@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang", "clang++"])
@pytest.mark.parametrize(("arena", "optimize", "single"), list(FORMS))
def test_no_warnings(
    arena: str, optimize: str, single: bool, compiler: str, tmp_path: Path
) -> None:
    need(compiler)
    graph = recurrent.everything()
    files = mi.generate(graph, "m", arena=arena, optimize=optimize, single_file=single)
    folder = write(tmp_path, files)
    plus = compiler.endswith("++")
    flags = ["-xc++", "-std=c++17", *WARNINGS] if plus else ["-std=c99", *C_WARNINGS]
    run([compiler, *flags, "-O1", "-DM_SELFTEST", "-c", "m.c", "-o", "m.o"], folder)


def test_the_mark_is_the_models_own() -> None:
    def mark(graph: mi.Graph, name: str) -> str:
        text = mi.generate(graph, name)[f"{name}.c"]
        (line,) = [line for line in text.splitlines() if "define" in line and "_STATE_MARK" in line]
        return line.split("UINT32_C(")[1]

    one, other = recurrent.everything(), recurrent.everything(begun=False)
    assert len({mark(one, "a"), mark(one, "b"), mark(other, "a")}) == 3
    assert mark(one, "a") == mark(recurrent.everything(), "a")
