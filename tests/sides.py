"""What tests of comparisons share: a small model, samples, and which layers a report blames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from microinfer.debug.diff import Report
from microinfer.graph import Graph
from one_op import activation, one_op


def two_relus() -> Graph:
    """x 0 -> RELU 1 -> RELU 2, four values; nothing rescales."""
    x, y, z = (activation([1, 4], 1.0, 0, name) for name in "xyz")
    first = one_op("RELU", [x], y)
    second = replace(first.nodes[0], inputs=(1,), outputs=(2,))
    return replace(
        first, tensors=(x, y, z), nodes=(first.nodes[0], second), inputs=(0,), outputs=(2,)
    )


def noise(graph: Graph, samples: int) -> Any:
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(3).integers(-128, 128, (samples, *shape)).astype(np.int8)


def wrong_layers(report: Report) -> list[str]:
    return [one.node.op for one in report.layers if not one.identical and not one.inputs_differ]
