"""``microinfer explain --html``: the page, written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from ..debug.explain import place_in
from ..debug.page import MARK, explain_page, samples_that_fit
from ..debug.page_texts import Start
from ..errors import BadInput, ToolchainError
from ..interpreter import Interpreter
from ..state import states
from .failure import about, counted, note
from .inputs import Samples, require_use
from .output import progress, replacing, require_page


def require_sound(ctx: click.Context, page: Path, used: Sequence[Path], layer: str | None) -> None:
    """Raise, before any work, where the page cannot be written, or options say nothing with it."""
    for option, name in (("--json", "as_json"), ("--all", "everything"), ("--check", "answers")):
        if ctx.params[name]:
            raise click.UsageError(f"{option} says nothing with --html")
    if layer is None:
        require_use(ctx, ["--at"], "--layer")
    require_page(page, "page of explain", MARK, ctx.params["force"], used)


def write_page(
    page: Path,
    model: Path,
    interpreter: Interpreter,
    samples: Samples,
    chosen: int,
    element: tuple[int, int, Sequence[int] | None],
) -> None:
    """Write the page of as many samples as fit, from ``chosen`` on; of a model with state from 0.

    ``element`` is what it shows first: layer, output, place.
    """
    layer, output, at = element
    count = samples.batch.samples
    first = 0 if states(interpreter.graph) else chosen
    most = samples_that_fit(interpreter.graph)
    last = min(first + most, count)
    with about(model):
        if chosen >= last:
            raise BadInput(
                f"got --sample {chosen}; of a model with state a page has samples"
                f" 0..{most - 1}, which follow each other"
            )
        place = None
        if at is not None:
            own = interpreter.layers[layer]
            if not own.op.computes or not own.node.outputs:
                raise BadInput(f"layer {layer} {own.node.op} gives no values")
            place = place_in(interpreter.graph.tensors[own.node.outputs[output]].shape, at)
        make = partial(
            explain_page,
            interpreter,
            *(array[first:last] for array in samples.batch.arrays),
            title=model.name,
            labels=samples.labels[first:last],
            start=Start(layer, output, place, chosen - first),
        )
        try:
            with progress("making the page"):
                text = make()
        except ToolchainError as error:  # as of a clang that knows no WebAssembly
            note(f"note: the page has recorded values alone: {error}")
            text = make(computes="no")
    with replacing(page) as staged:
        staged.write_text(text, encoding="utf-8")
    if last - first < count:
        has = counted(last - first, "sample")
        note(f"note: the page has {has} from {samples.labels[first]} on, of {count:,}")
    note(f"wrote {page}")
