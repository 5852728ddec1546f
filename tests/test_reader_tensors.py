"""What ``read`` makes of tensors: shapes, quantization, constants, wherever their data lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from authored import constant, pack, quantized, schema, tensor, tiny_model
from microinfer.errors import BadFile, UnsupportedModel
from microinfer.tflite import read


def read_tensor(table: Any) -> Any:
    """Tensor 1 of a tiny model, read."""
    model = tiny_model()
    model.subgraphs[0].tensors[1] = table
    return read(pack(model)).tensors[1]


def read_constant(data: bytes, shape: list[int], type_: str) -> Any:
    model = tiny_model()
    constant(model, data, shape, type_)
    return read(pack(model)).tensors[1]


def test_a_missing_shape_is_a_scalar() -> None:
    assert read_tensor(tensor(None)).shape == ()
    assert read_tensor(tensor([])).shape == ()


def test_shape_signature_and_variable() -> None:
    result = read_tensor(tensor([1, 3], shapeSignature=[-1, 3], isVariable=True))
    assert result.shape_signature == (-1, 3)
    assert result.is_variable


@pytest.mark.parametrize(
    ("scales", "given", "zero_points"),
    [
        ([0.5, 0.25, 2.0], [1, -2, 3], [1, -2, 3]),
        ([0.5, 0.25, 2.0], [7], [7, 7, 7]),
        ([0.5, 0.25, 2.0], [], [0, 0, 0]),
        ([0.5, 0.25, 2.0], None, [0, 0, 0]),
        ([0.5], [-128], [-128]),
        ([0.5], None, [0]),
    ],
)
def test_zero_points_are_as_many_as_scales(
    scales: list[float], given: list[int] | None, zero_points: list[int]
) -> None:
    quantization = read_tensor(tensor([3], quantization=quantized(scales, given, 5))).quantization
    assert quantization.scales.tolist() == scales
    assert quantization.scales.dtype == np.float32
    assert quantization.zero_points.tolist() == zero_points
    assert quantization.zero_points.dtype == np.int64
    assert quantization.axis == 5
    assert not quantization.zero_points.flags.writeable


@pytest.mark.parametrize("given", [[1, 2], [1, 2, 3, 4]])
def test_other_numbers_of_zero_points_are_refused(given: list[int]) -> None:
    with pytest.raises(BadFile, match=rf"{len(given)} zero points for 3 scales, expected 0, 1 or"):
        read_tensor(tensor([3], quantization=quantized([1.0, 1.0, 1.0], given)))


@pytest.mark.parametrize("scales", [[], None])
def test_no_scales_is_no_quantization(scales: list[float] | None) -> None:
    assert read_tensor(tensor([3], quantization=quantized(scales, [1]))).quantization is None


def test_odd_scales_are_left_for_the_operator_to_judge() -> None:
    scales = [float("nan"), float("inf"), -1.0, 0.0]
    quantization = read_tensor(tensor([4], quantization=quantized(scales, None))).quantization
    np.testing.assert_array_equal(quantization.scales, np.array(scales, np.float32))


def test_constants_are_read_only_views_of_the_file() -> None:
    model = tiny_model()
    constant(model, np.arange(6, dtype="<i4").tobytes(), [2, 3], "INT32")
    data = pack(model)
    result = read(data).tensors[1].data
    assert result is not None
    np.testing.assert_array_equal(result, [[0, 1, 2], [3, 4, 5]])
    assert result.dtype == np.int32
    assert not result.flags.writeable
    assert np.shares_memory(result, np.frombuffer(data, np.uint8))


def test_an_empty_buffer_is_no_constant() -> None:
    assert read_constant(b"", [2], "INT8").data is None


@pytest.mark.parametrize(
    ("type_", "packed", "values"),
    [
        ("INT4", [0x21, 0xF8, 0x07], [1, 2, -8, -1, 7]),
        ("UINT4", [0x21, 0xF8, 0x07], [1, 2, 8, 15, 7]),
        ("INT2", [0b11_10_01_00, 0b10], [0, 1, -2, -1, -2]),
    ],
)
def test_small_elements_are_unpacked(type_: str, packed: list[int], values: list[int]) -> None:
    data = read_constant(bytes(packed), [5], type_).data
    assert data.tolist() == values
    assert data.dtype == (np.uint8 if type_ == "UINT4" else np.int8)
    assert not data.flags.writeable


def test_strings_stay_bytes() -> None:
    assert read_constant(b"\1\0\0\0ab", [1], "STRING").data.tobytes() == b"\1\0\0\0ab"


def test_sparse_constants_stay_bytes_and_say_so() -> None:
    model = tiny_model()
    constant(model, b"\1\2\3", [4, 4], "INT8")
    model.subgraphs[0].tensors[1].sparsity = schema.SparsityParametersT(traversalOrder=[0, 1])
    result = read(pack(model)).tensors[1]
    assert result.sparse
    assert result.data is not None
    assert result.data.tobytes() == b"\1\2\3"


@pytest.mark.parametrize(
    ("data", "shape", "type_", "expected"),
    [
        (b"\0" * 7, [2, 4], "INT8", '"": 7 bytes of data, expected 8 for INT8 of shape [2, 4]'),
        (b"\0" * 9, [2, 4], "INT8", "9 bytes of data, expected 8"),
        (b"\0" * 8, [3], "INT32", "8 bytes of data, expected 12"),
        (b"\0" * 2, [5], "INT4", "2 bytes of data, expected 3"),
        (b"\0" * 4, [0, 3], "INT8", "4 bytes of data, expected 0"),
    ],
)
def test_data_that_does_not_fit_is_refused(
    data: bytes, shape: list[int], type_: str, expected: str
) -> None:
    with pytest.raises(BadFile) as caught:
        read_constant(data, shape, type_)
    assert expected in caught.value.reason
    assert caught.value.offset is not None


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (tensor([1, -1]), "[1, -1], expected extents of at least 0"),
        (tensor([1] * 9), "9 axes, expected at most 8"),
        (tensor([2**16, 2**15]), "2147483648 elements, expected at most 2147483647"),
        (tensor([2**31 - 1] * 8), "elements, expected at most 2147483647"),
        (schema.TensorT(shape=[1], type=23), "Tensor.type: code 23, expected 0 to 22"),
        (schema.TensorT(shape=[1], type=-1), "Tensor.type: code -1"),
        (tensor([1], buffer=1), "Tensor.buffer: 1, expected 0 to 0"),
    ],
)
def test_impossible_tensors_are_refused(table: Any, expected: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_tensor(table)
    assert expected in str(caught.value)


def test_names_that_are_not_utf_8_are_shown() -> None:
    assert read_tensor(tensor([1], name=b"a\xff\xc3\xa9")).name == "a\\xffé"


def test_constants_and_custom_options_behind_the_flatbuffer() -> None:
    """Schema 3c: offsets count from the start of the file; the data follows the FlatBuffer."""
    model = tiny_model()
    model.operatorCodes = [schema.OperatorCodeT(32, customCode="Big", builtinCode=32)]
    model.buffers += [schema.BufferT(offset=2, size=4), schema.BufferT(offset=2, size=4)]
    model.subgraphs[0].tensors[1] = tensor([4], buffer=1)
    (node,) = model.subgraphs[0].operators
    node.largeCustomOptionsOffset, node.largeCustomOptionsSize = 2, 3
    end = len(pack(model))
    model.buffers[1].offset = end
    node.largeCustomOptionsOffset = end + 4
    graph = read(pack(model) + b"\1\2\3\xfcabc")
    assert graph.tensors[1].data is not None
    assert graph.tensors[1].data.tolist() == [1, 2, 3, -4]
    assert graph.nodes[0].custom_options == b"abc"
    with pytest.raises(BadFile, match=r"Buffer\.offset: expected 4 bytes at offset"):
        read(pack(model))


def test_data_in_another_file_is_unsupported() -> None:
    model = tiny_model()
    model.externalBufferGroups = [schema.ExternalBufferGroupT(name="weights.bin")]
    model.externalBuffers = [schema.ExternalBufferT(id=5, group=0, offset=0, length=1)]
    model.subgraphs[0].tensors[1] = tensor([1], name="w", externalBuffer=5)
    model.subgraphs[0].tensors[2] = tensor([1], name="v", externalBuffer=6)
    with pytest.raises(UnsupportedModel) as caught:
        read(pack(model))
    first, second = caught.value.problems
    assert (first.tensor, first.reason) == ("w", 'its data is in the file "weights.bin"')
    assert "another file (external buffer 6)" in second.reason


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (1, schema.CustomQuantizationT(custom=[1]), "CustomQuantization"),
        (2, schema.BlockwiseQuantizationT(blockSize=32), "BlockwiseQuantization"),
        (9, schema.CustomQuantizationT(custom=[1]), "QuantizationDetails 9"),
    ],
)
def test_other_ways_of_quantizing_are_unsupported(code: int, details: Any, kind: str) -> None:
    parameters = quantized([1.0], [0])
    parameters.detailsType = code
    parameters.details = details
    with pytest.raises(UnsupportedModel, match=f'"w": {kind} instead of scales'):
        read_tensor(tensor([1], name="w", quantization=parameters))


def test_shape_signature_of_too_many_axes() -> None:
    with pytest.raises(BadFile, match=r"Tensor\.shape_signature: 9 axes, expected at most 8"):
        read_tensor(tensor([1], shapeSignature=[1] * 9))


def test_tensors_that_share_a_packed_constant_share_its_elements() -> None:
    model = tiny_model()
    constant(model, bytes(10_000), [20_000], "INT4")
    shared = model.subgraphs[0].tensors[1]
    model.subgraphs[0].tensors += [shared] * 20
    model.subgraphs[0].tensors.append(tensor([100, 200], "INT4", buffer=shared.buffer))
    first, *others = [each.data for each in read(pack(model)).tensors if each.data is not None]
    assert len(others) == 21
    assert all(np.shares_memory(first, other) for other in others)
    assert others[-1].shape == (100, 200)
