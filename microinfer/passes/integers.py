"""Arithmetic on shapes: integers and booleans that only constants lead to.

``COMPUTE[op](node, *inputs)`` gives the output's values. These are the operators, and the element
types of operators, that ``ops/`` does not run, since no int8 tensor ever needs them on a device.
int32 and int64 wrap as in the runtimes. None: the node is left to be refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import DTYPES, Node

Array = NDArray[Any]
Compute = Callable[..., Array | None]

MAX_ELEMENTS = 2**20  # shapes never come near


def _too_large(*arrays: Array) -> bool:
    return math.prod(np.broadcast_shapes(*(x.shape for x in arrays))) > MAX_ELEMENTS


def _binary(compute: Callable[[Array, Array], Array], divides: bool = False) -> Compute:
    def evaluate(node: Node, a: Array, b: Array) -> Array | None:
        if node.options.get("fused_activation_function", "NONE") != "NONE":
            return None
        if (divides and not np.all(b)) or _too_large(a, b):
            return None
        with np.errstate(over="ignore"):
            return compute(a, b)

    return evaluate


def _truncated(a: Array, b: Array) -> Array:
    """C's division of integers: towards zero."""
    inexact = (np.mod(a, b) != 0) & ((a < 0) != (b < 0))
    quotient: Array = np.floor_divide(a, b) + inexact
    return quotient


def _reduce(compute: Callable[..., Array]) -> Compute:
    def evaluate(node: Node, x: Array, axes: Array) -> Array | None:
        rank = x.ndim
        if any(not -rank <= axis < rank for axis in axes.reshape(-1)):
            return None
        along = tuple({int(axis) % rank for axis in axes.reshape(-1)})
        with np.errstate(over="ignore"):
            reduced = compute(x, axis=along, keepdims=bool(node.options.get("keep_dims")))
        return np.asarray(reduced, x.dtype)  # NumPy sums in 64 bits

    return evaluate


def _cast(node: Node, x: Array) -> Array | None:
    dtype = DTYPES.get(str(node.options.get("out_data_type")))
    return None if dtype is None or dtype.kind not in "ib" else x.astype(dtype)


def _range(node: Node, start: Array, limit: Array, delta: Array) -> Array | None:
    if any(x.size != 1 for x in (start, limit, delta)) or delta.item() == 0:
        return None
    numbers = range(start.item(), limit.item(), delta.item())
    return np.array(numbers, start.dtype) if len(numbers) <= MAX_ELEMENTS else None


def _select(node: Node, condition: Array, a: Array, b: Array) -> Array | None:
    return None if _too_large(condition, a, b) else np.where(condition, a, b)


COMPUTE: Mapping[str, Compute] = {
    "ABS": lambda node, x: np.abs(x),
    "ADD": _binary(np.add),
    "CAST": _cast,
    "DIV": _binary(_truncated, divides=True),
    "EQUAL": _binary(np.equal),
    "FLOOR_DIV": _binary(np.floor_divide, divides=True),
    "FLOOR_MOD": _binary(np.mod, divides=True),
    "GREATER": _binary(np.greater),
    "GREATER_EQUAL": _binary(np.greater_equal),
    "LESS": _binary(np.less),
    "LESS_EQUAL": _binary(np.less_equal),
    "LOGICAL_AND": _binary(np.logical_and),
    "LOGICAL_NOT": lambda node, x: np.logical_not(x),
    "LOGICAL_OR": _binary(np.logical_or),
    "MAXIMUM": _binary(np.maximum),
    "MINIMUM": _binary(np.minimum),
    "MUL": _binary(np.multiply),
    "NEG": lambda node, x: np.negative(x),
    "NOT_EQUAL": _binary(np.not_equal),
    "RANGE": _range,
    "REDUCE_ALL": _reduce(np.all),
    "REDUCE_ANY": _reduce(np.any),
    "REDUCE_MAX": _reduce(np.max),
    "REDUCE_MIN": _reduce(np.min),
    "REDUCE_PROD": _reduce(np.prod),
    "SELECT": _select,
    "SELECT_V2": _select,
    "SUB": _binary(np.subtract),
    "SUM": _reduce(np.sum),
}
