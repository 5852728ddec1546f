"""Runs one runtime for ``oracles.py``, in a process that it may bring down.

Messages are pickles: first a Job on stdin, then lists of inputs [samples, *shape]; on stdout, for
each list, the tensors as a dict, or a text that says why there are none.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Tensors = dict[int, Array]


@dataclass(frozen=True)
class Job:
    """``wanted``: the tensors to give back, if the runtime has them; ``arena_bytes`` of TFLM."""

    runtime: str
    model: bytes
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    wanted: tuple[int, ...]
    arena_bytes: int


Runtime = Callable[[Sequence[Array]], Tensors]  # one sample, each input in its tensor's shape


def tflm(job: Job) -> Runtime:
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(
        job.model,
        arena_size=job.arena_bytes,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )

    def run(sample: Sequence[Array]) -> Tensors:
        for position, array in enumerate(sample):
            interpreter.set_input(array, position)
        interpreter.invoke()
        return _there(job.wanted, lambda index: interpreter.GetTensor(index, 0)["tensor_data"])

    return run


def litert(job: Job) -> Runtime:
    from ai_edge_litert.interpreter import OpResolverType

    run, _ = _litert(
        job,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    return run


def xnnpack(job: Job) -> Runtime:
    """With every tensor kept, which makes each layer a delegate of its own; and as it comes."""
    run, _ = _litert(job, experimental_preserve_all_tensors=True)
    as_it_comes, read = _litert(job)

    def both(sample: Sequence[Array]) -> Tensors:
        tensors = run(sample)
        as_it_comes(sample)
        for index in job.outputs:
            tensors[-1 - index] = np.array(read(index))  # an output's other value
        return tensors

    return both


def _litert(job: Job, **options: Any) -> tuple[Runtime, Callable[[int], Array]]:
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XNNPACK with all tensors is for debugging
        interpreter = Interpreter(model_content=job.model, num_threads=1, **options)
    interpreter.allocate_tensors()

    def run(sample: Sequence[Array]) -> Tensors:
        for index, array in zip(job.inputs, sample, strict=True):
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        return _there(job.wanted, interpreter.get_tensor)

    return run, interpreter.get_tensor


def _there(wanted: Sequence[int], tensor: Callable[[int], Array]) -> Tensors:
    """Copies of those tensors that there are: a runtime may hand out its own memory."""
    tensors = {}
    for index in wanted:
        try:
            tensors[index] = np.array(tensor(index))
        except (RuntimeError, ValueError):
            continue
    return tensors


RUNTIMES: dict[str, Callable[[Job], Runtime]] = {"tflm": tflm, "litert": litert, "xnnpack": xnnpack}


def _answer(run: Runtime, inputs: Sequence[Array]) -> Tensors:
    """All samples: tensors that each of them has."""
    samples = [run(sample) for sample in zip(*inputs, strict=True)]
    known = set.intersection(*(set(tensors) for tensors in samples))
    return {index: np.stack([tensors[index] for tensors in samples]) for index in sorted(known)}


def serve() -> None:
    """Answer until stdin ends."""
    from_pc = sys.stdin.buffer
    to_pc = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a runtime prints is no answer
    job: Job = pickle.load(from_pc)
    run: Runtime | None = None
    while True:
        try:
            inputs = pickle.load(from_pc)
        except EOFError:
            return
        answer: Tensors | str
        try:
            run = run or RUNTIMES[job.runtime](job)
            answer = _answer(run, inputs)
        except (RuntimeError, ValueError) as error:
            answer = str(error)
        pickle.dump(answer, to_pc)
        to_pc.flush()


if __name__ == "__main__":
    serve()
