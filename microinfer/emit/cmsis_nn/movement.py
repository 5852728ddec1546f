"""PAD and TRANSPOSE by CMSIS-NN: on int8, of up to four axes."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph import Graph
from ...prepare import PreparedLayer
from ..kernels import Call, Kernel
from . import params as own
from .scratch import MVE, forms

HEADER = "mi_cmsis_nn_movement.h"
PAD = Kernel("mi_cmsis_nn_pad_s8", "mi_cmsis_nn_pad_params", HEADER, "arm_pad_s8")
TRANSPOSE = Kernel(
    "mi_cmsis_nn_transpose_s8", "mi_cmsis_nn_transpose_params", HEADER, "arm_transpose_s8"
)
LARGEST_GATHER = 2**16 - 1  # on cores with MVE offsets are uint16, eight columns at a time


def pad(graph: Graph, layer: PreparedLayer) -> Call | None:
    source, pads, output = (
        graph.tensors[index] for index in (*layer.node.inputs[:2], layer.node.outputs[0])
    )
    if source.type != "INT8" or len(source.shape) > 4:
        return None
    assert pads.data is not None
    assert output.quantization is not None
    before, after = pads.data.reshape(-1, 2).T.tolist()
    params = own.PadParams(
        value=output.quantization.zero_point,
        input=_dims(source.shape, 1),
        before=_dims(before, 0),
        after=_dims(after, 0),
    )
    return Call(PAD, params, (0,))


def transpose(graph: Graph, layer: PreparedLayer, core: str) -> Call | None:
    source, order, output = (
        graph.tensors[index] for index in (*layer.node.inputs[:2], layer.node.outputs[0])
    )
    rank = len(source.shape)
    if source.type != "INT8" or rank > 4:
        return None
    assert order.data is not None
    missing = 4 - rank
    axes = [*range(missing), *(int(axis) % rank + missing for axis in order.data.reshape(-1))]
    params = own.TransposeParams(
        input=_dims(source.shape, 1),
        output=_dims(output.shape, 1),
        permutation=(axes[0], axes[1], axes[2], axes[3]),
    )
    swaps = MVE in forms(core) and axes[:2] == [0, 1]  # the last two axes, even if they stay
    if swaps and (axes[2:] == [2, 3] or 7 * params.input[3] > LARGEST_GATHER):
        return None
    return Call(TRANSPOSE, params, (0,))


def _dims(values: Sequence[int], missing: int) -> own.Dims:
    """Four numbers; ``missing`` stands for leading axes that the tensor has not."""
    n, h, w, c = [missing] * (4 - len(values)) + list(values)
    return (n, h, w, c)
