"""How many instructions of a program run between one mark and the next, by its emulator's count."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .._resources import target_dir
from ..errors import ToolchainError
from ..native import build as build_host
from .binary import sections, symbols
from .emulator import qemu_command, simavr_command
from .facts import Target

TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Count:
    """Of one instruction: how often it ran, and how often another than the next followed it."""

    runs: int
    taken: int


@dataclass(frozen=True)
class Span:
    """What ran between two marks. ``cycles`` where the emulator counts them, else None, and then
    ``counts`` has each instruction's by address."""

    instructions: int
    cycles: int | None
    counts: Mapping[int, Count]


@dataclass(frozen=True)
class Counted:
    """A run of a program: what it printed, and the spans between its marks.

    ``spans[0]`` is what ran before the first mark, the last one what ran after the last.
    """

    said: str
    spans: list[Span]


def counted(target: Target, program: Path, mark: str) -> Counted:
    """Run ``program`` to its end. ``mark`` is the function whose entry is the mark.

    Raises ToolchainError where a tool is missing or fails.
    """
    at = symbols(target, program)
    if target.emulator == "simavr":
        command = simavr_command(target, program)
        result = _run([*command, str(at[mark]), str(at["_exit"])])
        return Counted(result.stdout, _totals(result.stderr))
    plugin, out = program.parent / "counter.so", program.with_suffix(".counts")
    if not plugin.exists():
        source = str(target_dir() / "counter.c")
        build_host(["-O2", "-shared", "-fPIC", source, "-o", str(plugin)])
    nbytes, base = sections(target, program)[".text"]
    options = f"out={_escaped(out)},base={base:x},bytes={nbytes:x},marker={at[mark]:x}"
    result = _run([*qemu_command(target, program), "-plugin", f"{_escaped(plugin)},{options}"])
    return Counted(result.stdout, _histograms(out.read_text(encoding="ascii")))


def _escaped(path: Path) -> str:
    """A path among QEMU's options, which commas part."""
    return str(path).replace(",", ",,")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"{command[0]} did not end within {TIMEOUT_SECONDS} s") from None
    if result.returncode != 0:
        said = (result.stdout + result.stderr).strip()
        raise ToolchainError(f"{command[0]} ended with {result.returncode}: {said}")
    return result


def _histograms(text: str) -> list[Span]:
    """Of codegen/targets/counter.c."""
    spans: list[dict[int, Count]] = []
    for line in text.splitlines():
        if line == "mark":
            spans.append({})
        else:
            address, runs, taken = line.split()
            spans[-1][int(address, 16)] = Count(int(runs), int(taken))
    return [Span(sum(count.runs for count in own.values()), None, own) for own in spans]


def _totals(text: str) -> list[Span]:
    """Of codegen/targets/simavr.c."""
    marks = [(0, 0)]
    for instructions, cycles in re.findall(r"^mark (\d+) (\d+)$", text, re.MULTILINE):
        marks.append((int(instructions), int(cycles)))
    return [Span(to[0] - at[0], to[1] - at[1], {}) for at, to in pairwise(marks)]
