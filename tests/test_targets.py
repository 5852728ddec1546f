"""The generated C on emulated cores gives the interpreter's bits, layer by layer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from c_build import need
from command_line import GESTURE, microinfer
from compared import Compared
from microinfer.emit import plan
from microinfer.errors import BadInput, ToolchainError
from microinfer.targets import emulated, emulator, target, targets
from microinfer.targets.build import build, generated
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


@pytest.mark.parametrize(
    ("text", "instead", "error", "message"),
    [
        (
            'put_text("ready\\n");',
            "return 5;",
            ToolchainError,
            "last that came: microinfer 1 model",
        ),
        ('put_text("done ");', '__asm__ volatile("udf #1");', BadInput, "says: error fault"),
    ],
)
def test_a_program_that_ends_early_is_an_error(
    text: str, instead: str, error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools("cortex-m4")

    def broken(*arguments: Any, **options: Any) -> dict[str, str]:
        files = generated(*arguments, **options)
        harness = files["model_harness.c"].replace(text, instead)
        assert harness != files["model_harness.c"]
        return {**files, "model_harness.c": harness}

    monkeypatch.setattr(emulator, "generated", broken)
    graph = mi.load(GESTURE)
    with (
        pytest.raises(error, match=message),
        emulated(graph, target("cortex-m4")) as device,
    ):
        device.trace(*samples(graph, 2))


@pytest.mark.parametrize(
    "says",
    [
        "/usr/lib/gcc/include/stdint.h:9:16: fatal error: stdint.h: No such file or directory",
        "gcc: fatal error: cannot read spec file 'picolibc.specs': No such file or directory",
    ],
)
def test_a_missing_c_library_is_named_with_its_package(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = target("riscv32")
    compiler = tmp_path / row.compiler
    compiler.write_text(f'#!/bin/sh\necho "{says}" >&2\nexit 1\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"apt install .*picolibc-riscv64"):
        build(row, tmp_path, {})


def test_an_unknown_target_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="no target 'cortex-m9'; there are host, cortex-m0plus"):
        target("cortex-m9")


def test_verify_on_a_target() -> None:
    tools("cortex-m4")
    said = microinfer("verify", GESTURE, "--target", "cortex-m4", "--random", "2", "--json")
    assert said.code == 0, said.stderr
    assert said.json["identical"] is True
    assert said.json["target"] == "cortex-m4"
