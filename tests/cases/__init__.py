"""Named edge cases, one table per operator: run by test_cases.py on every engine there is."""

from . import (
    add,
    average_pool_2d,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    dequantize,
    expand_dims,
    fully_connected,
    logistic,
    max_pool_2d,
    mean,
    mul,
    pad,
    quantize,
    relu,
    relu6,
    reshape,
    softmax,
    squeeze,
    sub,
    tanh,
    transpose,
)
from .case import Case

TABLES: dict[str, tuple[Case, ...]] = {
    "ADD": add.CASES,
    "AVERAGE_POOL_2D": average_pool_2d.CASES,
    "CONCATENATION": concatenation.CASES,
    "CONV_2D": conv_2d.CASES,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d.CASES,
    "DEQUANTIZE": dequantize.CASES,
    "EXPAND_DIMS": expand_dims.CASES,
    "FULLY_CONNECTED": fully_connected.CASES,
    "LOGISTIC": logistic.CASES,
    "MAX_POOL_2D": max_pool_2d.CASES,
    "MEAN": mean.CASES,
    "MUL": mul.CASES,
    "PAD": pad.CASES,
    "QUANTIZE": quantize.CASES,
    "RELU": relu.CASES,
    "RELU6": relu6.CASES,
    "RESHAPE": reshape.CASES,
    "SOFTMAX": softmax.CASES,
    "SQUEEZE": squeeze.CASES,
    "SUB": sub.CASES,
    "TANH": tanh.CASES,
    "TRANSPOSE": transpose.CASES,
}

__all__ = ["TABLES", "Case"]
