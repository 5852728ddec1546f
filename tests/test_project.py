"""The rules that the project has given itself (CONTRIBUTING.md), where a program can check them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import checkout
import microinfer.ops
from microinfer.ops import OPS, Op

FILES = checkout.files()
TEXTS = {
    name: (checkout.ROOT / name).read_text("utf-8")
    for name in FILES
    if name.suffix
    in {".py", ".md", ".h", ".c", ".j2", ".toml", ".json", ".S", ".ld", ".js", ".css"}
    or name.name in {"Makefile", "run", ".gitignore"}
}
LONGEST = 400


def test_no_python_file_and_no_script_is_longer_than_400_lines() -> None:
    code = {name: text for name, text in TEXTS.items() if name.suffix in {".py", ".js"}}
    lines = {str(name): text.count("\n") for name, text in code.items()}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name for name in FILES if re.search("util|helper|common|misc", name.stem)] == []


def test_no_file_names_a_path_of_somebody_s_machine() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|tmp|home|root|Users)/\S*")
    found = {
        f"{name}: {match[0]}"
        for name, text in TEXTS.items()
        if name != Path("tests/test_project.py")
        for match in machine.finditer(text)
    }
    assert found == set()


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX"])
def test_nothing_is_left_for_later(word: str) -> None:
    this = Path("tests/test_project.py")
    assert [n for n, text in TEXTS.items() if n != this and re.search(rf"\b{word}\b", text)] == []


def test_every_operator_that_a_file_defines_is_in_ops() -> None:
    defined = {}
    for module in pkgutil.iter_modules(microinfer.ops.__path__):
        values = vars(importlib.import_module(f"microinfer.ops.{module.name}")).values()
        defined.update({op.name: op for op in values if isinstance(op, Op)})
    assert defined == OPS
    assert list(OPS) == sorted(OPS), "the table is read by people: keep it in order"


def test_readme_counts_the_operators() -> None:
    assert f": {len(OPS)} of them" in TEXTS[Path("README.md")]


# A path of this project, wherever it is mentioned: a comment that sends its reader to a file
# has to send them to one that exists.
PATH = re.compile(
    r"(?<![\w./-])((?:microinfer|runtime_c|codegen|tests|models|bench|docs)/[\w./-]+"
    r"\.(?:py|h|c|j2|md|npy|npz|tflite|json|toml))\b"
)
PLACEHOLDER = re.compile("[A-Z]{4}|(^|_)x$")  # models/NAME_int8.tflite, runtime_c/mi_x.h


def test_every_file_that_a_text_mentions_exists() -> None:
    found = {
        f"{name}: {path}"
        for name, text in TEXTS.items()
        for path in PATH.findall(text)
        if not PLACEHOLDER.search(Path(path).stem) and not (checkout.ROOT / path).exists()
    }
    assert found == set()


LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(?:#[\w-]+)?\)")


def test_every_link_of_a_document_leads_to_a_file() -> None:
    found = [
        f"{name}: {target}"
        for name, text in TEXTS.items()
        if name.suffix == ".md"
        for target in LINK.findall(text)
        if not (checkout.ROOT / name.parent / target).exists()
    ]
    assert found == []


def test_make_alone_lists_every_target() -> None:
    text = TEXTS[Path("Makefile")]
    phony = set(re.search(r"^\.PHONY: (.*)$", text, re.M)[1].split())  # type: ignore[index]
    menu = subprocess.run(
        ["make"], cwd=checkout.ROOT, env=checkout.environment(), capture_output=True, text=True
    )
    listed = {line.split()[0] for line in menu.stdout.splitlines() if line.startswith("  ")}
    assert listed == phony - {"menu"}


def test_public_names_are_there_and_those_that_explain_come_when_asked_for() -> None:
    """Each of `__all__` can be had; to import the package alone loads none of microinfer.debug."""
    program = (
        "import sys, microinfer\n"
        "print(*(name for name in sys.modules if name.startswith('microinfer.debug')))\n"
        "print(all(callable(getattr(microinfer, name)) for name in microinfer.__all__))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout == "\nTrue\n"
    assert not hasattr(microinfer, "nonsense")
