"""The operators, one file each, and the table that lists them all."""

from __future__ import annotations

from . import (
    add_sub,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    mean,
    mul,
    pad,
    pool_2d,
    quantize,
    relu,
    reshape,
    sigmoid_tanh,
    softmax,
    transpose,
)
from .layer import Layer, LayerRefused, Op

OPS: dict[str, Op] = {
    op.name: op
    for op in (
        add_sub.ADD,
        pool_2d.AVERAGE,
        concatenation.OP,
        conv_2d.OP,
        depthwise_conv_2d.OP,
        quantize.DEQUANTIZE,
        reshape.EXPAND_DIMS,
        fully_connected.OP,
        sigmoid_tanh.LOGISTIC,
        pool_2d.MAXIMUM,
        mean.OP,
        mul.OP,
        pad.OP,
        quantize.QUANTIZE,
        relu.RELU,
        relu.RELU6,
        reshape.RESHAPE,
        softmax.OP,
        reshape.SQUEEZE,
        add_sub.SUB,
        sigmoid_tanh.TANH,
        transpose.OP,
    )
}

__all__ = ["OPS", "Layer", "LayerRefused", "Op"]
