"""int16 to int16 functions of one element, as one table of 513 values and lines between them.

    place, rest = input >> 7, input & 127
    output      = table[place] + round((table[place + 1] - table[place]) * rest / 128)

with table counted from -256 on; rounded up at a tie. The difference is an int16 and wraps, which
LOG's does around 0. LiteRT's EXP, LOG and RSQRT, and both halves
of SOFTMAX. Where a function is steep, the lines are far from it: that is what the runtime computes.
[LITERT] kernels/internal/common.h, LUTPopulate, LUTLookup. C twin: runtime_c/mi_lookup.h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import Int64Array, round_half_away
from .layer import Array, Layer

PIECES = 512
Reals = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LookupInt16Params:
    size: int
    table: NDArray[np.int16]  # [513], for inputs -32768, -32640, ..., 32640, 32768


def table(
    function: Callable[[Reals], Reals],
    source: tuple[float, float],
    output: tuple[float, float],
    real: type[np.float32] | type[np.float64],
) -> Int64Array | None:
    """``function`` over the reals ``source``, as int16 that stands for ``output``; None if it is
    infinite somewhere.

    Each value is corrected by half of what the line misses in the middle to the next one. All is
    computed in the precision ``real``.
    """
    low, high = (real(x) for x in source)
    step = (high - low) / real(PIECES)
    inverse = real(65536) / (real(output[1]) - real(output[0]))
    pieces = np.arange(PIECES).astype(real)
    with np.errstate(over="ignore", invalid="ignore"):
        here = function(low + pieces * step) * inverse
        middle = function(low + pieces * step + step / real(2)) * inverse
        after = function(low + (pieces + real(1)) * step) * inverse
        last = function(np.array([high])) * inverse
        values = np.concatenate([here, middle, after, last])
        if not np.isfinite(values).all():
            return None
    line = round_half_away((after + round_half_away(here)) / real(2))
    miss = round_half_away((line - round_half_away(middle)) / real(2))
    corrected = np.append(round_half_away(here) - miss, round_half_away(last))
    limited: Int64Array = np.clip(corrected, -32768, 32767).astype(np.int64)
    return limited


def look_up(values: Array, x: Array) -> Int64Array:
    """The table at int16 x."""
    wide = x.astype(np.int64)
    place, rest = 256 + (wide >> 7), wide & 127
    low, high = (values[p].astype(np.int64) for p in (place, place + 1))
    slope = (high - low).astype(np.int16).astype(np.int64)
    found: Int64Array = low + ((slope * rest + 64) >> 7)
    return found


def tabulate(layer: Layer, function: Callable[[Reals], Reals]) -> LookupInt16Params:
    """The params of a layer on int16, whose tensors were checked, with a table in float32."""
    source, output = layer.input(0).quantization, layer.output().quantization
    assert source is not None
    assert output is not None
    values = table(function, _ends(source.scale), _ends(output.scale), np.float32)
    if values is None:
        layer.refuse(
            layer.input(0),
            f"has scale {source.scale:g}: at an end of it the result leaves float32",
            "check the calibration data",
        )
        layer.settle()
    assert values is not None
    return LookupInt16Params(layer.output().size, values.astype(np.int16))


def _ends(scale: float) -> tuple[float, float]:
    """The reals of -32768 and 32767, in float32."""
    return float(np.float32(scale) * np.float32(-32768)), float(
        np.float32(scale) * np.float32(32767)
    )


def eval(params: LookupInt16Params, x: Array) -> Array:
    """int16 [batch, *shape] to int16 of the same shape."""
    return look_up(params.table, x).astype(np.int16)
