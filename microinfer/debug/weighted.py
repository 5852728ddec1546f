"""What layers that sum weights times inputs hold before they round: CONV_2D, DEPTHWISE_CONV_2D,
TRANSPOSE_CONV and FULLY_CONNECTED, on int8 and int16, in every profile.

    output = clamp(rounded(accumulators) + output_zero_point)

The accumulators are those of the operator's own eval, caught where it hands them to its output
stage, so that whatever explains a layer starts from the numbers that the layer had.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixedpoint import Int64Array, real_multiplier, requantize, requantize_int64
from ..prepare import PreparedLayer

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


class _Accumulating:
    """The params of a layer whose output stage gives the accumulators as they come.

    ``pad`` is what counts as the input outside of the image. Sums are in float64, exact for
    inputs of any integers that a hypothesis may have.
    """

    def __init__(self, params: Any, pad: int | None) -> None:
        self._params = params
        if pad is not None:
            self.input_zero_point = pad

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._params, name)
        return value.astype(np.float64) if name in ("matrix", "taps", "row_taps") else value

    def steps(self, products: NDArray[Any]) -> Int64Array:
        acc: Int64Array = products.astype(np.int64) + offset(self._params)
        return acc


def is_weighted(layer: PreparedLayer) -> bool:
    """Whether the functions below apply to ``layer``."""
    return layer.node.op in WEIGHTED


def offset(params: Any) -> Int64Array:
    """What the output stage adds to each product: bias, less what the input's zero point adds.

    int64 [output channels], or [1] for none.
    """
    bias = np.zeros(1, np.int64) if params.bias is None else params.bias.astype(np.int64)
    zero_point = getattr(params, "input_zero_point", 0)
    if zero_point == 0 or getattr(params, "centred", False):
        return bias
    columns = params.matrix if hasattr(params, "weights_zero_point") else params.columns
    offsets: Int64Array = bias - zero_point * columns.astype(np.int64).sum(axis=0)
    return offsets


def accumulators(
    layer: PreparedLayer, x: NDArray[Any], shape: tuple[int, ...], pad: int | None = None
) -> Int64Array:
    """The accumulators, bias included, of inputs [samples, *input shape].

    [samples, *shape], ``shape`` being the output's. ``pad`` is the integer that stands outside of
    the image, if it is not the input's zero point.
    """
    params = _Accumulating(layer.params, pad)
    acc: NDArray[Any] = layer.op.eval(params, x)  # type: ignore[assignment]
    return acc.reshape(-1, *shape)


def reals(params: Any) -> NDArray[np.float64]:
    """The real multipliers input_scale * weights_scale / output_scale, one per output channel, or
    one: as the integers have them, that is within 2^-31 of the quotient."""
    if hasattr(params, "reals"):
        values: NDArray[np.float64] = params.reals()
        return values
    return real_multiplier(params.multipliers, params.shifts)


def rounded(params: Any, acc: Int64Array) -> Int64Array:
    """Accumulators [..., output channels] by the layer's own rounding, before the zero point."""
    if hasattr(params, "rounded"):
        values: Int64Array = params.rounded(acc)
        return values
    form = requantize if getattr(params, "double_rounding", 1) else requantize_int64
    return form(acc, params.multipliers.astype(np.int64), params.shifts.astype(np.int64))


def zero_points(params: Any) -> tuple[int, int]:
    """Of input and output; 0 on int16."""
    return getattr(params, "input_zero_point", 0), getattr(params, "output_zero_point", 0)
