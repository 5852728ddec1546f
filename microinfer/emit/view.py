"""A Plan as the pieces of text that the templates print: names, literals, expressions, comments.

Everything is decided here, so that templates only loop and print. codegen/README.md lists which
template gets which of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..graph import Tensor
from ..ops.multipliers import real_multipliers
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
    statements: list[str]
    results: list[ResultView]


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

    @property
    def quantized(self) -> bool:
        return self.scale is not None


def shape_text(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def ports(plan: Plan, indices: Sequence[int], macro: str) -> list[PortView]:
    """Views of the model's inputs or outputs."""
    views = []
    for position, index in enumerate(indices):
        tensor = plan.tensor(index)
        quantization = tensor.quantization if tensor.type == "INT8" else None
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
            )
        )
    return views


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
    shapes = [shape_text(plan.tensor(i).shape) for i in operands]
    results = [shape_text(plan.tensor(i).shape) for i in node.outputs]
    return LayerView(
        index=index,
        title=f"Layer {index}: {node.op}, {', '.join(shapes)} -> {', '.join(results)}",
        notes=_notes(plan, layer),
        arrays=arrays,
        structs=structs,
        rows=max((call.rows for call in layer.calls), default=0),
        statements=statements,
        results=[
            ResultView(position, f"arena + {plan.offsets[i]}", plan.tensor(i).nbytes)
            for position, i in enumerate(node.outputs)
        ],
    )


def _notes(plan: Plan, layer: PlannedLayer) -> list[str]:
    """Comment lines under a layer's title."""
    node = layer.prepared.node
    options = node.options
    activation = options.get("fused_activation_function", "NONE")
    notes = []
    facts = []
    params: Any = layer.calls[0].params if layer.calls else None
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
    if not layer.calls:
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
    arrays, initialisers = [], []
    for field in fields(call.params):
        value = getattr(call.params, field.name)
        if isinstance(value, np.ndarray):
            array = f"{base}_{field.name}"
            arrays.append(
                ArrayView(
                    c_type(value.dtype),
                    array,
                    value.size,
                    _array_comment(plan, layer, field.name, value),
                    list(columns(value)),
                )
            )
            initialisers.append((field.name, array))
        elif value is None:
            initialisers.append((field.name, "NULL"))
        elif isinstance(value, tuple):
            initialisers.append((field.name, f"{{{', '.join(map(scalar, value))}}}"))
        else:
            initialisers.append((field.name, scalar(value)))
    return StructView(call.kernel.struct, f"{base}_params", initialisers), arrays


# Which of a node's inputs a params field was made from; a bias is the last.
_FIELD_INPUTS = {"weights": 1, "bias": -1}


def _array_comment(plan: Plan, layer: PlannedLayer, field: str, value: Any) -> str:
    if field in _FIELD_INPUTS:
        tensor = plan.tensor(layer.prepared.node.inputs[_FIELD_INPUTS[field]])
        return f'{field}: "{comment(tensor.name)}" {shape_text(tensor.shape)}'
    return f"{field} {shape_text(value.shape)}"


def _statement(plan: Plan, layer: PlannedLayer, call: Call, struct: str, name: str) -> str:
    """The call of a kernel, as C."""
    node = layer.prepared.node
    operands = layer.prepared.op.operand_indices(node)
    arguments = [f"&{struct}"]
    if call.rows:
        arguments.append("rows")
    arguments += [_pointer(plan, operands[position], name, "const ") for position in call.inputs]
    arguments += [_pointer(plan, node.outputs[position], name, "") for position in call.outputs]
    if call.scratch_bytes:
        arguments.append(f"(mi_i32 *)(void *)(arena + {layer.scratch_offset})")
    return f"{call.kernel.function}({', '.join(arguments)});"


def _pointer(plan: Plan, index: int, name: str, const: str) -> str:
    """The expression of a tensor's first element, of the type that kernels take."""
    tensor: Tensor = plan.tensor(index)
    if index in plan.operand_constants:
        return f"{name}_tensor_{index}"
    at = f"arena + {plan.offsets[index]}"
    if tensor.type == "FLOAT32":
        return f"({const}mi_f32 *)({const}void *)({at})"
    return at
