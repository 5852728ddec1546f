"""Compile generated C in a test, under the warnings that we promise not to raise."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Werror",
]
C_WARNINGS = [*WARNINGS, "-Wmissing-prototypes"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]


def need(tool: str) -> str:
    """The tool's name, if it is there. Else skip; in CI, where every tool is installed, fail."""
    if shutil.which(tool) is None:
        if os.environ.get("MICROINFER_REQUIRE_TOOLS") == "1":
            pytest.fail(f"{tool} is missing")
        pytest.skip(f"{tool} is missing")
    return tool


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run to success; a failure shows the command and what it said."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"
    return result
