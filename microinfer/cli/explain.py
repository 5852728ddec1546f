"""``microinfer explain``: how one element of one layer came about, to be followed with a pencil."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..batch import Batch
from ..debug.c_source import c_lines
from ..debug.explain import Explanation, explain
from ..emit import generate
from ..emit.names import identifier
from ..errors import BadInput
from ..interpreter import Interpreter
from ..state import states
from ..trace import Trace
from .answers import judged
from .explain_page import require_sound, write_page
from .explain_text import print_explanation
from .failure import about
from .files import Conversion
from .inputs import (
    FORMATS_HELP,
    load_model,
    model_argument,
    numerics_option,
    path_of,
    random_samples,
    read_samples,
    require_sense,
    require_use,
    rewrite_options,
    sample_options,
)
from .output import line, print_json, progress, shape_text, table
from .verb import Verb

# Options that choose or show an element.
FOR_ONE_LAYER = (
    *("--input", "--random", "--seed", "--quantize-input", "--image-range"),
    *("--at", "--sample", "--all", "--check"),
)
WRONG = 1  # exit code, of an answer


@click.command(
    "explain",
    cls=Verb,
    epilog=f"""{FORMATS_HELP}

\b
Examples:
  microinfer explain kws.tflite
  microinfer explain kws.tflite --input samples.npy --layer 3
  microinfer explain kws.tflite --input samples.npy --layer 3 --at 5,5,12
  microinfer explain kws.tflite --input x.npy --layer 3 --check output=7
  microinfer explain kws.tflite --random 1 --layer SOFTMAX --json
  microinfer explain kws.tflite --input samples.npy --html kws.html""",
)
@model_argument
@rewrite_options
@sample_options
@numerics_option
@click.option(
    "--layer",
    metavar="LAYER",
    help="Which layer: its number, its output's name, or its operator if there is one of it."
    "  [default: list the layers]",
)
@click.option(
    "--at",
    metavar="I,J,...",
    help="Which element: its place in the layer's output, with or without the batch."
    "  [default: that of the largest value]",
)
@click.option(
    "--sample",
    metavar="N",
    type=int,
    default=0,
    show_default=True,
    help="Which sample of the input, from 0.",
)
@click.option("--all", "everything", is_flag=True, help="Show the whole receptive field.")
@click.option(
    "--check",
    "answers",
    metavar="STEP=VALUE",
    multiple=True,
    help="Do not show the steps, but say whether yours are right, such as accumulator=-5; may be"
    " repeated.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page of all layers and elements, which opens offline, and print nothing."
    " An earlier one is replaced.",
)
@click.option("--force", is_flag=True, help="Replace a file that is no such page, too.")
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
    numerics: str,
    layer: str | None,
    at: str | None,
    sample: int,
    everything: bool,
    answers: tuple[str, ...],
    page: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Show how one number of one layer came about, step by step.

    Prints the element's receptive field with the products, the accumulator, the multiplier as a
    real and in fixed point, each rounding with its bits, zero point, clamp and output, and the
    lines of the generated C that do it. Every step is computed again and ends in the value that
    the interpreter has.

    Without --layer it lists the layers. --html writes all of it as a page: choose layers and
    elements there, change the input, compare roundings.

    Of a model with state the samples before --sample are run first, after a reset.

    Exit code 1 means that a value of --check is wrong.
    """
    if page is not None:
        require_sound(ctx, page, [model, *map(path_of, files)], layer)
    else:
        require_use(ctx, ["--force"], "--html")
    if page is None and layer is None:
        require_use(ctx, FOR_ONE_LAYER, "--layer")
        graph = load_model(model, batch, strip_float_io)
        with about(model):
            _print_layers(Interpreter(graph, numerics), model, as_json)
        return 0
    if bool(files) == (random is not None):
        raise click.UsageError("choose one of --input FILE and --random N")
    require_sense(ctx, files, random)
    if everything and as_json:
        raise click.UsageError("--all says nothing with --json, which has all")
    place = _place(at)
    graph = load_model(model, batch, strip_float_io)
    with about(model):
        interpreter = Interpreter(graph, numerics)
        index, output = _find(interpreter, layer) if layer is not None else (0, 0)
    if files:
        samples = read_samples(graph, files, Conversion(quantize_input, image_range))
    else:
        with about(model):
            samples = random_samples(graph, random or 1, seed)
    if not 0 <= sample < samples.batch.samples:
        raise BadInput(
            f"got --sample {sample}, expected 0..{samples.batch.samples - 1}: the input has"
            f" {samples.summary}"
        )
    if page is not None:
        write_page(page, model, interpreter, samples, sample, (index, output, place))
        return 0
    with about(model):
        trace, within = _trace(interpreter, samples.batch, sample)
        explanation = explain(interpreter, trace, index, place, within, output)
    if answers:
        return _judge(explanation, answers, as_json)
    with about(model), progress("generating the C"):
        name = identifier(model.stem)
        sources = generate(graph, name, numerics=numerics)
    lines = c_lines(sources, name, index, explanation.marks)
    if as_json:
        facts = {"file": model.name, **explanation.facts(), "sample": sample}
        print_json({**facts, "c": [asdict(own) for own in lines]})
    else:
        print_explanation(explanation, lines, samples.labels[sample], everything)
    return 0


def _judge(explanation: Explanation, answers: tuple[str, ...], as_json: bool) -> int:
    """Print which of the reader's values are right; 1 if one is wrong."""
    found = judged(explanation, answers)
    if as_json:
        print_json({"answers": [asdict(answer) for answer in found]})
    else:
        rows = [["right" if own.right else "wrong", own.step, own.given] for own in found]
        table("< < >", ["", "", ""], rows)
    return 0 if all(answer.right for answer in found) else WRONG


def _place(at: str | None) -> list[int] | None:
    """The indices in --at."""
    if at is None:
        return None
    try:
        return [int(part) for part in at.split(",")] if at.strip() else []  # of a scalar
    except ValueError:
        raise click.UsageError(f"--at {at!r}; expected indices such as 0,5,5,12") from None


def _find(interpreter: Interpreter, layer: str) -> tuple[int, int]:
    """The layer that is meant, and which of its outputs. Raises BadInput."""
    count = len(interpreter.layers)
    if layer.lstrip("-").isdecimal():
        if not 0 <= int(layer) < count:
            raise BadInput(f"got --layer {layer}, expected 0..{count - 1}")
        return int(layer), 0
    named = [
        (own.index, position)
        for own in interpreter.layers
        for position, index in enumerate(own.node.outputs)
        if interpreter.graph.tensors[index].name == layer
    ]
    if named:
        return named[0]
    of_op = [own.index for own in interpreter.layers if own.node.op == layer.upper()]
    if len(of_op) == 1:
        return of_op[0], 0
    if of_op:
        listed = ", ".join(map(str, of_op[:12])) + (", ..." if len(of_op) > 12 else "")
        raise BadInput(
            f"--layer {layer}: {len(of_op)} layers are {layer.upper()}; choose among {listed}"
        )
    raise BadInput(
        f"--layer {layer}: no layer has this number, output or operator; without --layer all are"
        " listed"
    )


def _trace(interpreter: Interpreter, batch: Batch, sample: int) -> tuple[Trace, int]:
    """A trace with the sample in it, and its place there: of a model with state those before it,
    too."""
    first = 0 if states(interpreter.graph) else sample
    with progress("running"):
        interpreter.reset()
        arrays = [array[first : sample + 1] for array in batch.arrays]
        return interpreter.trace(*arrays), sample - first


# -- the list of layers -----------------------------------------------------------------------


def _print_layers(interpreter: Interpreter, model: Path, as_json: bool) -> None:
    graph = interpreter.graph
    rows, facts = [], []
    for own in interpreter.layers:
        tensors = [graph.tensors[index] for index in own.node.outputs if own.op.computes]
        shapes = list(dict.fromkeys(shape_text(tensor.shape) for tensor in tensors))
        many = f"{len(tensors)} of " if len(tensors) > len(shapes) else ""
        shape = many + ", ".join(shapes) if shapes else "-"
        name = tensors[0].name if tensors else ""
        rows.append([str(own.index), own.node.op, shape, name])
        facts.append(
            {
                "layer": own.index,
                "op": own.node.op,
                "outputs": [{"name": t.name, "shape": list(t.shape)} for t in tensors],
            }
        )
    if as_json:
        print_json({"file": model.name, "layers": facts})
        return
    table("> < < ~", ["layer", "operator", "output", "name"], rows)
    line()
    line("choose one: --layer NUMBER, and an element of its output: --at I,J,...")
