"""What a user installs: wheel, source archive and editable checkout, each used from outside.

Every one gets a new environment and the registry's dependencies; there it writes C from a model,
compiles it and verifies it. It runs in a folder from which the checkout cannot be imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import checkout

pytestmark = pytest.mark.xdist_group("wheel")  # one worker: the archives are built once

MODEL, INPUTS = "digits_int8.tflite", "digits_inputs.npy"


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Standard output of a command that has to succeed, without this process's environment."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=checkout.environment("PYTHONWARNINGS"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout.copy(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def archives(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that is built from that archive."""
    folder = tmp_path_factory.mktemp("archives")
    run([sys.executable, "-m", "build", "--outdir", folder, source], folder)
    return folder


def data_files() -> set[str]:
    """Templates and kernels, as the wheel names them."""
    tracked = [name for name in checkout.files() if name.parts[0] in ("codegen", "runtime_c")]
    assert any(name.suffix == ".j2" for name in tracked)
    assert any(name.suffix == ".h" for name in tracked)
    return {f"microinfer/_data/{name.as_posix()}" for name in tracked}


def code_files() -> set[str]:
    return {name.as_posix() for name in checkout.files() if name.parts[0] == "microinfer"}


def test_wheel_from_the_source_archive_has_all_code_and_data(archives: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == code_files() | data_files()


def test_source_archive_has_no_stray_file(archives: Path) -> None:
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {member.name.partition("/")[2] for member in content.getmembers()}
    assert names - {"PKG-INFO"} <= {name.as_posix() for name in checkout.files()}


@pytest.mark.parametrize("kind", ["wheel", "source archive", "editable"])
def test_installed_package_generates_and_verifies_c(
    kind: str, archives: Path, source: Path, tmp_path: Path
) -> None:
    targets: dict[str, Sequence[str | Path]] = {
        "wheel": [*archives.glob("*.whl")],
        "source archive": [*archives.glob("*.tar.gz")],
        "editable": ["--editable", source],
    }
    run([sys.executable, "-m", "venv", tmp_path / "venv"], tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", *targets[kind]], tmp_path)

    work = tmp_path / "work"
    work.mkdir()
    for name in (MODEL, INPUTS):
        (work / name).write_bytes((checkout.ROOT / "models" / name).read_bytes())
    home = Path(run([python, "-c", "import microinfer; print(microinfer.__file__)"], work).strip())
    assert home.is_relative_to(source if kind == "editable" else tmp_path / "venv")

    microinfer: list[str | Path] = [python, "-m", "microinfer"]
    run([*microinfer, "codegen", MODEL, "-o", "out", "--name", "digits"], work)
    compiler = os.environ.get("CC", "cc")
    run([compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-c", "out/digits.c"], work)
    verdict = json.loads(run([*microinfer, "verify", MODEL, "--input", INPUTS, "--json"], work))
    assert verdict["identical"] is True
    run([tmp_path / "venv" / "bin" / "microinfer", "--help"], work)
