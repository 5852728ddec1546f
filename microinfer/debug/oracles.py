"""Other runtimes as a side of a comparison, with every tensor that they give.

tflm     TensorFlow Lite Micro's reference kernels (package tflite-micro)
litert   LiteRT's reference kernels, BUILTIN_REF (package ai-edge-litert)
xnnpack  LiteRT as it comes, with XNNPACK's kernels; layers are kept apart, so that all tensors
         are there

Each runs in a process of its own, as it aborts on what it checks only in C++.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import split_batch
from ..errors import BadInput, ToolchainError
from ..graph import Graph
from ..ops import results
from ..passes import runnable
from ..trace import Trace
from . import oracle_process
from .oracle_process import Job

Array = NDArray[Any]

ORACLES = {  # module and package of each
    "tflm": ("tflite_micro", "tflite-micro"),
    "litert": ("ai_edge_litert", "ai-edge-litert"),
    "xnnpack": ("ai_edge_litert", "ai-edge-litert"),
}

LONGEST = 300  # characters of what a runtime says of a model

ARENA_BYTES = 1 << 20  # of TFLM, beyond what the tensors themselves need


@contextmanager
def oracle(name: str, graph: Graph, model: bytes) -> Iterator[Oracle]:
    """The runtime ``name`` of ORACLES, running ``model``, the file that ``graph`` is of.

    Raises ToolchainError, with what to install, if its package is not there.
    """
    module, package = ORACLES[name]
    if importlib.util.find_spec(module) is None:
        hint = " --pre" if name == "tflm" else ""
        raise ToolchainError(
            f"{name} needs the package {package}: pip install{hint} {package}, or"
            " pip install 'microinfer[oracles]'"
        )
    graph = runnable(graph)
    sizes = (tensor.nbytes + 256 for tensor in graph.tensors if tensor.data is None)
    job = Job(
        name,
        model,
        graph.inputs,
        graph.outputs,
        tuple(sorted({index for node in graph.nodes for index in results(node)})),
        ARENA_BYTES + 2 * sum(sizes),
    )
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "TF_CPP_MIN_LOG_LEVEL": "1",
    }
    with tempfile.TemporaryDirectory(prefix="microinfer-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", oracle_process.__name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=environment,
            )
        try:
            yield Oracle(name, graph, job, process, log)
        finally:
            process.kill()
            process.communicate()


class Oracle:
    """A runtime that traces: takes what ``Interpreter.trace`` takes. Samples are consecutive.

    ``fused_differ``: how many values of the model's outputs XNNPACK computes otherwise when it may
    put layers together, as it does outside a debugger.
    """

    def __init__(
        self, name: str, graph: Graph, job: Job, process: subprocess.Popen[bytes], log: Path
    ) -> None:
        self.name = name
        self.fused_differ = 0
        self._graph = graph
        self._process = process
        self._log = log
        self._send(job)

    def trace(self, *inputs: Array) -> Trace:
        """Every tensor that the runtime gives. Raises BadInput for what it refuses."""
        batch = split_batch(self._graph, inputs)
        self._send([np.ascontiguousarray(array) for array in batch.arrays])
        assert self._process.stdout is not None
        try:
            answer = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError):
            raise BadInput(f"{self.name} broke down: {self._last_words()}") from None
        if isinstance(answer, str):
            said = textwrap.shorten(answer, LONGEST, placeholder=" ...")
            raise BadInput(f"{self.name} does not run this model: {said}")
        tensors = {}
        for index, array in answer.items():
            tensor = self._graph.tensors[index if index >= 0 else -1 - index]
            if (array.dtype, array.shape[1:]) != (tensor.dtype, tensor.shape):
                continue
            if index >= 0:
                tensors[index] = array
            elif -1 - index in answer:
                self.fused_differ += int(np.count_nonzero(answer[-1 - index] != array))
        return Trace.from_tensors(self._graph, batch, tensors, self.name)

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BadInput(f"{self.name} broke down: {self._last_words()}") from None

    def _last_words(self) -> str:
        """What the process said last, and how it ended."""
        code = self._process.wait()
        lines = self._log.read_text("utf-8", errors="replace").strip().splitlines()
        ended = f"exit code {code}" if code >= 0 else f"signal {-code}"
        return f"{lines[-1].strip()} ({ended})" if lines else ended
