"""``microinfer verify``: the C, built here, against the interpreter, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..batch import Batch
from ..debug.diff import LayerDiff, diff
from ..graph import Graph
from ..interpreter import Interpreter
from ..native import compile, compiler
from ..numerics import PROFILES
from .failure import about, counted
from .files import Array, Conversion
from .inputs import (
    FORMATS_HELP,
    Samples,
    load_model,
    model_argument,
    random_samples,
    read_samples,
    require_sense,
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
  CC=clang microinfer verify kws.tflite --random 1000 --seed 7""",
)
@model_argument
@sample_options
@click.option(
    "--numerics",
    "profiles",
    type=click.Choice([*PROFILES, "all"]),
    multiple=True,
    default=["tflm"],
    help="Whose arithmetic to follow; may be repeated.  [default: tflm]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    files: tuple[str, ...],
    random: int | None,
    seed: int,
    quantize_input: bool,
    image_range: tuple[float, float] | None,
    profiles: tuple[str, ...],
    as_json: bool,
) -> int:
    """Compare the C with the interpreter, layer by layer, bit for bit.

    Generates the model's C, builds it with this machine's compiler ($CC, or cc), runs both on the
    same samples and compares every output of every layer. Without --input the samples are random
    (5, or N of --random), and two more have all inputs at their lowest and at their highest value.

    Exit code 1 means that something differs; the report names the layer, the element and both
    values. FAIL stands at layers that differ although their inputs are equal, ---- at those after
    them.
    """
    if files and random is not None:
        raise click.UsageError("choose one of --input and --random")
    require_sense(ctx, files, random)
    graph = load_model(model)
    if files:
        samples = read_samples(graph, files, Conversion(quantize_input, image_range))
    else:
        with about(model):
            samples = random_samples(graph, random or RANDOM_SAMPLES, seed, extremes=True)
    names = list(PROFILES) if "all" in profiles else list(dict.fromkeys(profiles))
    with about(model):
        results = {name: _compare(graph, name, samples.batch) for name in names}
    if as_json:
        print_json(_facts(model, graph, samples, results))
    else:
        line(f"{model.name}, {samples.summary}")
        for name, layers in results.items():
            line()
            _print_result(graph, name, layers, samples)
    same = all(layer.identical for layers in results.values() for layer in layers)
    return 0 if same else DIFFERENT


def _compare(graph: Graph, numerics: str, batch: Batch) -> list[LayerDiff]:
    """Both runs of all samples, compared."""
    interpreter = Interpreter(graph, numerics)
    with progress(f"building the C of {numerics}"):
        native = compile(graph, numerics)
    merged: list[LayerDiff] = []
    with progress(f"comparing {numerics}", batch.samples) as advance:
        for first, arrays in _groups(graph, batch):
            report = diff(interpreter.trace(*arrays), native.trace(*arrays))
            layers = [_shifted(layer, first) for layer in report.layers]
            pairs = zip(merged, layers, strict=True)
            merged = [_joined(one, more) for one, more in pairs] if merged else layers
            advance(len(arrays[0]))
    return merged


def _groups(graph: Graph, batch: Batch) -> Iterator[tuple[int, list[Array]]]:
    """The samples in groups, so that traces of many fit into memory: first sample and arrays."""
    elements = sum(graph.tensors[index].size for node in graph.nodes for index in node.outputs)
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


def _print_result(graph: Graph, numerics: str, layers: list[LayerDiff], samples: Samples) -> None:
    rows = [
        [
            _verdict(layer),
            str(layer.index),
            layer.node.op,
            graph.tensors[layer.node.outputs[0]].name,
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
    cc = " ".join(compiler())
    of = f"{counted(elements, 'element')} in {count}, {numerics}, {cc}"
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
    model: Path, graph: Graph, samples: Samples, results: dict[str, list[LayerDiff]]
) -> dict[str, Any]:
    layers = [layer for own in results.values() for layer in own]
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "numerics": list(results),
        "compiler": " ".join(compiler()),
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
