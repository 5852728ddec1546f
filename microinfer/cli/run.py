"""``microinfer run``: the interpreter on samples; outputs as tables, JSON or files."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..errors import BadInput
from ..graph import Graph, Tensor
from ..interpreter import Interpreter
from ..ops import results
from ..ops.quantize import dequantize
from ..trace import Trace
from .failure import about, note
from .files import Array, Conversion
from .inputs import (
    FORMATS_HELP,
    Samples,
    load_model,
    model_argument,
    numerics_option,
    path_of,
    random_samples,
    read_samples,
    require_sense,
    rewrite_options,
    sample_options,
)
from .output import line, print_json, progress, replacing, require_place, shape_text, table, width
from .verb import Verb

AT_ONCE = 1 << 21  # elements of all layers that are computed between two steps of the progress bar
ALL_ELEMENTS = 16  # of an output of a single sample, up to which all of them are shown
LARGEST = 5  # shown of more
SAMPLES = 10  # shown one by one
RANKS = ("largest", "second", "third")


@click.command(
    "run",
    cls=Verb,
    epilog=f"""{FORMATS_HELP}

\b
Examples:
  microinfer run kws.tflite --input samples.npy
  microinfer run kws.tflite --input real.csv --quantize-input --output out.npy
  microinfer run digits.tflite --input seven.png --image-range 0,1
  microinfer run kws.tflite --random 3 --trace trace.npz --json""",
)
@model_argument
@rewrite_options
@sample_options
@numerics_option
@click.option(
    "--dequantize-output",
    is_flag=True,
    help="Give real numbers, scale * (q - zero_point), in --output and --json.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Save all outputs: .npy, or .npz with output_0, output_1, ...",
)
@click.option(
    "--trace",
    "trace_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Save every layer's outputs as .npz, for microinfer.Trace.load.",
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
    numerics: str,
    dequantize_output: bool,
    output: Path | None,
    trace_file: Path | None,
    as_json: bool,
) -> None:
    """Run a model on inputs, as the device would.

    Computes in integers what the device's runtime computes, bit for bit, and prints the outputs.
    Nothing is converted in silence: int8 inputs are taken as they are, real numbers need
    --quantize-input, images --image-range.

    Of a model with state the samples are consecutive invocations, the first one after a reset.
    """
    if bool(files) == (random is not None):
        raise click.UsageError("choose one of --input FILE and --random N")
    require_sense(ctx, files, random)
    graph = load_model(model, batch, strip_float_io)
    _require_places(output, trace_file, graph, [model, *map(path_of, files)])
    with about(model):
        interpreter = Interpreter(graph, numerics)
    if random is not None:
        with about(model):
            samples = random_samples(graph, random, seed)
    else:
        samples = read_samples(graph, files, Conversion(quantize_input, image_range))
    raw = _run(interpreter, samples, trace_file)
    results = [_real(a, graph.tensors[i]) for a, i in zip(raw, graph.outputs, strict=True)]
    given = results if dequantize_output else raw
    restored = [
        samples.batch.restore(array, graph.tensors[index])
        for array, index in zip(given, graph.outputs, strict=True)
    ]
    if output is not None:
        _save(output, restored)
    if as_json:
        print_json(_facts(model, graph, interpreter, samples, given))
    else:
        line(f"{model.name}, {samples.summary}, arithmetic of {numerics}")
        for position, index in enumerate(graph.outputs):
            line()
            _print_output(position, graph.tensors[index], raw[position], results[position])
    for place in (output, trace_file):
        if place is not None:
            note(f"wrote {place}")


def _run(interpreter: Interpreter, samples: Samples, trace_file: Path | None) -> list[Array]:
    """The model's outputs, each [samples, *shape]; and a saved trace if there is a file for it."""
    graph, batch = interpreter.graph, samples.batch
    if trace_file is not None:
        with progress("running"):
            trace = interpreter.trace(
                *(
                    batch.restore(array, graph.tensors[index])
                    for array, index in zip(batch.arrays, graph.inputs, strict=True)
                )
            )
        _save_trace(trace_file, trace)
        return [
            trace.tensor(index).reshape(batch.samples, *graph.tensors[index].shape)
            for index in graph.outputs
        ]
    elements = sum(graph.tensors[index].size for node in graph.nodes for index in results(node))
    size = max(1, AT_ONCE // max(1, elements))
    groups = []
    with progress("running", batch.samples) as advance:
        for first in range(0, batch.samples, size):
            arrays = [array[first : first + size] for array in batch.arrays]
            groups.append(interpreter.run(*arrays))
            advance(len(arrays[0]))
    return [np.concatenate(parts) for parts in zip(*groups, strict=True)]


def _real(values: Array, tensor: Tensor) -> Array:
    """Quantized values as the real numbers that they stand for; others as they are."""
    quantization = tensor.port_quantization
    if quantization is None:
        return values
    return dequantize(values, quantization.scale, quantization.zero_point)


def _require_places(
    output: Path | None, trace_file: Path | None, graph: Graph, used: list[Path]
) -> None:
    """Raise BadInput, before anything runs, if the results cannot be saved there."""
    for place in (output, trace_file):
        if place is None:
            continue
        require_place(place)
        if any(_same_file(place, other) for other in used):
            raise BadInput(f"cannot write {place}: the run reads it; choose another name")
    if output is not None:
        _require_format(output, graph)
    if trace_file is not None and trace_file.suffix.lower() != ".npz":
        raise BadInput(f"cannot write {trace_file}: its name has to end in .npz")
    if output is not None and trace_file is not None and _same_file(output, trace_file):
        raise BadInput(f"cannot write {output}: the trace goes there; choose another name")


def _same_file(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _require_format(path: Path, graph: Graph) -> None:
    """Raise BadInput if the outputs cannot be saved under this name."""
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise BadInput(f"cannot write {path}: its name has to end in .npy or .npz")
    if suffix == ".npy" and len(graph.outputs) != 1:
        raise BadInput(
            f"cannot write {path}: the model has {len(graph.outputs)} outputs, use a name that"
            " ends in .npz"
        )


def _save(path: Path, outputs: list[Array]) -> None:
    with replacing(path) as staged, staged.open("wb") as file:
        if path.suffix.lower() == ".npy":
            np.save(file, outputs[0])
        else:
            named: dict[str, Any] = {f"output_{i}": array for i, array in enumerate(outputs)}
            np.savez(file, **named)


def _save_trace(path: Path, trace: Trace) -> None:
    with replacing(path) as staged:
        trace.save(staged)


def _print_output(position: int, tensor: Tensor, raw: Array, reals: Array) -> None:
    line(f'output {position} "{tensor.name}", {tensor.dtype} {shape_text(tensor.shape)}')
    if len(raw) == 1:
        _print_one(tensor, raw[0].reshape(-1), reals[0].reshape(-1))
    else:
        _print_many(tensor, raw.reshape(len(raw), -1), reals.reshape(len(raw), -1))


def _print_one(tensor: Tensor, raw: Array, reals: Array) -> None:
    """One sample: all elements, or the largest of them."""
    few = raw.size <= ALL_ELEMENTS
    shown = range(raw.size) if few else _largest_first(raw)[:LARGEST]
    rows = [[_element(i, tensor), *_values(raw[i], reals[i])] for i in shown]
    meaning = [str(tensor.dtype), "real"] if tensor.port_quantization else ["value"]
    titles = ["element", *meaning]
    table(" ".join(">" * len(titles)), titles, rows)
    if not few:
        line(
            f"... and {raw.size - LARGEST:,} smaller ones, down to"
            f" {' = '.join(_values(raw.min(), reals.min()))}"
        )


def _print_many(tensor: Tensor, raw: Array, reals: Array) -> None:
    """Many samples: the largest elements of the first ones, and what all have in common."""
    samples, size = raw.shape
    rows = []
    for sample in range(min(samples, SAMPLES)):
        cells = [
            (f"{_element(i, tensor)}: " if size > 1 else "")
            + " = ".join(_values(raw[sample, i], reals[sample, i]))
            for i in _largest_first(raw[sample])[: len(RANKS)]
        ]
        rows.append([str(sample), *cells])
    titles = ["value"] if size == 1 else [*RANKS[:size]]
    table(" ".join([">", *"<" * len(titles)]), ["sample", *titles], rows)
    if samples > SAMPLES:
        line(f"... and {samples - SAMPLES:,} more samples; --json prints all, --output saves them")
        if 1 < size <= ALL_ELEMENTS:
            counts = Counter(int(i) for i in raw.argmax(axis=1))
            times = ", ".join(
                f"{_element(i, tensor)} in {counts[i]:,}" for i in range(size) if counts[i]
            )
            text = f"largest element of all {samples:,} samples: {times}"
            line(textwrap.fill(text, width(), subsequent_indent="  "))


def _largest_first(values: Array) -> list[int]:
    """Indices by falling value; of equal values the first one leads, as with argmax."""
    return [int(i) for i in np.argsort(-values.astype(np.float64), kind="stable")]


def _element(index: int, tensor: Tensor) -> str:
    """An element's index, without the batch axis."""
    shape = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    if len(shape) <= 1:
        return str(index)
    return ",".join(str(int(i)) for i in np.unravel_index(index, shape))


def _values(raw: Any, real: Any) -> list[str]:
    """An element as the cells of a table: the integer and its meaning, or just the value."""
    if raw.dtype != real.dtype:
        return [str(raw), f"{real:.4g}"]
    return [f"{real:.6g}" if real.dtype.kind == "f" else str(real)]


def _facts(
    model: Path, graph: Graph, interpreter: Interpreter, samples: Samples, outputs: list[Array]
) -> dict[str, Any]:
    facts = []
    for index, array in zip(graph.outputs, outputs, strict=True):
        tensor = graph.tensors[index]
        quantization = tensor.port_quantization
        facts.append(
            {
                "tensor": index,
                "name": tensor.name,
                "dtype": str(array.dtype),
                "shape": list(tensor.shape),
                "scale": quantization.scale if quantization else None,
                "zero_point": quantization.zero_point if quantization else None,
                "values": array,
            }
        )
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "numerics": interpreter.numerics.name,
        "samples": samples.batch.samples,
        "outputs": facts,
    }
