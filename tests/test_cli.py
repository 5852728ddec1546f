"""The command line as a whole: help, usage, errors, exit codes, pipes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from command_line import DIGITS, DIGITS_INPUTS, MODELS, Said, microinfer
from microinfer.cli import VERBS

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def process(
    *arguments: str | Path,
    stdout: int | IO[bytes] = subprocess.PIPE,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> Said:
    """Run a command as a program of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "microinfer", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
        cwd=folder,
        check=False,
    )
    return Said(result.returncode, (result.stdout or b"").decode(), result.stderr.decode())


def test_alone_it_prints_its_help() -> None:
    said = microinfer()
    assert said.code == 0
    assert said == microinfer("--help")
    assert [line.split()[0] for line in said.stdout.split("Commands:\n")[1].splitlines()[:4]] == [
        "inspect",
        "run",
        "codegen",
        "verify",
    ]


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_fits_80_columns_and_has_examples(verb: str) -> None:
    said = microinfer(*filter(None, [verb, "-h"]))
    assert said.code == 0
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert f"\n    microinfer {verb or 'inspect'} kws.tflite" in said.stdout


def test_version() -> None:
    said = microinfer("--version")
    assert said.code == 0
    assert said.stdout.startswith("microinfer 0.")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["inspct"], "no such command 'inspct'; did you mean inspect?\ntry: microinfer --help"),
        (
            ["xyz"],
            "no such command 'xyz'; there are inspect, run, codegen, verify, diff, explain,"
            " accuracy, report, bench\n"
            "try: microinfer --help",
        ),
        (["run"], "missing argument 'MODEL'\ntry: microinfer run --help"),
        (
            ["verify", "x.tflite", "--target", "avr", "--target", "cortex-m4"],
            "--target is given twice; it takes one value\ntry: microinfer verify --help",
        ),
        (
            ["run", "x.tflite"],
            "choose one of --input FILE and --random N\ntry: microinfer run --help",
        ),
        (
            ["run", "x.tflite", "--random", "1", "--input", "x.npy"],
            "choose one of --input FILE and --random N\ntry: microinfer run --help",
        ),
        (
            ["verify", "x.tflite", "--random", "1", "--input", "x.npy"],
            "choose one of --input and --random\ntry: microinfer verify --help",
        ),
        (
            ["run", "x.tflite", "-i", "x.png", "--image-range", "1"],
            "invalid value for '--image-range': '1'; expected two rising numbers such as 0,1 or"
            " -1,1\ntry: microinfer run --help",
        ),
        (
            ["inspect", "x.tflite", "--numerics", "xnnpack"],
            "invalid value for '--numerics': 'xnnpack' is not one of 'tflm', 'litert'\n"
            "try: microinfer inspect --help",
        ),
        (
            ["run", "x.tflite", "--random", "x"],
            "invalid value for '--random': 'x'; expected a whole number, 1 or more\n"
            "try: microinfer run --help",
        ),
        (
            ["run", "x.tflite", "--random", "1", "--seed", "-1"],
            "invalid value for '--seed': '-1'; expected a whole number, 0 or more\n"
            "try: microinfer run --help",
        ),
        (
            ["run", "x.tflite", "--inptu", "x.npy"],
            "no such option '--inptu'; did you mean --input?\ntry: microinfer run --help",
        ),
        (
            ["inspect", "x.tflite", "--zzz"],
            "no such option '--zzz'\ntry: microinfer inspect --help",
        ),
        (
            ["run", "x.tflite", "-i", "x.npy", "--seed", "0"],
            "--seed says nothing without --random\ntry: microinfer run --help",
        ),
        (
            ["verify", "x.tflite", "-i", "x.npy", "--seed", "3"],
            "--seed says nothing without --random\ntry: microinfer verify --help",
        ),
        (
            ["verify", "x.tflite", "--quantize-input"],
            "--quantize-input says nothing without --input\ntry: microinfer verify --help",
        ),
        (
            ["run", "x.tflite", "--random", "3", "--image-range", "0,1"],
            "--image-range says nothing without --input\ntry: microinfer run --help",
        ),
        (
            ["codegen", "x.tflite", "--quantize-input"],
            "--quantize-input says nothing without --selftest-input\n"
            "try: microinfer codegen --help",
        ),
        (
            ["codegen", "x.tflite", "-o", ""],
            "invalid value for '-o' / '--output': '' names no folder; for the current one write"
            " '.'\ntry: microinfer codegen --help",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], error: str) -> None:
    assert microinfer(*arguments) == Said(2, "", f"error: {error}\n")


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("absent.tflite", None, "no such file"),
        ("cat.png", PNG, "at byte 4: not a .tflite file but a PNG image:"),
        ("empty.tflite", b"", "at byte 0: a file of 0 bytes; expected a .tflite file"),
        ("cut.tflite", DIGITS.read_bytes()[:9000], "is damaged or cut short: at byte "),
        ("samples.npy", DIGITS_INPUTS.read_bytes(), "at byte 4: not a .tflite file:"),
    ],
)
@pytest.mark.parametrize("verb", VERBS)
def test_not_a_model(tmp_path: Path, verb: str, name: str, data: bytes | None, error: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    needs = {
        "run": ["--random", "1"],
        "bench": ["--target", "cortex-m4"],
        "diff": ["--against", "c"],
        "accuracy": ["--inputs", DIGITS_INPUTS],
        "report": ["--inputs", DIGITS_INPUTS, "--json"],
    }
    said = microinfer(verb, tmp_path / name, *needs.get(verb, []))
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"error: {tmp_path / name}: {error}")
    assert said.stderr.count("\n") == 1


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    said = microinfer("inspect", tmp_path)
    assert said == Said(2, "", f"error: {tmp_path}: is a folder, expected a file\n")


def test_a_mistyped_file_name_is_corrected(tmp_path: Path) -> None:
    shutil.copy(DIGITS, tmp_path)
    said = microinfer("inspect", tmp_path / "digit_int8.tflite")
    wrong, right = tmp_path / "digit_int8.tflite", tmp_path / "digits_int8.tflite"
    assert said == Said(2, "", f"error: {wrong}: no such file; did you mean {right}?\n")


def test_a_float32_model_is_refused_with_every_reason_and_one_hint() -> None:
    model = MODELS / "digits_float32.tflite"
    said = microinfer("inspect", model, "--json")
    assert said == Said(
        2,
        "",
        f"error: {model}: cannot run 11 of 11 layers\n"
        "  layers 0, 2, 5, 7 CONV_2D, 8 tensors: has type FLOAT32, expected INT8 or INT16\n"
        "  layers 0, 2, 5, 7 CONV_2D, 4 tensors: has type FLOAT32, expected INT8 or INT4\n"
        "  layers 1, 4, 6 DEPTHWISE_CONV_2D, 6 tensors: has type FLOAT32, expected INT8 or INT16\n"
        "  layers 1, 4, 6 DEPTHWISE_CONV_2D, 3 tensors: has type FLOAT32, expected INT8 or INT4\n"
        "  layer 3 ADD, 3 tensors: has type FLOAT32, expected INT8 or INT16\n"
        "  layer 8 MEAN, 2 tensors: has type FLOAT32, expected INT8 or INT16\n"
        "  layer 9 FULLY_CONNECTED, 2 tensors: has type FLOAT32, expected INT8 or INT16\n"
        '  layer 9 FULLY_CONNECTED "digits_1/classify_1/MatMul": has type FLOAT32, expected INT8 or'
        " INT4\n"
        "  layer 10 SOFTMAX, 2 tensors: has type FLOAT32, expected INT8 or INT16\n"
        "hint: convert the model with full-integer int8 quantization\n",
    )


def test_python_m_is_the_same_command() -> None:
    assert process("inspect", DIGITS) == microinfer("inspect", DIGITS)
    assert process("inspect", DIGITS, "--nope").code == 2


def test_nothing_but_text_in_a_pipe() -> None:
    said = process("verify", DIGITS, environment={"NO_COLOR": "", "TERM": "xterm-256color"})
    assert said.code == 0
    assert "\x1b" not in said.stdout + said.stderr


def test_a_terminal_without_the_characters_gets_others() -> None:
    said = process("inspect", DIGITS, environment={"PYTHONIOENCODING": "ascii"})
    assert said.code == 0
    assert said.stdout == microinfer("inspect", DIGITS).stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "microinfer", "run", str(DIGITS), "--random", "2000", "--json"]
    pipe = subprocess.PIPE
    # Unbuffered, Python itself drops what the pipe does not take, without an error.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(command, bufsize=0, stdout=pipe, stderr=pipe, env=environment) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.read(2) == b"{\n"
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("wb") as full:
        said = process("inspect", DIGITS, stdout=full)
    assert said == Said(2, "", "error: cannot print: No space left on device\n")


@pytest.mark.parametrize(
    "environment",
    [{"CC": "no-such-compiler"}, {"CC": "", "PATH": ""}],
    ids=["CC names none", "PATH has none"],
)
def test_no_compiler(environment: dict[str, str]) -> None:
    said = process("verify", DIGITS, environment=environment)
    name = environment["CC"] or "cc"
    assert said == Said(
        2,
        "",
        f"error: there is no C compiler {name!r}: install one (Debian: apt install gcc), or set CC"
        " to yours\n",
    )


def test_a_compiler_that_fails() -> None:
    said = process("verify", DIGITS, environment={"CC": f"{sys.executable} -c 1/0"})
    assert (said.code, said.stdout) == (2, "")
    assert "failed on the generated C:\n" in said.stderr
    assert "ZeroDivisionError" in said.stderr


def interrupted(wait: Callable[[], bool], *arguments: str | Path) -> tuple[int, bytes]:
    """Exit code and stderr of a command that gets SIGINT once ``wait`` is true."""
    with subprocess.Popen(
        [sys.executable, "-m", "microinfer", *map(str, arguments)], stderr=subprocess.PIPE
    ) as program:
        assert program.stderr is not None
        deadline = time.monotonic() + 30
        while not wait() and time.monotonic() < deadline:
            time.sleep(0.01)
        program.send_signal(signal.SIGINT)
        try:
            return program.wait(timeout=30), program.stderr.read()
        finally:
            program.kill()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
def test_ctrl_c(tmp_path: Path) -> None:
    """The command waits for a model from a named pipe; SIGINT comes when it has opened it."""
    fifo = tmp_path / "model.tflite"
    os.mkfifo(fifo)
    writers: list[int] = []

    def opened() -> bool:
        try:
            writers.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody reads yet
            return False
        return True

    code, stderr = interrupted(opened, "inspect", fifo)
    assert (code, stderr.split()) == (130, [b"error:", b"interrupted"])
    os.close(writers[0])


def test_a_name_in_a_model_cannot_steer_the_terminal(tmp_path: Path) -> None:
    data = DIGITS.read_bytes()
    evil = data.replace(b"serving_default_image:0", b"\x1b[2J\x1b[31mefault_image:0")
    model = tmp_path / "evil.tflite"
    model.write_bytes(evil)
    np.save(tmp_path / "x.npy", np.zeros(3))
    for said in (microinfer("inspect", model), microinfer("run", model, "-i", tmp_path / "x.npy")):
        assert "?[2J?[31mefault_image:0" in said.stdout + said.stderr
        assert "\x1b" not in said.stdout + said.stderr
