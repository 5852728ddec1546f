"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE: memory with a name.

READ_VARIABLE:   output = variable
ASSIGN_VARIABLE: variable = value

Values are moved as they are, whatever their quantization. VAR_HANDLE only names a variable, and
CALL_ONCE stands for the values after a reset: ``microinfer/state.py`` knows both, and checks types
and shapes. A read before the first assignment gives the variable's initial value.
[TFLM] micro/kernels/read_variable.cc, assign_variable.cc, call_once.cc.
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from .layer import Array, Layer, Op
from .movement import CopyParams, Move, MovementParams, copy


def _whole(layer: Layer, position: int | None) -> CopyParams:
    tensor = layer.output() if position is None else layer.input(position)
    layer.require(tensor.size > 0, tensor, "is empty")
    layer.require(
        layer.input(0).type == "RESOURCE",
        layer.input(0),
        f"has type {layer.input(0).type}, expected a handle that VAR_HANDLE gives",
    )
    layer.settle()
    return copy(layer, tensor, (tensor.size,), (1,), (1,))


def prepare_read(layer: Layer) -> MovementParams:
    layer.count(1)
    return MovementParams((layer.output().size,), (Move(_whole(layer, None)),))


def prepare_assign(layer: Layer) -> MovementParams:
    layer.count(2, outputs=0)
    return MovementParams((layer.input(1).size,), (Move(_whole(layer, 1)),))


def prepare_nothing(layer: Layer) -> MovementParams:
    return MovementParams((), ())


def read(params: MovementParams, state: Array) -> tuple[Array, Array]:
    """The variable [1, *shape]: as output, and unchanged."""
    return state.copy(), state  # what a run returns is the caller's


def assign(params: MovementParams, value: Array, state: Array) -> tuple[Array]:
    """The value [1, *shape] as the variable's new one."""
    return (value,)


def nothing(params: MovementParams) -> tuple[Array, ...]:
    return ()


VAR_HANDLE = Op("VAR_HANDLE", prepare_nothing, nothing, operands=(), computes=False)
READ_VARIABLE = Op("READ_VARIABLE", prepare_read, read, (), state=(0,), resource=True)
ASSIGN_VARIABLE = Op("ASSIGN_VARIABLE", prepare_assign, assign, (1,), state=(0,), resource=True)
CALL_ONCE = Op("CALL_ONCE", prepare_nothing, nothing, operands=(), computes=False)
