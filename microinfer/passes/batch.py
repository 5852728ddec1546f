"""Batch: so many samples at a time, of a model that was exported with an open batch.

The first extent of every input that leaves it open becomes N, and all shapes follow. A layer that
cannot follow is refused by ``prepare``, since its shapes then contradict each other.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import BadInput
from ..graph import Graph, Rewrite
from .runnable import settle


def with_batch(graph: Graph, batch: int) -> Graph:
    """``graph`` for ``batch`` samples at a time. Raises BadInput if no input leaves that open."""
    if batch < 1:
        raise BadInput(f"got a batch of {batch}, expected 1 or more")
    inputs = {
        index: (batch, *graph.tensors[index].shape[1:])
        for index in graph.inputs
        if (graph.tensors[index].shape_signature or (0,))[0] == -1
    }
    if not inputs:
        listed = ", ".join(
            f'"{graph.tensors[index].name}" {list(graph.tensors[index].shape)}'
            for index in graph.inputs
        )
        raise BadInput(
            f"cannot change the batch: the model was exported with fixed shapes, {listed}; export"
            " it with an open batch, or run it for one sample after the other"
        )
    rewrite = Rewrite(f"--batch {batch}")
    return replace(settle(graph, inputs), rewrites=(*graph.rewrites, rewrite))
