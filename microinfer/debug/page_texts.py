"""Explanations for explain's page, of layers whose arithmetic the page does not have itself.

They are ``explain``'s own steps, for a few elements of each such layer and sample.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..interpreter import Interpreter
from ..trace import Trace
from .explain import Explanation, explain

Json = dict[str, Any]

MOST = 400  # explanations in a file
PER_LAYER = 8  # of each sample
TERMS = 256  # of one of them: of a larger receptive field it has the steps alone


class Start(NamedTuple):
    """An element: layer, which of its outputs, place in it (None: the middle), sample."""

    layer: int = 0
    output: int = 0
    at: tuple[int, ...] | None = None
    sample: int = 0


def explained(
    interpreter: Interpreter, trace: Trace, samples: int, layers: list[int], start: Start
) -> dict[int, list[Json]]:
    """For each of ``layers`` its explained elements: "sample", "output", "flat" and what was found.

    ``trace`` has [samples, *shape] of each tensor. ``start`` is among them, if its layer is.
    """
    count = max(1, min(PER_LAYER, MOST // max(1, samples * len(layers))))
    found: dict[int, list[Json]] = {}
    for index in layers:
        node = interpreter.layers[index].node
        found[index] = []
        for output, tensor_index in enumerate(node.outputs):
            shape = interpreter.graph.tensors[tensor_index].shape
            for sample in range(samples):
                shown = elements(shape, count)
                if start.at is not None and (index, output) == (start.layer, start.output):
                    shown.insert(0, int(np.ravel_multi_index(start.at, shape)) if shape else 0)
                for flat in dict.fromkeys(shown):
                    at = tuple(int(i) for i in np.unravel_index(flat, shape))
                    text = as_data(explain(interpreter, trace, index, at, sample, output))
                    found[index].append({"sample": sample, "output": output, "flat": flat, **text})
    return found


def elements(shape: tuple[int, ...], count: int) -> list[int]:
    """Flat indices: the element that the page shows first, in the middle, and others all over."""
    middle = tuple(
        0 if len(shape) > 2 and axis == len(shape) - 1 else extent // 2
        for axis, extent in enumerate(shape)
    )
    first = int(np.ravel_multi_index(middle, shape)) if shape else 0
    size = math.prod(shape)
    spread = [int(flat) for flat in np.linspace(0, size - 1, count)]
    return list(dict.fromkeys([first, *spread]))[:count]


def as_data(explanation: Explanation) -> Json:
    terms = explanation.terms if len(explanation.terms) <= TERMS else ()
    return {
        "formula": explanation.formula,
        "terms": [
            {
                "tensor": explanation.operands[term.operand].tensor,
                "at": list(term.at),
                "padded": term.padded,
                "values": {title: _number(value) for title, value in term.values.items()},
            }
            for term in terms
        ],
        "steps": [
            {
                "title": step.title,
                "formula": step.formula,
                "value": _number(step.value),
                "note": step.note,
                "detail": list(step.detail),
            }
            for step in explanation.steps
        ],
    }


def _number(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if not isinstance(plain, float) or math.isfinite(plain) else str(plain)
