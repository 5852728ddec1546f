"""Generated C under the compilers: warnings, C++, sanitizers, symbols, memory, names."""

from __future__ import annotations

import itertools
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from c_build import C_WARNINGS, SANITIZERS, WARNINGS, need, run, write
from cases import TABLES
from microinfer.emit.selftest import pattern
from shared_models import INT8_MODELS, shared_model

OWN = ("digits", "gesture", "vibration")
COMPILERS = ("gcc", "clang")


def own(name: str) -> mi.Graph:
    return mi.load(f"models/{name}_int8.tflite")


def load(name: str) -> mi.Graph:
    return own(name) if name in OWN else mi.load(shared_model(name))


HOOKS = ["-DM_TRACE", "-DM_PROFILE", "-DM_SELFTEST"]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", [*INT8_MODELS, *OWN])
def test_no_warnings_as_c99_and_cpp17(name: str, compiler: str, tmp_path: Path) -> None:
    need(compiler)
    plusplus = need({"gcc": "g++", "clang": "clang++"}[compiler])
    graph = load(name)
    for numerics, arena in (("tflm", "static"), ("litert", "caller")):
        folder = write(
            tmp_path / arena,
            mi.generate(graph, "m", numerics=numerics, arena=arena),  # type: ignore[arg-type]
        )
        for level in ("-O0", "-O2", "-Os"):
            common = ["-c", "m.c", "-o", "m.o", level]
            run([compiler, "-std=c99", *C_WARNINGS, *common], folder)
            run([plusplus, "-std=c++17", "-x", "c++", *WARNINGS, *common], folder)
        run([compiler, "-std=c99", *C_WARNINGS, *HOOKS, "-O1", "-c", "m.c", "-o", "m.o"], folder)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("arena", "optimize", "single_file"),
    list(itertools.product(("static", "caller"), ("speed", "size"), (False, True))),
)
def test_every_option_compiles_cleanly(
    arena: str, optimize: str, single_file: bool, compiler: str, tmp_path: Path
) -> None:
    need(compiler)
    plusplus = need({"gcc": "g++", "clang": "clang++"}[compiler])
    options = {"arena": arena, "optimize": optimize, "single_file": single_file}
    files = mi.generate(own("digits"), "m", **options)  # type: ignore[arg-type]
    assert sorted(files)[:2] == ["m.c", "m.h"]
    assert single_file == (len(files) == 2)
    folder = write(tmp_path, files)
    for flags in ([], HOOKS, ["-DM_NO_FLOAT"]):
        run([compiler, "-std=c99", *C_WARNINGS, *flags, "-O2", "-c", "m.c", "-o", "m.o"], folder)
    run([plusplus, "-std=c++17", "-x", "c++", *WARNINGS, *HOOKS, "-c", "m.c", "-o", "m.o"], folder)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("op", ["ADD", "CONCATENATION", "DEQUANTIZE", "QUANTIZE", "RESHAPE"])
def test_float_ports_several_inputs_and_layers_without_code(
    op: str, compiler: str, tmp_path: Path
) -> None:
    need(compiler)
    plusplus = need({"gcc": "g++", "clang": "clang++"}[compiler])
    for arena in ("static", "caller"):
        files = mi.generate(TABLES[op][0].graph, "m", arena=arena)  # type: ignore[arg-type]
        folder = write(tmp_path / arena, files)
        common = [*HOOKS, "-O2", "-c", "m.c", "-o", "m.o"]
        run([compiler, "-std=c99", *C_WARNINGS, *common], folder)
        run([plusplus, "-std=c++17", "-x", "c++", *WARNINGS, *common], folder)


@pytest.mark.parametrize("name", [*INT8_MODELS, *OWN])
def test_only_three_headers_and_no_foreign_symbols(name: str, tmp_path: Path) -> None:
    need("gcc")
    files = mi.generate(load(name), "m")
    included = set(re.findall(r"#include <(.*?)>", "".join(files.values())))
    assert included <= {"stddef.h", "stdint.h", "string.h"}
    folder = write(tmp_path, files)
    run(["gcc", "-std=c99", "-O2", *HOOKS, "-c", "m.c", "-o", "m.o"], folder)
    symbols = [line.split() for line in run(["nm", "-g", "m.o"], folder).stdout.splitlines()]
    defined = {line[-1] for line in symbols if line[-2] != "U"}
    needed = {line[-1] for line in symbols if line[-2] == "U"}
    assert {"m_invoke", "m_input", "m_output", "m_selftest"} <= defined
    assert all(symbol.startswith("m_") for symbol in defined)
    assert needed <= {"memcpy", "memset", "m_trace", "_GLOBAL_OFFSET_TABLE_"}


REPLAY = """
#include "m.h"
#include <stdio.h>
#include <string.h>

/* Reads inputs from one file, runs the model on each, writes every layer's output to another. */
static FILE *out;

void m_trace(int layer, int output, const void *data, size_t bytes)
{
    (void)layer;
    (void)output;
    fwrite(data, 1, bytes, out);
}

int main(int argc, char **argv)
{
    FILE *in = fopen(argv[1], "rb");
    out = fopen(argv[2], "wb");
    if (argc != 3 || in == NULL || out == NULL) {
        return 2;
    }
    while (fread(m_input(0), 1, M_INPUT_SIZE, in) == M_INPUT_SIZE) {
        if (m_invoke() != M_OK) {
            return 1;
        }
    }
    fclose(in);
    return fclose(out);
}
"""


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", [*INT8_MODELS, *OWN])
def test_sanitizers_find_nothing_and_the_bits_stay(
    name: str, compiler: str, tmp_path: Path
) -> None:
    need(compiler)
    graph = load(name)
    (index,) = graph.inputs
    rng = np.random.default_rng(5)
    inputs = rng.integers(-128, 128, (3, *graph.tensors[index].shape)).astype(np.int8)
    inputs[0], inputs[1] = -128, 127
    for numerics in ("tflm", "litert"):
        folder = write(
            tmp_path / numerics, {**mi.generate(graph, "m", numerics=numerics), "main.c": REPLAY}
        )
        inputs.tofile(folder / "in.bin")
        flags = ["-std=c99", "-O1", *SANITIZERS, "-DM_TRACE", "main.c", "m.c", "-o", "replay"]
        run([compiler, *flags], folder)
        run(["./replay", "in.bin", "out.bin"], folder)
        trace = mi.Interpreter(graph, numerics).trace(inputs)
        expected = b"".join(
            output[sample].tobytes()
            for sample in range(len(inputs))
            for layer in trace
            for output in layer.outputs
        )
        dump = (folder / "out.bin").read_bytes()
        assert dump == expected
        device = mi.Trace.from_bytes(graph, dump[: len(dump) // len(inputs)], inputs[0])
        mi.diff(mi.Interpreter(graph, numerics).trace(inputs[0]), device).assert_identical()
        one = dump[: len(dump) // len(inputs)]
        bare = inputs[0].reshape(graph.tensors[graph.inputs[0]].shape[1:])
        device = mi.Trace.from_bytes(graph, one, bare)
        mi.diff(mi.Interpreter(graph, numerics).trace(bare), device).assert_identical()
        with pytest.raises(mi.BadInput, match="got 0 arrays, expected 1"):
            mi.Trace.from_bytes(graph, one)
        with pytest.raises(mi.BadInput, match="of one sample, got 2"):
            mi.Trace.from_bytes(graph, one, inputs[:2])
        with pytest.raises(mi.BadInput, match=r"expected .* every layer's output"):
            mi.Trace.from_bytes(graph, dump[:-1], inputs[0])


# CRC-32 of the output for the self-test's formula, measured on TFLM by others (BASELINES).
PUBLISHED = {
    "tflm_hello_world_int8": 0x0762AE69,
    "mlperf_kws_int8": 0x6F8D0761,
    "mlperf_vww_int8": 0xCCF8C6C3,
    "mlperf_ic_int8": 0x41EE1B3A,
    "mlperf_ad_int8": 0x0642E1DD,
    "tflm_person_detect_int8": 0xAF4FA1F3,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_output_crc_is_the_published_one(name: str) -> None:
    graph = mi.load(shared_model(name))
    tensor = graph.tensors[graph.inputs[0]]
    (output,) = mi.compile(graph).run(pattern(tensor.size, tensor.dtype).reshape(tensor.shape))
    assert zlib.crc32(output.tobytes()) == PUBLISHED[name]


CALLER = """
#include "m.h"
#include <stdio.h>
#include <string.h>

static union {
    int64_t aligned;
    unsigned char bytes[M_ARENA_SIZE + 8];
} a, b;

int main(void)
{
    int8_t first[M_OUTPUT_SIZE];

    memset(m_input(a.bytes, 0), 1, M_INPUT_SIZE);
    memset(m_input(b.bytes, 0), 2, M_INPUT_SIZE);
    if (m_invoke(a.bytes, M_ARENA_SIZE) != M_OK) {
        return 1;
    }
    memcpy(first, m_output(a.bytes, 0), sizeof first);
    if (m_invoke(b.bytes, M_ARENA_SIZE) != M_OK) {
        return 2;
    }
    if (memcmp(first, m_output(a.bytes, 0), sizeof first) != 0) {
        return 3;  /* the second arena's run reached into the first */
    }
    if (m_invoke(NULL, M_ARENA_SIZE) != M_ERROR_ARENA || m_invoke(a.bytes + 1, M_ARENA_SIZE) !=
        M_ERROR_ARENA || m_invoke(a.bytes, M_ARENA_SIZE - 1) != M_ERROR_ARENA) {
        return 4;
    }
    return 0;
}
"""


def test_caller_arena_is_re_entrant_and_checked(tmp_path: Path) -> None:
    need("gcc")
    folder = write(tmp_path, {**mi.generate(own("gesture"), "m", arena="caller"), "main.c": CALLER})
    run(["gcc", "-std=c99", *C_WARNINGS, *SANITIZERS, "main.c", "m.c"], folder)
    run(["./a.out"], folder)


def test_placement_attributes_reach_constants_and_arena(tmp_path: Path) -> None:
    need("gcc")
    folder = write(tmp_path, mi.generate(own("gesture"), "m"))
    attributes = [
        '-DM_CONST_ATTR=__attribute__((section(".flash2")))',
        '-DM_ARENA_ATTR=__attribute__((section(".noinit.m")))',
    ]
    run(["gcc", "-std=c99", "-O0", *attributes, "-c", "m.c", "-o", "m.o"], folder)
    sections = {
        parts[1]: int(parts[2], 16)
        for line in run(["objdump", "-h", "m.o"], folder).stdout.splitlines()
        if len(parts := line.split()) > 3 and parts[0].isdigit()
    }
    plan = mi.plan(own("gesture"))
    assert sections[".noinit.m"] >= plan.arena_bytes
    assert sections[".flash2"] >= plan.constant_bytes
    assert sections.get(".bss", 0) == 0


def test_a_kernel_of_another_version_does_not_compile(tmp_path: Path) -> None:
    need("gcc")
    files = mi.generate(own("gesture"), "m")
    runtime = files["mi_runtime.h"]
    files["mi_runtime.h"] = runtime.replace("MI_RUNTIME_VERSION 1", "MI_RUNTIME_VERSION 0")
    assert files["mi_runtime.h"] != runtime
    folder = write(tmp_path, files)
    with pytest.raises(AssertionError, match="generate it again"):
        run(["gcc", "-std=c99", "-c", "m.c", "-o", "m.o"], folder)


@pytest.mark.parametrize("name", ["", "2nd", "while", "class", "a-b", "mi_x", "größe", "a/b"])
def test_names_that_are_no_identifiers_are_refused(name: str) -> None:
    with pytest.raises(mi.BadInput, match="cannot call the generated code"):
        mi.generate(own("gesture"), name)
