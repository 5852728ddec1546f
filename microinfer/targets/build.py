"""A model and its harness as a program for a bare target."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from jinja2 import Environment, StrictUndefined

from .. import cmsis_nn
from .._resources import target_dir
from ..emit import CMSIS_NN, OWN, Plan, generate, plan
from ..errors import BadInput, ToolchainError
from ..graph import Graph
from .facts import Target

Harness = Literal["none", "uart", "bench"]

# What firmware is built with: nothing that is not called.
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections")
# The two ways in which the linker says that a region is too small.
_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) byte")
_OUTSIDE = re.compile(r"address 0x(\w+) of \S+ section `\S+' is not within region `(\w+)'")
# How a compiler without its C library fails: Debian packs them apart.
_NO_LIBRARY = re.compile(
    r"(stdint|string|avr/io)\.h: No such file|cannot read spec file|cannot find (-lc\b|libc\b|crt)"
)
_REGIONS = {"FLASH": "flash", "text": "flash", "RAM": "RAM", "data": "RAM"}


def require(target: Target, tool: str) -> None:
    """Raise ToolchainError, with the package to install, if a tool of the target is missing."""
    if shutil.which(tool) is None:
        package = target.packages[tool]
        raise ToolchainError(
            f"{target.name} needs {tool}: install it (Debian: apt install {package})"
        )


def generated(
    graph: Graph, target: Target, name: str, *, numerics: str, kernels: str, harness: Harness
) -> dict[str, str]:
    """``graph``'s C as ``target`` wants it.

    Raises BadInput for kernels that the target lacks, and ToolchainError for a model that is too
    large for it.
    """
    if kernels == CMSIS_NN and not target.cmsis_nn:
        raise BadInput(f"CMSIS-NN does not run on {target.name}: it needs a core of 32 bits")
    core = target.cmsis_nn if kernels == CMSIS_NN else "any"
    _check_room(plan(graph, numerics, kernels=kernels, core=core), target)
    return generate(graph, name, numerics=numerics, harness=harness, kernels=kernels, core=core)


def _check_room(planned: Plan, target: Target) -> None:
    """Raise ToolchainError for a model whose bare data is more than the target has.

    Compilers do not say how much of that there is: they stop at the first array.
    """
    arrays = sum(layer.array_bytes for layer in planned.layers)
    needs = {"flash": arrays, "RAM": planned.arena_bytes}
    if target.constants == "ram":
        needs["RAM"] += arrays
    room = {"flash": target.flash.bytes, "RAM": target.ram.bytes - target.stack_bytes}
    lacking = {kind: needs[kind] - room[kind] for kind in room if needs[kind] > room[kind]}
    if lacking:
        raise _does_not_fit(target, lacking, "at least ")


def _does_not_fit(target: Target, lacking: Mapping[str, int], about: str = "") -> ToolchainError:
    each = " and ".join(
        f"{count:,} byte{'' if count == 1 else 's'} of {kind}" for kind, count in lacking.items()
    )
    why = ", where its constants lie, too" if target.constants == "ram" and "RAM" in lacking else ""
    return ToolchainError(f"the model does not fit on {target.name}: it lacks {about}{each}{why}")


def build(
    target: Target,
    folder: Path,
    files: Mapping[str, str],
    optimize: str = "",
    defines: Sequence[str] = (),
    kernels: str = OWN,
) -> Path:
    """Write ``files``, C sources and headers, into ``folder`` and link them for ``target``.

    ``optimize`` takes the place of the target's own; CMSIS-NN, where it is among the ``kernels``,
    is compiled with the same. Returns the program's path. Raises
    ToolchainError where the compiler is missing or fails, and for a model that the target has no
    room for, with the bytes that it lacks.
    """
    require(target, target.compiler)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    program = folder / "program.elf"
    flags = [*target.flags, optimize or target.optimize]
    archive = []
    if kernels == CMSIS_NN:
        library = cmsis_nn.library([target.compiler], target.archiver, flags)
        flags, archive = [*flags, *library.compile_flags], [str(library.archive)]
    command = [
        *(target.compiler, *flags, *FLAGS),
        *(f"-D{name}" for name in (*defines, f"MI_UART_BASE={target.uart:#x}u")),
        *("-o", str(program), "-Wl,--gc-sections", *_layout(target, folder)),
        *(str(folder / file) for file in files if file.endswith(".c")),
        *(str(target_dir() / target.start), *archive),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lacking = _lacking(target, result.stderr)
        if lacking:
            raise _does_not_fit(target, lacking)
        said = f"{target.compiler} failed for {target.name}:\n{result.stderr.strip()}"
        if _NO_LIBRARY.search(result.stderr):
            package = target.packages[target.compiler]
            said = f"{target.name} needs a C library: install it (Debian: apt install {package})"
        raise ToolchainError(said)
    return program


def _layout(target: Target, folder: Path) -> list[str]:
    """Linker flags that say where the target's memory is."""
    if not target.entry:  # avr-libc knows the core, but not how much of its RAM we leave
        room = target.ram.bytes - target.stack_bytes
        return [
            f"-Wl,--defsym=__TEXT_REGION_LENGTH__={target.flash.bytes}",
            f"-Wl,--defsym=__DATA_REGION_LENGTH__={room}",
            "-Wl,--defsym=mi_stack_bottom=__heap_start",  # where its variables end
        ]
    template = (target_dir() / "memory.ld.j2").read_text(encoding="utf-8")
    script = folder / "memory.ld"
    script.write_text(
        Environment(undefined=StrictUndefined).from_string(template).render(target=target),
        encoding="utf-8",
    )
    return ["-nostartfiles", "-Wl,--no-warn-rwx-segments", "-T", str(script)]


def _lacking(target: Target, said: str) -> dict[str, int]:
    """Bytes that a program has too many, of flash and of RAM, by what the linker said."""
    lacking: dict[str, int] = {}
    ends = {
        "flash": target.flash.origin + target.flash.bytes,
        "RAM": target.ram.origin + target.ram.bytes - target.stack_bytes,
    }
    found = [(region, int(count)) for region, count in _OVERFLOW.findall(said)]
    for address, region in _OUTSIDE.findall(said):
        found.append((region, int(address, 16) - ends[_REGIONS[region]]))
    for region, count in found:
        kind = _REGIONS[region]
        lacking[kind] = max(count, lacking.get(kind, 0))
    return lacking
