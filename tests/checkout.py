"""The files of this checkout: those that git tracks, and new ones that it does not ignore."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def files() -> list[Path]:
    """Paths relative to ROOT, sorted."""
    # safe.directory: a checkout that belongs to another user is as good.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*command, "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = sorted(set(listed.stdout.split("\0")) - {""})
    return [Path(name) for name in names if (ROOT / name).is_file()]


def copy(target: Path) -> Path:
    """What a fresh clone would be if everything here were committed."""
    for name in files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


def environment(*without: str) -> dict[str, str]:
    """The environment as a user's shell has it: without an outer make or virtual environment."""
    outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "PYTHONPATH", *without}
    return {name: value for name, value in os.environ.items() if name not in outer}
