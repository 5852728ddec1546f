"""MIRROR_PAD: a frame that mirrors what it frames.

REFLECT    the mirror is the edge element: 3 2 | 1 2 3 | 2 1
SYMMETRIC  the mirror is beyond it:        2 1 | 1 2 3 | 3 2
input      any movable type, quantization unchanged
pads       int32 [rank, 2], constant: elements before and after, per axis
C twin: runtime_c/mi_copy.h, once per side, edge and corner.
"""

from __future__ import annotations

import itertools

from . import movement
from .layer import Layer, Op
from .pad import frame

EDGES = {"REFLECT": 1, "SYMMETRIC": 0}  # elements that are not repeated

# Along an axis: the first element that is written, the first that is read, the step, how many.
Part = tuple[int, int, int, int]


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    mode = layer.options["mode"]
    layer.require(mode in EDGES, None, f"has mode {mode}, expected {' or '.join(EDGES)}")
    layer.settle()
    edge = EDGES[mode]
    movement.check(layer, source)
    parts: list[list[Part]] = []
    for axis, (before, after) in enumerate(frame(layer)):
        extent = source.shape[axis]
        layer.require(
            max(before, after) <= extent - edge,
            source,
            f"has extent {extent} on axis {axis}, which cannot mirror {max(before, after)}",
        )
        sides = [
            (before, 0, 1, extent),
            (0, before - 1 + edge, -1, before),
            (before + extent, extent - 1 - edge, -1, after),
        ]
        parts.append([side for side in sides if side[-1] > 0])
    layer.settle()
    own, strides = movement.row_major(source.shape), movement.row_major(output.shape)
    copies = []
    for place in itertools.product(*parts):
        to, first, steps, extents = zip(*place, strict=True)
        copies.append(
            movement.copy(
                layer,
                output,
                extents,
                [step * stride for step, stride in zip(steps, own, strict=True)],
                strides,
                output_offset=sum(i * stride for i, stride in zip(to, strides, strict=True)),
                input_offset=sum(i * stride for i, stride in zip(first, own, strict=True)),
            )
        )
    return movement.movement(layer, *copies)


OP = Op("MIRROR_PAD", prepare, movement.eval)
