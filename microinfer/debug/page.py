"""explain's page: one HTML file that shows how each number of a run came about."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import NDArray

from ..batch import split_batch
from ..errors import BadInput
from ..graph import Graph
from ..interpreter import Interpreter
from ..pages import render
from ..trace import traced_bytes
from . import wasm
from .page_data import model_data
from .page_texts import Start

MARK = ": how each number came about</title>"  # in each page's head: tells it from other files
SAMPLES = 16  # at most: each brings every layer's values into the file
RECORDED_BYTES = 2_000_000  # of values of all layers, that samples may bring; one may bring more


def samples_that_fit(graph: Graph) -> int:
    """How many samples a page takes."""
    return max(1, min(SAMPLES, RECORDED_BYTES // traced_bytes(graph)))


def explain_page(
    interpreter: Interpreter,
    *inputs: NDArray[Any],
    title: str = "model",
    labels: Sequence[str] | None = None,
    start: Start | None = None,
    computes: Literal["auto", "yes", "no"] = "auto",
) -> str:
    """HTML that opens from a file, without a network.

    ``inputs`` are those of ``Interpreter.trace``, of at most ``samples_that_fit``, which ``labels``
    names; ``title`` is the model's name, ``start`` what the page shows first. Where clang and
    wasm-ld are there to build it, the page has the generated C as WebAssembly, so that its reader
    may change the input: "auto"; "yes" raises ToolchainError without them, "no" leaves it out. The
    values of the samples are recorded in any case. A model with state is reset before and after.

    Raises BadInput for other inputs or too many of them.
    """
    batch = split_batch(interpreter.graph, inputs)
    most = samples_that_fit(interpreter.graph)
    if batch.samples > most:
        raise BadInput(f"got {batch.samples} samples; a page of this model takes at most {most}")
    interpreter.reset()
    trace = interpreter.trace(*batch.arrays)
    interpreter.reset()
    start = start or Start()
    data = model_data(interpreter, trace, batch.samples, start)
    data["title"] = title
    data["labels"] = list(labels or [f"sample {index}" for index in range(batch.samples)])
    data["start"] = start._asdict()
    data["wasm"] = None
    if computes == "yes" or (computes == "auto" and not wasm.missing_tool()):
        built = wasm.build(interpreter.graph, interpreter.numerics.name, data["has_state"])
        data["wasm"] = base64.b64encode(built).decode("ascii")
    return render("explain.html.j2", title=title, model=data)
