"""mi.load: a file that is known to run, or the reasons why it does not."""

from __future__ import annotations

from pathlib import Path

from .graph import Graph
from .numerics import profile
from .prepare import prepare
from .tflite import read_file


def load(path: str | Path) -> Graph:
    """Read a .tflite and make sure that it can be run exactly.

    Raises BadInput (no such file), BadFile (not a well-formed .tflite) or UnsupportedModel, which
    lists every layer that cannot be run and why. ``microinfer.tflite.read`` reads any model.
    """
    graph = read_file(path)
    prepare(graph, profile("tflm"))
    return graph
