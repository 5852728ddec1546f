"""mi.load: a file that is known to run, or the reasons why it does not."""

from __future__ import annotations

from pathlib import Path

from .graph import Graph
from .numerics import profile
from .passes import runnable, with_batch
from .prepare import prepare
from .tflite import read_file


def load(path: str | Path, batch: int | None = None) -> Graph:
    """Read a .tflite and make sure that it can be run exactly.

    The graph is the file's, as it is; whoever runs it or generates C settles open shapes and
    folds what is constant (``microinfer.passes``). With ``batch``, for a model that was exported
    with an open batch, that has happened for so many samples at a time.

    Raises BadInput (no such file, a batch that the model does not have), BadFile (not a
    well-formed .tflite) or UnsupportedModel, which lists every layer that cannot be run and why.
    ``microinfer.tflite.read`` reads any model.
    """
    graph = read_file(path)
    if batch is not None:
        graph = with_batch(graph, batch)
    prepare(runnable(graph), profile("tflm"))
    return graph
