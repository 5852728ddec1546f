"""Generated calls of CMSIS-NN, without the library: that they compile.

They are compiled against tests/cmsis_nn_interface, which tests/test_cmsis_nn_interface.py holds
against the real header; there is also what the calls compute.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

import microinfer as mi
from c_build import C_WARNINGS, WARNINGS, need, run, write
from c_kernels_support.runtime import code
from command_line import GESTURE, microinfer
from microinfer._resources import runtime_dir
from microinfer.cmsis_nn import VARIABLE
from microinfer.emit.cmsis_nn import ANY, CORES, params
from microinfer.ops.softmax import SoftmaxParams

FOLDER = runtime_dir() / "cmsis_nn"
HEADERS = sorted(FOLDER.glob("mi_*.h"))
INTERFACE = Path(__file__).parent / "cmsis_nn_interface"

LANGUAGES = {
    "C99": ["-xc", "-std=c99", *C_WARNINGS],
    "C++17": ["-xc++", "-std=c++17", *WARNINGS],
}
FLAGS = {  # with which the interface header takes a core for one with such instructions
    "plain": [],
    "dsp": ["-D__ARM_FEATURE_DSP=1"],
    "mve": ["-D__ARM_FEATURE_DSP=1", "-D__ARM_FEATURE_MVE=1"],
}

# -- the adapters ---------------------------------------------------------------------------

STRUCTS = {
    "conv": params.ConvParams,
    "fully_connected": params.DenseParams,
    "transpose_conv": params.TransposeConvParams,
    "batch_matmul": params.BatchMatMulParams,
    "pool": params.PoolParams,
    "add": params.AddParams,
    "mul": params.MulParams,
    "softmax": SoftmaxParams,
    "pad": params.PadParams,
    "transpose": params.TransposeParams,
    "conv_s16": params.ConvS16Params,
    "fully_connected_s16": params.DenseS16Params,
    "batch_matmul_s16": params.BatchMatMulS16Params,
    "softmax_s16": params.SoftmaxS16Params,
    "svdf": params.SvdfParams,
    "svdf_s8": params.SvdfS8Params,
    "lstm": params.LstmParams,
}


@pytest.mark.parametrize("name", STRUCTS)
def test_struct_equals_dataclass(name: str) -> None:
    text = "\n".join(code(header) for header in HEADERS)
    found = re.search(rf"typedef struct \{{([^}}]*)\}} mi_cmsis_nn_{name}_params;", text)
    assert found
    pairs = {"activation": "cmsis_nn_activation"}
    hints = get_type_hints(STRUCTS[name])
    expected = []
    for field in fields(STRUCTS[name]):
        kind = str(hints[field.name])
        if field.name == "permutation":
            expected.append("uint32_t permutation[4]")
            continue
        if hints[field.name] is int:
            c_type = "int32_t "
        elif hints[field.name] == params.Dims:
            c_type = "cmsis_nn_dims "
        elif hints[field.name] == params.Pair:
            c_type = pairs.get(field.name, "cmsis_nn_tile") + " "
        elif hints[field.name] is params.LstmGate:
            c_type = "mi_cmsis_nn_lstm_gate "
        else:
            c_type = next(f"const int{n}_t *" for n in (8, 16, 32, 64) if f"int{n}]" in kind)
        expected.append(c_type + field.name)
    declared = [" ".join(line.split()) for line in found[1].split(";") if line.strip()]
    assert declared == expected


def test_every_params_struct_has_a_dataclass() -> None:
    text = "\n".join(code(header) for header in HEADERS)
    assert set(re.findall(r"\} mi_cmsis_nn_(\w+)_params;", text)) == set(STRUCTS)


def test_readme_lists_every_function() -> None:
    text = "\n".join(code(header) for header in HEADERS)
    table = (runtime_dir() / "README.md").read_text()
    for name in re.findall(r"^MI_KERNEL void (\w+)\(", text, re.MULTILINE):
        assert f"`{name}`" in table
    for header in HEADERS:
        assert f"`cmsis_nn/{header.name}`" in table


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_each_header_alone_is_clean(compiler: str, language: str) -> None:
    for header in HEADERS:
        source = f'#include "{header.name}"\n#include "{header.name}"\n'
        folders = [f"-I{folder}" for folder in (INTERFACE, runtime_dir(), FOLDER)]
        command = [need(compiler), *LANGUAGES[language], "-fsyntax-only", *folders, "-"]
        said = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr


# -- generated code -------------------------------------------------------------------------


@pytest.mark.parametrize("core", [ANY, *CORES])
@pytest.mark.parametrize("single_file", [False, True], ids=["files", "single"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_generated_calls_compile(
    compiler: str, language: str, single_file: bool, core: str, tmp_path: Path
) -> None:
    for path in (GESTURE, "models/digits_int8.tflite"):
        files = mi.generate(
            mi.load(path), "net", kernels="cmsis-nn", core=core, single_file=single_file
        )
        write(tmp_path, files)
        flags = [*LANGUAGES[language], *FLAGS.get(core, []), "-O1", f"-I{INTERFACE}"]
        run([need(compiler), *flags, "-c", "net.c", "-o", "net.o"], tmp_path)


@pytest.mark.parametrize("core", [ANY, *CORES])
@pytest.mark.parametrize(
    "model", ["separable_int4", "unet_int16", "attention_int16", "lstm_int8", "streaming_int8"]
)
def test_generated_calls_of_other_types_compile(model: str, core: str, tmp_path: Path) -> None:
    graph = mi.load(f"models/operators/{model}.tflite")
    write(tmp_path, mi.generate(graph, "net", kernels="cmsis-nn", core=core))
    flags = [*LANGUAGES["C99"], *FLAGS.get(core, []), "-O0", f"-I{INTERFACE}"]
    run([need("gcc"), *flags, "-c", "net.c", "-o", "net.o"], tmp_path)


@pytest.mark.parametrize(
    ("core", "cpu"), [("plain", "cortex-m0"), ("dsp", "cortex-m4"), ("mve", "cortex-m55")]
)
def test_generated_calls_compile_for_the_core(core: str, cpu: str, tmp_path: Path) -> None:
    write(tmp_path, mi.generate(mi.load(GESTURE), "net", kernels="cmsis-nn", core=core))
    flags = [f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=soft", *LANGUAGES["C99"], f"-I{INTERFACE}"]
    if core == "mve":
        flags[2] = "-mfloat-abi=hard"
    run([need("arm-none-eabi-gcc"), *flags, "-O2", "-c", "net.c", "-o", "net.o"], tmp_path)


def test_code_for_one_core_does_not_compile_for_another(tmp_path: Path) -> None:
    write(tmp_path, mi.generate(mi.load(GESTURE), "net", kernels="cmsis-nn", core="dsp"))
    command = [need("gcc"), f"-I{INTERFACE}", "-c", "net.c", "-o", "net.o"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode != 0
    assert "generate it again with another --core" in said.stderr


def test_the_head_says_what_comes_from_the_library_and_how_to_compile() -> None:
    files = mi.generate(mi.load(GESTURE), "net", kernels="cmsis-nn", core="mve")
    head = files["net.c"].split("*/")[0]
    assert "microinfer codegen MODEL --name net --kernels cmsis-nn --core mve" in head
    assert "computes 7 of 9 layers" in head
    assert "1 arm_convolve_1_x_n_s8" in head
    assert "for cores with MVE" in head
    assert "Include as -I" in head
    for text in files.values():
        assert all(len(line) <= 120 for line in text.splitlines())


def test_scratch_is_part_of_the_arena() -> None:
    graph = mi.load(GESTURE)
    plans = {core: mi.plan(graph, kernels="cmsis-nn", core=core) for core in (ANY, *CORES)}
    assert [plans[core].scratch_bytes for core in CORES] == [96, 96, 128]
    assert plans[ANY].scratch_bytes == 128
    assert plans[ANY].arena_bytes >= max(plan.arena_bytes for plan in plans.values())
    # Sums of weights take the place of biases, or of nothing.
    assert plans["mve"].constant_bytes == plans["dsp"].constant_bytes < plans[ANY].constant_bytes


# -- errors ---------------------------------------------------------------------------------


def test_without_a_checkout_it_says_what_to_clone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(
        mi.ToolchainError, match=r"CMSIS_NN_PATH is not set: clone https://.*CMSIS-NN"
    ):
        mi.compile(mi.load(GESTURE), kernels="cmsis-nn")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(mi.ToolchainError, match=r"where there is no Include/arm_nnfunctions\.h"):
        mi.compile(mi.load(GESTURE), kernels="cmsis-nn")
    (tmp_path / "Include").mkdir()
    (tmp_path / "Include" / "arm_nnfunctions.h").touch()
    with pytest.raises(mi.ToolchainError, match=r"where there is no Source/\*/\*\.c: clone"):
        mi.compile(mi.load(GESTURE), kernels="cmsis-nn")


def test_wrong_choices_are_refused() -> None:
    graph = mi.load(GESTURE)
    with pytest.raises(mi.BadInput, match="kernels is 'arm', expected"):
        mi.plan(graph, kernels="arm")
    with pytest.raises(mi.BadInput, match="core is 'm4', expected"):
        mi.plan(graph, kernels="cmsis-nn", core="m4")
    with pytest.raises(mi.BadInput, match="core is 'dsp', expected"):
        mi.plan(graph, core="dsp")


def test_codegen(tmp_path: Path) -> None:
    said = microinfer(
        "codegen",
        GESTURE,
        "-o",
        tmp_path / "net",
        "--kernels",
        "cmsis-nn",
        "--core",
        "dsp",
        "--json",
    )
    assert said.code == 0, said.stderr
    assert said.json["kernels"].count("own") == 2
    assert (tmp_path / "net" / "mi_cmsis_nn_conv.h").exists()
    again = microinfer("codegen", GESTURE, "-o", tmp_path / "net", "--kernels", "cmsis-nn")
    assert again.code == 0, again.stderr
    assert "layers 7 of 9 by CMSIS-NN" in again.stdout
    assert "CMSIS_NN_PATH/Include" in again.stderr
    assert "CMSIS-NN's Source/*/*.c, but those of floats (*_f16.c, " in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["codegen", "--core", "dsp"], "--core says nothing without --kernels cmsis-nn"),
        (["verify", "--kernels", "cmsis-nn", "--target", "avr"], "does not run on avr"),
        (["verify", "--kernels", "cmsis-nn", "--serial", "/dev/null"], "nor with --kernels"),
    ],
)
def test_what_does_not_go_together(arguments: list[str], message: str) -> None:
    verb, *rest = arguments
    said = microinfer(verb, GESTURE, *rest)
    assert said.code == 2
    assert message in said.stderr
