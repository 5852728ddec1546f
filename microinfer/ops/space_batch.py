"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: every block-th pixel as an image of its own, or back.

    many[i, j, b, y, x, c] = space[b, y * block_h + i - before_h, x * block_w + j - before_w, c]

space   [batches, height, width, channels], or [batches, height, channels]
many    the same rank; its batches are block_h * block_w * batches
block   int32 [1 or 2], constant
pads    SPACE_TO_BATCH_ND: int32 [1 or 2, 2], constant: pixels of real zero before and after
crops   BATCH_TO_SPACE_ND: the same, cut away
Any movable type, quantization unchanged. C twin: runtime_c/mi_copy.h, once per place in the block.
"""

from __future__ import annotations

import itertools
import math

from . import movement
from .layer import Layer, Op


def _prepare(layer: Layer, to_batch: bool) -> movement.MovementParams:
    layer.count(3)
    source, output = layer.input(0), layer.output()
    movement.check(layer, source)
    axes = len(source.shape) - 2
    layer.require(axes in (1, 2), source, f"has shape {source.shape}, expected rank 3 or 4")
    layer.settle()
    blocks, edges = movement.integers(layer, 1, axes), movement.integers(layer, 2, 2 * axes)
    layer.require(min(blocks) > 0, layer.input(1), f"is {blocks}, expected 1 or more")
    layer.require(min(edges) >= 0, layer.input(2), f"is {edges}, expected 0 or more")
    layer.settle()
    space, many = (source, output) if to_batch else (output, source)
    befores, afters = edges[::2], edges[1::2]
    batches, *sizes, channels = space.shape if len(space.shape) == axes + 2 else (0,) * (axes + 2)
    padded = [a + n + b for a, n, b in zip(befores, sizes, afters, strict=True)]
    layer.expect(output, _output_shape(source.shape, blocks, edges, to_batch))
    layer.require(
        many.shape
        == (
            math.prod(blocks) * batches,
            *(n // block for n, block in zip(padded, blocks, strict=True)),
            channels,
        )
        and all(n % block == 0 for n, block in zip(padded, blocks, strict=True)),
        output,
        f"has shape {output.shape}, which does not follow from {source.shape}, blocks {blocks}"
        f" and edges {edges}",
    )
    layer.settle()
    wide, deep = movement.row_major(space.shape), movement.row_major(many.shape)
    moves: list[movement.Move] = []
    if to_batch and any(edges):
        moves.append(movement.Move(movement.zeros(layer, output), None))
    for number, place in enumerate(itertools.product(*map(range, blocks))):
        extents, at_wide, at_deep = [batches], 0, number * batches * deep[0]
        for axis, (i, block, before, n) in enumerate(
            zip(place, blocks, befores, sizes, strict=True), start=1
        ):
            first = -((i - before) // block)  # the first y with y * block + i - before >= 0
            first = max(first, 0)
            end = -((i - before - n) // block)  # and the first beyond the image
            end = min(max(end, first), many.shape[axis])
            extents.append(max(end - first, 0))
            at_wide += (first * block + i - before) * wide[axis]
            at_deep += first * deep[axis]
        if min(extents) == 0:
            continue
        wide_strides = (
            wide[0],
            *(block * stride for block, stride in zip(blocks, wide[1:-1], strict=True)),
            1,
        )
        forward = (wide_strides, deep, at_deep, at_wide)
        backward = (deep, wide_strides, at_wide, at_deep)
        copy = movement.copy(
            layer, output, (*extents, channels), *(forward if to_batch else backward)
        )
        moves.append(movement.Move(copy))
    return movement.movement(layer, *moves)


def _output_shape(
    shape: tuple[int, ...], blocks: list[int], edges: list[int], to_batch: bool
) -> tuple[int, ...]:
    batches, *sizes, channels = shape
    edge = [a + b for a, b in zip(edges[::2], edges[1::2], strict=True)]
    number = math.prod(blocks)
    triples = zip(sizes, blocks, edge, strict=True)
    if to_batch:
        return (batches * number, *((n + e) // block for n, block, e in triples), channels)
    return (batches // number, *(n * block - e for n, block, e in triples), channels)


TO_BATCH = Op("SPACE_TO_BATCH_ND", lambda layer: _prepare(layer, True), movement.eval)
TO_SPACE = Op("BATCH_TO_SPACE_ND", lambda layer: _prepare(layer, False), movement.eval)
