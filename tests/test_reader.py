"""What ``read`` makes of models and operators, and what it says of files that are neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from authored import constant, operator, pack, schema, tiny_model
from microinfer.errors import BadFile, BadInput
from microinfer.tflite import read, read_file
from microinfer.tflite.enums import ENUMS
from microinfer.tflite.operators import OPERATOR_NAMES, OPERATORS
from microinfer.tflite.schema import FIELDS, UNIONS
from shared_models import FLOAT32_MODELS, INT8_MODELS, shared_model


def plain(value: Any) -> list[Any]:
    return [] if value is None else np.asarray(value).tolist()


def text(value: bytes | None) -> str:
    return "" if value is None else value.decode()


def generated_options(operator_: Any, kind: str) -> dict[str, Any]:
    """An operator's options as the generated reader has them, under our names."""
    assert operator_.builtinOptionsType == UNIONS["BuiltinOptions"].index(kind) + 1
    options = {}
    for name, field in FIELDS[kind].items():
        first, *rest = name.split("_")
        value = getattr(operator_.builtinOptions, first + "".join(map(str.capitalize, rest)))
        if field.type in ENUMS:
            value = ENUMS[field.type].names[value]
        options[name] = tuple(plain(value)) if field.is_vector else value
    return options


@pytest.mark.parametrize("name", INT8_MODELS + FLOAT32_MODELS)
def test_real_models_read_as_by_the_generated_reader(name: str) -> None:
    data = shared_model(name).read_bytes()
    graph = read(data)
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    (subgraph,) = model.subgraphs
    assert graph.subgraphs == ()
    assert graph.description == text(model.description)
    assert graph.name == text(subgraph.name)
    assert graph.inputs == tuple(plain(subgraph.inputs))
    assert graph.outputs == tuple(plain(subgraph.outputs))
    assert graph.metadata == {
        text(entry.name): bytes(plain(model.buffers[entry.buffer].data))
        for entry in model.metadata or []
    }
    assert [signature.key for signature in graph.signatures] == [
        text(signature.signatureKey) for signature in model.signatureDefs or []
    ]
    assert len(graph.tensors) == len(subgraph.tensors)
    for ours, theirs in zip(graph.tensors, subgraph.tensors, strict=True):
        assert ours.name == text(theirs.name)
        assert ours.shape == tuple(plain(theirs.shape))
        assert ours.shape_signature == (tuple(plain(theirs.shapeSignature)) or None)
        assert getattr(schema.TensorType, ours.type) == theirs.type
        content = model.buffers[theirs.buffer].data
        assert (ours.data is None) == (content is None)
        if ours.data is not None:
            assert ours.data.tobytes() == bytes(content)
            assert ours.data.shape == ours.shape
            assert ours.data.dtype == ours.dtype
        scales = plain(theirs.quantization.scale) if theirs.quantization else []
        assert (ours.quantization is None) == (scales == [])
        if ours.quantization is not None:
            assert ours.quantization.scales.tolist() == scales
            assert ours.quantization.zero_points.tolist() == plain(theirs.quantization.zeroPoint)
            assert ours.quantization.axis == theirs.quantization.quantizedDimension
    assert len(graph.nodes) == len(subgraph.operators)
    for index, (ours, theirs) in enumerate(zip(graph.nodes, subgraph.operators, strict=True)):
        code = model.operatorCodes[theirs.opcodeIndex]
        assert ours.location == index
        assert ours.op == OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        assert ours.version == code.version
        assert ours.inputs == tuple(plain(theirs.inputs))
        assert ours.outputs == tuple(plain(theirs.outputs))
        if theirs.builtinOptions is not None:
            assert ours.options == generated_options(theirs, OPERATORS[ours.op])


def test_person_detect_has_the_old_bias_axes() -> None:
    """TOCO wrote quantized_dimension 3 for biases of rank 1; TFLM runs that model."""
    graph = read_file(shared_model("tflm_person_detect_int8"))
    bias = graph.tensors[graph.nodes[0].inputs[2]]
    assert len(bias.shape) == 1
    assert bias.quantization is not None
    assert bias.quantization.axis == 3


@pytest.mark.parametrize(
    ("deprecated", "code", "op"),
    [
        (3, 0, "CONV_2D"),  # written before the int32 field was there
        (3, 3, "CONV_2D"),
        (0, 3, "CONV_2D"),
        (127, 128, "CUMSUM"),
        (127, 206, "STABLEHLO_COMPOSITE"),
        (127, 300, "BUILTIN_300"),
    ],
)
def test_the_larger_of_both_operator_codes_counts(deprecated: int, code: int, op: str) -> None:
    model = tiny_model()
    model.operatorCodes = [
        schema.OperatorCodeT(deprecatedBuiltinCode=deprecated, builtinCode=code, version=7)
    ]
    (node,) = read(pack(model)).nodes
    assert (node.op, node.version) == (op, 7)


def test_negative_operator_codes_are_refused() -> None:
    model = tiny_model()
    model.operatorCodes = [schema.OperatorCodeT(deprecatedBuiltinCode=-3, builtinCode=-2)]
    with pytest.raises(BadFile, match="operator code -2, expected at least 0"):
        read(pack(model))


def test_custom_operators_have_their_name_and_options() -> None:
    model = tiny_model()
    model.operatorCodes = [schema.OperatorCodeT(32, customCode="Detect", builtinCode=32)]
    model.subgraphs[0].operators[0].customOptions = [1, 2, 255]
    (node,) = read(pack(model)).nodes
    assert node.op == "CUSTOM:Detect"
    assert node.custom_options == b"\x01\x02\xff"
    assert node.options == {}


def test_absent_inputs_and_intermediates() -> None:
    model = tiny_model()
    model.subgraphs[0].operators = [operator([0, -1, 1], [2], intermediates=[1, -1])]
    (node,) = read(pack(model)).nodes
    assert node.inputs == (0, -1, 1)
    assert node.intermediates == (1, -1)


def test_absent_vectors_are_empty() -> None:
    model = tiny_model()
    model.subgraphs[0].operators = [operator(None, None)]  # type: ignore[arg-type]
    model.subgraphs[0].inputs = None
    graph = read(pack(model))
    assert graph.nodes[0].inputs == graph.nodes[0].outputs == graph.inputs == ()


def with_options(op: str, options: Any) -> dict[str, Any]:
    """The options read from one operator with an options table, or None."""
    model = tiny_model()
    code = OPERATOR_NAMES.index(op)
    model.operatorCodes = [schema.OperatorCodeT(min(code, 127), builtinCode=code)]
    (node,) = model.subgraphs[0].operators
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        first = kind in UNIONS["BuiltinOptions"]
        union = "BuiltinOptions" if first else "BuiltinOptions2"
        node.__dict__[union[0].lower() + union[1:] + "Type"] = UNIONS[union].index(kind) + 1
        node.__dict__[union[0].lower() + union[1:]] = options
    return dict(read(pack(model)).nodes[0].options)


CONV_DEFAULTS = {
    "padding": "SAME",
    "stride_w": 0,
    "stride_h": 0,
    "fused_activation_function": "NONE",
    "dilation_w_factor": 1,
    "dilation_h_factor": 1,
    "quantized_bias_type": "FLOAT32",
}


def test_options_without_a_table_are_the_schemas_defaults() -> None:
    assert with_options("CONV_2D", None) == CONV_DEFAULTS
    assert with_options("ADD", None)["pot_scale_int16"] is True
    assert with_options("UNIQUE", None) == {"idx_out_type": "INT32"}
    assert with_options("RESHAPE", None) == {"new_shape": ()}
    assert with_options("VAR_HANDLE", None) == {"container": "", "shared_name": ""}


def test_options_of_another_operator_do_not_count() -> None:
    assert with_options("CONV_2D", schema.Pool2DOptionsT(padding=1, strideW=3)) == CONV_DEFAULTS


def test_options_are_read_by_name() -> None:
    options = schema.Conv2DOptionsT(padding=1, strideW=2, fusedActivationFunction=3)
    expected = {"padding": "VALID", "stride_w": 2, "fused_activation_function": "RELU6"}
    assert with_options("CONV_2D", options) == {**CONV_DEFAULTS, **expected}
    assert with_options("SOFTMAX", schema.SoftmaxOptionsT(beta=1.5)) == {"beta": 1.5}
    assert with_options("MEAN", schema.ReducerOptionsT(keepDims=True)) == {"keep_dims": True}
    reshape = schema.ReshapeOptionsT(newShape=[1, -1])
    assert with_options("RESHAPE", reshape) == {"new_shape": (1, -1)}
    names = schema.VarHandleOptionsT(container="c", sharedName="state")
    assert with_options("VAR_HANDLE", names) == {"container": "c", "shared_name": "state"}
    resize = schema.ResizeBilinearOptionsT(alignCorners=False, halfPixelCenters=True)
    expected_resize = {"align_corners": False, "half_pixel_centers": True}
    assert with_options("RESIZE_BILINEAR", resize) == expected_resize


def test_options_of_the_second_union_are_read() -> None:
    options = schema.StablehloPadOptionsT(edgePaddingLow=[1, 2], interiorPadding=[-(2**40)])
    assert with_options("STABLEHLO_PAD", options) == {
        "edge_padding_low": (1, 2),
        "edge_padding_high": (),
        "interior_padding": (-(2**40),),
    }


def test_enumeration_codes_without_a_name_stay_numbers() -> None:
    options = schema.Conv2DOptionsT(padding=9, fusedActivationFunction=-1)
    read_options = with_options("CONV_2D", options)
    assert read_options["padding"] == 9
    assert read_options["fused_activation_function"] == -1


def test_subgraphs_metadata_and_signatures() -> None:
    model = tiny_model()
    second = tiny_model().subgraphs[0]
    second.name = "branch"
    model.subgraphs.append(second)
    model.description = "made by hand"
    model.buffers.append(schema.BufferT(data=[1, 2]))
    model.metadata = [
        schema.MetadataT(name="min_runtime_version", buffer=1),
        schema.MetadataT(name="empty", buffer=0),
    ]
    model.signatureDefs = [
        schema.SignatureDefT(
            inputs=[schema.TensorMapT(name="x", tensorIndex=0)],
            outputs=[schema.TensorMapT(name="y", tensorIndex=2)],
            signatureKey="serve",
            subgraphIndex=1,
        )
    ]
    graph = read(pack(model))
    assert [subgraph.name for subgraph in graph.subgraphs] == ["branch"]
    assert len(graph.subgraphs[0].nodes) == 1
    assert graph.description == "made by hand"
    assert graph.metadata == {"min_runtime_version": b"\1\2", "empty": b""}
    (signature,) = graph.signatures
    assert (signature.key, signature.subgraph) == ("serve", 1)
    assert (signature.inputs, signature.outputs) == ({"x": 0}, {"y": 2})


def test_a_tables_size_does_not_matter() -> None:
    """flatbuffers' Python builder of 2024 lets tables of different sizes share a vtable."""
    data = bytearray(pack(tiny_model()))
    root = int.from_bytes(data[:4], "little")
    vtable = root - int.from_bytes(data[root : root + 4], "little", signed=True)
    graph = read(bytes(data))
    data[vtable + 2 : vtable + 4] = b"\x04\x00"
    assert read(bytes(data)) == graph


def refused(change: Any) -> str:
    """What is said of a tiny model after a change."""
    model = tiny_model()
    change(model)
    with pytest.raises(BadFile) as caught:
        read(pack(model))
    assert caught.value.offset is not None
    return str(caught.value)


def test_indices_out_of_range_are_refused() -> None:
    def node(**fields: Any) -> Any:
        return lambda model: vars(model.subgraphs[0].operators[0]).update(fields)

    def subgraph(**fields: Any) -> Any:
        return lambda model: vars(model.subgraphs[0]).update(fields)

    assert "Operator.inputs: tensor 3, expected -1 to 2" in refused(node(inputs=[0, 3]))
    assert "Operator.inputs: tensor -2, expected -1 to 2" in refused(node(inputs=[-2]))
    assert "Operator.outputs: tensor -1, expected 0 to 2" in refused(node(outputs=[-1]))
    assert "Operator.intermediates: tensor 9" in refused(node(intermediates=[9]))
    assert "Operator.opcode_index: 1, expected 0 to 0" in refused(node(opcodeIndex=1))
    assert "SubGraph.inputs: tensor 3" in refused(subgraph(inputs=[3]))
    assert "SubGraph.outputs: tensor -1" in refused(subgraph(outputs=[-1]))


def test_models_without_their_parts_are_refused() -> None:
    assert "no subgraph" in refused(lambda model: vars(model).update(subgraphs=[]))
    assert "schema version 2, expected 3" in refused(lambda model: vars(model).update(version=2))
    metadata = [schema.MetadataT(name="m", buffer=8)]
    assert "Metadata.buffer: 8" in refused(lambda model: vars(model).update(metadata=metadata))
    signatures = [schema.SignatureDefT(signatureKey="s", subgraphIndex=1)]
    message = refused(lambda model: vars(model).update(signatureDefs=signatures))
    assert "SignatureDef.subgraph_index: 1, expected 0 to 0" in message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "at byte 0: a file of 0 bytes; expected a .tflite file, which has TFL3 at bytes 4-7"),
        (b"TFL3", "at byte 4: a file of 4 bytes"),
        (
            b"\x89PNG\r\n\x1a\n" + b"\0" * 60,
            "at byte 4: not a .tflite file but a PNG image: bytes 4-7 are b'\\r\\n\\x1a\\n', "
            "expected the identifier TFL3",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer (`git lfs pull`"),
        (b"\x08\x00\x00\x00ABCD....", "bytes 4-7 are b'ABCD', expected the identifier TFL3"),
        (b"\xff\xff\xff\x7fTFL3....", "at byte 0: root table: an offset of 2147483647"),
        (b"\x08\x00\x00\x00TFL3", "at byte 0: root table: an offset of 8, expected 1 to 7"),
    ],
)
def test_other_files_are_named(data: bytes, expected: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(data)
    assert expected in str(caught.value)


def test_every_truncation_of_a_tiny_model_is_refused() -> None:
    """A FlatBuffer is written from its end, so each of its bytes is needed."""
    model = tiny_model()
    constant(model, b"\1\2\3\4", [4], "INT8")
    data = pack(model)
    needed = data.rstrip(b"\0")  # padding after the last string is not
    for size in range(len(needed)):
        with pytest.raises(BadFile):
            read(data[:size])


def test_read_file_says_what_is_wrong_with_a_path(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is a directory; expected a \.tflite file"):
        read_file(tmp_path)
    with pytest.raises(BadInput, match=r"cannot read .*missing\.tflite: No such file"):
        read_file(tmp_path / "missing.tflite")
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack(tiny_model()))
    assert read_file(path) == read_file(str(path)) == read(path.read_bytes())
