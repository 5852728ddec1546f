"""Time the interpreter against LiteRT's reference kernels, in the same run and on one thread.

    python bench/host.py [--json]

LiteRT (BUILTIN_REF) and microinfer compute the same bits, which is checked, and take turns. Times
are medians of the thread's CPU time: other work on the machine counts little. Exit 0 if every
target is met, 1 if not, 2 if ../shared/models is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import microinfer as mi
from microinfer.tflite import read_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "shared" / "models"
ROUNDS = 15
BATCH = 64
# Most time per sample, as a fraction of LiteRT's time for one: at batch 1, at BATCH.
TARGETS = {"kws": (0.6, 0.3), "vww": (0.6, 0.3), "ic": (0.6, 0.3), "ad": (2.0, 2.0)}
MEMORY_TARGET_MB = 1000
MEMORY_MODELS = ("vww", "ic")


@dataclass(frozen=True)
class Timing:
    """One model at one batch size; milliseconds per sample."""

    model: str
    batch: int
    microinfer_ms: float
    litert_ms: float
    ratio: float
    target: float
    met: bool


def model_path(model: str) -> Path:
    return MODELS / f"mlperf_{model}_int8.tflite"


def samples(graph: mi.Graph, count: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Random inputs, the same in every run."""
    shape = graph.tensors[graph.inputs[0]].shape
    values = np.random.default_rng(0).integers(-128, 128, (count, *shape))
    return values.astype(np.int8)


def litert(model: str) -> Any:
    """LiteRT's interpreter with reference kernels, ready to run."""
    from ai_edge_litert.interpreter import (  # type: ignore[import-untyped]
        Interpreter,
        OpResolverType,
    )

    interpreter = Interpreter(
        str(model_path(model)),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    return interpreter


def check_bits(interpreter: mi.Interpreter, reference: Any, inputs: Any) -> None:
    """Exit unless both give the same outputs for these samples."""
    (outputs,) = interpreter.run(inputs)
    for sample, output in zip(inputs, outputs, strict=True):
        reference.set_tensor(reference.get_input_details()[0]["index"], sample)
        reference.invoke()
        expected = reference.get_tensor(reference.get_output_details()[0]["index"])
        if not np.array_equal(output, expected):
            sys.exit("error: microinfer and LiteRT BUILTIN_REF differ: not a comparison")


def seconds(run: Callable[[], object], calls: int) -> float:
    """CPU seconds of this thread per call."""
    start = time.thread_time()
    for _ in range(calls):
        run()
    return (time.thread_time() - start) / calls


def calls_for(run: Callable[[], object]) -> int:
    """So many that they take some ten milliseconds, far more than the clock's own step."""
    run()
    return max(1, int(0.01 / seconds(run, 3)))


def measure(model: str) -> list[Timing]:
    """microinfer and LiteRT in turns, ROUNDS times."""
    graph = read_file(model_path(model))
    interpreter = mi.Interpreter(graph, numerics="litert")
    inputs = samples(graph, BATCH)
    reference = litert(model)
    check_bits(interpreter, reference, inputs[:3])
    runs: list[Callable[[], object]] = [
        lambda: interpreter.run(inputs[0]),
        lambda: interpreter.run(inputs),
        reference.invoke,
    ]
    calls = [calls_for(run) for run in runs]
    rounds = [[seconds(*pair) for pair in zip(runs, calls, strict=True)] for _ in range(ROUNDS)]
    one, many, theirs = (1000 * statistics.median(times) for times in zip(*rounds, strict=True))
    timings = []
    for batch, ours, target in zip((1, BATCH), (one, many / BATCH), TARGETS[model], strict=True):
        ratio = ours / theirs
        timings.append(Timing(model, batch, ours, theirs, ratio, target, ratio <= target))
    return timings


def peak_memory_mb() -> float:
    """Peak resident memory of a process of its own that runs and traces MEMORY_MODELS at BATCH."""
    command = [sys.executable, __file__, "--memory"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def use_memory() -> None:
    """In that process: print its peak in megabytes."""
    for model in MEMORY_MODELS:
        graph = read_file(model_path(model))
        interpreter = mi.Interpreter(graph)
        inputs = samples(graph, BATCH)
        interpreter.run(inputs)
        interpreter.trace(inputs)
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def timing_table(timings: Sequence[Timing]) -> Table:
    table = Table(title="Milliseconds per sample, one thread", title_justify="left")
    for heading in ("model", "batch", "microinfer", "LiteRT ref", "ratio", "target", ""):
        table.add_column(heading, justify="left" if heading in ("model", "") else "right")
    for timing in timings:
        table.add_row(
            timing.model,
            str(timing.batch),
            f"{timing.microinfer_ms:.3f}",
            f"{timing.litert_ms:.3f}",
            f"{timing.ratio:.2f}",
            f"{timing.target:.1f}",
            "met" if timing.met else "[red]not met[/red]",
        )
    return table


def peer_table(peers: dict[str, Any]) -> Table:
    table = Table(
        title=f"Published: {peers['machine']}",
        title_justify="left",
        caption=peers["source"],
        caption_justify="left",
    )
    table.add_column("milliseconds per inference")
    for model in TARGETS:
        table.add_column(model, justify="right")
    for peer in peers["ms"].values():
        table.add_row(peer["name"], *(f"{peer[model]:g}" for model in TARGETS))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    missing = [model for model in TARGETS if not model_path(model).exists()]
    if missing:
        print(
            f"error: {model_path(missing[0])} is missing\n"
            "The MLPerf Tiny models have to be in shared/models, beside this checkout.",
            file=sys.stderr,
        )
        return 2
    if arguments.memory:
        use_memory()
        return 0
    notes = Console(stderr=True)
    memory = peak_memory_mb()
    steps = track(TARGETS, "Timing", console=notes, transient=True, disable=not notes.is_terminal)
    timings = [timing for model in steps for timing in measure(model)]
    met = all(timing.met for timing in timings) and memory < MEMORY_TARGET_MB
    peers = tomllib.loads((HERE / "peers.toml").read_text())["host"]
    if arguments.json:
        figures = {
            "timings": [asdict(timing) for timing in timings],
            "peak_memory_mb": memory,
            "peak_memory_target_mb": MEMORY_TARGET_MB,
            "met": met,
            "peers": peers,
        }
        print(json.dumps(figures, indent=2))
        return 0 if met else 1
    console = Console(width=80)
    console.print(timing_table(timings))
    verdict = "met" if memory < MEMORY_TARGET_MB else "[red]not met[/red]"
    console.print(
        f"Peak memory, run and trace of {' and '.join(MEMORY_MODELS)} at batch {BATCH}:"
        f" {memory:.0f} MB (target {MEMORY_TARGET_MB}: {verdict})\n"
    )
    console.print(peer_table(peers))
    return 0 if met else 1


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
