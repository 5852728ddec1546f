"""int8 to int8 functions of one element, as one table of 256 values.

    output = table[input + 128]

RELU, LOGISTIC, EXP, the int8 form of QUANTIZE and their like fill the table each in its own file,
by the runtime's own arithmetic; then they all run the same way, here and in runtime_c/mi_lookup.h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import Int64Array, round_half_away
from ..graph import Quantization
from .layer import INT8_MAX, INT8_MIN, Array, Layer


@dataclass(frozen=True)
class LookupParams:
    size: int
    table: NDArray[np.int8]  # [256], indexed by input + 128

    @cached_property
    def by_byte(self) -> NDArray[np.int8]:
        """The table in the order of raw bytes: 0..127 are its upper half, 128..255 its lower."""
        return np.concatenate([self.table[128:], self.table[:128]])


def unary_quantization(layer: Layer, int16: bool = False) -> tuple[Quantization, Quantization]:
    """Check an int8 op of one input and one output of the same shape; their quantizations.

    With ``int16`` both may also be int16.
    """
    layer.count(1)
    source, output = layer.input(0), layer.output()
    (layer.activations if int16 else layer.int8)(source, output)
    layer.shape_is(output, source.shape)
    layer.settle()
    assert source.quantization is not None
    assert output.quantization is not None
    return source.quantization, output.quantization


def tabulate(layer: Layer, function: Callable[[Int64Array], Int64Array]) -> LookupParams:
    """Params with the table of ``function``, from raw inputs to raw outputs, which are clamped."""
    outputs = np.clip(function(np.arange(INT8_MIN, INT8_MAX + 1)), INT8_MIN, INT8_MAX)
    return LookupParams(size=layer.output().size, table=outputs.astype(np.int8))


def float_table(
    function: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    source: Quantization,
    output: Quantization,
) -> Callable[[Int64Array], Int64Array]:
    """A real function evaluated in float32 and rounded half away from zero.

    [LITERT] kernels/internal/common.h, LUTPopulate.
    """

    def quantized(q: Int64Array) -> Int64Array:
        scale = np.float32(source.scale)
        inverse = np.float32(1) / np.float32(output.scale)
        real = scale * (q - source.zero_point).astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # infinite steps are limited below
            steps = round_half_away(function(real) * inverse) + np.float32(output.zero_point)
        limited: Int64Array = np.clip(steps, INT8_MIN, INT8_MAX).astype(np.int64)
        return limited

    return quantized


def eval(params: LookupParams, x: Array) -> Array:
    """int8 [batch, *shape] to int8 of the same shape."""
    return np.take(params.by_byte, x.view(np.uint8))
