"""Generated C is committed and compared byte for byte: a change of templates is a diff to read.

``make golden`` (``python tests/test_golden.py --update``) writes it anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import microinfer as mi

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"

# Between them: every option of the generator, both profiles.
VARIANTS: dict[str, dict[str, object]] = {
    "gesture": {"numerics": "tflm"},
    "digits": {
        "numerics": "litert",
        "arena": "caller",
        "optimize": "size",
        "single_file": True,
    },
}


def files(name: str) -> dict[str, str]:
    source = f"{name}_int8.tflite"
    graph = mi.load(ROOT / "models" / source)
    return mi.generate(graph, name, source=source, **VARIANTS[name])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", VARIANTS)
def test_output_is_the_committed_one(name: str) -> None:
    committed = {path.name: path.read_text() for path in (GOLDEN / name).iterdir()}
    generated = files(name)
    assert sorted(generated) == sorted(committed)
    for file, text in generated.items():
        assert text == committed[file], f"{name}/{file} changed; `make golden` if it should"


def test_same_bytes_whatever_the_hash_seed_the_folder_and_the_locale(tmp_path: Path) -> None:
    script = (
        "import hashlib, microinfer as mi, sys\n"
        "files = mi.generate(mi.load(sys.argv[1]), 'gesture', source='gesture_int8.tflite')\n"
        "print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())\n"
    )
    digests = set()
    for seed, folder, locale in (("0", tmp_path, "C"), ("12345", ROOT, "C.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale}
        result = subprocess.run(
            [sys.executable, "-c", script, str(ROOT / "models" / "gesture_int8.tflite")],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(result.stdout)
    assert len(digests) == 1


def update() -> None:
    for name in VARIANTS:
        folder = GOLDEN / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for file, text in files(name).items():
            (folder / file).write_text(text, encoding="utf-8")
        print(f"wrote {folder.relative_to(ROOT)}")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("usage: python tests/test_golden.py --update")
    update()
