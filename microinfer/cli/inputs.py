"""The model and the samples that a command line names: options, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from click.core import ParameterSource

from ..batch import Batch, split_batch
from ..emit import KERNELS, OWN
from ..errors import BadFile, BadInput
from ..graph import Graph
from ..load import load
from ..numerics import PROFILES, profile
from ..passes import runnable, strip_float_io
from ..prepare import prepare
from .failure import about, counted, note, require_file
from .files import Array, Conversion, convert, read_npz, read_values

RANDOM_SAMPLES = 5  # where a verb that compares is given none

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS_HELP = """\b
Input files, by the end of their name:
  .npy            an array: one sample in the shape of the model's input, or
                  many with the samples as first axis; uint8 is taken as
                  pixels, which need --image-range
  .npz            the same; one array per model input, called like its tensor,
                  or input_0, input_1, ...; FILE.npz:NAME takes one array
  .csv            numbers separated by commas; a sample is one line, or
                  several whole lines; whole numbers are taken as they are
  .bin            bare bytes of the input's type, or with --quantize-input of
                  float32, little-endian
  .png .jpg ...   one sample; has to be of the model's size, nothing is
                  resized; needs Pillow and --image-range

A model with one input takes any number of files, one sample after the other;
one with several inputs takes one file per input, in the model's order."""


@dataclass(frozen=True)
class Samples:
    """Inputs of a run, checked. ``labels`` names each sample; ``summary`` all of them."""

    batch: Batch
    labels: list[str]
    summary: str

    @property
    def count(self) -> str:
        """How many, in words."""
        return counted(self.batch.samples, "input")


class _Whole(click.IntRange):
    """A whole number from ``min`` on."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r}; expected a whole number, {self.min} or more", param, ctx)


def require_use(ctx: click.Context, options: Sequence[str], by: str) -> None:
    """Raise UsageError if one of ``options`` was given: only ``by``, which was not, uses them."""
    for parameter in ctx.command.params:
        option = parameter.opts[-1]
        given = ctx.get_parameter_source(parameter.name or "")
        if option in options and given is not ParameterSource.DEFAULT:
            raise click.UsageError(f"{option} says nothing without {by}", ctx)


def require_sense(ctx: click.Context, files: Sequence[str], random: int | None) -> None:
    """Raise UsageError for options of samples that would be ignored."""
    if files and random is None:
        require_use(ctx, ["--seed"], "--random")
    if not files:
        require_use(ctx, ["--quantize-input", "--image-range"], "--input")


def model_argument(command: Command) -> Command:
    return click.argument("model", type=click.Path(path_type=Path))(command)


def numerics_option(command: Command) -> Command:
    return click.option(
        "--numerics",
        type=click.Choice(list(PROFILES)),
        default="tflm",
        show_default=True,
        help="Whose arithmetic to follow, bit for bit.",
    )(command)


def rewrite_options(command: Command) -> Command:
    """--batch and --strip-float-io."""
    command = click.option(
        "--strip-float-io",
        is_flag=True,
        help="Leave out QUANTIZE of float32 at the inputs and DEQUANTIZE at the outputs: the model"
        " takes and gives integers, and stderr (and a generated header) says how the caller makes"
        " them.",
    )(command)
    return click.option(
        "--batch",
        metavar="N",
        type=_Whole(1),
        help="Compute N samples at a time; for models exported with an open batch.  [default: 1]",
    )(command)


def kernels_option(command: Command) -> Command:
    return click.option(
        "--kernels",
        type=click.Choice(KERNELS),
        default=OWN,
        show_default=True,
        help="cmsis-nn: Arm's library computes the layers that it has, our kernels the others; to"
        " build it, CMSIS_NN_PATH is your checkout.",
    )(command)


def conversion_options(command: Command) -> Command:
    """--quantize-input and --image-range."""
    command = click.option(
        "--image-range",
        metavar="LOW,HIGH",
        callback=_parse_range,
        help="Real values that pixels 0 and 255 (of images and uint8 arrays) stand for, such as 0,1"
        " or -1,1: real = LOW + pixel * (HIGH - LOW) / 255, then quantized as the model's input"
        " is.",
    )(command)
    return click.option(
        "--quantize-input",
        is_flag=True,
        help="Files hold real numbers: quantize them with the scale and zero point of the model's"
        " input, q = round(real / scale) + zero_point, saturated.",
    )(command)


def sample_options(command: Command) -> Command:
    """--input, --random, --seed and those of conversion."""
    command = conversion_options(command)
    command = click.option(
        "--seed",
        metavar="S",
        type=_Whole(0),
        default=0,
        show_default=True,
        help="Seed of --random.",
    )(command)
    command = click.option("--random", metavar="N", type=_Whole(1), help="Use N random samples.")(
        command
    )
    return click.option(
        "-i",
        "--input",
        "files",
        metavar="FILE",
        multiple=True,
        help="Samples to run; may be repeated.",
    )(command)


def _parse_range(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        low, high = map(float, value.split(","))
    except ValueError:
        low = high = float("nan")
    if not (np.isfinite([low, high]).all() and low < high):
        raise click.BadParameter(f"{value!r}; expected two rising numbers such as 0,1 or -1,1")
    return low, high


def load_model(path: Path, batch: int | None, strip: bool) -> Graph:
    """The model in a file, as it is run. Raises Located."""
    require_file(path)
    with about(path):
        try:
            graph = runnable(load(path, batch))
        except BadFile as error:
            if path.read_bytes()[4:8] == b"TFL3":
                raise BadInput(f"is damaged or cut short: {error}") from None
            raise
        if strip:
            graph = strip_float_io(graph)
            prepare(graph, profile("tflm"))  # what is left may not be enough to run
    for rewrite in graph.rewrites:
        for text in rewrite.notes:
            note(text)
    if strip and not any(rewrite.notes for rewrite in graph.rewrites):
        note(f"note: {path}: no float32 input or output to strip")
    return graph


def read_samples(graph: Graph, files: Sequence[str], conversion: Conversion) -> Samples:
    """The samples in ``files``. Raises Located or BadInput."""
    if not graph.inputs:
        raise BadInput("the model has no inputs")
    if len(graph.inputs) == 1:
        batch = _one_input(graph, files, conversion)
    elif len(files) == 1 and Path(files[0]).suffix.lower() == ".npz":
        batch = _from_npz(graph, Path(files[0]), conversion)
    else:
        batch = _one_file_per_input(graph, files, conversion)
    if conversion.image_range is not None and not conversion.pixels:
        raise BadInput(
            f"--image-range is for images and uint8 arrays; {' and '.join(files)} holds neither"
        )
    names = ", ".join(Path(file).name for file in files)
    count = counted(batch.samples, "sample")
    return Samples(batch, [f"sample {i}" for i in range(batch.samples)], f"{count} of {names}")


def random_samples(graph: Graph, count: int, seed: int, extremes: bool = False) -> Samples:
    """Random samples, the same for the same seed: all integers of the type, floats from -1 to 1.

    With ``extremes`` one sample of lowest and one of highest values follow.
    """
    random = np.random.default_rng(seed)
    arrays = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if tensor.dtype in (np.int8, np.int16, np.uint8):
            limits = np.iinfo(tensor.dtype)
            low, high = limits.min, limits.max
            drawn = random.integers(low, high, (count, *tensor.shape), tensor.dtype, endpoint=True)
        elif tensor.dtype == np.float32:
            low, high = -1, 1
            drawn = random.uniform(low, high, (count, *tensor.shape)).astype(np.float32)
        else:
            raise BadInput(
                f'cannot draw {tensor.dtype} at random for input "{tensor.name}": pass --input'
            )
        ends = [np.full((1, *tensor.shape), end, tensor.dtype) for end in (low, high)]
        arrays.append(np.concatenate([drawn, *(ends if extremes else [])]))
    labels = [f"random sample {i}" for i in range(count)]
    summary = f"{counted(count, 'random sample')} of seed {seed}"
    if extremes:
        labels += ["the sample of lowest values", "the sample of highest values"]
        summary += ", and two of extremes"
    return Samples(split_batch(graph, arrays), labels, summary)


def path_of(file: str) -> Path:
    """The file that an --input names."""
    return _split_member(file)[0]


def _split_member(file: str) -> tuple[Path, str | None]:
    """FILE.npz:NAME as path and name."""
    path, colon, member = file.rpartition(":")
    return (Path(path), member) if colon and path.lower().endswith(".npz") else (Path(file), None)


def _read(file: str, graph: Graph, position: int, conversion: Conversion) -> Array:
    """One file's values for input ``position``."""
    path, member = _split_member(file)
    index = graph.inputs[position]
    with about(file):
        if path.suffix.lower() != ".npz":
            return read_values(path, graph.tensors[index], conversion)
        array = _choose(read_npz(path), member, _names(graph, position), file)
        return convert(array, graph.tensors[index], conversion)


def _choose(arrays: dict[str, Array], member: str | None, names: Sequence[str], file: str) -> Array:
    """The array that was asked for, else the only one, else that with one of ``names``."""
    if member is None:
        known = [name for name in names if name in arrays] or list(arrays)
        if len(known) != 1 and not set(known) & set(names):
            raise BadInput(
                f"has {len(arrays)} arrays: {', '.join(arrays) or 'none'}; choose one with"
                f" {file}:NAME"
            )
        member = known[0]
    if member not in arrays:
        raise BadInput(f"there is no such array in it; there are: {', '.join(arrays) or 'none'}")
    return arrays[member]


def _names(graph: Graph, position: int) -> list[str]:
    """What an array for input ``position`` may be called."""
    index = graph.inputs[position]
    signed = [name for s in graph.signatures for name, i in s.inputs.items() if i == index]
    return [graph.tensors[index].name, *signed, f"input_{position}", f"arr_{position}"]


def _one_input(graph: Graph, files: Sequence[str], conversion: Conversion) -> Batch:
    """Samples of all files, one after the other."""
    batches = []
    for file in files:
        with about(file):
            batches.append(_split(graph, [_read(file, graph, 0, conversion)], conversion))
    if len(batches) == 1:
        return batches[0]
    kinds = {batch.arrays[0].dtype: file for batch, file in zip(batches, files, strict=True)}
    if len(kinds) > 1:
        one, other = list(kinds)[:2]
        raise BadInput(
            f"{kinds[one]} has {one}, {kinds[other]} {other}: samples are integers or real numbers,"
            " not both"
        )
    array = np.concatenate([batch.arrays[0] for batch in batches])
    return Batch([array], len(array), "leading")


def _from_npz(graph: Graph, path: Path, conversion: Conversion) -> Batch:
    """One array per input, by name."""
    with about(path):
        arrays = read_npz(path)
        values = []
        for position, index in enumerate(graph.inputs):
            names = _names(graph, position)
            name = next((name for name in names if name in arrays), None)
            if name is None:
                known = " or ".join(dict.fromkeys(names))
                raise BadInput(
                    f"has no array for input {position}: expected one called {known};"
                    f" there are: {', '.join(arrays) or 'none'}"
                )
            values.append(convert(arrays[name], graph.tensors[index], conversion))
        return _split(graph, values, conversion)


def _one_file_per_input(graph: Graph, files: Sequence[str], conversion: Conversion) -> Batch:
    if len(files) != len(graph.inputs):
        names = ", ".join(f'"{graph.tensors[index].name}"' for index in graph.inputs)
        raise BadInput(
            f"got {counted(len(files), 'input file')}; the model takes {len(graph.inputs)}, in this"
            f" order: {names}"
        )
    arrays = [_read(file, graph, position, conversion) for position, file in enumerate(files)]
    return _split(graph, arrays, conversion)


def _split(graph: Graph, arrays: Sequence[Array], conversion: Conversion) -> Batch:
    return split_batch(graph, arrays, reals=conversion.keep)
