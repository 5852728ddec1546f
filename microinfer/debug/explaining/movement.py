"""Where an element that was only moved came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ops.gather import GatherAtParams
from ...prepare import PreparedLayer
from .steps import At, Working

Array = NDArray[Any]


def explain(
    layer: PreparedLayer, operands: Sequence[Array], at: At, output: int, working: Working
) -> Any:
    """Find the origin of an element by moving the places of the operands' elements instead."""
    indices = [
        *layer.op.operand_indices(layer.node),
        *layer.op.state_indices(layer.node),
    ]
    found = _origin(layer, operands, at, output)
    tensors = layer.graph.tensors
    if found is None:
        tensor = tensors[layer.node.outputs[output]]
        (whole,) = [_run(layer, operands, output)]
        value = whole.reshape(tensor.shape)[at].item()
        working.step("filled", "; comes from no input: the layer fills it in", value, c="memset(")
        return value
    which, place = found
    source, index = operands[which], indices[which]
    where = tuple(int(i) for i in np.unravel_index(place, source.shape))
    value = source[where].item()
    variable = which >= len(layer.op.operand_indices(layer.node))
    role = "variable" if variable else "input" if len(operands) == 1 else f"input {which}"
    working.operand(role, index, tensors[index], None if variable else where, value)
    if isinstance(layer.params, GatherAtParams):
        working.operand("indices", indices[1], tensors[indices[1]])
    listed = ", ".join(map(str, where))
    text = f"what the variable held at ({listed})" if variable else f"{role} at ({listed})"
    working.step("moved", f"; {text}, as it is", value, c="memcpy(")
    return value


def _run(layer: PreparedLayer, operands: Sequence[Array], output: int) -> Array:
    """The layer's own eval; one of its outputs, flat."""
    results = layer.op.eval(layer.params, *(operand[None] for operand in operands))
    own = results[output] if isinstance(results, tuple) else results
    flat: Array = np.asarray(own).reshape(-1)
    return flat


def _origin(
    layer: PreparedLayer, operands: Sequence[Array], at: At, output: int
) -> tuple[int, int] | None:
    """Operand and flat place that the element came from; None if it is filled in.

    The eval runs on numbers of the elements, in words of the elements' size: digit by digit, as a
    byte has room for one digit to the base 128. What it gives for zeros and ones alike it has
    from no operand.
    """
    movable = 1 if isinstance(layer.params, GatherAtParams) else len(operands)
    word = np.dtype(f"i{operands[0].itemsize}") if operands else np.dtype(np.int8)
    sizes = [operand.size for operand in operands[:movable]]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    shape = layer.graph.tensors[layer.node.outputs[output]].shape
    flat = int(np.ravel_multi_index(at, shape)) if shape else 0

    def seen(numbers: Array) -> int:
        planes = [
            numbers[start : start + operand.size].astype(word).reshape(operand.shape)
            for start, operand in zip(starts, operands[:movable], strict=False)
        ]
        return int(_run(layer, [*planes, *operands[movable:]], output)[flat])

    numbers = np.arange(int(starts[-1]), dtype=np.int64)
    if seen(np.zeros_like(numbers)) == seen(np.ones_like(numbers)):
        return None
    base = 2 ** min(8 * word.itemsize - 1, 31)
    place, weight = 0, 1
    while weight <= int(starts[-1]):
        place += seen(numbers // weight % base) * weight
        weight *= base
    which = int(np.searchsorted(starts, place, side="right")) - 1
    return which, place - int(starts[which])
