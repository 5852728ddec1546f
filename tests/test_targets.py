"""The generated C on emulated cores gives the interpreter's bits, layer by layer."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from c_build import need
from command_line import GESTURE, microinfer
from compared import Compared
from microinfer.emit import plan
from microinfer.errors import BadInput, ToolchainError
from microinfer.targets import emulated, target, targets
from microinfer.targets.bench import bench
from microinfer.targets.binary import Instruction
from microinfer.targets.build import build
from microinfer.targets.counting import counted
from microinfer.targets.timing import kind, registers
from one_op import Array
from shared_models import INT8_MODELS, shared_model

OWN = GESTURE.parent
POSTURE = OWN / "operators" / "posture_int8.tflite"  # for 2 KB of RAM
OWN_MODELS = {
    path.stem: path
    for path in sorted([*OWN.glob("*_int8.tflite"), *(OWN / "operators").glob("*.tflite")])
}


def tools(name: str) -> None:
    """Skip where the target's tools are missing: in CI that fails."""
    row = target(name)
    need(row.compiler)
    if row.emulator != "simavr":
        need(row.emulator)
    elif not Path("/usr/include/simavr/sim_avr.h").exists():
        need("the headers of libsimavr")


def samples(graph: mi.Graph, count: int) -> list[Array]:
    """Anything of each input's type; of float32, reals around 0."""
    rng = np.random.default_rng(0)
    arrays = []
    for tensor in (graph.tensors[index] for index in graph.inputs):
        shape, dtype = (count, *tensor.shape), tensor.dtype
        if dtype.kind == "f":
            arrays.append(rng.normal(0, 1, shape).astype(dtype))
        else:
            limits = np.iinfo(dtype)
            arrays.append(rng.integers(limits.min, limits.max, shape, dtype, endpoint=True))
    return arrays


def equal(graph: mi.Graph, name: str, numerics: str, inputs: list[Array]) -> int:
    """Elements that were compared; fails if one differs."""
    interpreted = mi.Interpreter(graph, numerics).trace(*inputs)
    with emulated(graph, target(name), numerics) as device:
        mi.diff(interpreted, device.trace(*inputs)).assert_identical()
    return sum(output.size for layer in interpreted for output in layer.outputs)


@pytest.mark.parametrize("numerics", ["tflm", "litert"])
@pytest.mark.parametrize("name", targets())
def test_every_target_runs_a_model_bit_for_bit(
    name: str, numerics: str, compared: Compared
) -> None:
    tools(name)
    path = POSTURE if name == "avr" else GESTURE
    graph = mi.load(path)
    elements = equal(graph, name, numerics, samples(graph, 3))
    compared(f"{path.stem} in {numerics}", name, "3 inputs", elements, 0)


def lacking(path: Path, name: str) -> str:
    """Why a model has no place on a target, or nothing."""
    try:
        with emulated(mi.load(path), target(name)):
            return ""
    except ToolchainError as error:
        return str(error)


@pytest.mark.full
@pytest.mark.parametrize("name", targets())
@pytest.mark.parametrize("model", [*INT8_MODELS, *OWN_MODELS])
def test_every_model_on_every_target_where_it_fits(
    model: str, name: str, compared: Compared
) -> None:
    tools(name)
    path = OWN_MODELS[model] if model in OWN_MODELS else shared_model(model)
    if reason := lacking(path, name):
        assert "does not fit" in reason
        compared(model, name, reason.partition(": ")[2], 0, 0)
        return
    graph = mi.load(path)
    elements = equal(graph, name, "tflm", samples(graph, 2))
    compared(model, name, "2 inputs", elements, 0)


def test_a_model_that_does_not_fit_is_refused_with_the_bytes_that_lack() -> None:
    tools("avr")
    with (
        pytest.raises(
            ToolchainError,
            match=r"does not fit on avr: it lacks at least [\d,]+ bytes of RAM, where",
        ),
        emulated(mi.load(GESTURE), target("avr")),
    ):
        pass


def test_bytes_that_lack_are_the_ones_that_help() -> None:
    """One byte less than the message says is not enough, and as many as it says are."""
    tools("cortex-m3")
    graph, row = mi.load(GESTURE), target("cortex-m3")
    almost = plan(graph).constant_bytes + 100  # room for the constants, not for the code
    small = replace(row, flash=replace(row.flash, bytes=almost))
    with (
        pytest.raises(ToolchainError, match=r"lacks .* bytes of flash") as raised,
        emulated(graph, small),
    ):
        pass
    bytes_short = int(str(raised.value).split("lacks ")[1].split()[0].replace(",", ""))
    enough = replace(row, flash=replace(row.flash, bytes=almost + bytes_short))
    with emulated(graph, enough) as device:
        assert device.greeting.layers == len(graph.nodes)
    short = replace(row, flash=replace(row.flash, bytes=almost + bytes_short - 1))
    with pytest.raises(ToolchainError, match=r"lacks 1 byte of flash$"), emulated(graph, short):
        pass


@pytest.mark.parametrize("name", ["cortex-m4", "riscv32", "avr"])
def test_a_missing_compiler_is_named_with_its_package(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert shutil.which("ls") is None
    row = target(name)
    path = shared_model("tflm_hello_world_int8")
    with pytest.raises(ToolchainError) as raised, emulated(mi.load(path), row):
        pass
    assert row.compiler in str(raised.value)
    assert f"apt install {row.packages[row.compiler]}" in str(raised.value)


def test_an_unknown_target_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="no target 'cortex-m9'; there are host, cortex-m0plus"):
        target("cortex-m9")


def test_verify_on_a_target() -> None:
    tools("cortex-m4")
    said = microinfer("verify", GESTURE, "--target", "cortex-m4", "--random", "2", "--json")
    assert said.code == 0, said.stderr
    assert said.json["identical"] is True
    assert said.json["target"] == "cortex-m4"


def test_bench_counts_the_same_in_every_run_and_layers_add_up() -> None:
    tools("cortex-m4")
    graph = mi.load(GESTURE)
    first, second = bench(graph, target("cortex-m4")), bench(graph, target("cortex-m4"))
    assert first.total == second.total
    assert list(first.layers) == list(second.layers)
    together = sum(layer.instructions for layer in first.layers)
    assert abs(together - first.total.instructions) < 20 * len(first.layers)
    assert first.total.cycles is not None
    assert first.total.cycles > first.total.instructions


def test_the_plugin_counts_what_icount_counts() -> None:
    """A loop of known length: 1000 rounds of three instructions, by hand."""
    tools("cortex-m3")
    row = target("cortex-m3")
    program = r"""
        #include <stdint.h>
        int main(void);
        uint32_t mark(void);
        void mi_put(char c);
        __attribute__((noinline)) uint32_t mark(void) { __asm__ volatile("nop"); return 0; }
        int main(void)
        {
            (void)mark();
            (void)mark();
            __asm__ volatile("movw r3, #1000\n1: subs r3, #1\nnop\nbne 1b" ::: "r3", "cc");
            (void)mark();
            mi_put('x');
            return 0;
        }
    """
    with tempfile.TemporaryDirectory() as folder:
        elf = build(row, Path(folder), {"main.c": program})
        run = counted(row, elf, "mark")
    nothing, loop = run.spans[1], run.spans[2]
    assert run.said == "x"
    assert loop.instructions - nothing.instructions == 1 + 3 * 1000
    assert (
        sum(count.taken for count in loop.counts.values())
        - sum(count.taken for count in nothing.counts.values())
        == 999
    )


def test_flash_of_bench_is_what_the_constants_and_the_linker_say() -> None:
    tools("cortex-m4")
    measured = bench(mi.load(GESTURE), target("cortex-m4"))
    assert abs(measured.constant_bytes - measured.plan.constant_bytes) < 256
    assert measured.plan.arena_bytes <= measured.ram_bytes < measured.plan.arena_bytes + 2048


def test_stack_of_bench_is_painted_where_it_is_used() -> None:
    """A kernel's rows lie on the stack: a taller kernel takes at least its pointers more."""
    tools("cortex-m4")
    measured = bench(mi.load(GESTURE), target("cortex-m4"))
    assert 64 < measured.stack_bytes < 2048


def test_bench_on_the_command_line() -> None:
    tools("avr")
    path = shared_model("tflm_hello_world_int8")
    said = microinfer("bench", path, "--target", "avr", "--json")
    assert said.code == 0, said.stderr
    facts = said.json
    assert facts["cycles"] > facts["instructions"] > 10_000  # simavr counts cycles itself
    assert len(facts["layers"]) == 3
    text = microinfer("bench", path, "--target", "avr")
    assert f"{facts['instructions']:,}" in text.stdout
    assert "counted by the emulator" in text.stdout


def test_wait_states_of_a_core_without_a_model_are_refused() -> None:
    said = microinfer("bench", GESTURE, "--target", "riscv32", "--wait-states", "3")
    assert said.code == 2
    assert "--wait-states says nothing of riscv32" in said.stderr


def test_bench_of_layers_without_an_output() -> None:
    tools("cortex-m4")
    said = microinfer("bench", OWN / "operators" / "streaming_int8.tflite", "--target", "cortex-m4")
    assert said.code == 0, said.stderr
    assert "ASSIGN_VARIABLE" in said.stdout


def test_a_missing_target_lists_them_in_a_line() -> None:
    said = microinfer("bench", GESTURE)
    assert said.code == 2
    assert "choose from: cortex-m0plus, cortex-m3," in said.stderr.lower()


@pytest.mark.parametrize(
    ("mnemonic", "operands", "own"),
    [
        ("ldr", "r0, [r1]", "load"),
        ("ldrsb.w", "r0, [r1, #1]", "load"),
        ("ldmia", "r0!, {r1, r2}", "multiple"),
        ("stmdb", "sp!, {r4}", "multiple"),
        ("push", "{r4, lr}", "multiple"),
        ("smull", "r0, r1, r2, r3", "multiply_long"),
        ("mla", "r0, r1, r2, r3", "multiply_add"),
        ("smlabb", "r0, r1, r2, r3", "multiply_add"),
        ("muls", "r0, r1", "multiply"),
        ("bl", "8 <f>", "call"),
        ("ble.n", "8 <f>", "branch"),
        ("blt.n", "8 <f>", "branch"),
        ("bls.n", "8 <f>", "branch"),
        ("bleq", "8 <f>", "call"),
        ("bx", "lr", "branch"),
        ("cbnz", "r0, 8", "branch"),
        ("bic.w", "r0, r1", "other"),
        ("udiv", "r0, r1, r2", "divide"),
        ("strd", "r0, r1, [r2]", "store"),
        ("adds", "r0, r1", "other"),
    ],
)
def test_classes_of_instructions(mnemonic: str, operands: str, own: str) -> None:
    assert kind(Instruction(0, mnemonic, operands, "f")) == own


@pytest.mark.parametrize(
    ("operands", "count"),
    [("sp!, {r4, r5-r7, pc}", 5), ("{r4, lr}", 2), ("r0!, {d8-d9}", 4), ("{sl, fp}", 2)],
)
def test_registers_of_a_list(operands: str, count: int) -> None:
    assert registers(operands) == count
