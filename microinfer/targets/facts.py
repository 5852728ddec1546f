"""What is known of each target: one row of targets.toml, read when it is first asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BadInput

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

HOST = "host"  # this machine's own compiler: microinfer/native.py


@dataclass(frozen=True)
class Memory:
    """A region of the target's addresses."""

    origin: int
    bytes: int


@dataclass(frozen=True)
class Target:
    """A core, who compiles for it, and what emulates it.

    ``packages`` has the Debian packages of each tool. ``about`` is a line for people.
    """

    name: str
    about: str
    compiler: str
    flags: tuple[str, ...]
    emulator: str
    machine: str
    start: str
    entry: str
    optimize: str
    stack_bytes: int
    constants: str
    uart: int
    flash: Memory
    ram: Memory
    cmsis_nn: str
    packages: Mapping[str, str]

    @property
    def archiver(self) -> str:
        return self.compiler.removesuffix("gcc") + "ar"


def read_table(file: str) -> dict[str, Any]:
    """A TOML file of this folder."""
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    return table


@cache
def targets() -> Mapping[str, Target]:
    """All targets by name, in the order of targets.toml."""
    document = read_table("targets.toml")
    families = document.pop("family")
    return {
        name: _target(name, {**families[row.pop("family")], **row})
        for name, row in document.items()
    }


def _target(name: str, row: dict[str, Any]) -> Target:
    flash, ram = Memory(**row.pop("flash")), Memory(**row.pop("ram"))
    flags = tuple(row.pop("flags"))
    return Target(name=name, flags=flags, flash=flash, ram=ram, **row)


def target(name: str) -> Target:
    """The target of this name. Raises BadInput, with those that there are."""
    if name not in targets():
        raise BadInput(f"there is no target {name!r}; there are {', '.join((HOST, *targets()))}")
    return targets()[name]
