"""The params of the adapters in runtime_c/cmsis_nn, in the library's own terms.

Tuples are its structs: dims (batches, height, width, channels), tiles (width, height), activation
(minimum, maximum). Offsets are -zero point of inputs and weights, zero point of outputs.
Multipliers and shifts are all int32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Dims = tuple[int, int, int, int]
Pair = tuple[int, int]


@dataclass(frozen=True)
class ConvParams:
    input: Dims
    filter: Dims  # output channels, height, width, channels; depthwise: 1, height, width, outputs
    output: Dims
    stride: Pair
    padding: Pair  # left, top
    dilation: Pair
    activation: Pair
    input_offset: int
    output_offset: int
    weights: NDArray[np.int8]
    bias: NDArray[np.int32] | None
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int32]


@dataclass(frozen=True)
class TransposeConvParams:
    input: Dims
    filter: Dims  # output channels, height, width, channels
    output: Dims
    stride: Pair
    padding: Pair  # left, top
    activation: Pair
    input_offset: int
    output_offset: int
    weights: NDArray[np.int8]  # from the last row and column to the first where done as CONV_2D
    bias: NDArray[np.int32] | None
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int32]


@dataclass(frozen=True)
class DenseParams:
    input: Dims  # rows, 1, 1, input size
    filter: Dims  # input size, 1, 1, output size
    output: Dims
    activation: Pair
    input_offset: int
    filter_offset: int
    output_offset: int
    per_channel: int
    weights: NDArray[np.int8]  # [output size, input size]
    bias: NDArray[np.int32] | None  # for cores without MVE
    kernel_sums: NDArray[np.int32] | None  # for cores with it: see choose.kernel_sums
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int32]


@dataclass(frozen=True)
class BatchMatMulParams:
    lhs: Dims  # matrices, 1, rows, depth
    rhs: Dims  # matrices, 1, columns, depth
    output: Dims  # matrices, 1, rows, columns
    lhs_offset: int
    rhs_offset: int
    output_offset: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class PoolParams:
    input: Dims
    filter: Dims  # 1, height, width, 1
    output: Dims
    stride: Pair
    padding: Pair
    activation: Pair


@dataclass(frozen=True)
class AddParams:
    size: int
    left_shift: int
    input1_offset: int
    input1_multiplier: int
    input1_shift: int
    input2_offset: int
    input2_multiplier: int
    input2_shift: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation: Pair


@dataclass(frozen=True)
class MulParams:
    size: int
    input1_offset: int
    input2_offset: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation: Pair


@dataclass(frozen=True)
class PadParams:
    value: int
    input: Dims
    before: Dims
    after: Dims


@dataclass(frozen=True)
class TransposeParams:
    input: Dims
    output: Dims
    permutation: tuple[int, int, int, int]  # the input's axis for each of the output's
