"""How one output element came about, operator by operator, in steps that one can check by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ...prepare import PreparedLayer
from . import elementwise, recurrent, reductions, softmax, unary, weighted
from .steps import At, Operand, Step, Term, Working

Explain = Callable[[PreparedLayer, Sequence[NDArray[Any]], At, Working], Any]

_UNARY: tuple[str, ...] = (
    "ABS",
    "DEQUANTIZE",
    "ELU",
    "EXP",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOG",
    "LOGISTIC",
    "NEG",
)
_UNARY += ("QUANTIZE", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RSQRT", "SQRT", "TANH")
_COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")

# Every operator with arithmetic; the others move elements.
EXPLAINERS: Mapping[str, Explain] = {
    **dict.fromkeys(_UNARY, unary.explain),
    **dict.fromkeys(_COMPARISONS, elementwise.explain_comparison),
    "ADD": elementwise.explain_add,
    "ARG_MAX": reductions.explain_arg,
    "ARG_MIN": reductions.explain_arg,
    "AVERAGE_POOL_2D": reductions.explain_pool,
    "BATCH_MATMUL": weighted.explain_batch_matmul,
    "CONV_2D": weighted.explain,
    "CUMSUM": reductions.explain_cumsum,
    "DEPTHWISE_CONV_2D": weighted.explain,
    "DIV": elementwise.explain_div,
    "FULLY_CONNECTED": weighted.explain,
    "L2_NORMALIZATION": reductions.explain_l2_normalization,
    "LOG_SOFTMAX": softmax.explain_log,
    "MAXIMUM": elementwise.explain_extreme,
    "MAX_POOL_2D": reductions.explain_pool,
    "MEAN": reductions.explain_mean,
    "MINIMUM": elementwise.explain_extreme,
    "MUL": elementwise.explain_mul,
    "PRELU": elementwise.explain_prelu,
    "REDUCE_MAX": reductions.explain_extreme,
    "REDUCE_MIN": reductions.explain_extreme,
    "RESIZE_BILINEAR": reductions.explain_resize_bilinear,
    "SELECT": elementwise.explain_select,
    "SELECT_V2": elementwise.explain_select,
    "SOFTMAX": softmax.explain,
    "SQUARED_DIFFERENCE": elementwise.explain_squared_difference,
    "SUB": elementwise.explain_add,
    "SUM": reductions.explain_mean,
    "SVDF": recurrent.explain_svdf,
    "TRANSPOSE_CONV": weighted.explain,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.explain_lstm,
}

__all__ = ["EXPLAINERS", "Operand", "Step", "Term", "Working"]
