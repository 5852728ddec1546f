"""From one integer quantization to another, with a slope of its own for negatives.

    v >= 0: output = clamp(requantize(v, positive_multiplier, positive_shift) + output_zero_point)
    v < 0:  the same with negative_sign * requantize(v, negative_multiplier, negative_shift)

with v = input - input_zero_point. QUANTIZE, RELU and its kin, LEAKY_RELU and ABS are this, of any
of int8, int16, int32 and uint8. A negative multiplier turns v around before it is rounded,
negative_sign after. From int8 to int8 it is a table (lookup.py).
C twin: runtime_c/mi_rescale.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fixedpoint import Int64Array, requantize
from ..graph import DTYPES, Quantization
from . import lookup
from .layer import Array, Layer

# As in the .tflite schema, and in the C twin.
TYPES = {"INT32": 2, "UINT8": 3, "INT16": 7, "INT8": 9}
_DTYPES = {code: DTYPES[name] for name, code in TYPES.items()}

Factor = tuple[int, int]  # multiplier, shift
IDENTITY: Factor = (1 << 30, 1)  # exact for all that is below 2^30


@dataclass(frozen=True)
class RescaleParams:
    size: int
    input_type: int
    output_type: int
    input_zero_point: int
    positive_multiplier: int
    positive_shift: int
    negative_multiplier: int
    negative_shift: int
    negative_sign: int  # 1 or -1
    output_zero_point: int
    activation_min: int
    activation_max: int


def rescale(
    layer: Layer,
    positive: Factor,
    negative: Factor,
    limits: tuple[int, int] | None = None,
    negative_sign: int = 1,
    output_zero_point: int | None = None,
) -> RescaleParams | lookup.LookupParams:
    """The params of a layer with one input and one output, whose quantizations were checked.

    ``limits`` are the clamp, of the output's type if None.
    """
    source, output = layer.input(0), layer.output()
    before, after = quantizations(layer)
    own = np.iinfo(output.dtype)
    # A negative that is turned around before it is shifted: 2^31 has no room in int32.
    lowest = before.zero_point - int(np.iinfo(source.dtype).min)
    layer.require(
        source.type == "INT8" or negative[0] >= 0 or lowest << max(negative[1], 0) < 2**31,
        output,
        f"needs the real multiplier {before.scale / after.scale:g}: the runtimes shift it out of"
        " int32",
        "the scales around this layer are out of proportion; check the calibration data",
    )
    layer.settle()
    activation_min, activation_max = limits or (int(own.min), int(own.max))
    params = RescaleParams(
        size=output.size,
        input_type=TYPES[source.type],
        output_type=TYPES[output.type],
        input_zero_point=before.zero_point,
        positive_multiplier=positive[0],
        positive_shift=positive[1],
        negative_multiplier=negative[0],
        negative_shift=negative[1],
        negative_sign=negative_sign,
        output_zero_point=after.zero_point if output_zero_point is None else output_zero_point,
        activation_min=activation_min,
        activation_max=activation_max,
    )
    if source.type == output.type == "INT8" and layer.tables:
        return lookup.tabulate(layer, lambda q: _rescaled(params, q))
    return params


def quantizations(layer: Layer) -> tuple[Quantization, Quantization]:
    """Those of the input and the output, which the caller has checked."""
    source, output = layer.input(0).quantization, layer.output().quantization
    assert source is not None
    assert output is not None
    return source, output


def _rescaled(params: RescaleParams, x: Array) -> Int64Array:
    v = x.astype(np.int64) - params.input_zero_point
    steps = np.where(
        v >= 0,
        requantize(v, params.positive_multiplier, params.positive_shift),
        params.negative_sign * requantize(v, params.negative_multiplier, params.negative_shift),
    )
    outputs: Int64Array = np.clip(
        steps + params.output_zero_point, params.activation_min, params.activation_max
    )
    return outputs


def eval(params: RescaleParams | lookup.LookupParams, x: Array) -> Array:
    """[batch, *shape] of the input's type to the output's."""
    if isinstance(params, lookup.LookupParams):
        return lookup.eval(params, x)
    return _rescaled(params, x).astype(_DTYPES[params.output_type])
