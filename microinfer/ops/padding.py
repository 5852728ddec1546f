"""Output sizes and padding of sliding windows."""

from __future__ import annotations

from ..graph import Tensor
from .layer import Layer

# Kernels keep a pointer per row of the window on the stack.
MAX_WINDOW_HEIGHT = 4096
# Input and padding together; beyond, indices would come near to int32.
MAX_PADDED_ELEMENTS = 2**28


def same_or_valid(
    padding: str, size: int, kernel: int, stride: int, dilation: int
) -> tuple[int, int]:
    """(output size, padding before) along one axis.

    SAME covers ceil(size / stride) positions; of an odd total the extra element goes after, so
    only the padding before the data matters. [TFLM] kernels/padding.h.
    """
    effective = (kernel - 1) * dilation + 1
    if padding == "VALID":
        return (size + stride - effective) // stride, 0
    output = -(-size // stride)
    total = max((output - 1) * stride + effective - size, 0)
    return output, total // 2


def window(
    layer: Layer, source: Tensor, output: Tensor, kernel: tuple[int, int], dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    """(stride_height, stride_width, pad_top, pad_left), with ``output``'s height, width checked."""
    options = layer.options
    stride = (options["stride_h"], options["stride_w"])
    padding = options["padding"]
    layer.require(padding in ("SAME", "VALID"), None, f"has padding {padding}")
    layer.require(min(*stride, *dilation) >= 1, None, f"has stride {stride}, dilation {dilation}")
    layer.require(min(kernel) >= 1, None, f"has a window of {kernel[0]} x {kernel[1]}")
    layer.settle()
    height, pad_top = same_or_valid(padding, source.shape[1], kernel[0], stride[0], dilation[0])
    width, pad_left = same_or_valid(padding, source.shape[2], kernel[1], stride[1], dilation[1])
    layer.expect(output, (source.shape[0], height, width, output.shape[3]))
    layer.require(
        min(height, width) >= 1 and output.shape[1:3] == (height, width),
        output,
        f"has height and width {output.shape[1:3]}, computed {(height, width)}",
    )
    covered_height = (height - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
    covered_width = (width - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1
    padded = source.shape[0] * source.shape[3] * covered_height * covered_width
    layer.require(
        kernel[0] <= MAX_WINDOW_HEIGHT and padded <= MAX_PADDED_ELEMENTS,
        None,
        f"has a window that covers {covered_height} x {covered_width} positions, too many",
    )
    layer.settle()
    return stride[0], stride[1], pad_top, pad_left
