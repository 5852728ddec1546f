"""What bench counts, against other ways of counting; and the classes of its modelled cycles."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import microinfer as mi
from c_build import need, run, write
from command_line import GESTURE, microinfer
from microinfer._resources import target_dir
from microinfer.targets import target
from microinfer.targets.bench import bench
from microinfer.targets.binary import Instruction, disassembly
from microinfer.targets.build import FLAGS, build, generated
from microinfer.targets.counting import Span, counted
from microinfer.targets.timing import cycles, kind, registers, timings
from shared_models import shared_model
from test_targets import OWN, tools

Code = dict[int, Instruction]


def test_counting_in_a_folder_with_a_comma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools("cortex-m4")
    folder = tmp_path / "a b,c"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert bench(mi.load(GESTURE), target("cortex-m4")).total.instructions > 100_000


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


def between_marks(name: str, assembly: str, folder: Path) -> tuple[Span, Span, Code]:
    """What runs between two marks with nothing and with ``assembly`` there, and the code."""
    row = target(name)
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
            __asm__ volatile("ASSEMBLY" ::: "r2", "r3", "cc");
            (void)mark();
            mi_put('x');
            return 0;
        }
    """
    elf = build(row, folder, {"main.c": program.replace("ASSEMBLY", assembly)})
    known = counted(row, elf, "mark")
    assert known.said == "x"
    return known.spans[1], known.spans[2], disassembly(row, elf)


def test_instructions_of_a_loop_counted_by_hand(tmp_path: Path) -> None:
    tools("cortex-m3")
    assembly = r"movw r3, #1000\n1: subs r3, #1\nnop\nbne 1b"
    nothing, loop, _ = between_marks("cortex-m3", assembly, tmp_path)
    assert loop.instructions - nothing.instructions == 1 + 3 * 1000
    assert (
        sum(count.taken for count in loop.counts.values())
        - sum(count.taken for count in nothing.counts.values())
        == 999
    )


@pytest.mark.parametrize(
    ("name", "wait_states", "expected"),
    [  # movs; 100 times ldr, ldr, muls, subs, bne; 99 times taken
        ("cortex-m0plus", 0, 1 + 100 * (2 + 2 + 1 + 1 + 1) + 99 * 1),
        ("cortex-m3", 0, 1 + 100 * (2 + 1 + 1 + 1 + 1) + 99 * 2),
        ("cortex-m4", 0, 1 + 100 * (2 + 1 + 1 + 1 + 1) + 99 * 2),
        ("cortex-m4", 4, 1 + 100 * (2 + 1 + 1 + 1 + 1) + 99 * (2 + 4)),
    ],
)
def test_cycles_of_a_loop_counted_by_hand(
    name: str, wait_states: int, expected: int, tmp_path: Path
) -> None:
    tools(name)
    body = "ldr r2, [sp]\nldr r2, [sp]\nmuls r2, r2, r2\nsubs r3, #1\nbne 1b"
    assembly = f".syntax unified\nmovs r3, #100\n1: {body}".replace("\n", r"\n")
    nothing, loop, code = between_marks(name, assembly, tmp_path)
    timing = timings()[name]
    both = (cycles(timing, code, span.counts, wait_states) for span in (loop, nothing))
    assert next(both) - next(both) == expected


def test_the_plugin_is_of_the_version_that_qemu_takes(tmp_path: Path) -> None:
    """From QEMU 9.0 on that is 2; it has a function that earlier ones lack."""
    counter = ["-shared", "-fPIC", str(target_dir() / "counter.c")]
    newer = "void *qemu_plugin_scoreboard_new(unsigned long n) { (void)n; return 0; }"
    (tmp_path / "newer.c").write_text(newer)
    (tmp_path / "main.c").write_text(
        "#include <dlfcn.h>\nint main(void) { return *(int *)dlsym("
        'dlopen("./counter.so", RTLD_LAZY), "qemu_plugin_version"); }'
    )
    run([need("gcc"), *counter, "-o", "counter.so"], tmp_path)
    for sources, version in ((["main.c"], 1), (["main.c", "newer.c"], 2)):
        run([need("gcc"), "-rdynamic", *sources, "-o", "qemu", "-ldl"], tmp_path)
        assert subprocess.run(["./qemu"], cwd=tmp_path, check=False).returncode == version


def test_flash_of_bench_is_what_the_constants_and_the_linker_say() -> None:
    tools("cortex-m4")
    measured = bench(mi.load(GESTURE), target("cortex-m4"))
    assert abs(measured.constant_bytes - measured.plan.constant_bytes) < 256
    assert measured.static_bytes < 8  # what aligns the arena
    assert (
        measured.ram_bytes
        == measured.plan.arena_bytes + measured.static_bytes + measured.stack_bytes
    )


@pytest.mark.parametrize("name", ["cortex-m4", "cortex-m0plus"])
def test_code_of_bench_is_the_models_and_not_what_measures_it(name: str, tmp_path: Path) -> None:
    """Functions of the model and of the compiler's library, by nm; a dozen bytes for a model with
    nothing in it, and for alignment."""
    tools(name)
    row, graph = target(name), mi.load(GESTURE)
    files = generated(graph, row, "model", numerics="tflm", kernels="own", harness="bench")
    program = build(row, tmp_path, files)
    said = run(["arm-none-eabi-nm", "-S", str(program)], tmp_path).stdout
    rows = [line.split() for line in said.splitlines()]
    code = {
        words[0]: (int(words[1], 16), words[3]) for words in rows if words[2:3] in (["T"], ["t"])
    }
    around = ("main", "measured", "model_clock", "mi_put", "mi_vectors", "reset", "fault")
    expected = sum(nbytes for nbytes, symbol in code.values() if symbol.split(".")[0] not in around)
    assert abs(bench(graph, row).code_bytes - expected) <= 24


@pytest.mark.parametrize("model", ["gesture_int8", "digits_int8", "operators/lstm_int8"])
def test_painted_stack_is_what_the_compiler_says(model: str, tmp_path: Path) -> None:
    """The deepest path through the frames that gcc reports, without memset and memcpy."""
    tools("cortex-m4")
    row, graph = target("cortex-m4"), mi.load(OWN / f"{model}.tflite")
    files = generated(graph, row, "model", numerics="tflm", kernels="own", harness="none")
    write(tmp_path, files)
    flags = [*row.flags, row.optimize, *FLAGS, "-fcallgraph-info=su"]
    run([row.compiler, *flags, "-c", "model.c"], tmp_path)
    calls = (tmp_path / "model.ci").read_text()
    frames = dict(re.findall(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes', calls))
    edges = re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', calls)

    def depth(function: str) -> int:
        deeper = [depth(called) for caller, called in edges if caller == function]
        return int(frames.get(function, 0)) + max(deeper, default=0)

    expected = depth("model_invoke")
    assert expected > 64
    assert abs(bench(graph, row).stack_bytes - expected) <= 8


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


def test_the_rows_of_make_bench() -> None:
    tools("avr")
    shared_model("tflm_hello_world_int8")
    command = [sys.executable, "bench/targets.py", "--target", "avr", "--json"]
    said = run(command, OWN.parent).stdout
    rows = {row["model"]: row for row in json.loads(said)["rows"]}
    assert rows["hello"]["instructions"] > 10_000
    assert rows["kws"]["lacks"].startswith("the model does not fit on avr: it lacks at least ")
