"""How many bytes of scratch the library takes, by its form.

What its arm_..._get_buffer_size functions return when they are compiled by gcc or clang for the
core; tests/test_cmsis_nn_interface.py compares with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .params import (
    BatchMatMulParams,
    ConvParams,
    ConvS16Params,
    LstmParams,
    PoolParams,
    SvdfParams,
    SvdfS8Params,
    TransposeConvParams,
)

PLAIN, DSP, MVE = CORES = ("plain", "dsp", "mve")
ANY = "any"

CHANNEL_BLOCK = 124  # channels that the depthwise kernel for MVE takes at once
LARGEST_FAST = 512  # taps of the fast depthwise kernel of int16 are fewer


def forms(core: str) -> tuple[str, ...]:
    """The library's forms that code for ``core`` has to serve."""
    return CORES if core == ANY else (core,)


def most(core: str, scratch: Callable[[Any, str], int], params: Any) -> int:
    """Bytes that are enough on ``core``."""
    return max(scratch(params, form) for form in forms(core))


def conv_any(p: ConvParams | TransposeConvParams, form: str) -> int:
    """Of arm_convolve_s8: two columns of int16, or four of int8 in whole vectors."""
    taps = p.filter[1] * p.filter[2] * p.input[3]
    return 4 * _round_up(taps, 16) if form == MVE else 2 * 2 * _round_up(taps, 4)


def conv(p: ConvParams, form: str) -> int:
    """Of arm_convolve_wrapper_s8."""
    if is_pointwise(p):
        return 0
    if form == MVE and is_one_row(p):
        return _one_row(p)
    return conv_any(p, form)


def depthwise(p: ConvParams, form: str) -> int:
    """Of arm_depthwise_conv_wrapper_s8."""
    _, height, width, _ = p.filter
    if form == MVE and p.input[3] == 1 and p.output[3] > 1:  # done as a convolution
        return conv(as_conv(p), form) + p.weights.size
    if not is_depthwise_fast(p):
        return 0
    if form == MVE:
        return 4 * CHANNEL_BLOCK * height * width
    if form == PLAIN or is_depthwise_3x3(p):
        return 0
    return 2 * p.input[3] * height * width


def conv_any_s4(p: ConvParams, form: str) -> int:
    """Of arm_convolve_s4. (Its getter gives 4 bytes per tap with MVE, too: the columns are read in
    whole vectors, though nothing of what lies beyond is used.)"""
    taps = p.filter[1] * p.filter[2] * p.input[3]
    return 4 * _round_up(taps, 16) if form == MVE else 2 * 2 * taps


def conv_s4(p: ConvParams, form: str) -> int:
    """Of arm_convolve_wrapper_s4."""
    if is_pointwise(p):
        return 0
    if form == MVE and is_one_row(p) and one_row_has_middle(p):
        return 0
    return conv_any_s4(p, form)


def conv_s16(p: ConvS16Params, form: str) -> int:
    """Of arm_convolve_wrapper_s16: two columns of int16, or four in whole vectors."""
    taps = p.filter[1] * p.filter[2] * p.input[3]
    return 2 * 4 * _round_up(taps, 8) if form == MVE else 2 * 2 * taps


def depthwise_s4(p: ConvParams, form: str) -> int:
    """Of arm_depthwise_conv_wrapper_s4."""
    _, height, width, _ = p.filter
    if not is_depthwise_fast(p):
        return 0
    return (4 * CHANNEL_BLOCK if form == MVE else 2 * p.input[3]) * height * width


def depthwise_s16(p: ConvS16Params, form: str) -> int:
    """Of arm_depthwise_conv_wrapper_s16."""
    _, height, width, _ = p.filter
    fast = p.input[3] == p.output[3] and p.dilation == (1, 1) and height * width < LARGEST_FAST
    if form == PLAIN or not fast:
        return 0
    column = 2 * p.input[3] * height * width
    return 4 * column + 8 if form == MVE else column


def svdf(p: SvdfParams | SvdfS8Params, form: str) -> int:
    """Of the arm_svdf functions, which have no getter for it: a sum per filter and one per unit."""
    batches, filters = p.input[0], p.features[0]
    return 4 * batches * (filters + filters // p.rank)


def lstm(p: LstmParams, form: str) -> int:
    """Of arm_lstm_unidirectional_s8, which has no getter: two gates of int16. It takes several
    sequences at once only with time first."""
    return 2 * 2 * p.units * (p.batches if p.time_major else 1)


def transpose_conv(p: TransposeConvParams, form: str) -> int:
    """Of arm_transpose_conv_s8: the int32 sums of as many output rows as one input row reaches."""
    _, height, width, _ = p.filter
    columns = (p.input[2] - 1) * p.stride[0] + max(width, p.stride[0])
    return 4 * columns * max(height, p.stride[1]) * p.output[3]


def batch_matmul(p: BatchMatMulParams, form: str) -> int:
    """Of arm_batch_matmul_s8: a sum per column."""
    return 4 * p.rhs[2] if form == MVE else 0


def average_pool(p: PoolParams, form: str) -> int:
    """Of arm_avgpool_s8: a sum per channel."""
    return 4 * p.input[3] if form == DSP else 0


def is_pointwise(p: ConvParams) -> bool:
    """Whether the library takes its short cut for 1x1 filters."""
    _, height, width, channels = p.filter
    one = (height, width) == (1, 1) and p.padding == (0, 0) and p.dilation == (1, 1)
    return one and channels == p.input[3]


def is_one_row(p: ConvParams) -> bool:
    """Whether the library takes its short cut for images of one row."""
    _, filter_height, _, channels = p.filter
    one = p.input[1] == 1 and filter_height == 1 and p.dilation[0] == 1
    return one and p.stride[0] * channels % 4 == 0 and channels == p.input[3]


def is_depthwise_fast(p: ConvParams) -> bool:
    """Whether the library has a short cut for this depthwise convolution."""
    return p.input[3] == p.output[3] and p.input[0] == 1 and p.dilation == (1, 1)


def is_depthwise_3x3(p: ConvParams) -> bool:
    """Whether it has the one for 3x3 filters, which cores with MVE do not take."""
    return p.filter[1:3] == (3, 3) and max(p.padding) <= 1


def one_row_has_middle(p: ConvParams) -> bool:
    """Whether no output is touched by the padding of both sides."""
    left, right, _ = one_row_edges(p)
    return left + right <= p.output[2]


def as_conv(p: ConvParams) -> ConvParams:
    """The convolution that a depthwise one with a single input channel is."""
    one, height, width, outputs = p.filter
    return replace(p, filter=(outputs, height, width, one))


def _one_row(p: ConvParams) -> int:
    """Of arm_convolve_1_x_n_s8 with MVE: a padded stretch of the row."""
    channels, width = p.input[3], p.filter[2]
    _, right, odd = one_row_edges(p)
    if not one_row_has_middle(p):
        return conv_any(p, MVE)
    padding_right = right if odd else p.padding[0]
    return channels * max(width + p.padding[0], width - 1 + padding_right)


def one_row_edges(p: ConvParams) -> tuple[int, int, int]:
    """(left, right, odd): outputs that the library thinks the padding touches on each side, and
    by how much the right padding exceeds the left one, as C rounds it."""
    pad, stride = p.padding[0], p.stride[0]
    total = one_row_padding(p)
    odd = total % 2 if total >= 0 else -(-total % 2)
    left = max(1, _divide_up(pad, stride)) if pad else 0
    right = max(1, _divide_up(pad + odd, stride)) if pad + odd else 0
    return left, right, odd


def one_row_padding(p: ConvParams) -> int:
    """Elements of padding that the windows cover; negative: elements at the end that none does."""
    return (p.output[2] - 1) * p.stride[0] + p.filter[2] - p.input[2]


def _divide_up(value: int, by: int) -> int:
    return -(-value // by)


def _round_up(value: int, multiple: int) -> int:
    return _divide_up(value, multiple) * multiple
