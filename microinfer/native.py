"""The generated C on this machine: built with the host's compiler, run through cffi."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cffi import FFI
from numpy.typing import NDArray

from . import cmsis_nn
from .batch import Batch, split_batch
from .emit import CMSIS_NN, OWN, generate
from .errors import ToolchainError
from .graph import Graph
from .numerics import profile
from .passes import runnable
from .prepare import prepare
from .state import states
from .trace import Trace, traced_bytes

Array = NDArray[Any]

NAME = "model"

# What the host adds to the generated code: it appends every layer's output to one buffer.
HARNESS = f"""
#include "{NAME}.h"
#include <string.h>

static unsigned char *traced;

void {NAME}_trace(int layer, int output, const void *data, size_t bytes)
{{
    (void)layer;
    (void)output;
    if (traced != NULL) {{
        memcpy(traced, data, bytes);
        traced += bytes;
    }}
}}

void *{NAME}_host_input(int index) {{ return {NAME}_input(index); }}
const void *{NAME}_host_output(int index) {{ return {NAME}_output(index); }}

int {NAME}_host_invoke(void *trace)
{{
    traced = (unsigned char *)trace;
    return {NAME}_invoke();
}}
"""

RESET = f"""
int {NAME}_host_reset(void) {{ return {NAME}_reset(); }}
"""

DECLARATIONS = f"""
int {NAME}_host_reset(void);
void *{NAME}_host_input(int index);
const void *{NAME}_host_output(int index);
int {NAME}_host_invoke(void *trace);
"""


def compile(
    graph: Graph,
    numerics: str = "tflm",
    *,
    flags: Sequence[str] = ("-O2",),
    kernels: str = OWN,
) -> Native:
    """Generate ``graph``'s C, build it and load it: the C twin of ``Interpreter``.

    The compiler is $CC, or cc; ``flags`` are added to its command line. With ``kernels``
    "cmsis-nn" the library that CMSIS_NN_PATH points to is linked, in its plain form. Raises
    UnsupportedModel, and ToolchainError where there is no compiler or it fails.
    """
    return Native(graph, numerics, flags, kernels)


class Native:
    """The generated C of a Graph, in this process. Not re-entrant: its arena is static.

    State is kept from run to run, and samples of one run are consecutive invocations, as in
    ``Interpreter``.
    """

    def __init__(
        self, graph: Graph, numerics: str, flags: Sequence[str], kernels: str = OWN
    ) -> None:
        self.graph = graph = runnable(graph)
        self.numerics = profile(numerics)
        self.layers = prepare(graph, self.numerics)
        folder = Path(tempfile.mkdtemp(prefix="microinfer-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._has_state = bool(states(graph))
        harness = HARNESS + RESET if self._has_state else HARNESS
        core = "plain" if kernels == CMSIS_NN else "any"
        sources = generate(graph, NAME, numerics=numerics, kernels=kernels, core=core)
        files = {**sources, "harness.c": harness}
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        library = folder / f"{NAME}.so"
        linked: list[str] = []
        if kernels == CMSIS_NN:
            found = cmsis_nn.library(_compiler(), "ar", [*flags, "-fPIC"])
            flags, linked = [*flags, *found.compile_flags], [str(found.archive)]
        build(
            [
                *(*flags, "-shared", "-fPIC", f"-D{NAME.upper()}_TRACE", "-o", str(library)),
                *(str(folder / f"{NAME}.c"), str(folder / "harness.c"), *linked),
            ]
        )
        self._ffi = FFI()
        self._ffi.cdef(DECLARATIONS)
        try:
            self._library: Any = self._ffi.dlopen(str(library))
        except OSError as error:
            hint = "; is the checkout of CMSIS_NN_PATH whole and recent?" if linked else ""
            raise ToolchainError(f"cannot load the compiled C: {error}{hint}") from None
        self.reset()

    def reset(self) -> None:
        """Give every state its first value, as ``Interpreter.reset`` does."""
        if self._has_state:
            self._library.model_host_reset()

    def run(self, *inputs: Array) -> list[Array]:
        """The model's outputs; takes and gives what ``Interpreter.run`` does."""
        batch = split_batch(self.graph, inputs)
        outputs = []
        for position, index in enumerate(self.graph.outputs):
            tensor = self.graph.tensors[index]
            outputs.append(np.empty((batch.samples, *tensor.shape), tensor.dtype))
            assert self._library.model_host_output(position) != self._ffi.NULL
        for sample in range(batch.samples):
            self._fill(batch, sample)
            self._invoke(self._ffi.NULL)
            for position, array in enumerate(outputs):
                source = self._library.model_host_output(position)
                target = array[sample : sample + 1]
                self._ffi.memmove(self._ffi.from_buffer(target), source, target.nbytes)
        return [
            batch.restore(array, self.graph.tensors[index])
            for array, index in zip(outputs, self.graph.outputs, strict=True)
        ]

    def trace(self, *inputs: Array) -> Trace:
        """Every layer's outputs; takes and gives what ``Interpreter.trace`` does."""
        batch = split_batch(self.graph, inputs)
        raw = np.empty((batch.samples, traced_bytes(self.graph)), np.uint8)
        for sample in range(batch.samples):
            self._fill(batch, sample)
            self._invoke(self._ffi.from_buffer(raw[sample]))
        params = [layer.params for layer in self.layers]
        return Trace.from_samples(self.graph, batch, raw, self.numerics.name, params)

    def _invoke(self, trace: Any) -> None:
        status = self._library.model_host_invoke(trace)
        assert status == 0, status

    def _fill(self, batch: Batch, sample: int) -> None:
        """Copy one sample's inputs into the arena, where the model will overwrite them."""
        for position, array in enumerate(batch.arrays):
            values = np.ascontiguousarray(array[sample : sample + 1])
            target = self._library.model_host_input(position)
            self._ffi.memmove(target, self._ffi.from_buffer(values), values.nbytes)


def compiler() -> list[str]:
    """The host's C compiler as a command line: $CC, or cc."""
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def _compiler() -> list[str]:
    """``compiler()``, if it is there."""
    command = compiler()
    if shutil.which(command[0]) is None:
        raise ToolchainError(
            f"there is no C compiler {command[0]!r}: install one (Debian: apt install gcc),"
            " or set CC to yours"
        )
    return command


def build(arguments: Sequence[str]) -> None:
    """Run the host's C compiler ($CC, or cc) as C99. Raises ToolchainError with what it said."""
    command = _compiler()
    result = subprocess.run(
        [*command, "-std=c99", *arguments], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        said = result.stderr.strip() or f"exit code {result.returncode}"
        raise ToolchainError(f"{' '.join(command)} failed on the generated C:\n{said}")
