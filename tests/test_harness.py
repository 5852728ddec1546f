"""The device's side of the trace: what it says over its line, and what is made of it."""

from __future__ import annotations

import itertools
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from c_build import C_WARNINGS, WARNINGS, need
from command_line import DIGITS, GESTURE, microinfer
from microinfer.errors import BadInput
from microinfer.targets import protocol, serial_port

# A board of this machine: its line is stdin and stdout.
BOARD = """
#include <stdio.h>

int gesture_harness(void);
void mi_put(char c);
int mi_get(void);

void mi_put(char c) { putchar(c); if (c == '\\n') { fflush(stdout); } }
int mi_get(void) { return getchar(); }
int main(void) { return gesture_harness(); }
"""
MUTE = BOARD.replace("int mi_get(void) { return getchar(); }", "")


@pytest.fixture(scope="module", params=["static", "caller"])
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gesture model in its harness, as a program."""
    return built(tmp_path_factory.mktemp("board"), BOARD, request.param)


def built(folder: Path, main: str, arena: str = "static") -> Path:
    said = microinfer(
        *("codegen", GESTURE, "-o", folder, "--name", "gesture"),
        *("--harness", "uart", "--arena", arena),
    )
    assert said.code == 0, said.stderr
    (folder / "main.c").write_text(main)
    compiled(folder, "gcc", "-std=c99", *C_WARNINGS)
    return folder / "board"


def compiled(folder: Path, compiler: str, *flags: str) -> None:
    command = [need(compiler), *flags, "-DGESTURE_TRACE", "-o", "board"]
    sources = ["gesture.c", "gesture_harness.c", "main.c"]
    result = subprocess.run(
        [*command, *sources], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def talk(board: Path, text: str) -> list[str]:
    result = subprocess.run([board], input=text, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def sample() -> np.ndarray:
    graph = mi.load(GESTURE)
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(1).integers(-128, 128, shape).astype(np.int8)


def layer_bytes(x: np.ndarray) -> bytes:
    trace = mi.Interpreter(mi.load(GESTURE)).trace(x)
    return b"".join(output.tobytes() for layer in trace for output in layer.outputs)


def test_a_run_is_the_interpreters(board: Path) -> None:
    graph, x = mi.load(GESTURE), sample()
    lines = iter(talk(board, protocol.run_command([x]) + "quit\n"))
    greeting = protocol.greeting(lines)
    assert (greeting.name, greeting.numerics) == ("gesture", "tflm")
    assert greeting.sha256 == graph.sha256
    assert protocol.read_run(lines, graph) == layer_bytes(x)


def test_what_is_wrong_with_a_command_is_said_and_the_next_one_runs(board: Path) -> None:
    good = protocol.run_command([sample()])
    bad = [
        good[:20] + "\n",
        good.replace(" ", "  ", 1),
        good[:10] + "x" + good[11:],
        good[:-2] + ("0" if good[-2] != "0" else "1") + "\n",
        good[:-10] + "00" + good[-10:],
        good[:-10] + "\n",
        good[:-3] + "\n",
        "jump\n",
        "rum 00\n",
    ]
    said = talk(board, "".join(bad) + "\r\nhello\r\n" + good + "quit\n")
    wrong = [line for line in said if line.startswith("error")]
    assert wrong == [
        "error too few bytes",
        "error too few bytes",
        "error too few bytes",
        "error wrong checksum",
        "error too many bytes",
        "error no checksum",
        "error no checksum",
        "error unknown command",
        "error unknown command",
    ]
    assert sum(line.startswith("microinfer 1 gesture") for line in said) == 2
    assert said[-2:] == ["done 0", "ready"]


def test_a_board_that_only_sends_runs_the_known_input(tmp_path: Path) -> None:
    graph = mi.load(GESTURE)
    shape = graph.tensors[graph.inputs[0]].shape
    known = ((np.arange(np.prod(shape)) * 37 + 11) % 256 - 128).astype(np.int8).reshape(shape)
    lines = iter(talk(built(tmp_path, MUTE), ""))
    protocol.greeting(lines)
    assert not protocol.listens(lines)
    assert protocol.read_run(lines, graph) == layer_bytes(known)


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("clang", ["-std=c99", *C_WARNINGS]), ("g++", ["-x", "c++", "-std=c++17", *WARNINGS])],
)
def test_compiles_without_a_warning(tmp_path: Path, compiler: str, flags: list[str]) -> None:
    built(tmp_path, BOARD)
    if compiler == "g++":
        main = BOARD.replace("#include <stdio.h>", '#include <stdio.h>\nextern "C" {')
        (tmp_path / "main.c").write_text(main.replace("int main", "}\nint main"))
    compiled(tmp_path, compiler, *flags)


def heard(lines: Iterator[str]) -> bytes:
    """What the PC makes of one run."""
    protocol.greeting(lines)
    return protocol.read_run(lines, mi.load(GESTURE))


def edited(lines: list[str], prefix: str, to: str) -> Iterator[str]:
    """``lines`` with the first that begins with ``prefix`` replaced."""
    place = next(i for i, line in enumerate(lines) if line.startswith(prefix))
    return iter([*lines[:place], to, *lines[place + 1 :]])


@pytest.mark.parametrize(
    ("prefix", "to", "message"),
    [
        ("microinfer", "microinfer 2 gesture - tflm 6", "speaks version 2, expected 1"),
        ("microinfer", "boot", "did not greet"),
        ("layer 1", "layer 2 0 10", "sent 'layer 2 0 10', expected 'layer 1 0"),
        ("crc", "crc 00000000", "got 'crc 00000000', but what came has"),
        ("done", "done -2", "'done -2', expected 'done 0'"),
        ("done", "error fault", "device says: error fault"),
        ("layer 0", "layer 0", "sent 'layer 0', expected"),
    ],
)
def test_a_damaged_line_is_an_error(board: Path, prefix: str, to: str, message: str) -> None:
    said = talk(board, protocol.run_command([sample()]) + "quit\n")
    with pytest.raises(BadInput, match=message):
        heard(edited(said, prefix, to))


def test_a_lost_character_is_an_error(board: Path) -> None:
    said = talk(board, protocol.run_command([sample()]) + "quit\n")
    place = next(i for i, line in enumerate(said) if line.startswith("layer")) + 1
    for damaged in (said[place][1:], said[place][:-2], "zz" + said[place][2:]):
        with pytest.raises(BadInput, match=r"layer 0 .*was a character lost on the line"):
            heard(iter([*said[:place], damaged, *said[place + 1 :]]))


def test_lines_that_end_early_are_an_error(board: Path) -> None:
    said = talk(board, protocol.run_command([sample()]) + "quit\n")
    for end in (3, 4, len(said) - 3):
        with pytest.raises(BadInput, match="stopped before"):
            heard(iter(said[:end]))


def test_a_device_that_starts_again_and_again_is_an_error(board: Path) -> None:
    said = talk(board, protocol.run_command([sample()]) + "quit\n")
    greeting, ready, *rest = said
    assert protocol.read_run(iter([greeting, ready, *rest]), mi.load(GESTURE))
    with pytest.raises(BadInput, match="started again before layer 0"):
        protocol.read_run(iter([greeting, ready] * 2), mi.load(GESTURE))


def test_a_device_that_never_greets_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "GREETING_SECONDS", 0)
    with pytest.raises(BadInput, match=r"did not greet within 0 s, but says 'I \(7\) boot'"):
        protocol.greeting(itertools.repeat("I (7) boot\n"))


@pytest.fixture
def port(board: Path) -> Iterator[str]:
    with behind_a_port([board]) as name:
        yield name


@contextmanager
def behind_a_port(command: Sequence[str | Path]) -> Iterator[str]:
    """A serial port with the board behind it."""
    master, slave = os.openpty()
    process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    to, back = process.stdin, process.stdout

    def feed() -> None:
        with suppress(BrokenPipeError):  # the board is gone, and the PC says quit
            while data := read(master):
                to.write(data)

    def answer() -> None:
        while data := back.read(4096):
            os.write(master, data)

    threads = [threading.Thread(target=own, daemon=True) for own in (feed, answer)]
    for thread in threads:
        thread.start()
    yield os.ttyname(slave)
    process.kill()
    process.wait()
    os.close(slave)
    threads[0].join(5)
    threads[1].join(5)
    os.close(master)
    to.close()
    back.close()


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other side has hung up
        return b""


def test_verify_over_a_serial_port(port: str) -> None:
    said = microinfer("verify", GESTURE, "--serial", port, "--random", "3")
    assert said.code == 0, said.stdout + said.stderr
    assert f"5 inputs, tflm, {port}" in said.stdout
    said = microinfer("verify", GESTURE, "--serial", port, "--random", "1", "--json")
    assert said.json["kernels"] is None  # whose the board's are, it does not say


def test_verify_of_a_board_that_only_sends(tmp_path: Path) -> None:
    """It is reset when the PC opens its port. What it runs is not what the PC would have sent."""
    reset = ["sh", "-c", 'read line; "$0"; exec cat > /dev/null', built(tmp_path, MUTE)]
    with behind_a_port(reset) as port:
        said = microinfer("verify", GESTURE, "--serial", port)
    assert said.code == 0, said.stdout + said.stderr
    assert "1 input, tflm" in said.stdout
    with behind_a_port(reset) as port:
        said = microinfer("verify", GESTURE, "--serial", port, "--random", "1")
    assert said.code == 2
    assert "no mi_get" in said.stderr


def test_a_board_that_is_unplugged() -> None:
    master, slave = os.openpty()

    def unplug() -> None:
        read(master)
        os.close(master)

    thread = threading.Thread(target=unplug)
    thread.start()
    name = os.ttyname(slave)
    said = microinfer("verify", GESTURE, "--serial", name)
    thread.join(5)
    os.close(slave)
    assert said.code == 2
    assert said.stderr.startswith("error: ")
    assert name in said.stderr


def test_a_board_that_stops_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """It greets, and then leaves the line full."""
    monkeypatch.setattr(serial_port, "SILENCE_SECONDS", 0.5)
    graph = mi.load(GESTURE)
    master, slave = os.openpty()

    def greet() -> None:
        read(master)
        greeting = f"microinfer 1 gesture {graph.sha256} tflm {len(graph.nodes)}\n"
        os.write(master, 2 * greeting.encode())

    thread = threading.Thread(target=greet)
    thread.start()
    with serial_port.on_serial_port(graph, os.ttyname(slave)) as device:
        thread.join(5)
        with pytest.raises(BadInput, match="Write timeout"):
            device._send("00" * 100_000)
    os.close(slave)
    os.close(master)


def test_another_model_on_the_board_is_refused(port: str) -> None:
    said = microinfer("verify", DIGITS, "--serial", port)
    assert said.code == 2
    assert "the device has the model with SHA-256" in said.stderr
    assert "it runs 'gesture'; generate the C of this model" in said.stderr


def test_another_profile_on_the_board_is_refused(port: str) -> None:
    said = microinfer("verify", GESTURE, "--serial", port, "--numerics", "litert")
    assert said.code == 2
    assert "the profile tflm, expected litert" in said.stderr


def test_no_such_port() -> None:
    said = microinfer("verify", GESTURE, "--serial", "/dev/no-such-port")
    assert said.code == 2
    assert "/dev/no-such-port: no such serial port; " in said.stderr
    assert "Traceback" not in said.stderr


def test_what_is_no_port(tmp_path: Path) -> None:
    for path in (tmp_path, "/dev/null", GESTURE):
        said = microinfer("verify", GESTURE, "--serial", path)
        assert said.code == 2
        assert f"{path}: is not a serial port" in said.stderr


def test_a_port_that_another_program_has_open(port: str) -> None:
    """Else each would get a part of what the board says."""
    graph = mi.load(GESTURE)
    with serial_port.on_serial_port(graph, port) as device:
        said = microinfer("verify", GESTURE, "--serial", port)
        assert said.code == 2
        assert f"{port}: another program has it open" in said.stderr
        assert device.trace(sample())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--baud", "9600"],
        ["--serial", "x", "--target", "cortex-m4"],
        ["--serial", "x", "--numerics", "all"],
    ],
)
def test_options_that_say_nothing_are_refused(arguments: list[str]) -> None:
    said = microinfer("verify", GESTURE, *arguments)
    assert said.code == 2
