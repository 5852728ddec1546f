"""Damaged and hostile files: a Graph, BadFile or UnsupportedModel, fast and in little memory.

Seeds are the test's parameters, so that a failure names the copy: `mutants(data, seed, count)`.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

import microinfer
from microinfer.errors import BadFile, UnsupportedModel
from microinfer.tflite import read
from microinfer.tflite.schema import FIELDS, UNIONS
from mutate import mutants
from shared_models import FLOAT32_MODELS, INT8_MODELS, shared_model

MODELS = INT8_MODELS + FLOAT32_MODELS
MEMORY_PER_FILE_BYTE = 10
PYTHON_ITSELF = 16384  # bytes: an exception and the first objects of a very small file
SECONDS = 1.0
EXTERNAL = FIELDS["Tensor"]["external_buffer"].slot


def outcome(call: Callable[[], object]) -> str:
    """What a call gave, by name; any exception but the two is the test's failure."""
    try:
        return type(call()).__name__
    except (BadFile, UnsupportedModel) as error:
        return type(error).__name__


def read_within_bounds(data: bytes, where: str) -> str:
    """The outcome of reading; asserts that it took neither long nor much memory."""
    start = time.process_time()
    result = outcome(lambda: read(data))
    seconds = time.process_time() - start
    tracemalloc.start()
    outcome(lambda: read(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < SECONDS, f"{where}: {seconds:.2f} s"
    allowed = MEMORY_PER_FILE_BYTE * len(data) + PYTHON_ITSELF
    assert peak <= allowed, f"{where}: {peak} bytes for a file of {len(data)}"
    return result


def read_and_load(name: str, seed: int, count: int, folder: Path) -> Counter[str]:
    """Read damaged copies, and load them as a user does; the outcomes of reading."""
    outcomes: Counter[str] = Counter()
    path = folder / f"{name}.tflite"
    for index, data in enumerate(mutants(shared_model(name).read_bytes(), seed, count)):
        where = f"copy {index} of {name} with seed {seed}"
        result = read_within_bounds(data, where)
        outcomes[result] += 1
        path.write_bytes(data)
        start = time.process_time()
        loaded = outcome(lambda: microinfer.load(path))
        assert time.process_time() - start < SECONDS, where
        assert loaded == result or (result, loaded) == ("Graph", "UnsupportedModel"), where
    return outcomes


@pytest.mark.parametrize("name", MODELS)
def test_damaged_copies_are_read_or_refused(name: str, tmp_path: Path) -> None:
    outcomes = read_and_load(name, 1, 50, tmp_path)
    assert outcomes["Graph"] > 0
    assert outcomes["BadFile"] > 0


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 110))
@pytest.mark.parametrize("name", MODELS)
def test_ten_thousand_damaged_copies_are_read_or_refused(
    name: str, seed: int, tmp_path: Path
) -> None:
    """12 models x 10 seeds x 84 copies: 10080."""
    read_and_load(name, seed, 84, tmp_path)


class Hostile(flatbuffers.Builder):  # type: ignore[misc]
    """Writes files in which many offsets point to one thing. Slots are schema.fbs's."""

    def table(self, slots: dict[int, int], numbers: dict[int, int] | None = None) -> int:
        """A table with offsets, and int32 numbers, in its slots."""
        numbers = numbers or {}
        self.StartObject(max([*slots, *numbers], default=-1) + 1)
        for slot, offset in slots.items():
            self.PrependUOffsetTRelativeSlot(slot, offset, 0)
        for slot, number in numbers.items():
            self.PrependInt32Slot(slot, number, 0)
        return int(self.EndObject())

    def vector(self, offsets: list[int]) -> int:
        self.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.PrependUOffsetTRelative(offset)
        return int(self.EndVector())

    def repeated(self, offset: int, count: int) -> int:
        """A vector of ``count`` times the same offset."""
        return self.vector([offset] * count)

    def file(self, slots: dict[int, int]) -> bytes:
        self.Finish(self.table(slots, {0: 3}), b"TFL3")
        return bytes(self.Output())


def one_tensor_many_times(count: int) -> bytes:
    builder = Hostile()
    tensors = builder.repeated(builder.table({}), count)
    return builder.file({2: builder.repeated(builder.table({0: tensors}), 1)})


def one_quantized_tensor_many_times(count: int) -> bytes:
    builder = Hostile()
    scale = builder.repeated(builder.table({}), 3)  # any four bytes are a float32
    quantization = builder.table({2: scale})
    tensors = builder.repeated(builder.table({4: quantization}), count)
    return builder.file({2: builder.repeated(builder.table({0: tensors}), 1)})


def one_long_name_many_times(count: int) -> bytes:
    builder = Hostile()
    tensor = builder.table({3: builder.CreateString("n" * count)})
    tensors = builder.repeated(tensor, count)
    return builder.file({2: builder.repeated(builder.table({0: tensors}), 1)})


def one_int4_constant_many_times(count: int) -> bytes:
    builder = Hostile()
    buffers = builder.repeated(builder.table({0: builder.CreateString("x" * count)}), 2)
    builder.StartVector(4, 1, 4)
    builder.PrependInt32(2 * count)
    shape = builder.EndVector()
    builder.StartObject(3)
    builder.PrependUOffsetTRelativeSlot(0, shape, 0)
    builder.PrependInt8Slot(1, 17, 0)
    builder.PrependUint32Slot(2, 1, 0)
    tensors = builder.repeated(builder.EndObject(), count)
    return builder.file({2: builder.repeated(builder.table({0: tensors}), 1), 4: buffers})


def one_node_with_many_options_many_times(count: int) -> bytes:
    """STABLEHLO_CONVOLUTION, code 171, has the most options of all."""
    builder = Hostile()
    code = builder.repeated(builder.table({}, {3: 171}), 1)
    nodes = builder.repeated(builder.table({}), count)
    return builder.file({1: code, 2: builder.repeated(builder.table({3: nodes}), 1)})


def subgraphs_times_tensors(count: int) -> bytes:
    builder = Hostile()
    tensors = builder.repeated(builder.table({}), count)
    return builder.file({2: builder.repeated(builder.table({0: tensors}), count)})


def metadata_of_one_buffer(count: int) -> bytes:
    builder = Hostile()
    buffers = builder.repeated(builder.table({0: builder.CreateString("x" * count)}), 2)
    metadata = builder.repeated(builder.table({}, {1: 1}), count)
    subgraphs = builder.repeated(builder.table({}), 1)
    return builder.file({2: subgraphs, 4: buffers, 6: metadata})


def signatures_times_names(count: int) -> bytes:
    builder = Hostile()
    tensors = builder.repeated(builder.table({}), 1)
    subgraphs = builder.repeated(builder.table({0: tensors}), 1)
    names = builder.repeated(builder.table({0: builder.CreateString("n" * count)}), count)
    return builder.file({2: subgraphs, 7: builder.repeated(builder.table({0: names}), count)})


def names_that_overlap(count: int) -> bytes:
    """No two tensors share a name, but each name begins inside the one before."""
    builder = Hostile()
    words = builder.CreateByteVector(count.to_bytes(4, "little") * 2 * count)
    tensors = [builder.table({3: words - 4 * index}) for index in range(1, count + 1)]
    return builder.file({2: builder.repeated(builder.table({0: builder.vector(tensors)}), 1)})


def many_scales_without_zero_points(count: int) -> bytes:
    """The zero points, of twice the size of the scales, are made for each tensor."""
    builder = Hostile()
    quantization = builder.table({2: builder.repeated(builder.table({}), count)})
    tensors = [builder.table({4: quantization}) for _ in range(count)]
    return builder.file({2: builder.repeated(builder.table({0: builder.vector(tensors)}), 1)})


@pytest.mark.parametrize("count", [2_000, 50_000])
@pytest.mark.parametrize(
    "hostile",
    [
        one_tensor_many_times,
        one_quantized_tensor_many_times,
        one_long_name_many_times,
        one_int4_constant_many_times,
        one_node_with_many_options_many_times,
        subgraphs_times_tensors,
        metadata_of_one_buffer,
        signatures_times_names,
        names_that_overlap,
        many_scales_without_zero_points,
    ],
)
def test_parts_that_are_used_over_and_over_are_not_read_over_and_over(
    hostile: Callable[[int], bytes], count: int
) -> None:
    data = hostile(count)
    assert read_within_bounds(data, f"{count}") == "BadFile"
    with pytest.raises(BadFile, match="used over and over"):
        read(data)


def tensors_and_nodes_that_share_all_they_can(count: int) -> bytes:
    """ADDs whose tensors have one shape, one quantization of 8 scales and one buffer."""
    builder = Hostile()
    code = builder.repeated(builder.table({}), 1)
    buffers = builder.repeated(builder.table({}), 2)
    shape = builder.CreateNumpyVector(np.array([1, 2, 2, 8], np.int32))
    scales = builder.CreateNumpyVector(np.full(8, 0.5, np.float32))
    points = builder.CreateNumpyVector(np.zeros(8, np.int64))
    quantization = builder.table({2: scales, 3: points})
    name = builder.CreateString("tensor")
    tensors = [
        builder.table({0: shape, 3: name, 4: quantization, 7: shape}, {2: 1}) for _ in range(count)
    ]
    inputs = builder.CreateNumpyVector(np.array([0, 1], np.int32))
    outputs = builder.CreateNumpyVector(np.array([2], np.int32))
    options = builder.table({})
    nodes = []
    for _ in range(count):
        builder.StartObject(5)
        builder.PrependUint8Slot(3, UNIONS["BuiltinOptions"].index("AddOptions") + 1, 0)
        for slot, offset in {1: inputs, 2: outputs, 4: options}.items():
            builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        nodes.append(int(builder.EndObject()))
    subgraph = builder.table({0: builder.vector(tensors), 3: builder.vector(nodes)})
    return builder.file({1: code, 2: builder.repeated(subgraph, 1), 4: buffers})


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_tensors_and_nodes_may_share_what_they_refer_to(count: int) -> None:
    graph = read(tensors_and_nodes_that_share_all_they_can(count))
    assert len(graph.tensors) == len(graph.nodes) == count
    assert all(tensor == graph.tensors[0] for tensor in graph.tensors)
    assert all(node.op == "ADD" and node.inputs == (0, 1) for node in graph.nodes)


@pytest.mark.parametrize("count", [2_000, 20_000])
def test_tensors_in_another_file_are_refused_in_linear_time(count: int) -> None:
    builder = Hostile()
    entries = builder.vector([builder.table({}, {0: index + 1}) for index in range(count)])
    tensors = builder.vector([builder.table({}, {EXTERNAL: index + 1}) for index in range(count)])
    groups = builder.repeated(builder.table({}), 1)
    subgraphs = builder.repeated(builder.table({0: tensors}), 1)
    slots = {FIELDS["Model"]["external_buffer_groups"].slot: groups, 2: subgraphs}
    data = builder.file({**slots, FIELDS["Model"]["external_buffers"].slot: entries})
    start = time.process_time()
    with pytest.raises(UnsupportedModel) as error:
        read(data)
    assert time.process_time() - start < 2 * SECONDS
    assert len(error.value.problems) == count
