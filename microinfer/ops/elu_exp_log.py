"""ELU, EXP and LOG on int8, EXP and LOG on int16: functions of reals, rounded to integers.

ELU: x >= 0: output = x; else exp(x) - 1
EXP: output = exp(x)
LOG: x > 0: output = ln(x); else the least real that the output can hold

Each is one runtime's, in both profiles: LiteRT's reference kernels have no ELU, and TFLM has EXP
and LOG for floats only. Beyond the output's range they saturate.
[TFLM] micro/kernels/elu.cc; [LITERT] kernels/elementwise.cc, exp.cc.
On int16 the function is linear between 513 of its values (lookup_s16.py).
C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lookup, lookup_s16
from .layer import Array, Layer, Op
from .lookup import LookupParams, float_table, tabulate, unary_quantization
from .lookup_s16 import LookupInt16Params

Float32Array = NDArray[Any]
Params = LookupParams | LookupInt16Params


def _exp(x: Float32Array) -> Float32Array:
    """exp rounded to float32, as a good libm has it; NumPy's own may be off by a bit."""
    with np.errstate(over="ignore"):
        return np.exp(x.astype(np.float64)).astype(np.float32)


def _elu(x: Float32Array) -> Float32Array:
    return np.where(x < 0, _exp(np.minimum(x, np.float32(0))) - np.float32(1), x)


def _prepare(
    layer: Layer, function: Callable[[Float32Array], Float32Array], int16: bool = True
) -> Params:
    source, output = unary_quantization(layer, int16)
    layer.require(
        output.scale > 2.0**-126, layer.output(), f"has scale {output.scale:g}, expected a normal"
    )
    layer.settle()
    if layer.output().type == "INT16":
        return lookup_s16.tabulate(layer, function)
    return tabulate(layer, float_table(function, source, output))


def prepare_elu(layer: Layer) -> Params:
    return _prepare(layer, _elu, int16=False)


def prepare_exp(layer: Layer) -> Params:
    return _prepare(layer, _exp)


def prepare_log(layer: Layer) -> Params:
    _, output = unary_quantization(layer, int16=True)
    lowest = int(np.iinfo(layer.output().dtype).min)
    least = np.float32(lowest - output.zero_point) * np.float32(output.scale)

    def log(x: Float32Array) -> Float32Array:
        positive = np.where(x > 0, x, np.float32(1)).astype(np.float64)
        return np.where(x > 0, np.log(positive).astype(np.float32), least)

    return _prepare(layer, log)


def eval(params: Params, x: Array) -> Array:
    """int8 or int16 [batch, *shape] to the same."""
    own = lookup_s16.eval if isinstance(params, LookupInt16Params) else lookup.eval
    return own(params, x)  # type: ignore[arg-type]


ELU = Op("ELU", prepare_elu, eval, in_place=True)
EXP = Op("EXP", prepare_exp, eval, in_place=True)
LOG = Op("LOG", prepare_log, eval, in_place=True)
