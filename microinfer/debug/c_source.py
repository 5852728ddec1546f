"""The lines of generated C that compute a layer: found in the text itself.

First the call in the model's .c; then, from the kernel that it calls on, the statements of the
mi_*.h that do the steps, by the text that each step is known by, such as ``mi_requantize``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What the kernels are built from: known by name.
PRIMITIVES = ("mi_fixedpoint.h", "mi_fixedpoint_s64.h")

_CALL = re.compile(r"\b(mi_\w+)\(")
_KERNEL = re.compile(
    r"^(?:MI_KERNEL|static inline)[^;{]*?\b(mi_\w+)\([^;{]*?\)\n\{\n.*?^\}$", re.M | re.S
)
_MACRO = re.compile(r"^#define (MI_\w+)\(.*?[^\\]$", re.M | re.S)


@dataclass(frozen=True)
class SourceLine:
    """A statement: its file, the number of its first line, and its text on one line."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class _Function:
    file: str
    line: int  # of its first line
    body: str


def c_lines(
    files: Mapping[str, str], name: str, layer: int, marks: Iterable[str]
) -> list[SourceLine]:
    """The statements that compute layer ``layer``, in files that ``generate`` gave for ``name``.

    ``marks`` are the texts to look for in its kernels. The calls come first.
    """
    source = files[f"{name}.c"]
    begin = re.search(rf"^static void {re.escape(name)}_layer_{layer}\(", source, re.M)
    if begin is None:
        return []  # nothing is computed
    body = source[begin.start() : source.index("\n}", begin.start())]
    first = source.count("\n", 0, begin.start()) + 1
    calls = [
        SourceLine(f"{name}.c", first + offset, text)
        for offset, text in _statements(body)
        if _CALL.search(text)
    ]
    found = list(calls)
    functions = _functions(files, f"{name}.c")
    wanted = tuple(dict.fromkeys(marks))
    for function in _reached(functions, calls, wanted):
        if function.file in PRIMITIVES:
            continue
        for offset, text in _statements(function.body):
            if offset and any(mark in text for mark in wanted):
                line = SourceLine(function.file, function.line + offset, text)
                if line not in found:
                    found.append(line)
    return found


def _functions(files: Mapping[str, str], source: str) -> dict[str, _Function]:
    """The functions and macros of the kernels' headers, by name."""
    found = {}
    for file, text in files.items():
        if file == source or not file.startswith("mi_"):
            continue
        for pattern in (_KERNEL, _MACRO):
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found[match[1]] = _Function(file, line, match[0])
    return found


def _reached(
    functions: Mapping[str, _Function], calls: Iterable[SourceLine], marks: tuple[str, ...]
) -> list[_Function]:
    """The functions that the calls lead to, not beyond those that are marks themselves."""
    names = [name for call in calls for name in _CALL.findall(call.text)]
    reached: list[str] = []
    while names:
        name = names.pop(0)
        if name in reached or name not in functions:
            continue
        reached.append(name)
        for inner in re.findall(r"\b(?:mi|MI)_\w+", functions[name].body):
            if not any(inner.startswith(mark.rstrip("(")) for mark in marks):
                names.append(inner)
    return [functions[name] for name in reached]


def _statements(body: str) -> list[tuple[int, str]]:
    """(lines from the first one, text) of the statements of a function, comments left out."""
    found = []
    text, start = "", 0
    bare = re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", "", match[0]), body, flags=re.S)
    for offset, line in enumerate(bare.split("\n")):
        stripped = line.rstrip("\\").strip()
        if not stripped:
            continue
        if not text:
            start = offset
        text = f"{text} {stripped}".strip()
        if stripped.endswith((";", "{", "}", ":")):
            found.append((start, re.sub(r"\( ", "(", text)))
            text = ""
    return found
