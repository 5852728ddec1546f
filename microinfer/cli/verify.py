"""``microinfer verify``: the C, built here, against the interpreter, every layer of every sample."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..batch import Batch
from ..debug.diff import LayerDiff, diff
from ..graph import Graph
from ..interpreter import Interpreter
from ..native import compile
from ..numerics import PROFILES
from .failure import about, short_name
from .inputs import (
    FORMATS_HELP,
    Conversion,
    Samples,
    load_model,
    model_argument,
    random_samples,
    read_samples,
    sample_options,
)
from .output import line, print_json, progress, table

RANDOM_SAMPLES = 5
AT_ONCE = 1 << 21  # elements of all layers that are compared at one time

DIFFERENT = 1  # exit code


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
def command(
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
    values.
    """
    if files and random is not None:
        raise click.UsageError("choose one of --input and --random")
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
        for position, (name, layers) in enumerate(results.items()):
            if position:
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
            merged = [_joined(*pair) for pair in zip(merged or layers, layers, strict=True)]
            advance(len(arrays[0]))
    return merged
