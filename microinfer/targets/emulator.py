"""A bare program on an emulated core, with its serial line on two pipes."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .._resources import target_dir
from ..emit import OWN
from ..errors import ToolchainError
from ..graph import Graph
from ..native import build as build_host
from ..numerics import profile
from ..passes import runnable
from ..prepare import prepare
from .build import build, generated, require
from .device import Device
from .facts import Target

NAME = "model"
MAIN = f"""
int {NAME}_harness(void);
int main(void);

int main(void)
{{
    return {NAME}_harness();
}}
"""
AVR_HERTZ = 16_000_000
SILENCE_SECONDS = 120.0  # the longest that a device may compute without a word


@contextmanager
def emulated(
    graph: Graph,
    target: Target,
    numerics: str = "tflm",
    *,
    optimize: str = "",
    kernels: str = OWN,
) -> Iterator[Device]:
    """``graph``'s C, built for ``target`` and running on its emulator.

    Raises UnsupportedModel, and ToolchainError where a tool is missing or fails, where the model
    does not fit, or where the program falls silent.
    """
    graph = runnable(graph)
    layers = prepare(graph, profile(numerics))
    with tempfile.TemporaryDirectory(prefix="microinfer-") as folder:
        sources = generated(graph, target, NAME, numerics=numerics, kernels=kernels, harness="uart")
        files, defines = {**sources, "main.c": MAIN}, [f"{NAME.upper()}_TRACE"]
        program = build(target, Path(folder), files, optimize, defines, kernels)
        process = subprocess.Popen(
            command(target, program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="ascii",
            errors="replace",
        )
        with process:
            try:
                yield Device(graph, layers, numerics, _sender(process), _lines(process, target))
            finally:
                process.kill()
                assert process.stdin is not None
                with suppress(BrokenPipeError):  # of what an emulator that has ended did not read
                    process.stdin.close()


def command(target: Target, program: Path) -> list[str]:
    """The command line that runs ``program`` with its serial line on stdin and stdout."""
    of = simavr_command if target.emulator == "simavr" else qemu_command
    return of(target, program)


def qemu_command(target: Target, program: Path) -> list[str]:
    """``command`` for QEMU."""
    require(target, target.emulator)
    return [
        *(target.emulator, "-M", target.machine, "-display", "none", "-monitor", "none"),
        *("-serial", "stdio", "-semihosting-config", "enable=on,target=native"),
        *(("-bios", "none") if target.machine == "virt" else ()),
        *("-kernel", str(program)),
    ]


def simavr_command(target: Target, program: Path) -> list[str]:
    """``command`` for simavr, whose own program has no input: ours is built beside ``program``."""
    emulator = program.parent / "simavr_line"
    source = str(target_dir() / "simavr.c")
    try:
        build_host(["-O2", source, "-o", str(emulator), "-lsimavr", "-lelf"])
    except ToolchainError as error:
        package = target.packages[target.emulator]
        raise ToolchainError(
            f"{target.name} needs simavr: install it (Debian: apt install {package}): {error}"
        ) from None
    return [str(emulator), str(program), target.machine, str(AVR_HERTZ)]


def _sender(process: subprocess.Popen[str]) -> Callable[[str], None]:
    def send(text: str) -> None:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # the emulator has ended: its last lines say why
            process.stdin.write(text)
            process.stdin.flush()

    return send


def _lines(process: subprocess.Popen[str], target: Target) -> Iterator[str]:
    """What the program says; a watchdog ends it when it says nothing for long."""
    assert process.stdout is not None
    last: deque[str] = deque(maxlen=3)
    while True:
        watchdog = threading.Timer(SILENCE_SECONDS, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            said = f"; the last that came: {' | '.join(last)}" if last else ""
            raise ToolchainError(
                f"{target.emulator} ended, or said nothing for {SILENCE_SECONDS:g} s{said}"
            )
        last.append(line.strip())
        yield line
