"""``microinfer accuracy``: which layer loses how much to its integers, and what would help."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ..debug.accuracy import Accuracy, Advice, LayerAccuracy, Trial, accuracy
from ..debug.accuracy_facts import TensorAccuracy
from ..debug.remedies import BOUND, FIXED
from ..errors import BadInput
from ..graph import Graph, Tensor
from ..tflite import read_file
from .failure import about, counted, require_file, short_name
from .files import Array, Conversion, read_npy, read_values
from .inputs import (
    FORMATS_HELP,
    Command,
    Samples,
    conversion_options,
    load_model,
    model_argument,
    numerics_option,
    read_samples,
)
from .output import line, print_json, progress, table, width
from .verb import Verb

NAME = 40  # characters of a tensor's name
OPERATOR = 20  # characters of an operator: the table has 80 more
LITTLE = 0.05  # dB, as good as nothing
MUCH = 1.0  # dB, that the conclusion names
LISTED = 5  # layers that a line about channels lists


inputs_option = click.option(
    "-i",
    "--inputs",
    "--input",
    "files",
    metavar="FILE",
    multiple=True,
    required=True,
    help="Samples to run; may be repeated.",
)


def reference_options(command: Command) -> Command:
    """--float and --labels."""
    command = click.option(
        "--labels",
        "label_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The right class of each sample: a .npy of integers, or a .csv with one per line.",
    )(command)
    return click.option(
        "--float",
        "float_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The float .tflite that the model was converted from. Without it the integer model's"
        " own weights count as exact.",
    )(command)


@click.command(
    "accuracy",
    cls=Verb,
    epilog=f"""{FORMATS_HELP}

\b
Examples:
  microinfer accuracy kws.tflite --inputs samples.npy
  microinfer accuracy kws.tflite --inputs reals.npy --quantize-input
  microinfer accuracy kws.tflite --inputs samples.npy --float float.tflite
  microinfer accuracy kws.tflite --inputs samples.npy --labels labels.csv""",
)
@model_argument
@inputs_option
@conversion_options
@reference_options
@numerics_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with all figures.")
def command(
    model: Path,
    files: tuple[str, ...],
    quantize_input: bool,
    image_range: tuple[float, float] | None,
    float_file: Path | None,
    label_file: Path | None,
    numerics: str,
    as_json: bool,
) -> int:
    """Find the layers in which a model loses accuracy to its integers.

    Runs the integer model and the same graph in floats on the samples, and compares every layer:
    alone, fed with the floats' values, and as it ran, with the errors of all before it. The error
    is split into rounding of weights and biases (with --float), clipping, rounding of the output,
    and the integer arithmetic itself. At the end: the layers that cost the most, and what remedies
    gain, each measured by simulating it.

    Give samples as real numbers (--quantize-input, or pixels with --image-range) where you have
    them: then rounding and clipping of the model's input are seen, too.
    """
    graph = load_model(model, None, False)
    samples = read_samples(graph, files, Conversion(quantize_input, image_range, keep=True))
    floats = None if float_file is None else read_float(float_file)
    labels = None if label_file is None else read_labels(label_file)
    with (
        progress("comparing with floats, trying remedies", samples.batch.samples) as advance,
        about(model),
    ):
        found = accuracy(
            graph, samples.batch.arrays, floats, labels, numerics=numerics, advance=advance
        )
    if as_json:
        print_json(_facts(model, graph, samples, found))
    else:
        _print(model, float_file, graph, samples, found)
    return 0


def read_float(path: Path) -> Graph:
    """The model that --float names, as it is. Raises Located."""
    require_file(path)
    with about(path):
        return read_file(path)


def read_labels(path: Path) -> Array:
    """The integers that --labels names. Raises Located."""
    require_file(path)
    with about(path):
        if path.suffix.lower() == ".npy":
            return read_npy(path)
        if path.suffix.lower() == ".csv":
            return read_values(path, Tensor("labels", (), "INT64"), Conversion())
        raise BadInput("its name does not end like that of labels: expected .npy or .csv")


def _print(
    model: Path, float_file: Path | None, graph: Graph, samples: Samples, found: Accuracy
) -> None:
    line(f"{model.name}, {samples.summary}, arithmetic of {found.numerics}")
    against = "its own graph in floats, with the integer model's weights"
    if float_file is not None:
        against = f"its own graph in floats, with the weights of {float_file.name}"
    line(f"compared with {against}")
    line()
    _print_conclusion(found)
    line()
    _print_layers(graph, found)
    for text in found.notes:
        _wrapped(f"note: {text}")
    if found.tried:
        _print_advice(found)


def _print_conclusion(found: Accuracy) -> None:
    """How much is lost, and the first thing to look at."""
    output, samples = found.output, found.samples
    if output.top1 is not None and output.float_top1 is not None:
        line(f"right (top-1): {output.top1:.2%} in integers, {output.float_top1:.2%} in floats")
    if output.agreement is not None:
        same = round(output.agreement * samples)
        line(f"the same class as in floats: {same:,} of {counted(samples, 'sample')}")
    _wrapped(
        f'output "{short_name(output.name, NAME)}": {_decibels(output.sqnr_db)} dB, relative error'
        f" {_share(output.relative_error)}, largest error {output.max_error:.3g}"
    )
    if found.advice:
        first = found.advice[0]
        apart = ", integer arithmetic aside (see note)" if found.arithmetic_db > MUCH else ""
        _wrapped(f"costs the most{apart}: {_place(found, first)}. {_sentence(first)}")
        best = next((trial for trial in first.trials if trial.remedy != BOUND), None)
        if best is not None and best.sqnr_gain_db >= MUCH:
            _wrapped(f"try first: {best.sentence} (simulated: {_gains(best)})")
        elif first.trials:
            line(f"no change of it that was tried gains {MUCH:g} dB")


def _gains(trial: Trial) -> str:
    """Of a trial, in words."""
    text = f"{_gain(trial.sqnr_gain_db)} dB"
    if trial.top1_gain:
        return f"{text}, {_signed(trial.top1_gain)} of samples right"
    if trial.agreement_gain and trial.top1_gain is None:
        return f"{text}, {_signed(trial.agreement_gain)} of samples with the same class"
    return text


def _place(found: Accuracy, advice: Advice) -> str:
    """What an advice is about."""
    if advice.index is not None:
        layer = next(own for own in found.layers if own.index == advice.index)
        return f'layer {layer.index} {layer.node.op} "{short_name(layer.name, NAME)}"'
    own = next(own for own in found.inputs if own.index == advice.input)
    return f'the input "{short_name(own.name, NAME)}"'


def _print_layers(graph: Graph, found: Accuracy) -> None:
    weights = found.reference == "float model"
    titles = ["layer", "operator", "alone", "total", "max"]
    titles += ["weight", "bias"] if weights else []
    titles += ["clip", "round", "arith", "clipped", "range"]
    rows = [_row("input", own.name, own, ("", "", ""), weights) for own in found.inputs]
    for layer in found.layers:
        split = layer.split
        parts = _steps(split.weight), _steps(split.bias), _steps(split.arithmetic)
        rows.append(_row(str(layer.index), layer.node.op, layer, parts, weights))
    table(" ".join("<" if title == "operator" else ">" for title in titles), titles, rows)
    line()
    _wrapped(
        "alone, total: signal to error in dB (6 more is half the error), of the layer by itself and"
        " of all up to it. In steps of the output, by itself: max, the largest error; "
        + ("weight, bias, " if weights else "")
        + "clip, round, arith: root mean squares of what the error is made of (rounding alone makes"
        " 0.29; 0.00+ is less than 0.005). clipped: share of values beyond the range; range: how"
        " much of it is used."
    )
    if not weights:
        _wrapped(
            "Rounding of weights and biases cannot be seen without --float: it counts as none."
        )
    unseen = _unseen_inputs(graph, found)
    if unseen:
        _wrapped(
            f"Rounding and clipping of the input {', '.join(unseen)} cannot be seen: its samples"
            " were integers already. To see that give --inputs of real numbers, with"
            " --quantize-input."
        )
    _print_channels(found.layers, "dead", lambda layer: layer.dead_channels or ())
    # A probability of 1 is half a step beyond int8: that SOFTMAX saturates says nothing.
    chosen = [layer for layer in found.layers if layer.node.op not in FIXED]
    _print_channels(chosen, "saturated", lambda layer: layer.saturated_channels)


def _unseen_inputs(graph: Graph, found: Accuracy) -> list[str]:
    """Names of the inputs that stand for reals, but whose samples were integers."""
    seen = {own.index for own in found.inputs}
    tensors = [graph.tensors[i] for place, i in enumerate(graph.inputs) if place not in seen]
    return [
        f'"{short_name(tensor.name, NAME)}"'
        for tensor in tensors
        if tensor.port_quantization is not None
    ]


def _row(
    place: str, name: str, own: TensorAccuracy, parts: tuple[str, str, str], weights: bool
) -> list[str]:
    """A line of the table; ``parts`` are weight, bias and arith."""
    return [
        place,
        short_name(name, OPERATOR),
        _decibels(own.sqnr_db),
        _decibels(own.accumulated_sqnr_db),
        _steps(own.max_error_steps),
        *(parts[:2] if weights else ()),
        _steps(own.split.clipping),
        _steps(own.split.activation),
        parts[2],
        _share(own.clipped_low + own.clipped_high),
        f"{own.range_used:.0%}",
    ]


def _print_channels(
    layers: Sequence[LayerAccuracy], word: str, of: Callable[[LayerAccuracy], tuple[int, ...]]
) -> None:
    """How many channels of which layers."""
    means = {
        "dead": "with one value throughout",
        "saturated": "with more than 1 % of their values clipped",
    }
    counts = [f"{len(of(own))} of {own.channels} in layer {own.index}" for own in layers if of(own)]
    if counts:
        more = f" and {len(counts) - LISTED} more layers" if len(counts) > LISTED else ""
        _wrapped(f"{word} channels, {means[word]}: {', '.join(counts[:LISTED])}{more}")


def _print_advice(found: Accuracy) -> None:
    line()
    if not found.advice:
        _wrapped("No layer stands out: without error in any one of them the result is no better.")
        return
    _wrapped(
        "What would help, each change simulated on"
        f" {counted(found.trial_samples, 'sample')}: the gain in signal to error of"
        f' "{short_name(found.judged, NAME)}"{_counted_in(found)}'
    )
    for place, advice in enumerate(found.advice):
        on_top = ", the above without too" if place else ""
        line()
        _wrapped(
            f"{place + 1}. {_place(found, advice)}: {_without(advice)}{on_top}."
            f" {_sentence(advice)}",
            hanging=3,
        )
        for trial in advice.trials:
            _print_trial(trial)
    if found.together is not None:
        line()
        line("Together:")
        _print_trial(found.together)


def _counted_in(found: Accuracy) -> str:
    if found.output.top1 is not None:
        return ", and in samples right (top-1)"
    if found.output.agreement is not None:
        return ", and in samples with the same class as in floats"
    return ""


def _print_trial(trial: Trial) -> None:
    """Gains, and what brings them."""
    gain = trial.agreement_gain if trial.top1_gain is None else trial.top1_gain
    share = "" if gain is None else f"{_signed(gain):>8}"
    text = f"{_gain(trial.sqnr_gain_db):>5} dB{share}  {trial.sentence}"
    _wrapped(text, "   ", 13 + len(share))


def _without(advice: Advice) -> str:
    if advice.gain_db == float("inf"):
        return "no error is left without its own"
    return f"{_gain(advice.gain_db)} dB without its error"


def _sentence(advice: Advice) -> str:
    text = f"{advice.sentence[:1].upper()}{advice.sentence[1:]}"
    helping = [trial for trial in advice.trials if trial.sqnr_gain_db >= LITTLE]
    return text + ("" if helping else "; nothing that was tried helps")


def _wrapped(text: str, indent: str = "", hanging: int = 2) -> None:
    for part in textwrap.wrap(
        text, width(), initial_indent=indent, subsequent_indent=" " * hanging,
        break_long_words=False, break_on_hyphens=False,
    ):  # fmt: skip
        line(part)


def _decibels(value: float) -> str:
    return "exact" if value == float("inf") else f"{value:.1f}"


def _gain(value: float) -> str:
    return "all" if value == float("inf") else f"{round(value, 1) + 0.0:+.1f}"  # and no -0.0


def _signed(share: float) -> str:
    return f"{share:+.1%}" if share else "0"


def _steps(value: float | None) -> str:
    """A number of steps; 0 only where there is nothing at all."""
    if value is None:
        return "?"
    if value == 0:
        return "0"
    return "0.00+" if value < 0.005 else f"{value:.2f}" if value < 99.5 else f"{value:.0f}"


def _share(value: float) -> str:
    """A share in per cent; 0 only where there is nothing at all."""
    if value == 0:
        return "0"
    return "< 0.01%" if value < 0.00005 else f"{value:.2%}"


def _facts(model: Path, graph: Graph, samples: Samples, found: Accuracy) -> dict[str, Any]:
    facts = dataclasses.asdict(found)
    facts["layers"] = [
        {"index": layer.index, "op": layer.node.op, **own}
        for layer, own in zip(found.layers, facts["layers"], strict=True)
    ]
    for own in facts["layers"]:
        del own["node"]
    count = facts.pop("samples")
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "samples": samples.summary,
        "count": count,
        **facts,
    }
