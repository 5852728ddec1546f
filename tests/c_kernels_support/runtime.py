"""runtime_c for the tests: its headers as text, compiled, and as a library to call."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cffi import FFI
from numpy.typing import NDArray

from c_build import SANITIZERS, need
from microinfer._resources import runtime_dir

HEADERS = sorted(runtime_dir().glob("mi_*.h"))
INCLUDES = "".join(f'#include "{header.name}"\n' for header in HEADERS)


def code(header: Path) -> str:
    """A header without its comments."""
    return re.sub(r"/\*.*?\*/", "", header.read_text("utf-8"), flags=re.DOTALL)


ALL_CODE = "\n".join(code(header) for header in HEADERS)
C_STRUCTS = {
    name: body for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", ALL_CODE, re.DOTALL)
}
PROTOTYPE = re.compile(r"^(MI_KERNEL|static inline) (\w+) (\w+)\((.*?)\)\n\{", re.M | re.S)
FUNCTIONS = PROTOTYPE.findall(ALL_CODE)
# (return type, name, arguments)
KERNELS = [function[1:] for function in FUNCTIONS if function[0] == "MI_KERNEL"]
PRIMITIVES = [function[1:] for function in FUNCTIONS if function[0] != "MI_KERNEL"]


def c_fields(struct: str) -> list[tuple[str, str]]:
    """(name, type) of each field; an array's type ends in [length]."""
    found = []
    for declaration in C_STRUCTS[struct].split(";"):
        if declaration.strip():
            match = re.fullmatch(r"\s*((?:const )?\w+ \*?)(\w+)(\[\d+\])?\s*", declaration)
            assert match, declaration
            found.append((match[2], match[1].strip() + (match[3] or "")))
    return found


def compile_c(compiler: str, source: str, *flags: str) -> None:
    command = [need(compiler), *flags, f"-I{runtime_dir()}", "-"]
    result = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stderr}"


# With MICROINFER_SANITIZE=1 the library is built with ASan and UBSan; Python needs them preloaded.
SANITIZE = os.environ.get("MICROINFER_SANITIZE") == "1"


class Runtime:
    """The headers as a shared library: primitives as attributes, kernels through ``run``."""

    def __init__(self, folder: Path) -> None:
        declarations, wrappers = [], []
        for result, name, arguments in PRIMITIVES:
            flat = " ".join(arguments.split())
            names = ", ".join(re.findall(r"(\w+)(?:\[\])?(?:,|$)", flat))
            wrappers.append(f"{result} test_{name}({flat}) {{ return {name}({names}); }}\n")
            declarations.append(f"{result} test_{name}({flat});")
        declarations += [f"{result} {name}({arguments});" for result, name, arguments in KERNELS]
        structs = [f"typedef struct {{{body}}} {name};" for name, body in C_STRUCTS.items()]
        library = folder / "runtime.so"
        flags = ["-xc", "-std=c99", "-O1", "-DMI_KERNEL=", *(SANITIZERS if SANITIZE else [])]
        source = INCLUDES + "".join(wrappers)
        compile_c("gcc", source, *flags, "-shared", "-fPIC", "-o", str(library))
        self.ffi = FFI()
        text = "\n".join(
            [
                "typedef int16_t mi_i16;",
                "typedef int32_t mi_i32;",
                "typedef float mi_f32;",
                *structs,
            ]
        )
        self.ffi.cdef((text + "\n".join(declarations)).replace("MI_LOOPS_MAX", "5"))
        self._library: Any = self.ffi.dlopen(str(library))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, f"test_{name}")

    def _fill(self, value: Any, struct: str, params: Any, alive: list[NDArray[Any]]) -> None:
        """Set the fields of a struct, and of those within; ``alive`` keeps the arrays."""
        for name, c_type in c_fields(struct):
            field = getattr(params, name)
            if isinstance(field, np.ndarray):
                alive.append(np.ascontiguousarray(field).copy())
                setattr(value, name, self.ffi.cast(c_type, self.ffi.from_buffer(alive[-1])))
            elif is_dataclass(field):
                self._fill(getattr(value, name), c_type, field, alive)
            elif field is not None:
                setattr(value, name, field)

    def run(self, kernel: str, struct: str, params: Any, *arrays: NDArray[Any]) -> None:
        """``kernel(&params, [rows,] arrays...)``; the arrays are changed where C writes.

        Windowed kernels get room for as many rows as ``params.kernel_height``.
        """
        alive: list[NDArray[Any]] = []
        value = self.ffi.new(f"{struct} *")
        self._fill(value, struct, params, alive)
        rows = getattr(params, "kernel_height", 0)
        types = self.ffi.typeof(getattr(self._library, kernel)).args[1:]
        pointers = []
        if rows:
            row, *types = types
            pointers.append(self.ffi.new(f"{row.item.cname}[]", rows))
        for c_type, array in zip(types, arrays, strict=True):
            assert array.flags.c_contiguous
            pointers.append(self.ffi.cast(c_type, self.ffi.from_buffer(array)))
        getattr(self._library, kernel)(value, *pointers)
