"""The user's checkout of Arm's CMSIS-NN: where it is, and its archive for a compiler.

Nothing of the library is part of this project: CMSIS_NN_PATH points to it. It is compiled once
per compiler, flags and content, into the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .errors import ToolchainError

VARIABLE = "CMSIS_NN_PATH"
ORIGIN = "https://github.com/ARM-software/CMSIS-NN"
PUBLIC_HEADER = Path("Include") / "arm_nnfunctions.h"
SOURCES = "Source/*/*.c"
FLOATING = ("_f16", "_f32", "_flt")  # how the files of its float kernels end
SECTIONS = ("-ffunction-sections", "-fdata-sections")  # so that a linker can drop what is unused


@dataclass(frozen=True)
class Library:
    """``compile_flags`` for what includes its header; ``archive`` to link after it."""

    compile_flags: tuple[str, ...]
    archive: Path


def checkout() -> Path:
    """The user's checkout. Raises ToolchainError, with what to do, where there is none."""
    named = os.environ.get(VARIABLE, "")
    folder = Path(named).expanduser().resolve()
    if not named:
        wrong = "is not set"
    elif not (folder / PUBLIC_HEADER).is_file():
        wrong = f"is {named!r}, where there is no {PUBLIC_HEADER}"
    elif not any(folder.glob(SOURCES)):
        wrong = f"is {named!r}, where there is no {SOURCES}"
    else:
        return folder
    raise ToolchainError(f"{VARIABLE} {wrong}: clone {ORIGIN}, and set {VARIABLE} to its folder")


def library(compiler: Sequence[str], archiver: str, flags: Sequence[str]) -> Library:
    """The checkout, compiled by ``compiler`` with ``flags``. Raises ToolchainError."""
    folder = checkout()
    include = ("-isystem", str(folder / "Include"))
    sources = [
        source for source in sorted(folder.glob(SOURCES)) if not source.stem.endswith(FLOATING)
    ]
    command = [*compiler, *flags, *SECTIONS, *include, "-c"]
    archive = _cache() / f"cmsis-nn-{_key(folder, command)}.a"
    if not archive.exists():
        _build(command, archiver, sources, archive)
    return Library(include, archive)


def _cache() -> Path:
    """The user's cache folder; where it cannot be written, the one for temporary files."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "microinfer"
        root.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: of a user without a home
        return _temporary_cache()
    return root if os.access(root, os.W_OK) else _temporary_cache()


def _temporary_cache() -> Path:
    """A folder for temporary files that is this user's: what lies in it is linked and run."""
    root = Path(tempfile.gettempdir()) / f"microinfer-{os.getuid()}"
    root.mkdir(exist_ok=True, mode=0o700)
    if root.stat().st_uid != os.getuid():
        raise ToolchainError(f"{root} belongs to another user: set XDG_CACHE_HOME to a folder")
    return root


def _key(folder: Path, command: Sequence[str]) -> str:
    """A name for what this command makes of these files."""
    version = subprocess.run([command[0], "--version"], capture_output=True, check=False)
    digest = hashlib.sha256("\0".join(command).encode() + version.stdout)
    for file in sorted([*folder.glob("Include/**/*.h"), *folder.glob("Source/*/*.[ch]")]):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _build(command: list[str], archiver: str, sources: list[Path], archive: Path) -> None:
    if shutil.which(archiver) is None:
        raise ToolchainError(f"CMSIS-NN needs {archiver}, which comes with the compiler")
    with tempfile.TemporaryDirectory(prefix="microinfer-", dir=archive.parent) as name:
        folder = Path(name)

        def run(arguments: list[str]) -> None:
            result = subprocess.run(
                arguments, cwd=folder, capture_output=True, text=True, check=False
            )
            if result.returncode != 0:
                raise ToolchainError(f"{arguments[0]} failed on CMSIS-NN:\n{result.stderr.strip()}")

        jobs = os.cpu_count() or 1
        with ThreadPoolExecutor(jobs) as pool:
            groups = [list(map(str, sources[first::jobs])) for first in range(jobs)]
            list(pool.map(lambda group: run([*command, *group]), filter(None, groups)))
        objects = sorted(path.name for path in folder.glob("*.o"))
        run([archiver, "rcs", "library.a", *objects])
        (folder / "library.a").replace(archive)
