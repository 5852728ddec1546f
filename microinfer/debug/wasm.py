"""The generated C as WebAssembly, for a page that computes: clang and its linker wasm-ld build it.

The module imports ``page.traced(layer, output, address, bytes)``, which it calls with every
layer's outputs (NAME_TRACE). It exports ``memory``, ``input(index)``, which is an address,
``invoke()`` and, of a model with state, ``reset()``.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from ..emit import generate
from ..errors import ToolchainError
from ..graph import Graph

NAME = "model"
COMPILER, LINKER = "clang", "wasm-ld"

# What C asks of <string.h>; there is no libc for this target.
STRING_H = """
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
"""

HARNESS = f"""
#include "{NAME}.h"
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{{
    for (size_t i = 0; i < bytes; i++) {{
        ((volatile char *)to)[i] = ((const char *)from)[i];
    }}
    return to;
}}

void *memmove(void *to, const void *from, size_t bytes)
{{
    if ((const char *)to <= (const char *)from) {{
        return memcpy(to, from, bytes);
    }}
    for (size_t i = bytes; i > 0; i--) {{
        ((volatile char *)to)[i - 1] = ((const char *)from)[i - 1];
    }}
    return to;
}}

void *memset(void *to, int value, size_t bytes)
{{
    for (size_t i = 0; i < bytes; i++) {{
        ((volatile char *)to)[i] = (char)value;
    }}
    return to;
}}

__attribute__((import_module("page"), import_name("traced")))
void page_traced(int layer, int output, const void *data, size_t bytes);

void {NAME}_trace(int layer, int output, const void *data, size_t bytes)
{{
    page_traced(layer, output, data, bytes);
}}

__attribute__((export_name("input"))) void *page_input(int index) {{ return {NAME}_input(index); }}
__attribute__((export_name("invoke"))) int page_invoke(void) {{ return {NAME}_invoke(); }}
#ifdef HAS_STATE
__attribute__((export_name("reset"))) int page_reset(void) {{ return {NAME}_reset(); }}
#endif
"""


def missing_tool() -> str:
    """The tool that ``build`` needs and this machine lacks; empty if it has both."""
    return next((tool for tool in (COMPILER, LINKER) if shutil.which(tool) is None), "")


def build(graph: Graph, numerics: str, has_state: bool) -> bytes:
    """The module of ``graph``'s C. Raises ToolchainError where a tool is missing or fails."""
    tool = missing_tool()
    if tool:
        raise ToolchainError(
            f"there is no {tool}, which builds WebAssembly: install it (Debian: apt install clang"
            " lld)"
        )
    files = {
        **generate(graph, NAME, numerics=numerics),
        "harness.c": HARNESS,
        "string.h": STRING_H,
    }
    with tempfile.TemporaryDirectory(prefix="microinfer-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        command = [
            *(COMPILER, "--target=wasm32", "-std=c99", "-O2", "-ffreestanding", "-nostdlib"),
            *(f"-D{NAME.upper()}_TRACE", f"-D{NAME.upper()}_NO_FLOAT", f"-I{folder}"),
            *(["-DHAS_STATE"] if has_state else []),
            *("-Wl,--no-entry", "-Wl,--strip-all", "-o", str(folder / "model.wasm")),
            *(str(folder / f"{NAME}.c"), str(folder / "harness.c")),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            said = result.stderr.strip() or f"exit code {result.returncode}"
            raise ToolchainError(f"{COMPILER} failed on the generated C as WebAssembly:\n{said}")
        return (folder / "model.wasm").read_bytes()
