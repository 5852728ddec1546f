"""Equalisation of a layer's channels, simulated.

Channel c of the output is multiplied by s_c, and what the layers that read it multiply it by is
divided by s_c: in reals nothing changes, since RELU (and no activation) commutes with a positive
factor. In integers small channels then use as many steps as large ones.
Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..prepare import PreparedLayer
from .accuracy_run import Job
from .float_ops import Form
from .float_replay import float_function
from .layer_error import Grid
from .weight_grid import channel_axis, quantized

Array = NDArray[Any]

UNEVEN = 2.0  # how much larger the largest channel has to be than the median one
MOST = 256.0  # largest factor
POWERS = (1.0, 0.5)  # all the way to equal sizes, and half of it: weights become uneven instead


def equalised(
    job: Job, index: int, tensor: int, largest: Array, seen: tuple[float, float]
) -> Iterator[tuple[str, dict[int, Form], Callable[[Array], Array]]]:
    """Sentence, functions and rounding of each way to equalise a layer's output.

    ``largest`` is the largest |value| of each channel, ``seen`` the range of all.
    """
    layer = job.layers[index]
    readers = [other for other in job.layers if tensor in other.node.inputs]
    possible = (
        channel_axis(layer.node.op) is not None
        and layer.node.options.get("fused_activation_function") in ("NONE", "RELU")
        and tensor not in job.graph.outputs
        and readers
        and all(
            _input_factors(job, reader, np.ones(len(largest))) is not None for reader in readers
        )
    )
    used = largest[largest > 0]
    if not possible or used.size < 2 or used.max() < UNEVEN * np.median(used):
        return
    for power in POWERS:
        factors = np.ones(len(largest))
        factors[largest > 0] = (largest.max() / used) ** power
        factors = np.minimum(factors, MOST)
        yield (
            f"scale its channels to like sizes: the largest values of its channels differ"
            f" {used.max() / used.min():.3g}-fold",
            _functions(job, layer, readers, factors),
            _rounding(job.grids[tensor], factors.astype(job.dtype), largest, seen),
        )


def _functions(
    job: Job, layer: PreparedLayer, readers: list[PreparedLayer], factors: Array
) -> dict[int, Form]:
    """The layer and its readers with weights scaled, quantized and scaled back."""
    functions = {}
    for other in (layer, *readers):
        place = other.node.inputs[1]
        weights = job.reference.tensors[place]
        if other is layer:
            shape = [1] * weights.ndim
            axis = channel_axis(layer.node.op)
            assert axis is not None
            shape[axis] = -1
            own = factors.reshape(shape)
        else:
            inverse = _input_factors(job, other, 1 / factors)
            assert inverse is not None
            own = inverse
        again = _again(job, other, weights * own) / own
        constants = replace(job.own, tensors={**job.own.tensors, place: again.astype(job.dtype)})
        functions[other.index] = float_function(job.graph, other, constants)
    return functions


def _again(job: Job, layer: PreparedLayer, weights: Array) -> Array:
    """Quantized with one scale or one per channel, as the layer has it."""
    tensor = job.graph.tensors[layer.node.inputs[1]]
    assert tensor.quantization is not None
    per_channel = tensor.quantization.per_channel
    return quantized(weights, tensor.type, channel_axis(layer.node.op) if per_channel else None)


def _input_factors(job: Job, reader: PreparedLayer, factors: Array) -> Array | None:
    """Factors of a tensor's channels as those of the weights that read it, in a shape that
    broadcasts; None where the reader has none."""
    if reader.node.op not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return None
    shape = job.graph.tensors[reader.node.inputs[1]].shape
    if reader.node.op == "CONV_2D":
        return factors if shape[3] == len(factors) else None
    if reader.node.op == "DEPTHWISE_CONV_2D":
        return np.repeat(factors, shape[3] // len(factors))
    if shape[1] % len(factors):
        return None
    return np.tile(factors, shape[1] // len(factors))  # of a flattened image: channels innermost


def _rounding(
    grid: Grid, factors: Array, largest: Array, seen: tuple[float, float]
) -> Callable[[Array], Array]:
    """Rounding of the scaled channels in as many levels, and back."""
    reach = float((largest * factors).max())
    low = 0.0 if seen[0] >= 0 else -reach
    high = 0.0 if seen[1] <= 0 else reach
    levels = grid.highest - grid.lowest
    step = (high - low) / levels
    lowest = round(low / step)
    scaled = Grid(step, 0, lowest, lowest + levels)

    def way(values: Array) -> Array:
        rounded: Array = scaled.nearest(scaled.in_steps(values * factors))
        back: Array = rounded * values.dtype.type(step) / factors
        return back

    return way
