"""Every command and every example of the documentation is run, and shows what really comes out.

A document is one session, from top to bottom, in a copy of the checkout:
  console, sh   each `$ command` in Bash; output shown below it is compared; `$ python` is doctest
  python        `>>>` by doctest, other code is executed; one namespace for the document
  c             compiled; a generated header comes from an earlier command, or from models/
  text          for reading only
"""

from __future__ import annotations

import contextlib
import difflib
import doctest
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import checkout
from fenced import Block, blocks, commands, matches, tidy

DOCUMENTS = [name for name in checkout.files() if name.suffix == ".md"]

# First lines of commands that are not run here, and why.
NOT_RUN = {
    "make demo": "test_make_demo runs it, in a clean copy",
    "make test": "is what runs this",
    "make test-full": "is `make test`, longer",
    "make lint": "is part of `make test`",
    "make format": "changes nothing where `make test` passes",
    "make bench": "measures: its figures differ from run to run",
    "make verify-targets": "runs tests/test_targets.py at full length",
    "make golden": "tests/test_golden.py compares what it writes",
    "make verify-cmsis": "needs a checkout of CMSIS-NN",
    "make models": "trains for minutes, with TensorFlow",
    "bash .ci/run": "installs packages, then runs `make test`",
    "pip install .": "tests/test_wheel.py does",
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_document(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks(checkout.ROOT / document)
    if not found:
        return
    folder = checkout.copy(tmp_path / "checkout")
    monkeypatch.chdir(folder)
    bin_folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    problems: list[str] = []
    for block in found:
        problems += run(block, folder, namespace)
    assert not problems, "\n\n".join(["", *problems])


def run(block: Block, folder: Path, namespace: dict[str, Any]) -> Iterable[str]:
    """What is wrong with a block, in words."""
    if block.language in ("console", "sh"):
        return run_console(block, folder, namespace)
    if block.language == "python":
        return run_python(block, namespace)
    if block.language == "c":
        return run_c(block, folder)
    if block.language == "text":
        return []
    return [f"{block}: language {block.language!r}; known are console, sh, python, c, text"]


def run_console(block: Block, folder: Path, namespace: dict[str, Any]) -> Iterator[str]:
    there = folder / ".there"  # where the last command of the block left off, after `cd`
    there.write_text(str(folder))
    for command in commands(block):
        where = f"{block.path.name}:{command.line}: {command.text}"
        if command.text in NOT_RUN:
            continue
        if command.text == "python":
            session = "\n".join([*command.output, ""])
            yield from run_python(Block(block.path, command.line + 1, "python", session), namespace)
            continue
        result = bash(f'trap "pwd > {there}" EXIT\n{command.text}', Path(there.read_text().strip()))
        if "install it (Debian" in result.stdout:
            pytest.skip(f"{where}: {result.stdout.strip()}")
        if result.returncode != command.status:
            status = f"exit code {result.returncode}, expected {command.status}"
            yield f"{where}\n{status}\n{result.stdout}"
        elif command.output and not matches(command.output, result.stdout):
            yield f"{where}\n{difference(command.output, result.stdout)}"


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as its reader would, in a terminal 80 columns wide; stdout has stderr too."""
    return subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**checkout.environment("FORCE_COLOR", "CC"), "COLUMNS": "80", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def difference(expected: list[str], actual: str) -> str:
    lines = difflib.unified_diff(expected, tidy(actual), "shown", "real", lineterm="")
    return "\n".join(lines)


def run_python(block: Block, namespace: dict[str, Any]) -> list[str]:
    said = io.StringIO()
    if ">>>" in block.text:
        parser = doctest.DocTestParser()
        test = parser.get_doctest(
            block.text, namespace, block.path.name, str(block.path), block.line - 1
        )
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        failed = runner.run(test, out=said.write, clear_globs=False).failed
        namespace.update(test.globs)
        return [said.getvalue()] if failed else []
    try:
        code = compile("\n" * (block.line - 1) + block.text, str(block.path), "exec")
        with contextlib.redirect_stdout(said):
            exec(code, namespace)
    except Exception as error:
        return [f"{block}: {type(error).__name__}: {error}"]
    return []


def run_c(block: Block, folder: Path) -> list[str]:
    includes = []
    for header in re.findall(r'#include "(\w+)\.h"', block.text):
        written = sorted(path.parent for path in folder.rglob(f"{header}.h"))
        homes = [home for home in written if "tests" not in home.parts]
        model = folder / "models" / f"{header}_int8.tflite"
        if not homes and model.exists():
            homes = [folder / "build" / "for_documents"]
            result = bash(f"microinfer codegen {model} --name {header} -o {homes[0]}", folder)
            if result.returncode != 0:
                return [f"{block}: no {header}.h: {result.stdout}"]
        includes += [f"-I{home}" for home in homes[:1]]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    result = subprocess.run(
        [os.environ.get("CC", "cc"), *flags, *includes, "-xc", "-"],
        input=f'#line {block.line} "{block.path}"\n{block.text}',
        capture_output=True,
        text=True,
        check=False,
    )
    return [f"{block}: {result.stderr}"] if result.returncode != 0 else []


def test_make_demo(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """From a clean copy, environment and all, to the output that README shows."""
    folder = checkout.copy(tmp_path / "checkout")
    start = time.perf_counter()
    result = bash(f"make demo PYTHON={sys.executable}", folder)
    seconds = time.perf_counter() - start
    record_property("measured", f"`make demo` in a clean copy: {seconds:.0f} s")
    assert result.returncode == 0, result.stdout
    # The demo echoes the commands that it runs, so the whole block is its output.
    shown = [
        block.text.removeprefix("$ make demo\n").splitlines()
        for block in blocks(checkout.ROOT / "README.md")
        if block.text.startswith("$ make demo\n")
    ]
    assert shown, "README.md shows no `$ make demo`"
    for lines in shown:
        assert matches(lines, result.stdout), difference(lines, result.stdout)


def test_matches_compares_all_lines_but_what_is_elided() -> None:
    real = "\nname  int8  \n 1.23 s\n\nend\n"
    assert matches(["name  int8", " 1.23 s", "", "end"], real)
    assert matches(["name  int8", " ... s", "...", "end"], real)
    assert matches(["...", "end"], real)
    assert not matches(["name  int8"], real)
    assert not matches(["name int8", "..."], real)
    assert not matches(["...", "1.24 s", "..."], real)


def test_commands_of_a_block() -> None:
    block = Block(Path("a.md"), 7, "console", "$ one \\\n    two\nout\n\n$ three  # exit 1\n")
    first, second = commands(block)
    assert (first.line, first.text, first.output) == (7, "one \\\n    two", ["out"])
    assert (second.line, second.status, second.output) == (11, 1, [])


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    """The runners themselves: a document in which everything is wrong."""

    def problems(language: str, text: str) -> list[str]:
        return list(run(Block(Path("a.md"), 1, language, text), tmp_path, {}))

    assert problems("console", "$ echo yes\nno\n")
    assert problems("console", "$ false\n")
    assert not problems("console", "$ false  # exit 1\n")
    assert problems("sh", "false\n")
    assert not problems("console", "$ mkdir a && cd a\n$ pwd\n.../a\n")
    assert problems("python", ">>> 1 + 1\n3\n")
    assert not problems("python", ">>> 1 + 1\n2\n")
    assert problems("python", "assert 1 == 2\n")
    assert problems("c", "int x = ;\n")
    assert not problems("c", "extern int x;\n")
    assert problems("yaml", "a: 1\n")
