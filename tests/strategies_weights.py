"""Models of the layers with weights, in other types than int8: int16 activations, int4 weights."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from one_op import OneOp
from strategies_layers import (
    Kind,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    pool_2d,
    transpose_conv,
)
from strategies_reduce import batch_matmul

INT16 = Kind("INT16", bias="INT64")
INT16_INT32 = Kind("INT16", bias="INT32")
INT4 = Kind(weights="INT4")

WEIGHTS: Mapping[str, st.SearchStrategy[OneOp]] = {
    "AVERAGE_POOL_2D int16": pool_2d("AVERAGE_POOL_2D", "INT16"),
    "BATCH_MATMUL int16": batch_matmul("INT16"),
    "CONV_2D int16": conv_2d(biased=True, of=INT16),
    "CONV_2D int16 int32 bias": conv_2d(biased=True, of=INT16_INT32),
    "CONV_2D int16 without bias": conv_2d(biased=False, of=INT16),
    "CONV_2D int16 int4": conv_2d(biased=True, of=Kind("INT16", "INT4", "INT64")),
    "CONV_2D int4": conv_2d(biased=True, of=INT4),
    "DEPTHWISE_CONV_2D int16": depthwise_conv_2d(INT16),
    "DEPTHWISE_CONV_2D int4": depthwise_conv_2d(INT4),
    "FULLY_CONNECTED int16": fully_connected(INT16),
    "FULLY_CONNECTED int16 int32 bias": fully_connected(INT16_INT32),
    "FULLY_CONNECTED int4": fully_connected(Kind(weights="INT4", per_channel=False)),
    "MAX_POOL_2D int16": pool_2d("MAX_POOL_2D", "INT16"),
    "TRANSPOSE_CONV int16": transpose_conv(INT16),
    "TRANSPOSE_CONV int16 int32 bias": transpose_conv(INT16_INT32),
}

WEIGHTS_TFLM_ONLY = ("CONV_2D int16 without bias",)
WEIGHTS_LITERT_ONLY = ("CONV_2D int16 int4",)
# TFLM reads an int32 bias as if it were int64.
WEIGHTS_TFLM_WRONG = ("TRANSPOSE_CONV int16 int32 bias",)

# int4 that TFLM does not take, so that it is asked about the same weights as int8.
TWINS: Mapping[str, st.SearchStrategy[OneOp]] = {
    "CONV_2D int16 int4": WEIGHTS["CONV_2D int16 int4"],
    "FULLY_CONNECTED int16 int4": fully_connected(Kind("INT16", "INT4", "INT64")),
    "FULLY_CONNECTED int4 per channel": fully_connected(Kind(weights="INT4", per_channel=True)),
}
