"""Modelled cycles: how often each class of instructions ran, times what the core takes for it.

A model of the core alone: no wait states of flash but those asked for, no caches, no DMA. What it
assumes for each core is in timing.toml, with the source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .binary import Instruction
from .counting import Count
from .facts import read_table

_CONDITION = r"(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_CLASSES = (
    ("load", rf"v?ldr(b|h|sb|sh|d|t)?{_CONDITION}"),
    ("store", rf"v?str(b|h|d|t)?{_CONDITION}"),
    ("multiple", rf"(ldm|stm|vldm|vstm)\w*|push{_CONDITION}|v?pop{_CONDITION}|vpush"),
    ("multiply_long", r"[su]mull\w*|[su]mlal\w*|umaal\w*"),
    ("multiply_add", r"ml[as]\w*|smml[as]\w*|smla\w*|smls\w*"),
    ("multiply", r"mul\w*|smul\w*|smmul\w*|smua\w*|smus\w*"),
    ("divide", r"[su]div\w*"),
    ("float_divide", r"vdiv\w*|vsqrt\w*"),
    ("call", rf"blx?{_CONDITION}"),
    ("branch", rf"b{_CONDITION}|bx{_CONDITION}|cbn?z|tb[bh]"),
)
_PATTERNS = [(name, re.compile(rf"(?:{pattern})(?:\.\w+)*")) for name, pattern in _CLASSES]
_RANGE = re.compile(r"([rsdl]?)(\d+|[a-z]+)(?:-[rsd](\d+))?")


@dataclass(frozen=True)
class Timing:
    """Cycles by class; ``source`` says where they are from."""

    source: str
    cycles: Mapping[str, float]


@cache
def timings() -> Mapping[str, Timing]:
    """The cores that have a model."""
    return {
        name: Timing(row.pop("source"), {key: float(value) for key, value in row.items()})
        for name, row in read_table("timing.toml").items()
    }


def kind(instruction: Instruction) -> str:
    """The class of an Arm instruction; ``other`` for what takes a cycle on every core."""
    return _kind(instruction.mnemonic)


@cache
def _kind(mnemonic: str) -> str:
    for name, pattern in _PATTERNS:
        if pattern.fullmatch(mnemonic):
            return name
    return "other"


def registers(operands: str) -> int:
    """How many words a list such as {r4, r5-r7, pc} has."""
    inside = operands[operands.find("{") + 1 : operands.rfind("}")]
    count = 0
    for item in inside.split(","):
        match = _RANGE.fullmatch(item.strip())
        if match:
            several = int(match[3]) - int(match[2]) + 1 if match[3] else 1
            count += several * (2 if match[1] == "d" else 1)
    return count


def cycles(
    timing: Timing,
    code: Mapping[int, Instruction],
    counts: Mapping[int, Count],
    wait_states: int = 0,
) -> int:
    """Modelled cycles of instructions that ran ``counts`` times.

    ``wait_states`` are added to every taken branch: a flash that is read ahead in a line makes a
    core wait where the line of code breaks.
    """
    table = timing.cycles
    total = 0.0
    previous = previous_kinds(code)
    for address, count in counts.items():
        instruction = code.get(address)
        if instruction is None:
            total += count.runs
            continue
        own = kind(instruction)
        each = table.get(own, table.get("other", 1.0))
        if own == "load" and previous.get(address) in ("load", "store"):
            each = table["pipelined"]
        if own in ("load", "store") and instruction.mnemonic.startswith(("ldrd", "strd")):
            each += table["each"]
        if own == "multiple":
            each += table["each"] * registers(instruction.operands)
        total += count.runs * each + count.taken * (table["taken"] + wait_states)
    return round(total)


def previous_kinds(code: Mapping[int, Instruction]) -> dict[int, str]:
    """The class of the instruction before each one in memory, within its function."""
    found = {}
    before: Instruction | None = None
    for address in sorted(code):
        if before is not None and before.symbol == code[address].symbol:
            found[address] = kind(before)
        before = code[address]
    return found
