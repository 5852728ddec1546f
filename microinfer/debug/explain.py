"""How did this number come about? One element of one layer, from its operands to its bits.

    explanation = explain(interpreter, trace, layer=3, at=(0, 5, 5, 12))
    explanation.terms    the receptive field: places, values, products
    explanation.steps    what was computed, one after the other
    explanation.output   the element; always the one in the trace

Every step is computed again, in plain integers and apart from the interpreter, and the last one
has to give what the trace has.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from ..errors import BadInput
from ..interpreter import Interpreter
from ..ops.quantize import dequantize
from ..ops.softmax_s16 import Softmax16Params
from ..prepare import PreparedLayer
from ..trace import Trace
from .arithmetic import Arithmetic, arithmetic
from .explaining import EXPLAINERS, Operand, Step, Term, Working, movement
from .operands import operands_of, sample_of

At = tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """One output element and all that it was made from.

    element     the tensor that it lies in, its place there and its value
    real        the real number that it stands for; None of what is not quantized
    formula     the operator's arithmetic in words, from its documentation
    operands    what was read, tensor by tensor
    terms       the receptive field, where several elements of one operand were read
    steps       from the operands to the element
    output      the element
    arithmetic  its output stage, of operators that rescale
    coarse      what the steps leave out; empty if nothing
    """

    layer: int
    op: str
    numerics: str
    sample: int
    element: Operand
    real: float | None
    formula: str
    operands: tuple[Operand, ...]
    terms: tuple[Term, ...]
    steps: tuple[Step, ...]
    output: Any
    arithmetic: Arithmetic | None
    coarse: str = ""

    @property
    def at(self) -> At:
        assert self.element.at is not None
        return self.element.at

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts by which the C kernel's lines of these steps are found."""
        return tuple(dict.fromkeys(step.c for step in self.steps if step.c))

    def facts(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def explain(
    interpreter: Interpreter,
    trace: Trace,
    layer: int,
    at: Sequence[int] | None = None,
    sample: int = 0,
    output: int = 0,
) -> Explanation:
    """Explain element ``at`` of an output of layer ``layer``, in one sample of ``trace``.

    ``at`` is an index into the output's shape; a batch of 1 in front may be left out, and None
    is the element of the largest value. Of a model with state the trace has to begin after a
    reset. Raises BadInput for what is not there, and for a trace of another model or state.
    """
    if not 0 <= layer < len(interpreter.layers):
        raise BadInput(f"got layer {layer}, expected 0..{len(interpreter.layers) - 1}")
    prepared = interpreter.layers[layer]
    node = prepared.node
    if not prepared.op.computes or not node.outputs:
        raise BadInput(f"layer {layer} {node.op} gives no values that could be explained")
    if not 0 <= output < len(node.outputs):
        raise BadInput(f"got output {output}, expected 0..{len(node.outputs) - 1}")
    index = node.outputs[output]
    tensor = interpreter.graph.tensors[index]
    values = sample_of(interpreter, trace, index, sample)
    place = largest(values) if at is None else place_in(tensor.shape, at)
    operands = operands_of(interpreter, trace, layer, sample)
    working = Working()
    if node.op in EXPLAINERS:
        value = EXPLAINERS[node.op](prepared, operands, place, working)
    else:
        value = movement.explain(prepared, operands, place, output, working)
    expected = values[place].item()
    if value != expected and not (_is_nan(value) and _is_nan(expected)):
        raise BadInput(
            f"layer {layer} {node.op}, element {place}: the trace has {expected}, its operands"
            f" give {value}; the trace is of another model, or does not begin after a reset"
        )
    own = Working()
    element = own.operand("output", index, tensor, place, expected)
    real = None
    if element.scale is not None:
        real = float(dequantize(values[place], element.scale, element.zero_point))
    return Explanation(
        layer,
        node.op,
        interpreter.numerics.name,
        sample,
        element,
        real,
        formula(prepared),
        tuple(working.operands),
        tuple(working.terms),
        tuple(working.steps),
        expected,
        arithmetic(prepared, operands, place) if output == 0 else None,
        working.coarse,
    )


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def largest(values: Any) -> At:
    """The place of the largest value, the first of equal ones."""
    flat = int(np.argmax(values))
    return tuple(int(i) for i in np.unravel_index(flat, values.shape))


def place_in(shape: tuple[int, ...], at: Sequence[int]) -> At:
    """``at`` as an index into ``shape``, with the batch of 1 that may have been left out.

    Raises BadInput.
    """
    place = tuple(int(i) for i in at)
    if shape[:1] == (1,) and len(place) == len(shape) - 1:
        place = (0, *place)
    if len(place) != len(shape):
        bare = f", or {len(shape) - 1} without the batch" if shape[:1] == (1,) else ""
        raise BadInput(
            f"got element {','.join(map(str, at)) or 'of no index'}; the output has shape {shape},"
            f" expected {len(shape)} indices{bare}"
        )
    for axis, (i, extent) in enumerate(zip(place, shape, strict=True)):
        if not 0 <= i < extent:
            raise BadInput(
                f"element {','.join(map(str, place))} is outside of {shape}: got {i} on axis"
                f" {axis}, expected 0..{extent - 1}"
            )
    return place


def formula(layer: PreparedLayer) -> str:
    """The operator's arithmetic as its file's documentation has it."""
    op = layer.op
    prepare = op.prepare.func if isinstance(op.prepare, partial) else op.prepare
    file = prepare.__module__
    if isinstance(layer.params, Softmax16Params):  # has a file, and arithmetic, of its own
        file = Softmax16Params.__module__
    text = inspect.cleandoc(sys.modules[file].__doc__ or "")
    lines = text.split("\n")
    named = [i for i, line in enumerate(lines) if line.startswith(f"{op.name}:")]
    if named:
        end = named[0] + 1
        while end < len(lines) and lines[end].startswith("  "):
            end += 1
        return "\n".join(lines[named[0] : end])
    indented = [i for i, line in enumerate(lines) if line.startswith("    ")]
    if not indented:
        return lines[0]
    end = indented[0]
    while end < len(lines) and (lines[end].startswith("    ") or not lines[end]):
        end += 1
    return inspect.cleandoc("\n" + "\n".join(lines[indented[0] : end]))
