"""ELU, EXP and LOG on int8: functions of reals in float32, rounded to the output's integers.

ELU: x >= 0: output = x; else exp(x) - 1
EXP: output = exp(x)
LOG: x > 0: output = ln(x); else the least real that the output can hold

Each is one runtime's, in both profiles: LiteRT's reference kernels have no ELU, and TFLM has EXP
and LOG for floats only. Beyond the output's range they saturate.
[TFLM] micro/kernels/elu.cc; [LITERT] kernels/elementwise.cc, exp.cc.
C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .layer import Layer, Op
from .lookup import LookupParams, eval, float_table, tabulate, unary_quantization

Float32Array = NDArray[np.float32]


def _exp(x: Float32Array) -> Float32Array:
    """exp rounded to float32, as a good libm has it; NumPy's own may be off by a bit."""
    with np.errstate(over="ignore"):
        return np.exp(x.astype(np.float64)).astype(np.float32)


def _elu(x: Float32Array) -> Float32Array:
    return np.where(x < 0, _exp(np.minimum(x, np.float32(0))) - np.float32(1), x)


def _prepare(layer: Layer, function: Callable[[Float32Array], Float32Array]) -> LookupParams:
    source, output = unary_quantization(layer)
    layer.require(
        output.scale > 2.0**-126, layer.output(), f"has scale {output.scale:g}, expected a normal"
    )
    layer.settle()
    return tabulate(layer, float_table(function, source, output))


def prepare_elu(layer: Layer) -> LookupParams:
    return _prepare(layer, _elu)


def prepare_exp(layer: Layer) -> LookupParams:
    return _prepare(layer, _exp)


def prepare_log(layer: Layer) -> LookupParams:
    _, output = unary_quantization(layer)
    least = np.float32(-128 - output.zero_point) * np.float32(output.scale)

    def log(x: Float32Array) -> Float32Array:
        positive = np.where(x > 0, x, np.float32(1)).astype(np.float64)
        return np.where(x > 0, np.log(positive).astype(np.float32), least)

    return _prepare(layer, log)


ELU = Op("ELU", prepare_elu, eval, in_place=True)
EXP = Op("EXP", prepare_exp, eval, in_place=True)
LOG = Op("LOG", prepare_log, eval, in_place=True)
