"""Generated calls of CMSIS-NN, without the library: what is chosen, and that it compiles.

They are compiled against tests/cmsis_nn_interface, which tests/test_cmsis_nn_interface.py holds
against the real header; there is also what the calls compute.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

import microinfer as mi
from c_build import C_WARNINGS, WARNINGS, need, run, write
from c_kernels_support.runtime import code
from cases import TABLES
from command_line import GESTURE, microinfer
from microinfer._resources import runtime_dir
from microinfer.cmsis_nn import VARIABLE
from microinfer.emit.cmsis_nn import ANY, CORES, params
from microinfer.ops.softmax import SoftmaxParams
from one_op import activation, constant, one_op

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
        else:
            c_type = "const int8_t *" if "int8" in kind else "const int32_t *"
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
    assert "2 arm_convolve_wrapper_s8" in head
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


# -- what is chosen -------------------------------------------------------------------------


def functions(graph: mi.Graph, core: str = ANY, numerics: str = "tflm") -> list[str]:
    return [
        layer.library for layer in mi.plan(graph, numerics, kernels="cmsis-nn", core=core).layers
    ]


def test_default_kernels_are_ours() -> None:
    assert not any(layer.library for layer in mi.plan(mi.load(GESTURE)).layers)
    assert "CMSIS-NN " not in "".join(
        text.replace("kernels or CMSIS-NN", "")
        for text in mi.generate(mi.load(GESTURE), "net").values()
    )


def test_litert_keeps_what_it_computes_as_tflm_does() -> None:
    """FULLY_CONNECTED rounds otherwise there: it falls back."""
    graph = mi.load(GESTURE)
    ours = [layer.prepared.op.name for layer in mi.plan(graph).layers]
    chosen = dict(zip(ours, functions(graph, numerics="litert"), strict=True))
    assert chosen["FULLY_CONNECTED"] == ""
    assert chosen["CONV_2D"] == "arm_convolve_wrapper_s8"


def add(sign: str, *shapes: tuple[int, ...]) -> mi.Graph:
    sources = [activation(shape, 0.5, name=f"x{i}") for i, shape in enumerate(shapes)]
    shape = np.broadcast_shapes(*shapes)
    return one_op(sign, sources, activation(shape, 0.5, name="y"))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (add("ADD", (1, 4, 3), (1, 4, 3)), "arm_elementwise_add_s8"),
        (add("ADD", (1, 4, 3), (3,)), ""),
        (add("ADD", (1, 4, 3), (1, 1, 1)), ""),
        (add("SUB", (1, 4, 3), (1, 4, 3)), ""),
        (add("MUL", (1, 4, 3), (1, 4, 3)), "arm_elementwise_mul_s8"),
        (add("MUL", (1, 4, 3), (1, 4, 1)), ""),
    ],
)
def test_elementwise_needs_equal_shapes(graph: mi.Graph, expected: str) -> None:
    assert functions(graph) == [expected]


@pytest.mark.parametrize(("depth", "expected"), [(255, "arm_softmax_s8"), (256, "")])
def test_softmax_of_many_classes_is_ours(depth: int, expected: str) -> None:
    """From 512 equal inputs on the library shifts by 32 bits and more."""
    graph = one_op(
        "SOFTMAX", [activation((1, depth), 0.1)], activation((1, depth), 1 / 256, -128), beta=1.0
    )
    assert functions(graph) == [expected]


def one_row(width: int, kernel: int, stride: int, padding: str) -> mi.Graph:
    output = -(-width // stride) if padding == "SAME" else (width - kernel) // stride + 1
    return one_op(
        "CONV_2D",
        [
            activation((1, 1, width, 4), 0.5),
            constant(np.ones((2, 1, kernel, 4), np.int8), 0.5, name="w"),
        ],
        activation((1, 1, output, 2), 4.0, name="y"),
        padding=padding,
        stride_h=stride,
        stride_w=stride,
    )


@pytest.mark.parametrize(
    ("graph", "short_cut"),
    [
        (one_row(9, 3, 1, "SAME"), True),
        (one_row(9, 4, 1, "SAME"), True),
        (one_row(9, 3, 1, "VALID"), True),
        (one_row(9, 3, 2, "SAME"), True),
        # One element at the end that no window covers: it takes the last window for padded.
        (one_row(10, 3, 2, "VALID"), False),
        # Padding of two elements on the right, of which it sees one.
        (one_row(10, 6, 2, "SAME"), False),
        (one_row(9, 3, 2, "VALID"), False),  # it reads beyond the input
        (one_row(2, 5, 1, "SAME"), True),  # too short to have a middle: it does without
    ],
)
def test_the_short_cut_for_one_row_only_where_it_is_right(graph: mi.Graph, short_cut: bool) -> None:
    name = "arm_convolve_wrapper_s8" if short_cut else "arm_convolve_s8"
    assert functions(graph, "mve") == functions(graph, ANY) == [name]
    assert functions(graph, "dsp") == functions(graph, "plain") == ["arm_convolve_wrapper_s8"]


def depthwise(channels: int) -> mi.Graph:
    """Without bias."""
    weights = np.arange(9 * channels).reshape(1, 3, 3, channels) % 255 - 127
    return one_op(
        "DEPTHWISE_CONV_2D",
        [activation((1, 6, 5, channels), 0.5, 3), constant(weights, 0.01, name="w")],
        activation((1, 6, 5, channels), 1.0, name="y"),
        padding="SAME",
        stride_h=1,
        stride_w=1,
        depth_multiplier=1,
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_groups_always_have_a_bias(groups: int) -> None:
    """From group to group the library moves the bias on, be it NULL."""
    weights = constant(np.ones((2, 1, 1, 4 // groups), np.int8), 0.5, name="w")
    graph = one_op(
        "CONV_2D",
        [activation((1, 2, 2, 4), 0.5), weights],
        activation((1, 2, 2, 2), 4.0, name="y"),
        padding="VALID",
        stride_h=1,
        stride_w=1,
    )
    (layer,) = mi.plan(graph, kernels="cmsis-nn").layers
    bias = layer.calls[0].params.bias
    assert (bias is None) if groups == 1 else (bias.tolist() == [0, 0])


@pytest.mark.parametrize(
    ("channels", "core", "added"), [(124, ANY, False), (125, ANY, True), (125, "dsp", False)]
)
def test_many_depthwise_channels_have_a_bias_with_mve(
    channels: int, core: str, added: bool
) -> None:
    (layer,) = mi.plan(depthwise(channels), kernels="cmsis-nn", core=core).layers
    assert (layer.calls[0].params.bias is not None) is added


@pytest.mark.parametrize(("bias", "expected"), [(2**30, True), (2**31 - 2**8, False)])
def test_sums_that_the_library_might_wrap_are_ours(bias: int, expected: bool) -> None:
    graph = one_op(
        "FULLY_CONNECTED",
        [
            activation((1, 1), 1.0),
            constant(np.ones((1, 1), np.int8), 1.0, name="w"),
            constant(np.array([bias], np.int32), 1.0, name="b"),
        ],
        activation((1, 1), 2.0**24, name="y"),
    )
    assert (functions(graph) != [""]) is expected


def test_no_operator_is_chosen_in_vain() -> None:
    """Every case of every operator: a call takes the operands and outputs that ours takes."""
    for table in TABLES.values():
        for case in table:
            try:
                own = mi.plan(case.graph)
            except mi.UnsupportedModel:
                continue
            library = mi.plan(case.graph, kernels="cmsis-nn")
            for ours, theirs in zip(own.layers, library.layers, strict=True):
                if theirs.library:
                    inputs = sorted({i for call in ours.calls for i in call.inputs})
                    assert list(theirs.calls[0].inputs) == inputs
                    assert theirs.calls[0].outputs == ours.calls[0].outputs


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
