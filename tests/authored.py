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

__all__ = [
    "add_chain",
    "constant",
    "fully_connected_chain",
    "operator",
    "pack",
    "quantized",
    "schema",
    "tensor",
    "tiny_model",
]


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


def add_chain(count: int) -> Any:
    """``count`` ADDs, each of the last two results: many objects and no weights."""
    tensors = [
        tensor([1, 8], name=f"t{index}", quantization=quantized([0.5], [0]))
        for index in range(count + 1)
    ]
    operators = [
        operator(
            [index, max(0, index - 1)],
            [index + 1],
            builtinOptionsType=schema.BuiltinOptions.AddOptions,
            builtinOptions=schema.AddOptionsT(),
        )
        for index in range(count)
    ]
    return _chain(schema.OperatorCodeT(version=2), tensors, operators, [schema.BufferT()])


def fully_connected_chain(count: int) -> Any:
    """``count`` FULLY_CONNECTED with weights of 4 x 4 and a bias, all of them different."""
    tensors = [tensor([1, 4], name="x", quantization=quantized([0.5], [0]))]
    buffers = [schema.BufferT()]
    operators = []
    for index in range(count):
        tag = list(index.to_bytes(4, "little"))
        buffers += [schema.BufferT(data=tag * 4), schema.BufferT(data=tag + [1] * 12)]
        last, at = 3 * index, 2 * index + 1
        kernel, bias = quantized([0.5], [0]), quantized([0.25], [0])
        tensors += [
            tensor([4, 4], name=f"w{index}", quantization=kernel, buffer=at),
            tensor([4], "INT32", name=f"b{index}", quantization=bias, buffer=at + 1),
            tensor([1, 4], name=f"y{index}", quantization=quantized([0.5], [0])),
        ]
        operators.append(
            operator(
                [last, last + 1, last + 2],
                [last + 3],
                builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
                builtinOptions=schema.FullyConnectedOptionsT(),
            )
        )
    code = schema.OperatorCodeT(deprecatedBuiltinCode=9, builtinCode=9, version=4)
    return _chain(code, tensors, operators, buffers)


def _chain(code: Any, tensors: list[Any], operators: list[Any], buffers: list[Any]) -> Any:
    subgraph = schema.SubGraphT(
        tensors=tensors, inputs=[0], outputs=[len(tensors) - 1], operators=operators
    )
    return schema.ModelT(version=3, operatorCodes=[code], subgraphs=[subgraph], buffers=buffers)


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _set(table: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        assert hasattr(table, name), name
        setattr(table, name, value)
    return table
