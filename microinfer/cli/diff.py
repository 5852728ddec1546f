"""``microinfer diff``: where two runs of a model part, why, and by how much."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ..batch import split_batch
from ..debug.compare import Comparison, First, Side, compare, first_difference, likely_causes
from ..debug.diagnose import Cause
from ..debug.oracles import ORACLES, Oracle
from ..debug.recorded import Recorded
from ..debug.sources import is_live, recorded, side
from ..errors import BadInput
from ..graph import Graph
from ..interpreter import Interpreter
from ..numerics import PROFILES
from .failure import about, counted, note
from .files import Conversion
from .inputs import (
    FORMATS_HELP,
    RANDOM_SAMPLES,
    Samples,
    load_model,
    model_argument,
    numerics_option,
    random_samples,
    read_samples,
    require_sense,
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
    print_missing,
)
from .output import line, print_json, progress
from .verb import Verb

DIFFERENT = 1  # exit code


@click.command(
    "diff",
    cls=Verb,
    epilog=f"""{FORMATS_HELP}

\b
What a model is compared --against:
  a file or folder   a trace (`run --trace`), a .npz or .npy files with arrays
                     called layer_3, tensor_12, output_0 or as their tensors
                     are, all bytes of a trace hook in a .bin, or the text
                     that a device printed: the log of a harness, or lines
                     "layer 3" with values below; docs/DUMPS.md says more
  c                  the generated C, built with this machine's compiler
  tflm, litert, xnnpack
                     TensorFlow Lite Micro, LiteRT's reference kernels, and
                     LiteRT as it comes, if their packages are installed
  cortex-m4 ...      the generated C on an emulated core (verify --help)

\b
Examples:
  microinfer diff kws.tflite --input x.npy --against board.log
  microinfer diff kws.tflite --input x.npy --against xnnpack --isolate
  microinfer diff kws.tflite --input x.npy --against-profile litert""",
)
@model_argument
@click.option(
    "--against",
    metavar="WHAT",
    help="The other side: a file, a folder, a runtime, c or a core; see below.",
)
@click.option(
    "--against-profile",
    type=click.Choice(list(PROFILES)),
    help="The other side is the interpreter with another arithmetic.",
)
@click.option(
    "--isolate",
    is_flag=True,
    help="Judge each layer alone: recompute it from the other side's own inputs.",
)
@numerics_option
@rewrite_options
@sample_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    against: str | None,
    against_profile: str | None,
    isolate: bool,
    numerics: str,
    batch: int | None,
    strip_float_io: bool,
    files: tuple[str, ...],
    random: int | None,
    seed: int,
    quantize_input: bool,
    image_range: tuple[float, float] | None,
    as_json: bool,
) -> int:
    """Find the first layer in which two runs of a model part.

    The interpreter, with the arithmetic of --numerics, is compared with WHAT on the same samples,
    layer by layer, bit for bit. A layer is blamed only where its inputs are equal; of the first
    one the report shows an element, how its expected value came about, and the likely cause.

    Layers that the other side does not tell of are not compared, and named. Without --input, live
    sides get random samples, and a file the inputs that it was recorded with, if it has them.

    Exit code 1 means that something differs.
    """
    if (against is None) == (against_profile is None):
        raise click.UsageError("choose one of --against and --against-profile")
    if files and random is not None:
        raise click.UsageError("choose one of --input and --random")
    require_sense(ctx, files, random)
    live = against is None or is_live(against)
    if not live and random is not None:
        raise click.UsageError("--random says nothing of what was recorded: pass its --input")
    graph = load_model(model, batch, strip_float_io)
    with about(model):
        interpreter = Interpreter(graph, numerics)
    conversion = Conversion(quantize_input, image_range)
    given = read_samples(graph, files, conversion) if files else None
    if live:
        samples = given or _random(graph, model, random or RANDOM_SAMPLES, seed)
    else:
        assert against is not None
        with about(against):
            file = recorded(against, graph)
            samples = recorded_samples(graph, file, against, given, numerics)
            if isolate and file.has_other_inputs(samples.batch):
                note(
                    f"note: {against}: it ran on other inputs than --input; each layer is judged"
                    " from what it says that it read"
                )
    own_file = batch is None and not strip_float_io
    with ExitStack() as stack:
        stack.enter_context(about(model if live else against or ""))
        other: Side
        if against_profile is not None:
            name, other = f"interpreter, {against_profile}", Interpreter(graph, against_profile)
        elif live:
            assert against is not None
            name = f"C, {numerics}, {against}" if against not in ORACLES else against
            with progress(f"starting {against}"):
                data = model.read_bytes() if own_file else None
                other = stack.enter_context(side(against, graph, data, numerics))
        else:
            name, other = Path(against or "").name, file
        advance = stack.enter_context(progress("comparing", samples.batch.samples))
        comparison = compare(interpreter, other, samples.batch, advance, isolated=isolate)
        if isinstance(other, Oracle) and other.fused_differ:
            note(
                f"note: {against} puts layers together outside a debugger; {other.fused_differ:,}"
                " values of the outputs are then others than those compared here"
            )
        # A layer alone is judged by what the other side says that it read: where that is missing, a
        # difference may hide in it, and shows in the layers behind.
        hidden = False
        report = comparison.report
        if isolate and isinstance(other, Recorded) and report.identical and report.missing:
            other.rewind()
            anew = Interpreter(graph, numerics)
            hidden = not compare(anew, other, samples.batch).report.identical
    with about(model), progress("looking for the cause"):
        first = first_difference(interpreter, comparison)
        causes = likely_causes(interpreter, comparison)
    ours = f"interpreter, {numerics}"
    if as_json:
        found = _facts(model, graph, samples, comparison, first, causes, (ours, name), isolate)
        print_json({**found, "identical": found["identical"] and not hidden})
    else:
        _print(model, graph, samples, comparison, first, causes, (ours, name), isolate)
        if hidden:
            line("but the runs differ: what begins it was not judged; see without --isolate")
    return 0 if comparison.report.identical and not hidden else DIFFERENT


def _random(graph: Graph, model: Path, count: int, seed: int) -> Samples:
    with about(model):
        return random_samples(graph, count, seed, extremes=True)


def recorded_samples(
    graph: Graph, file: Recorded, against: str, given: Samples | None, numerics: str
) -> Samples:
    """What the other side was recorded with: as given, or from the file itself."""
    for text in file.notes:
        note(f"note: {against}: {text}")
    if file.numerics in PROFILES and file.numerics != numerics:
        note(
            f"note: {against}: it follows the profile {file.numerics}; this compares it with"
            f" {numerics}: see --numerics"
        )
    if given is None:
        inputs = file.inputs
        if inputs is None:
            raise BadInput("has no inputs of the model: pass what it was run on, by --input")
        if file.inputs_are_known:
            note(f"note: {against}: without --input, taken for a run on the harness's known input")
        count = counted(file.samples, "sample")
        labels = [f"sample {i}" for i in range(file.samples)]
        given = Samples(split_batch(graph, inputs), labels, f"{count} of {Path(against).name}")
    if given.batch.samples != file.samples:
        raise BadInput(
            f"is of {counted(file.samples, 'sample')}, but --input has {given.batch.samples:,}:"
            " pass those that it was recorded with"
        )
    return given


def _print(
    model: Path,
    graph: Graph,
    samples: Samples,
    comparison: Comparison,
    first: First | None,
    causes: list[Cause],
    sides: tuple[str, str],
    isolated: bool,
) -> None:
    report = comparison.report
    line(f"{model.name}, {samples.summary}")
    line(f"{sides[0]}, against {sides[1]}{'; each layer alone' if isolated else ''}")
    line()
    print_layers(graph, report)
    line()
    if first is not None:
        print_first(graph, first, samples.labels, *sides)
        print_causes(first, causes)
        line()
    print_missing(report)
    layers = counted(sum(bool(layer.elements) for layer in report.layers), "layer")
    of = f"{counted(report.elements, 'element')} in {layers}, {samples.count}"
    if first is None and isolated and report.missing:
        line(f"identical where judged: {of}")
    elif first is None:
        line(f"identical: {of}")
    elif not report.differing:
        line(f"identical: {of}; but the inputs differ")
    else:
        line(f"different: {report.differing:,} of {of}")


def _facts(
    model: Path,
    graph: Graph,
    samples: Samples,
    comparison: Comparison,
    first: First | None,
    causes: list[Cause],
    sides: tuple[str, str],
    isolated: bool,
) -> dict[str, Any]:
    report = comparison.report
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "expected": sides[0],
        "observed": sides[1],
        "isolated": isolated,
        "samples": samples.summary,
        "inputs": samples.batch.samples,
        "identical": report.identical,
        "elements": report.elements,
        "differing": report.differing,
        "first": first_facts(first),
        "causes": [cause_facts(cause) for cause in causes],
        "not_compared": [layer.index for layer in report.missing],
        "model_inputs": [layer_facts(one) for one in report.inputs],
        "layers": [layer_facts(layer) for layer in report.layers],
    }
