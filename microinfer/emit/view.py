"""A Plan as the pieces of text that the templates print: names, literals, expressions, comments.

Everything is decided here, so that templates only loop and print. codegen/README.md lists which
template gets which of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from ..graph import Rewrite, Tensor
from ..ops import results
from ..ops.gather import index_limits
from ..ops.multipliers import real_multipliers
from ..state import is_handle
from .kernels import Call
from .literals import c_type, columns, real, scalar
from .names import comment
from .plan import Plan, PlannedLayer


@dataclass(frozen=True)
class ArrayView:
    """A constant: ``c_type name[count] = { lines }`` under its comment."""

    c_type: str
    name: str
    count: int
    comment: str
    lines: list[str]


@dataclass(frozen=True)
class StructView:
    """A kernel's params: ``fields`` are (field name, initialiser) in the struct's order."""

    c_type: str
    name: str
    fields: list[tuple[str, str]]

    @property
    def width(self) -> int:
        """Characters of the longest field name."""
        return max(len(name) for name, _ in self.fields)


@dataclass(frozen=True)
class ResultView:
    """An output tensor of a layer: the expression of its first byte, and how many."""

    index: int
    pointer: str
    nbytes: int


@dataclass(frozen=True)
class LayerView:
    """One layer: what it is, its constants, and the statements that compute it."""

    index: int
    title: str
    notes: list[str]
    arrays: list[ArrayView]
    structs: list[StructView]
    rows: int
    row_type: str  # C type of the elements that the row pointers point to
    statements: list[str]
    results: list[ResultView]


@dataclass(frozen=True)
class StateView:
    """A state: where it lies and what the reset writes, ``fill`` in each byte or ``array``."""

    about: str
    offset: int
    nbytes: int
    fill: int
    array: ArrayView | None


@dataclass(frozen=True)
class PortView:
    """A model input or output. ``macro`` begins the names of its facts in the header."""

    index: int
    macro: str
    tensor_name: str
    type: str
    shape: str
    c_type: str
    size: int
    offset: int
    scale: str | None
    zero_point: int
    quantize: str  # the function that makes one element of a real
    limit: int  # of an input that is taken as indices: they have to be below; else 0
    nbytes: int

    @property
    def quantized(self) -> bool:
        return self.scale is not None


_QUANTIZE_VALUE = {
    "int8": "mi_quantize_value",
    "int16": "mi_quantize_value_s16",
    "uint8": "mi_quantize_value_u8",
}


def shape_text(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def ports(plan: Plan, indices: Sequence[int], macro: str) -> list[PortView]:
    """Views of the model's inputs or outputs."""
    views = []
    limits = index_limits(plan.graph)
    for position, index in enumerate(indices):
        tensor = plan.tensor(index)
        quantization = tensor.port_quantization
        views.append(
            PortView(
                index=position,
                macro=macro if len(indices) == 1 else f"{macro}_{position}",
                tensor_name=comment(tensor.name),
                type=tensor.type.lower(),
                shape=shape_text(tensor.shape),
                c_type=c_type(tensor.dtype),
                size=tensor.size,
                offset=plan.offsets[index],
                scale=real(np.float32(quantization.scale)) if quantization else None,
                zero_point=quantization.zero_point if quantization else 0,
                quantize=_QUANTIZE_VALUE.get(tensor.dtype.name, ""),
                limit=limits.get(index, 0),
                nbytes=tensor.nbytes,
            )
        )
    return views


def state_views(plan: Plan, name: str) -> list[StateView]:
    """What persists between invocations."""
    views = []
    for number, state in enumerate(plan.states):
        tensor = state.tensor
        about = f'"{comment(tensor.name)}" {tensor.dtype} {shape_text(tensor.shape)}'
        array = None
        if state.constant is not None:
            lines = list(columns(state.constant))
            place = f"{name}_state_{number}"
            array = ArrayView(c_type(tensor.dtype), place, tensor.size, f"first {about}", lines)
        at = plan.offsets[state.index]
        views.append(StateView(about, at, tensor.nbytes, state.fill, array))
    return views


def caller_notes(rewrites: Sequence[Rewrite]) -> list[str]:
    """Comment lines: what the caller has to know of how the model differs from its file."""
    lines = []
    for text in (text for rewrite in rewrites for text in rewrite.notes):
        port, _, formula = comment(text, 400).rpartition(": ")
        lines += [f"{port}:", f"    {formula}"]
    return lines


def operand_arrays(plan: Plan, name: str) -> list[ArrayView]:
    """The constant tensors that kernels read as operands."""
    views = []
    for index in plan.operand_constants:
        tensor = plan.tensor(index)
        assert tensor.data is not None
        views.append(
            ArrayView(
                c_type(tensor.dtype),
                f"{name}_tensor_{index}",
                tensor.size,
                f'"{comment(tensor.name)}" {shape_text(tensor.shape)}',
                list(columns(tensor.data)),
            )
        )
    return views


def library_lines(plan: Plan) -> list[str]:
    """What the files' heads say of CMSIS-NN: who computes what, and how to compile."""
    functions = [layer.library for layer in plan.layers if layer.library]
    if not functions:
        return []
    cores = {"plain": "without DSP", "dsp": "with DSP", "mve": "with MVE"}.get(plan.core)
    return [
        f"computes {len(functions)} of {len(plan.layers)} layers; our kernels do the others:",
        *(f"{functions.count(name):4} {name}" for name in sorted(set(functions))),
        f"Scratch and constants are for {f'cores {cores}' if cores else 'any core'}.",
        "Compile with its folder Include as -I, and link all of Source but *_f16.c and *_f32.c.",
    ]


def layer_view(plan: Plan, layer: PlannedLayer, name: str) -> LayerView:
    """Everything that the templates print of one layer."""
    node, index = layer.prepared.node, layer.prepared.index
    prefix = f"{name}_layer_{index}"
    arrays: list[ArrayView] = []
    structs: list[StructView] = []
    statements: list[str] = []
    for number, call in enumerate(layer.calls):
        base = prefix if len(layer.calls) == 1 else f"{prefix}_{number}"
        struct, own = _struct(plan, layer, call, base)
        structs.append(struct)
        arrays.extend(own)
        statements.append(_statement(plan, layer, call, struct.name, name))
    operands = layer.prepared.op.operand_indices(node)
    computed = node.outputs if layer.prepared.op.computes else ()
    shapes = ", ".join(shape_text(plan.tensor(i).shape) for i in operands)
    given = ", ".join(shape_text(plan.tensor(i).shape) for i in computed)
    return LayerView(
        index=index,
        title=f"Layer {index}: {node.op}"
        + (f", {shapes}" if shapes else "")
        + (f" -> {given}" if given else ""),
        notes=_notes(plan, layer),
        arrays=arrays,
        structs=structs,
        rows=max((call.rows for call in layer.calls), default=0),
        row_type=ALIASES.get(plan.tensor(operands[0]).dtype.name, "int8_t") if operands else "",
        statements=statements,
        results=[
            ResultView(position, f"arena + {plan.offsets[i]}", plan.tensor(i).nbytes)
            for position, i in enumerate(results(node))
        ],
    )


def _notes(plan: Plan, layer: PlannedLayer) -> list[str]:
    """Comment lines under a layer's title."""
    node = layer.prepared.node
    options = node.options
    activation = options.get("fused_activation_function", "NONE")
    notes = []
    facts = []
    params: Any = layer.prepared.params
    if hasattr(params, "kernel_height"):
        facts.append(f"{params.kernel_height}x{params.kernel_width} window")
        facts.append(f"stride {params.stride_height}x{params.stride_width}")
        if getattr(params, "dilation_height", 1) * getattr(params, "dilation_width", 1) > 1:
            facts.append(f"dilation {params.dilation_height}x{params.dilation_width}")
        facts.append(f"padding {options['padding']}")
    if activation != "NONE":
        facts.append(f"fused {activation}")
    if facts:
        notes.append(", ".join(facts))
    if layer.macs:
        notes.append(f"{layer.macs:,} multiply-accumulates")
    notes.extend(_multiplier_note(params))
    for index in layer.prepared.op.state_indices(node):
        state = plan.state(index).tensor
        notes.append(f'state "{comment(state.name)}", {state.dtype} {shape_text(state.shape)}')
    if not layer.prepared.op.computes:
        notes.append("nothing to do here: the reset gives variables their first values")
    elif layer.library:
        notes.append(f"by CMSIS-NN: {layer.library}")
    elif not layer.calls:
        notes.append("the output is the input's bytes: nothing to do")
    return notes


def _multiplier_note(params: Any) -> list[str]:
    """The real multiplier beside its fixed-point form."""
    reals = real_multipliers(params)
    if reals is None:
        return []
    low, high = float(reals.min()), float(reals.max())
    real = f"{low:.9g}" if low == high else f"{low:.6g} to {high:.6g}"
    form = "in float64" if hasattr(params, "mantissas") else "= multiplier * 2^(shift - 31)"
    return [f"real multiplier{'s' if len(reals) > 1 else ''} {real} {form}"]


def _struct(
    plan: Plan, layer: PlannedLayer, call: Call, base: str
) -> tuple[StructView, list[ArrayView]]:
    """The initialiser of a call's params, and the arrays that it points to."""
    arrays: list[ArrayView] = []
    initialisers = _initialisers(plan, layer, call.params, base, arrays)
    return StructView(call.kernel.struct, f"{base}_params", initialisers), arrays


def _initialisers(
    plan: Plan, layer: PlannedLayer, params: Any, base: str, arrays: list[ArrayView]
) -> list[tuple[str, str]]:
    """(field, initialiser) of a struct; adds the arrays that it points to."""
    initialisers = []
    for field in fields(params):
        value = getattr(params, field.name)
        name = f"{base}_{field.name}"
        if isinstance(value, np.ndarray):
            about = _array_comment(plan, layer, field.name, value)
            lines = list(columns(value))
            arrays.append(ArrayView(c_type(value.dtype), name, value.size, about, lines))
            initialisers.append((field.name, name))
        elif is_dataclass(value):
            inner = _initialisers(plan, layer, value, name, arrays)
            width = max(len(own) for own, _ in inner)
            lines = [f"        /* {own.ljust(width)} */ {text}," for own, text in inner]
            initialisers.append((field.name, "\n".join(["{", *lines, "    }"])))
        elif value is None:
            initialisers.append((field.name, "NULL"))
        elif isinstance(value, tuple):
            initialisers.append((field.name, f"{{{', '.join(map(scalar, value))}}}"))
        else:
            initialisers.append((field.name, scalar(value)))
    return initialisers


# The types through which kernels see elements of the arena that are wider than a byte
# (mi_runtime.h). What is not here is handed on as bytes.
ALIASES = {"int16": "mi_i16", "int32": "mi_i32", "float32": "mi_f32"}

# Which of a node's inputs a params field was made from; a bias is the last.
_FIELD_INPUTS = {"weights": 1, "bias": -1}


def _array_comment(plan: Plan, layer: PlannedLayer, field: str, value: Any) -> str:
    if layer.prepared.op.state:  # many inputs, some absent: the one whose values these are
        for tensor in (plan.tensor(index) for index in layer.prepared.node.inputs if index >= 0):
            if tensor.data is not None and np.shares_memory(tensor.data, value):
                return f'{field}: "{comment(tensor.name)}" {shape_text(tensor.shape)}'
    elif field in _FIELD_INPUTS:
        tensor = plan.tensor(layer.prepared.node.inputs[_FIELD_INPUTS[field]])
        packed = ", int4 two to a byte" if tensor.type == "INT4" else ""
        return f'{field}: "{comment(tensor.name)}" {shape_text(tensor.shape)}{packed}'
    return f"{field} {shape_text(value.shape)}"


def _statement(plan: Plan, layer: PlannedLayer, call: Call, struct: str, name: str) -> str:
    """The call of a kernel, as C."""
    node = layer.prepared.node
    op = layer.prepared.op
    read = (*op.operand_indices(node), *op.state_indices(node))
    written = (*node.outputs, *op.state_indices(node))
    arguments = [f"&{struct}"]
    if call.rows:
        arguments.append("rows")
    arguments += [_pointer(plan, read[position], name, "const ") for position in call.inputs]
    arguments += [_pointer(plan, written[position], name, "") for position in call.outputs]
    if call.scratch_bytes:
        arguments.append(f"(mi_i32 *)(void *)(arena + {layer.scratch_offset})")
    elif call.kernel.scratch:
        arguments.append("NULL")
    return f"{call.kernel.function}({', '.join(arguments)});"


def _pointer(plan: Plan, index: int, name: str, const: str) -> str:
    """The expression of a tensor's first element, of the type that kernels take."""
    tensor: Tensor = plan.tensor(index)
    if index in plan.operand_constants:
        return f"{name}_tensor_{index}"
    at = f"arena + {plan.offsets[index]}"
    if is_handle(tensor):
        return at
    if tensor.dtype.name == "uint8":
        return f"({const}uint8_t *)({at})"
    if tensor.dtype.name in ALIASES:
        return f"({const}{ALIASES[tensor.dtype.name]} *)({const}void *)({at})"
    return at
