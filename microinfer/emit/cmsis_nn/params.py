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
    weights: NDArray[np.int8]  # [output size, input size]
    bias: NDArray[np.int32] | None  # for cores without MVE
    kernel_sums: NDArray[np.int32] | None  # for cores with it: see dense.kernel_sums
    multipliers: NDArray[np.int32]  # one, or one per output
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


@dataclass(frozen=True)
class ConvS16Params:
    """All zero points 0. One of the biases at most: the 32-bit one is rounded as of int8."""

    input: Dims
    filter: Dims  # as of ConvParams
    output: Dims
    stride: Pair
    padding: Pair  # left, top
    dilation: Pair
    activation: Pair
    int32_bias: int  # 1: the first bias, or none, rounded twice; 0: the second, or none, once
    weights: NDArray[np.int8]
    bias: NDArray[np.int32] | None
    wide_bias: NDArray[np.int64] | None
    multipliers: NDArray[np.int32]
    shifts: NDArray[np.int32]


@dataclass(frozen=True)
class DenseS16Params:
    input: Dims  # rows, 1, 1, input size
    filter: Dims  # input size, 1, 1, output size
    output: Dims
    activation: Pair
    multiplier: int
    shift: int
    weights: NDArray[np.int8]  # [output size, input size]
    bias: NDArray[np.int64] | None


@dataclass(frozen=True)
class BatchMatMulS16Params:
    lhs: Dims  # matrices, 1, rows, depth
    rhs: Dims  # matrices, 1, columns, depth
    output: Dims  # matrices, 1, rows, columns
    multiplier: int
    shift: int


@dataclass(frozen=True)
class SoftmaxS16Params:
    rows: int
    depth: int
    multiplier: int
    shift: int
    exponentials: NDArray[np.int16]  # [513]
    reciprocals: NDArray[np.int16]  # [513]


@dataclass(frozen=True)
class SvdfParams:
    input: Dims  # batches, input size, 1, 1
    features: Dims  # filters, input size, 1, 1
    time: Dims  # filters, memory size, 1, 1
    rank: int
    input_zero_point: int  # not negated, here alone
    output_offset: int
    feature_multiplier: int
    feature_shift: int
    output_multiplier: int
    output_shift: int
    weights_feature: NDArray[np.int8]  # [filters, input size]
    weights_time: NDArray[np.int16]  # [filters, memory size]
    bias: NDArray[np.int32] | None


@dataclass(frozen=True)
class SvdfS8Params:
    """With an int8 state, of zero point 0."""

    input: Dims
    features: Dims
    time: Dims
    rank: int
    input_zero_point: int
    output_offset: int
    feature_multiplier: int
    feature_shift: int
    output_multiplier: int
    output_shift: int
    weights_feature: NDArray[np.int8]
    kernel_sums: NDArray[np.int32] | None  # for cores with MVE: -input zero point * weights' sum
    weights_time: NDArray[np.int8]
    bias: NDArray[np.int32] | None


@dataclass(frozen=True)
class LstmGate:
    input_multiplier: int
    input_shift: int
    recurrent_multiplier: int
    recurrent_shift: int
    input_weights: NDArray[np.int8]  # [units, input size]
    recurrent_weights: NDArray[np.int8]  # [units, units]
    bias: NDArray[np.int32]  # less input zero point * sum of input weights
    recurrent_bias: NDArray[np.int32]  # -hidden zero point * sum of recurrent weights


@dataclass(frozen=True)
class LstmParams:
    time_major: int
    batches: int
    steps: int
    input_size: int
    units: int
    forget_multiplier: int  # forget * cell
    forget_shift: int
    input_multiplier: int  # input * cell gate
    input_shift: int
    cell_clip: int  # 0: none
    cell_power: int  # log2 of the cell's scale
    hidden_multiplier: int  # tanh(cell) * output
    hidden_shift: int
    output_offset: int
    input_gate: LstmGate
    forget_gate: LstmGate
    cell_gate: LstmGate
    output_gate: LstmGate
