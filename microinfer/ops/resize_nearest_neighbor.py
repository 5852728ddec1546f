"""RESIZE_NEAREST_NEIGHBOR: every pixel of the output is one of the input.

input   [batches, height, width, channels], any movable type, quantization unchanged
size    int32 [2], constant: the output's height and width
Index i of the output is index min(round(i * scale), input - 1) of the input, all in float32:
scale = input / output, rounded down, of i + 0.5 with half_pixel_centers; or with align_corners
scale = (input - 1) / (output - 1), rounded half away from zero.
[TFLM] kernels/internal/reference/resize_nearest_neighbor.h. C twin: runtime_c/mi_gather.h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import round_half_away
from . import movement
from .layer import Layer, Op


def nearest(
    size: int, output_size: int, align_corners: bool, half_pixel: bool
) -> NDArray[np.int32]:
    """The input index of each output index along one axis."""
    aligned = align_corners and output_size > 1
    scale = (
        np.float32(size - 1) / np.float32(output_size - 1)
        if aligned
        else np.float32(size) / np.float32(output_size)
    )
    offset = np.float32(0.5 if half_pixel else 0)
    places = (np.arange(output_size, dtype=np.float32) + offset) * scale
    places = round_half_away(places) if align_corners else np.floor(places)
    indices: NDArray[np.int32] = np.clip(places, 0, size - 1).astype(np.int32)
    return indices


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    movement.check(layer, source)
    layer.rank_is(source, 4)
    layer.settle()
    batches, height, width, channels = source.shape
    sizes = movement.integers(layer, 1, 2)
    layer.shape_is(output, (batches, *sizes, channels))
    layer.settle()
    rule = layer.options["align_corners"], layer.options["half_pixel_centers"]
    rows, columns = nearest(height, sizes[0], *rule), nearest(width, sizes[1], *rule)
    outer = {"outer": batches, "outer_stride": height * width}
    return movement.movement(
        layer, movement.gather(source, channels, columns, rows=rows * width, **outer)
    )


OP = Op("RESIZE_NEAREST_NEIGHBOR", prepare, movement.eval)
