"""GATHER and GATHER_ND: parts of the input, by indices.

GATHER     output[b, o, i, :] = input[b, o, indices[b, i], :], where b are the first ``batch_dims``
           axes, o the axes from there to ``axis``, and i all further axes of the indices
GATHER_ND  output[i, :] = input[indices[i, 0], ..., indices[i, n - 1], :]
input      any movable type, quantization unchanged
indices    int32, within the input; those of GATHER_ND are constant, those of GATHER may be a
           model input, such as the words of an embedding: it is checked before a run
C twin: runtime_c/mi_gather.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..graph import Graph, Tensor
from . import movement
from .layer import Array, Layer, Op

TYPES = ["INT32", "INT64", "INT16"]
# What gives its input's elements on as they are.
_RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


@dataclass(frozen=True)
class GatherAtParams:
    """A gather by indices that are known at run time only."""

    batches: int
    outer: int
    extent: int  # of the axis that is indexed
    count: int  # indices of a batch
    run_bytes: int


def index_limits(graph: Graph) -> dict[int, int]:
    """For each model input that GATHER takes as indices: they have to be below this, and not
    negative."""
    limits: dict[int, int] = {}
    for node in graph.nodes:
        if node.op == "GATHER" and graph.tensors[node.inputs[1]].data is None:
            origin = _origin(graph, node.inputs[1])
            source = graph.tensors[node.inputs[0]]
            if origin in graph.inputs:
                extent = source.shape[node.options["axis"]]
                limits[origin] = min(extent, limits.get(origin, extent))
    return limits


def _origin(graph: Graph, index: int) -> int:
    """The tensor whose elements ``index`` has, before any reshape."""
    makers = {output: node for node in graph.nodes for output in node.outputs}
    while index in makers and makers[index].op in _RESHAPES:
        index = makers[index].inputs[0]
    return index


def _stay_within(layer: Layer, indices: Tensor, extent: int) -> None:
    """Require that indices which are computed cannot leave 0..extent - 1."""
    layer.type_is(indices, "INT32")
    graph, origin = layer.graph, _origin(layer.graph, layer.node.inputs[1])
    if origin in graph.inputs:
        return
    maker = next(node for node in graph.nodes if origin in node.outputs)
    reach = 0
    if maker.op in ("ARG_MAX", "ARG_MIN"):
        source, axis = graph.tensors[maker.inputs[0]], graph.tensors[maker.inputs[1]].data
        reach = 0 if axis is None else source.shape[int(axis.reshape(-1)[0])]
    layer.require(
        0 < reach <= extent,
        indices,
        f"has indices that {maker.op} computes, which may lie outside 0..{extent - 1}",
        "indices have to be constant, a model input, or the place of an extreme (ARG_MAX, ARG_MIN)",
    )


def _in_range(layer: Layer, tensor: Tensor, indices: Array, extent: int) -> None:
    layer.require(
        indices.size > 0 and bool((indices >= 0).all()) and bool((indices < extent).all()),
        tensor,
        f"has indices {indices.min(initial=0)}..{indices.max(initial=0)}, expected 0..{extent - 1}",
    )


def prepare_gather(layer: Layer) -> movement.MovementParams | GatherAtParams:
    layer.count(2)
    source, places, output = layer.input(0), layer.input(1), layer.output()
    movement.check(layer, source)
    axis = movement.axis_of(layer, None, layer.options["axis"], len(source.shape))
    rank, batch = len(places.shape), layer.options["batch_dims"]
    batch += rank if batch < 0 else 0
    layer.require(
        0 <= batch <= min(axis, rank) and source.shape[:batch] == places.shape[:batch],
        places,
        f"has shape {places.shape}, which does not share {batch} batch axes before axis {axis}"
        f" with {source.shape}",
    )
    layer.shape_is(output, (*source.shape[:axis], *places.shape[batch:], *source.shape[axis + 1 :]))
    layer.settle()
    extent, run = source.shape[axis], math.prod(source.shape[axis + 1 :])
    batches, outer = math.prod(source.shape[:batch]), math.prod(source.shape[batch:axis])
    if places.data is None:
        _stay_within(layer, places, extent)
        layer.settle()
        return GatherAtParams(
            batches=batches,
            outer=outer,
            extent=extent,
            count=math.prod(places.shape[batch:]),
            run_bytes=run * source.dtype.itemsize,
        )
    indices = layer.constant(places, TYPES)
    _in_range(layer, places, indices, extent)
    layer.settle()
    if batches == 1:
        copy = movement.gather(source, run, indices, outer=outer, outer_stride=extent)
    else:
        first = np.arange(batches * outer).reshape(batches, outer, 1) * extent
        columns = first + indices.reshape(batches, 1, -1)
        copy = movement.gather(source, run, columns)
    return movement.movement(layer, copy)


def prepare_gather_nd(layer: Layer) -> movement.MovementParams:
    layer.count(2)
    source, places, output = layer.input(0), layer.input(1), layer.output()
    indices = layer.constant(places, TYPES).astype(np.int64)
    movement.check(layer, source)
    named = indices.shape[-1] if indices.ndim else 0
    layer.require(
        1 <= named <= len(source.shape),
        places,
        f"has shape {indices.shape}, expected 1..{len(source.shape)} as its last extent",
    )
    layer.settle()
    for axis in range(named):
        _in_range(layer, places, indices[..., axis], source.shape[axis])
    layer.shape_is(output, (*indices.shape[:-1], *source.shape[named:]))
    layer.settle()
    columns = indices @ np.array(movement.row_major(source.shape[:named]))
    copy = movement.gather(source, math.prod(source.shape[named:]), columns)
    return movement.movement(layer, copy)


def eval_gather(
    params: movement.MovementParams | GatherAtParams, x: Array, indices: Array
) -> Array | tuple[Array, ...]:
    """[batch, *input shape] of any type, and indices [batch, ...], to [batch, output elements]."""
    if isinstance(params, movement.MovementParams):
        return movement.eval(params, x)
    p, samples = params, max(len(x), len(indices))
    runs = x.reshape(len(x), p.batches, p.outer, p.extent, p.run_bytes // x.itemsize)
    places = indices.reshape(len(indices), p.batches, 1, p.count, 1)
    gathered: Array = np.take_along_axis(
        np.broadcast_to(runs, (samples, *runs.shape[1:])),
        np.broadcast_to(places, (samples, *places.shape[1:])),
        axis=3,
    )
    return gathered.reshape(samples, -1)


GATHER = Op("GATHER", prepare_gather, eval_gather, operands=(0, 1))
GATHER_ND = Op("GATHER_ND", prepare_gather_nd, movement.eval)
