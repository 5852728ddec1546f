"""``microinfer verify``: the C, built here, against the interpreter, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..batch import Batch, split_batch
from ..debug.compare import First, compare, first_difference, likely_causes
from ..debug.diagnose import Cause
from ..debug.diff import Report
from ..emit import OWN
from ..emit.selftest import known_inputs
from ..graph import Graph
from ..interpreter import Interpreter
from ..native import Native, compile, compiler
from ..numerics import PROFILES
from ..targets import HOST, Device, emulated, on_serial_port, targets
from .failure import about, counted
from .files import Conversion
from .inputs import (
    FORMATS_HELP,
    RANDOM_SAMPLES,
    Samples,
    kernels_option,
    load_model,
    model_argument,
    random_samples,
    read_samples,
    require_sense,
    require_use,
    rewrite_options,
    sample_options,
)
from .layers import (
    cause_facts,
    first_facts,
    layer_facts,
    print_causes,
    print_first,
    print_layers,
)
from .output import line, print_json, progress
from .verb import Verb

DIFFERENT = 1  # exit code


@click.command(
    "verify",
    cls=Verb,
    epilog=f"""{FORMATS_HELP}

\b
Examples:
  microinfer verify kws.tflite
  microinfer verify kws.tflite --input samples.npy --numerics all
  microinfer verify kws.tflite --target cortex-m4
  microinfer verify kws.tflite --target cortex-m55 --kernels cmsis-nn
  microinfer verify kws.tflite --serial /dev/ttyACM0
  CC=clang microinfer verify kws.tflite --random 1000 --seed 7""",
)
@model_argument
@rewrite_options
@sample_options
@click.option(
    "--numerics",
    "profiles",
    type=click.Choice([*PROFILES, "all"]),
    multiple=True,
    default=["tflm"],
    help="Whose arithmetic to follow; may be repeated.  [default: tflm]",
)
@click.option(
    "--target",
    type=click.Choice([HOST, *targets()]),
    metavar="NAME",
    default=HOST,
    show_default=True,
    help=f"The core that runs the C: this machine's, or an emulated one of {', '.join(targets())}.",
)
@kernels_option
@click.option(
    "--serial",
    metavar="PORT",
    help="A board that runs the C in its harness (codegen --harness uart), such as /dev/ttyACM0.",
)
@click.option(
    "--baud",
    type=click.IntRange(300),
    metavar="N",
    default=115200,
    show_default=True,
    help="Speed of the serial port.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    batch: int | None,
    strip_float_io: bool,
    files: tuple[str, ...],
    random: int | None,
    seed: int,
    quantize_input: bool,
    image_range: tuple[float, float] | None,
    profiles: tuple[str, ...],
    target: str,
    kernels: str,
    serial: str | None,
    baud: int,
    as_json: bool,
) -> int:
    """Compare the C with the interpreter, layer by layer, bit for bit.

    Generates the model's C, builds it with this machine's compiler ($CC, or cc), runs both on the
    same samples and compares every output of every layer. Without --input the samples are random
    (5, or N of --random), and two more have all inputs at their lowest and at their highest value.

    Of a model with state the samples are consecutive invocations, the first one after a reset, and
    its state is compared after each layer that has one; variables where they are read.

    With --target the C is cross-compiled and runs on an emulated core; with --serial it runs on
    your board, flashed beforehand. A board that cannot listen (no mi_get) runs one known input, and
    is compared on that: start this, then reset the board.

    Exit code 1 means that something differs; the report names the layer, the element and both
    values. FAIL stands at layers that differ although their inputs are equal, ---- at those after
    them.
    """
    if files and random is not None:
        raise click.UsageError("choose one of --input and --random")
    require_sense(ctx, files, random)
    if serial is None:
        require_use(ctx, ["--baud"], "--serial")
    elif target != HOST or kernels != OWN or "all" in profiles or len(profiles) > 1:
        raise click.UsageError(
            "--serial goes with one profile, and not with --target nor with --kernels, which your"
            " board has already"
        )
    runner = _Runner(target, serial, baud, kernels)
    graph = load_model(model, batch, strip_float_io)
    if files:
        samples = read_samples(graph, files, Conversion(quantize_input, image_range))
    else:
        with about(model):
            samples = random_samples(graph, random or RANDOM_SAMPLES, seed, extremes=True)
    names = list(PROFILES) if "all" in profiles else list(dict.fromkeys(profiles))
    results = {}
    with about(model):
        for name in names:
            with runner.start(graph, name) as device:
                if isinstance(device, Device) and not device.listens and not files and not random:
                    samples = _known_sample(graph)
                results[name] = _compare(graph, name, samples.batch, device)
    if as_json:
        print_json(_facts(model, graph, samples, results, runner))
    else:
        line(f"{model.name}, {samples.summary}")
        for name, result in results.items():
            line()
            _print_result(graph, name, result, samples, runner)
    same = all(result.report.identical for result in results.values())
    return 0 if same else DIFFERENT


@dataclass(frozen=True)
class _Runner:
    """What runs the C: this machine, an emulated core, or a board on a serial port."""

    target: str
    serial: str | None
    baud: int
    kernels: str

    @property
    def on_host(self) -> bool:
        return self.serial is None and self.target == HOST

    @property
    def name(self) -> str:
        """Of the compiler, the core or the port."""
        if self.serial is not None:
            return self.serial
        where = " ".join(compiler()) if self.target == HOST else self.target
        return where if self.kernels == OWN else f"{where} with CMSIS-NN"

    @contextmanager
    def start(self, graph: Graph, numerics: str) -> Iterator[Device | Native]:
        with ExitStack() as stack:
            with progress(f"building the C of {numerics}"):
                device = stack.enter_context(self._start(graph, numerics))
            yield device

    def _start(self, graph: Graph, numerics: str) -> AbstractContextManager[Device | Native]:
        if self.serial is not None:
            return on_serial_port(graph, self.serial, numerics, baud=self.baud)
        if self.target == HOST:
            return nullcontext(compile(graph, numerics, kernels=self.kernels))
        return emulated(graph, targets()[self.target], numerics, kernels=self.kernels)


def _known_sample(graph: Graph) -> Samples:
    """What a board without mi_get runs."""
    batch = split_batch(graph, known_inputs(graph))
    return Samples(batch, ["the known input"], "the known input of a board that cannot listen")


@dataclass(frozen=True)
class _Result:
    """Of one profile."""

    report: Report
    first: First | None
    causes: list[Cause]


def _compare(graph: Graph, numerics: str, batch: Batch, device: Device | Native) -> _Result:
    """Both runs of all samples, compared."""
    interpreter = Interpreter(graph, numerics)
    with progress(f"comparing {numerics}", batch.samples) as advance:
        comparison = compare(interpreter, device, batch, advance)
    with progress("looking for the cause"):
        first = first_difference(interpreter, comparison)
        return _Result(comparison.report, first, likely_causes(interpreter, comparison))


def _print_result(
    graph: Graph, numerics: str, result: _Result, samples: Samples, runner: _Runner
) -> None:
    report = result.report
    print_layers(graph, report)
    line()
    if result.first is not None:
        print_first(graph, result.first, samples.labels, f"NumPy, {numerics}", f"C, {runner.name}")
        print_causes(result.first, result.causes)
        line()
    count = f"{counted(len(report.layers), 'layer')}, {samples.count}"
    of = f"{counted(report.elements, 'element')} in {count}, {numerics}, {runner.name}"
    if report.identical:
        line(f"identical: {of}")
    else:
        line(f"different: {report.differing:,} of {of}")


def _facts(
    model: Path,
    graph: Graph,
    samples: Samples,
    results: dict[str, _Result],
    runner: _Runner,
) -> dict[str, Any]:
    reports = {name: result.report for name, result in results.items()}
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "numerics": list(results),
        "target": runner.target if runner.serial is None else runner.serial,
        "compiler": " ".join(compiler()) if runner.on_host else None,
        "kernels": runner.kernels if runner.serial is None else None,  # the board does not say
        "inputs": samples.batch.samples,
        "samples": samples.summary,
        "identical": all(report.identical for report in reports.values()),
        "elements": sum(report.elements for report in reports.values()),
        "first": {name: first_facts(result.first) for name, result in results.items()},
        "causes": {name: [cause_facts(c) for c in own.causes] for name, own in results.items()},
        "layers": [
            {"numerics": name, **layer_facts(layer)}
            for name, report in reports.items()
            for layer in report.layers
        ],
    }
