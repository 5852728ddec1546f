"""SPACE_TO_DEPTH and DEPTH_TO_SPACE: a square block of pixels as one pixel, or back.

    deep[b, y, x, i, j, c] = wide[b, y, i, x, j, c],  i, j < block_size

wide    [batches, height * block_size, width * block_size, channels]
deep    [batches, height, width, block_size * block_size * channels]
Any movable type, quantization unchanged. C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def _prepare(layer: Layer, to_depth: bool) -> movement.MovementParams:
    layer.count(1)
    source, output = layer.input(0), layer.output()
    movement.check(layer, source)
    layer.rank_is(source, 4)
    block = layer.options["block_size"]
    layer.require(block > 0, None, f"has block size {block}, expected 1 or more")
    layer.settle()
    batches, height, width, channels = source.shape
    if to_depth:
        divides = height % block == 0 and width % block == 0
        height, width = height // block, width // block
    else:
        divides = channels % (block * block) == 0
        channels //= block * block
    layer.require(
        divides, source, f"has shape {source.shape}, which is no multiple of block size {block}"
    )
    deep = (batches, height, width, block * block * channels)
    wide = (batches, height * block, width * block, channels)
    layer.shape_is(output, deep if to_depth else wide)
    layer.settle()
    b, y, i, x, j, c = movement.row_major((batches, height, block, width, block, channels))
    extents = (batches, height, width, block, block, channels)
    wide_strides, deep_strides = (b, y, x, i, j, c), movement.row_major(extents)
    both = (wide_strides, deep_strides) if to_depth else (deep_strides, wide_strides)
    return movement.movement(layer, movement.copy(layer, output, extents, *both))


TO_DEPTH = Op("SPACE_TO_DEPTH", lambda layer: _prepare(layer, True), movement.eval)
TO_SPACE = Op("DEPTH_TO_SPACE", lambda layer: _prepare(layer, False), movement.eval)
