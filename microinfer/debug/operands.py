"""What a layer of a traced run was given: its operands and its state, of one sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..interpreter import Interpreter
from ..state import states
from ..trace import Trace

Array = NDArray[Any]


def sample_of(interpreter: Interpreter, trace: Trace, index: int, sample: int) -> Array:
    """The value of a tensor in one sample of ``trace``, in the tensor's shape; of a constant, it.

    Raises BadInput for a sample that the trace does not have.
    """
    tensor = interpreter.graph.tensors[index]
    if tensor.data is not None:
        return tensor.data
    whole = trace.tensor(index)
    samples = whole.size // tensor.size
    if not 0 <= sample < samples:
        raise BadInput(f"got sample {sample}, expected 0..{samples - 1}: the trace has {samples}")
    own: Array = whole.reshape(samples, *tensor.shape)[sample]
    return own


def operands_of(
    interpreter: Interpreter, trace: Trace, layer: int, sample: int = 0
) -> tuple[Array, ...]:
    """What the op's eval was given in one sample of ``trace``, without the axis of samples.

    Operands, then the state as it was before that sample: a trace has to begin after a reset.
    The value of a resource variable is what the trace has it assigned.
    """
    prepared = interpreter.layers[layer]
    operands = [
        sample_of(interpreter, trace, index, sample)
        for index in prepared.op.operand_indices(prepared.node)
    ]
    for index in prepared.op.state_indices(prepared.node):
        state = states(interpreter.graph)[index]
        if prepared.op.resource:
            assigned = _assigned(interpreter, trace, layer, sample, state.index)
            operands.append(state.initial if assigned is None else assigned)
        elif sample == 0:
            operands.append(np.asarray(state.initial))
        else:
            operands.append(sample_of(interpreter, trace, index, sample - 1))
    return tuple(operands)


def _assigned(
    interpreter: Interpreter, trace: Trace, layer: int, sample: int, index: int
) -> Array | None:
    """The last value that was assigned to a resource variable before this layer of this sample."""
    own = states(interpreter.graph)
    writers = [
        other.index
        for other in interpreter.layers
        if other.node.op == "ASSIGN_VARIABLE" and own[other.node.inputs[0]].index == index
    ]
    before = [(sample, writer) for writer in writers if writer < layer]
    if sample > 0:
        before = [(sample - 1, writer) for writer in writers] + before
    if not before:
        return None
    when, writer = before[-1]
    return sample_of(interpreter, trace, interpreter.layers[writer].node.inputs[1], when)
