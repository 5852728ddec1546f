"""``microinfer verify``: the C, built here, against the interpreter, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from ..batch import Batch, split_batch
from ..debug.diff import LayerDiff, diff
from ..emit import OWN
from ..emit.selftest import known_inputs
from ..graph import Graph
from ..interpreter import Interpreter
from ..native import Native, compile, compiler
from ..numerics import PROFILES
from ..ops import results
from ..targets import HOST, Device, emulated, on_serial_port, targets
from .failure import about, counted
from .files import Array, Conversion
from .inputs import (
    FORMATS_HELP,
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
from .output import line, print_json, progress, table

RANDOM_SAMPLES = 5
AT_ONCE = 1 << 21  # elements of all layers that are compared at one time

DIFFERENT = 1  # exit code
UNDECIDED = "----"  # in place of PASS or FAIL


@click.command(
    "verify",
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
        for name, layers in results.items():
            line()
            _print_result(graph, name, layers, samples, runner)
    same = all(layer.identical for layers in results.values() for layer in layers)
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


def _compare(graph: Graph, numerics: str, batch: Batch, device: Device | Native) -> list[LayerDiff]:
    """Both runs of all samples, compared."""
    interpreter = Interpreter(graph, numerics)
    merged: list[LayerDiff] = []
    with progress(f"comparing {numerics}", batch.samples) as advance:
        for first, arrays in _groups(graph, batch):
            report = diff(interpreter.trace(*arrays), device.trace(*arrays))
            layers = [_shifted(layer, first) for layer in report.layers]
            pairs = zip(merged, layers, strict=True)
            merged = [_joined(one, more) for one, more in pairs] if merged else layers
            advance(len(arrays[0]))
    return merged


def _groups(graph: Graph, batch: Batch) -> Iterator[tuple[int, list[Array]]]:
    """The samples in groups, so that traces of many fit into memory: first sample and arrays."""
    elements = sum(graph.tensors[index].size for node in graph.nodes for index in results(node))
    size = max(1, AT_ONCE // max(1, elements))
    for first in range(0, batch.samples, size):
        yield first, [array[first : first + size] for array in batch.arrays]


def _shifted(layer: LayerDiff, samples: int) -> LayerDiff:
    """A group's result with the sample's number among all samples."""
    if layer.first is None:
        return layer
    where, one, other = layer.first
    return replace(layer, first=((where[0] + samples, *where[1:]), one, other))


def _joined(one: LayerDiff, more: LayerDiff) -> LayerDiff:
    """A layer's result over two groups of samples."""
    return replace(
        one,
        elements=one.elements + more.elements,
        differing=one.differing + more.differing,
        largest=max(one.largest, more.largest),
        first=one.first or more.first,
        inputs_differ=one.inputs_differ or more.inputs_differ,
    )


def _verdict(layer: LayerDiff) -> str:
    """FAIL is only for layers that made a difference of equal inputs."""
    if layer.identical:
        return "PASS"
    return UNDECIDED if layer.inputs_differ else "FAIL"


def _print_result(
    graph: Graph, numerics: str, layers: list[LayerDiff], samples: Samples, runner: _Runner
) -> None:
    rows = [
        [
            _verdict(layer),
            str(layer.index),
            layer.node.op,
            graph.tensors[layer.node.outputs[0]].name if layer.node.outputs else "",
            f"{layer.elements:,}",
            f"{layer.differing:,}",
        ]
        for layer in layers
    ]
    table("< > < ~ > >", ["", "layer", "operator", "output", "elements", "differing"], rows)
    if any(_verdict(layer) == UNDECIDED for layer in layers):
        line(f"{UNDECIDED}  differs, but its input does already: look at FAIL first")
    line()
    elements = sum(layer.elements for layer in layers)
    count = f"{counted(len(layers), 'layer')}, {counted(samples.batch.samples, 'input')}"
    of = f"{counted(elements, 'element')} in {count}, {numerics}, {runner.name}"
    first = next((layer for layer in layers if not layer.identical), None)
    if first is None:
        line(f"identical: {of}")
        return
    line(f"different: {sum(layer.differing for layer in layers):,} of {of}")
    assert first.first is not None
    (sample, *element), interpreted, compiled = first.first
    line(
        f"first: layer {first.index} {first.node.op}, {samples.labels[sample]}, element"
        f" {tuple(element)}: NumPy {interpreted}, C {compiled}"
    )


def _facts(
    model: Path,
    graph: Graph,
    samples: Samples,
    results: dict[str, list[LayerDiff]],
    runner: _Runner,
) -> dict[str, Any]:
    layers = [layer for own in results.values() for layer in own]
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "numerics": list(results),
        "target": runner.target if runner.serial is None else runner.serial,
        "compiler": " ".join(compiler()) if runner.on_host else None,
        "kernels": runner.kernels,
        "inputs": samples.batch.samples,
        "samples": samples.summary,
        "identical": all(layer.identical for layer in layers),
        "elements": sum(layer.elements for layer in layers),
        "layers": [
            {
                "numerics": name,
                "index": layer.index,
                "op": layer.node.op,
                "identical": layer.identical,
                "elements": layer.elements,
                "differing": layer.differing,
                "largest": layer.largest,
                "inputs_differ": layer.inputs_differ,
                "first": _first(layer),
            }
            for name, own in results.items()
            for layer in own
        ],
    }


def _first(layer: LayerDiff) -> dict[str, Any] | None:
    if layer.first is None:
        return None
    (sample, *element), interpreted, compiled = layer.first
    return {"sample": sample, "element": element, "numpy": interpreted, "c": compiled}
