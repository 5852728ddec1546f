"""``microinfer codegen``: a model's C into a folder, and what to do with it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import click

from .._resources import kernel_header
from ..cmsis_nn import FLOATING, SOURCES
from ..emit import CMSIS_NN, OWN, Plan, generate, plan
from ..emit.cmsis_nn import ANY, CORES
from ..emit.literals import c_type
from ..emit.names import check_name, identifier
from ..emit.write import write_files
from ..errors import BadInput
from .failure import about, counted, note
from .files import Conversion
from .inputs import (
    conversion_options,
    kernels_option,
    load_model,
    model_argument,
    numerics_option,
    read_samples,
    require_use,
    rewrite_options,
)
from .output import line, print_json, table
from .verb import Verb


class _Folder(click.Path):
    """A path that is not empty: an empty one would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("'' names no folder; for the current one write '.'", param, ctx)
        return super().convert(value, param, ctx)


@click.command(
    "codegen",
    cls=Verb,
    epilog="""\b
Examples:
  microinfer codegen kws.tflite
  microinfer codegen kws.tflite -o firmware/kws --name kws
  microinfer codegen kws.tflite --arena caller --optimize size --single-file
  microinfer codegen kws.tflite --kernels cmsis-nn --core dsp""",
)
@model_argument
@rewrite_options
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=_Folder(path_type=Path),
    help="Folder to write into; it is made if need be.  [default: ./NAME]",
)
@click.option(
    "--name",
    help="What files and symbols are called, a C identifier.  [default: from MODEL's file name]",
)
@numerics_option
@click.option(
    "--arena",
    type=click.Choice(["static", "caller"]),
    default="static",
    show_default=True,
    help="RAM as one static array, or passed to every function, which then is re-entrant.",
)
@click.option(
    "--optimize",
    type=click.Choice(["speed", "size"]),
    default="speed",
    show_default=True,
    help="A copy of each kernel per layer, with its constants folded in, or one shared copy.",
)
@click.option("--single-file", is_flag=True, help="Kernels inside the .c, no mi_*.h beside it.")
@click.option(
    "--harness",
    type=click.Choice(["none", "uart"]),
    default="none",
    show_default=True,
    help="uart: write NAME_harness.c, too, the model behind a serial line for `verify --serial`;"
    " your board gives it a function that sends a character, and one that waits for one.",
)
@kernels_option
@click.option(
    "--core",
    type=click.Choice([ANY, *CORES]),
    default=ANY,
    show_default=True,
    help="The instructions that CMSIS-NN may use, which decide its scratch: plain (Cortex-M0, M3),"
    " dsp (M4, M7, M33), mve (M55, M85).",
)
@click.option(
    "--selftest-input",
    metavar="FILE",
    help="The one sample that the self-test runs (.npy, .npz, .csv, .bin or an image); without"
    " it the self-test computes its input from a formula.",
)
@conversion_options
@click.option("--force", is_flag=True, help="Overwrite edited files and those of others.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    batch: int | None,
    strip_float_io: bool,
    output: Path | None,
    name: str | None,
    numerics: str,
    arena: str,
    optimize: str,
    single_file: bool,
    harness: str,
    kernels: str,
    core: str,
    selftest_input: str | None,
    quantize_input: bool,
    image_range: tuple[float, float] | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a model as standalone C.

    Writes NAME.h, NAME.c and the kernels that the model uses (mi_*.h): C99, static memory, no
    library but string.h. The same model and options give the same bytes everywhere.

    Either all files are written or none. Files that microinfer did not write are never
    overwritten, nor are those that were edited since, unless --force says so.
    """
    if selftest_input is None:
        require_use(ctx, ["--quantize-input", "--image-range"], "--selftest-input")
    if kernels != CMSIS_NN:
        require_use(ctx, ["--core"], f"--kernels {CMSIS_NN}")
    name = identifier(model.stem) if name is None else check_name(name)
    folder = Path(name) if output is None else output
    graph = load_model(model, batch, strip_float_io)
    sample = None
    if selftest_input is not None:
        conversion = Conversion(quantize_input, image_range)
        given = read_samples(graph, [selftest_input], conversion).batch
        if given.samples != 1:
            raise BadInput(
                f"{selftest_input}: has {given.samples:,} samples; the self-test takes one: save"
                " one of them, numpy.save('one.npy', samples[0])"
            )
        sample = [array[0] for array in given.arrays]
    with about(model):
        planned = plan(graph, numerics, kernels=kernels, core=core)
        files = generate(
            graph,
            name,
            numerics=numerics,
            arena=cast(Literal["static", "caller"], arena),
            single_file=single_file,
            optimize=cast(Literal["speed", "size"], optimize),
            harness=cast(Literal["none", "uart"], harness),
            selftest_input=sample,
            source=model.name,
            kernels=kernels,
            core=core,
        )
    changed = write_files(folder, files, force=force)
    _note_leftovers(folder, name, files)
    if as_json:
        print_json(_facts(model, folder, name, planned, files, changed))
        return
    _print_files(folder, files, changed)
    line()
    line(f"RAM    {planned.arena_bytes:,} bytes of arena")
    line(f"flash  {planned.constant_bytes:,} bytes of constants; the code comes on top")
    library = [layer for layer in planned.layers if layer.library]
    if kernels == CMSIS_NN:
        line(
            f"layers {len(library)} of {len(planned.layers)} by CMSIS-NN, the others by our kernels"
        )
    note(f"\nCompile it:\n  {_compile_command(folder, name, core if library else '', harness)}\n")
    if harness == "none":
        note(f"Use it:\n{_usage(planned, name, arena == 'caller')}")
    else:
        note(
            f"Give it mi_put (and mi_get, to listen), call {name}_harness(), then run here:\n"
            f"  microinfer verify {shlex.quote(str(model))} --serial PORT"
        )


def _note_leftovers(folder: Path, name: str, files: dict[str, str]) -> None:
    """Say that kernels lie beside a file that has them inside."""
    if any(file.startswith("mi_") for file in files):
        return
    others = [path.name for path in folder.glob("mi_*.h") if kernel_header(path.name).is_file()]
    if others:
        note(
            f"note: {folder} also has {counted(len(others), 'kernel header')} (mi_*.h), which"
            f" {name}.c does not need: delete them, unless other models there do"
        )


def _print_files(folder: Path, files: dict[str, str], changed: list[str]) -> None:
    rows = [
        [
            str(folder / file),
            f"{len(text.encode('utf-8')):,}",
            "" if file in changed else "was there already",
        ]
        for file, text in files.items()
    ]
    titles = ["file", "bytes", ""]
    table("< > <", titles, rows)


# A compiler's command line for the cores of each form of CMSIS-NN.
_COMPILERS = {
    "": "cc",
    "any": "cc",
    "plain": "cc",
    "dsp": "arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb",
    "mve": "arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -mfloat-abi=hard",
}


def _compile_command(folder: Path, name: str, core: str, harness: str) -> str:
    """``core`` is that of CMSIS-NN, empty without it."""
    files = [f"{name}.c"] if harness == "none" else [f"{name}.c", f"{name}_harness.c"]
    words = [_COMPILERS[core], "-std=c99 -O2"]
    if core:
        words.append('-I "$CMSIS_NN_PATH/Include"')
    if harness != "none":
        words.append(f"-D{name.upper()}_TRACE")
    words += ["-c", *(shlex.quote(str(folder / file)) for file in files)]
    link = ""
    if core:
        floating = ", ".join(f"*{end}.c" for end in FLOATING)
        link = f"\nand with CMSIS-NN's {SOURCES}, but those of floats ({floating})"
    return " ".join(words) + link


def _usage(planned: Plan, name: str, caller: bool) -> str:
    """The few lines of C that run the model."""
    upper = name.upper()
    arena = "arena, " if caller else ""
    lines = [f'#include "{name}.h"', ""]
    if caller:
        lines += [f"static int64_t arena[({upper}_ARENA_SIZE + 7) / 8];", ""]
    for kind, indices in (("input", planned.graph.inputs), ("output", planned.graph.outputs)):
        types = {c_type(planned.tensor(index).dtype) for index in indices}
        element = types.pop() if len(types) == 1 else "void"
        for position, index in enumerate(indices):
            number = "" if len(indices) == 1 else f"_{position}"
            const = "const " if kind == "output" else ""
            what = "fill with" if kind == "input" else "holds"
            tensor = planned.tensor(index)
            real = ""
            quantization = tensor.port_quantization
            if quantization is not None:
                zero_point = quantization.zero_point
                sign = "-" if zero_point >= 0 else "+"
                real = f": real = {quantization.scale:.7g} * (q {sign} {abs(zero_point)})"
            lines.append(f"/* {what} {counted(tensor.size, 'value')}{real} */")
            lines.append(f"{const}{element} *{kind}{number} = {name}_{kind}({arena}{position});")
        if kind == "input":
            if planned.states:
                call = f"{name}_reset({'arena, sizeof arena' if caller else ''});"
                lines += ["", f"{call}  /* once, and whenever a sequence begins */"]
            call = f"{name}_invoke({'arena, sizeof arena' if caller else ''})"
            lines += ["", f"int status = {call};  /* {upper}_OK, or negative */", ""]
    converters = [
        f"{name}_{verb}({arena}{position}, reals)"
        for verb, indices in (
            ("quantize_input", planned.graph.inputs),
            ("dequantize_output", planned.graph.outputs),
        )
        for position in _quantized(planned, indices)[:1]
    ]
    if converters:
        lines += ["", f"/* for floats: {', '.join(converters)} */"]
    return "\n".join(f"  {text}".rstrip() for text in lines)


def _quantized(planned: Plan, indices: Sequence[int]) -> list[int]:
    """The positions of ports that have float converters."""
    tensors = enumerate(planned.tensor(index) for index in indices)
    return [i for i, tensor in tensors if tensor.port_quantization is not None]


def _facts(
    model: Path,
    folder: Path,
    name: str,
    planned: Plan,
    files: dict[str, str],
    changed: list[str],
) -> dict[str, Any]:
    return {
        "file": model.name,
        "sha256": planned.graph.sha256,
        "numerics": planned.numerics.name,
        "name": name,
        "folder": str(folder),
        "files": [
            {
                "path": str(folder / file),
                "bytes": len(text.encode("utf-8")),
                "changed": file in changed,
            }
            for file, text in files.items()
        ],
        "arena_bytes": planned.arena_bytes,
        "constant_bytes": planned.constant_bytes,
        "kernels": [layer.library or OWN for layer in planned.layers],
    }
