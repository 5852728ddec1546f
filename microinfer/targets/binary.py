"""What a linked program says of itself: symbols, sizes of sections, instructions."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import ToolchainError
from .facts import Target


@dataclass(frozen=True)
class Instruction:
    """One instruction of a disassembly. ``bytes`` is its length."""

    address: int
    mnemonic: str
    operands: str
    symbol: str


def _binutils(target: Target, tool: str, *arguments: str) -> str:
    """Run nm, size or objdump of the target's toolchain."""
    command = [target.compiler.removesuffix("gcc") + tool, *arguments]
    if shutil.which(command[0]) is None:
        package = target.packages[target.compiler]
        raise ToolchainError(
            f"{target.name} needs {command[0]}: install it (Debian: apt install {package})"
        )
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ToolchainError(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout


def symbols(target: Target, program: Path) -> dict[str, int]:
    """Addresses by name, without the bit that marks Thumb code."""
    found = {}
    for line in _binutils(target, "nm", str(program)).splitlines():
        words = line.split()
        if len(words) == 3:
            thumb = target.name.startswith("cortex") and words[1] in "tT"
            found[words[2]] = int(words[0], 16) & (~1 if thumb else ~0)
    return found


def sections(target: Target, program: Path) -> dict[str, tuple[int, int]]:
    """Bytes and address of each section that is loaded."""
    found = {}
    for line in _binutils(target, "size", "-A", str(program)).splitlines():
        words = line.split()
        if len(words) == 3 and words[0].startswith("."):
            found[words[0]] = (int(words[1]), int(words[2]))
    return found


_SYMBOL = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")


def disassembly(target: Target, program: Path) -> dict[int, Instruction]:
    """Every instruction of the program's code, by address."""
    found = {}
    symbol = ""
    for line in _binutils(target, "objdump", "-d", "--no-show-raw-insn", str(program)).splitlines():
        if match := _SYMBOL.match(line):
            symbol = match[2]
        elif match := _INSTRUCTION.match(line):
            address = int(match[1], 16)
            operands = re.split(r"[;@]", match[3])[0].strip()
            found[address] = Instruction(address, match[2], operands, symbol)
    return found
