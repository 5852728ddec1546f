"""Small .tflite files made with the classes that ai-edge-litert generates from the schema.

So what the reader is given is not of its own making. Any field can be set to anything:

    model = tiny_model()
    model.subgraphs[0].tensors[0].shape = None
    graph = read(pack(model))
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

__all__ = ["constant", "operator", "pack", "quantized", "schema", "tensor", "tiny_model"]


def tensor(shape: list[int] | None, type_: str = "INT8", **fields: Any) -> Any:
    table = schema.TensorT(shape=shape, type=getattr(schema.TensorType, type_))
    return _set(table, fields)


def quantized(scale: list[float] | None, zero_point: list[int] | None, axis: int = 0) -> Any:
    return schema.QuantizationParametersT(
        scale=scale, zeroPoint=zero_point, quantizedDimension=axis
    )


def operator(inputs: list[int], outputs: list[int], **fields: Any) -> Any:
    return _set(schema.OperatorT(inputs=inputs, outputs=outputs), fields)


def constant(model: Any, data: bytes, shape: list[int], type_: str) -> None:
    """Give tensor 1 of a tiny model a value."""
    model.buffers.append(schema.BufferT(data=list(data)))
    model.subgraphs[0].tensors[1] = tensor(shape, type_, buffer=len(model.buffers) - 1)


def tiny_model() -> Any:
    """One RELU from tensor 0 to tensor 2; tensor 1 is not used."""
    return schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(deprecatedBuiltinCode=19, builtinCode=19)],
        subgraphs=[
            schema.SubGraphT(
                tensors=[tensor([1, 4], name="in"), tensor([1], name="c"), tensor([1, 4])],
                inputs=[0],
                outputs=[2],
                operators=[operator([0], [2])],
            )
        ],
        buffers=[schema.BufferT()],
    )


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _set(table: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        assert hasattr(table, name), name
        setattr(table, name, value)
    return table
