"""``microinfer report``: one page about a model, to send to a colleague."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import click

from ..debug.compare import First, Side
from ..debug.diagnose import Cause
from ..debug.diff import LayerDiff
from ..debug.given import whole_batch
from ..debug.oracles import ORACLES
from ..debug.report import report
from ..debug.sources import SOURCES_HELP, C, is_live, recorded, side
from ..graph import Graph, Node
from ..pages.report import MARK, report_page
from ..targets import targets
from .accuracy import inputs_option, read_float, read_labels, reference_options
from .diff import recorded_samples
from .failure import about, note
from .files import Conversion
from .inputs import (
    FORMATS_HELP,
    Samples,
    conversion_options,
    load_model,
    model_argument,
    numerics_option,
    path_of,
    read_samples,
    rewrite_options,
)
from .layers import cause_facts, first_facts, layer_facts
from .output import print_json, progress, replacing, require_page
from .verb import Verb

DIFFERENT = 1  # exit code


@click.command(
    "report",
    cls=Verb,
    epilog=f"""{FORMATS_HELP}

\b
Examples:
  microinfer report kws.tflite --inputs x.npy -o kws.html
  microinfer report kws.tflite --inputs x.npy -o kws.html --float kws32.tflite
  microinfer report kws.tflite --inputs x.npy -o kws.html --against board.npz
  microinfer report kws.tflite --inputs x.npy --json | jq .summary""",
)
@model_argument
@inputs_option
@conversion_options
@reference_options
@click.option(
    "--against",
    metavar="WHAT",
    help=f"Compare every layer with another run of the same samples: {SOURCES_HELP}.",
)
@click.option(
    "--target",
    type=click.Choice(list(targets())),
    metavar="NAME",
    help=f"Count instructions and cycles on an emulated core, too: {', '.join(targets())}.",
)
@numerics_option
@rewrite_options
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The page to write, such as report.html. An earlier report is replaced.",
)
@click.option("--force", is_flag=True, help="Replace a file that is no report, too.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON instead.")
def command(
    model: Path,
    files: tuple[str, ...],
    quantize_input: bool,
    image_range: tuple[float, float] | None,
    float_file: Path | None,
    label_file: Path | None,
    against: str | None,
    target: str | None,
    numerics: str,
    batch: int | None,
    strip_float_io: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Put all that there is to say about a model on one page.

    Runs the model on samples and gathers what was found: where it loses accuracy against floats
    and what would help, how each layer uses its range, memory and cost and, with --against, where
    another run parts and the likely cause. The page is one HTML file that needs no network; it is
    made for screens, phones and paper.

    Exit code 1 means that --against differs.
    """
    if (output is None) != as_json:
        raise click.UsageError("choose one of -o FILE, for a page, and --json")
    if output is not None:
        others = [path for path in (float_file, label_file, against and Path(against)) if path]
        require_page(output, "report", MARK, force, [model, *map(path_of, files), *others])
    graph = load_model(model, batch, strip_float_io)
    floats = None if float_file is None else read_float(float_file)
    labels = None if label_file is None else read_labels(label_file)
    given = read_samples(graph, files, Conversion(quantize_input, image_range, keep=True))
    samples = replace(given, batch=whole_batch(graph, given.batch))
    data = model.read_bytes() if batch is None and not strip_float_io else None
    with about(model), _other_side(against, graph, data, samples, numerics) as other:
        found = report(
            graph,
            *given.batch.arrays,
            numerics=numerics,
            file=model.name,
            float_model=floats,
            labels=labels,
            against=other,
            target=targets()[target] if target else None,
            stage=progress,
        )
    if output is None:
        print_json(facts(found))
    else:
        page = report_page(found).encode("utf-8")
        with replacing(output) as staged:
            staged.write_bytes(page)
        note(f"{output}: {len(page):,} bytes")
    return DIFFERENT if found.difference and not found.difference.identical else 0


@contextmanager
def _other_side(
    what: str | None, graph: Graph, model: bytes | None, samples: Samples, numerics: str
) -> Iterator[tuple[str, Side] | None]:
    """What --against names, and its name."""
    if what is None:
        yield None
        return
    if not is_live(what):
        with about(what):
            file = recorded(what, graph)
            recorded_samples(graph, file, what, samples, numerics)
        yield Path(what).name, file
        return
    with ExitStack() as stack:
        with progress(f"starting {what}"):
            other = stack.enter_context(side(what, graph, model, numerics))
        yield what if what in ORACLES else f"the generated C on {_place(what)}", other


def _place(what: str) -> str:
    """Where generated C ran."""
    return "this machine" if what == C else what


def facts(value: Any) -> Any:
    """A report as print_json takes it; what other verbs print, too, as they do."""
    if isinstance(value, LayerDiff):
        return layer_facts(value)
    if isinstance(value, First):
        return first_facts(value)
    if isinstance(value, Cause):
        return cause_facts(value)
    if is_dataclass(value):
        own = {field.name: getattr(value, field.name) for field in fields(value)}
        return {
            "op" if isinstance(item, Node) else name: item.op
            if isinstance(item, Node)
            else facts(item)
            for name, item in own.items()
        }
    if isinstance(value, tuple | list):
        return [facts(item) for item in value]
    return value
