"""RESIZE_BILINEAR on int8 or int16: four neighbours, weighted in 1024ths per axis.

input   [batches, height, width, channels]
size    int32 [2], constant: the output's height and width
output  of the input's quantization, which plays no part

    place(i)  = clamp(i * scale + offset, 0, (input - 1) * 1024): where index i lies in the input
    scale     = round(input * 1024 / output), or round((input - 1) * 1024 / (output - 1)) with
                align_corners; offset = floor(scale / 2) - 512 with half_pixel_centers, else 0
    output    = round(sum of the 2 x 2 pixels around, each times its two weights / 2^20)

scale is rounded up at a tie, the output away from zero.
[TFLM] kernels/internal/reference/resize_bilinear.h, ResizeBilinearInteger. It clamps not the place
but the neighbours, and only one of the two: see ARITHMETIC.md.
C twin: runtime_c/mi_resize_bilinear.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import movement
from .layer import Array, Layer, Op

ONE = 1024


@dataclass(frozen=True)
class ResizeBilinearParams:
    batches: int
    input_height: int
    input_width: int
    channels: int
    output_height: int
    output_width: int
    row_scale: int  # 1024ths of a row of the input per row of the output
    row_offset: int
    column_scale: int
    column_offset: int


def _scale(size: int, output_size: int, align_corners: bool, half_pixel: bool) -> tuple[int, int]:
    """Scale and offset along one axis."""
    if align_corners and output_size > 1:
        size, output_size = size - 1, output_size - 1
    scale = (size * ONE + output_size // 2) // output_size
    return scale, scale // 2 - ONE // 2 if half_pixel else 0


def prepare(layer: Layer) -> ResizeBilinearParams:
    layer.count(2)
    source, output = layer.input(0), layer.output()
    layer.type_is(output, "INT8", "INT16")
    layer.settle()
    movement.check(layer, source)
    layer.rank_is(source, 4)
    layer.settle()
    batches, height, width, channels = source.shape
    sizes = movement.integers(layer, 1, 2)
    layer.shape_is(output, (batches, *sizes, channels))
    layer.settle()
    rule = layer.options["align_corners"], layer.options["half_pixel_centers"]
    row_scale, row_offset = _scale(height, sizes[0], *rule)
    column_scale, column_offset = _scale(width, sizes[1], *rule)
    for place in ((sizes[0] + 1) * row_scale, (sizes[1] + 1) * column_scale):
        layer.require(place < 2**31, output, "is too large: its places leave int32")
    layer.settle()
    return ResizeBilinearParams(
        batches=batches,
        input_height=height,
        input_width=width,
        channels=channels,
        output_height=sizes[0],
        output_width=sizes[1],
        row_scale=row_scale,
        row_offset=row_offset,
        column_scale=column_scale,
        column_offset=column_offset,
    )


def _neighbours(
    size: int, output_size: int, scale: int, offset: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Per output index: the two input indices, and the second one's weight."""
    places = np.clip(np.arange(output_size) * scale + offset, 0, (size - 1) * ONE)
    low, weight = places // ONE, places % ONE
    return low, low + (weight > 0), weight.astype(np.int32)


def eval(p: ResizeBilinearParams, x: Array) -> Array:
    """[batch, batches, height, width, channels]; sums stay below 2^35."""
    low, high, weight = _neighbours(p.input_height, p.output_height, p.row_scale, p.row_offset)
    weight = weight[:, None, None]
    pixels = x.astype(np.int32 if x.dtype == np.int8 else np.int64)
    rows = pixels[:, :, low] * (ONE - weight) + pixels[:, :, high] * weight
    low, high, weight = _neighbours(p.input_width, p.output_width, p.column_scale, p.column_offset)
    weight = weight[:, None]
    sums = rows[:, :, :, low] * (ONE - weight) + rows[:, :, :, high] * weight
    half = ONE * ONE // 2
    rounded = (np.abs(sums) + half) // (ONE * ONE)
    outputs: Array = np.where(sums < 0, -rounded, rounded).astype(x.dtype)
    return outputs


OP = Op("RESIZE_BILINEAR", prepare, eval)
