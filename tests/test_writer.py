"""What ``write`` writes: ``read`` gives the same Graph, and LiteRT and TFLM the same outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from authored import add_chain, fully_connected_chain, pack
from microinfer.graph import DTYPES, Graph, Node, Quantization, Signature, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.enums import ENUMS
from microinfer.tflite.operators import OPERATOR_NAMES, OPERATORS
from microinfer.tflite.packing import BITS
from microinfer.tflite.reader import OPAQUE_TYPES
from microinfer.tflite.schema import FIELDS, SCALARS, Field
from microinfer.tflite.table import File, root_table
from oracles import Oracle, differing, litert_tensors, tflm_tensors
from shared_models import FLOAT32_MODELS, INT8_MODELS, shared_model

MODELS = INT8_MODELS + FLOAT32_MODELS


@pytest.mark.parametrize("name", MODELS)
def test_written_models_read_as_the_original(name: str) -> None:
    graph = read(shared_model(name).read_bytes())
    written = write(graph)
    assert read(written) == graph
    assert write(read(written)) == written


@pytest.mark.parametrize("name", MODELS)
def test_written_buffers_are_aligned_and_the_first_is_empty(name: str) -> None:
    written = write(read(shared_model(name).read_bytes()))
    first, *others = root_table(File(written))["buffers"]
    assert first.span("data").length == 0
    assert others
    assert [buffer.span("data").start % 16 for buffer in others] == [0] * len(others)


@pytest.mark.parametrize("count", [10, 100, 1000])
@pytest.mark.parametrize("chain", [add_chain, fully_connected_chain])
def test_many_operators_with_few_weights_are_written_and_read(
    chain: Callable[[int], Any], count: int
) -> None:
    graph = read(pack(chain(count)))
    assert len(graph.nodes) == count
    assert graph.outputs == (len(graph.tensors) - 1,)
    written = write(graph)
    assert read(written) == graph
    assert write(read(written)) == written


def some_inputs(graph: Graph, samples: int = 3) -> list[NDArray[Any]]:
    """One array [samples, *shape] per input of the model."""
    rng = np.random.default_rng(2026)
    inputs: list[NDArray[Any]] = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        shape = (samples, *tensor.shape)
        if tensor.type == "FLOAT32":
            inputs.append(rng.standard_normal(shape, np.float32))
        else:
            low, high = np.iinfo(tensor.dtype).min, np.iinfo(tensor.dtype).max
            inputs.append(rng.integers(low, high, shape, tensor.dtype, endpoint=True))
    return inputs


def assert_runs_as_the_original(oracle: Oracle, name: str) -> None:
    """Every tensor that the runtime computes from the written file equals the original's."""
    original = shared_model(name).read_bytes()
    graph = read(original)
    inputs = some_inputs(graph)
    ours, theirs = oracle(write(graph), *inputs), oracle(original, *inputs)
    assert ours.keys() == theirs.keys() >= set(graph.outputs)
    for index, array in ours.items():
        assert differing(array, theirs[index]) == 0, f"{name}: tensor {index}"


# LiteRT refuses person_detect as it is published: its bias tensors name an axis they do not have.
@pytest.mark.parametrize("name", [name for name in MODELS if "person" not in name])
def test_litert_runs_what_was_written(name: str) -> None:
    assert_runs_as_the_original(litert_tensors, name)


# TFLM refuses mlperf_kws_float32 as it is published: its weights are int8, its activations float32.
@pytest.mark.parametrize("name", [name for name in MODELS if name != "mlperf_kws_float32"])
def test_tflm_runs_what_was_written(name: str) -> None:
    assert_runs_as_the_original(tflm_tensors, name)


ONE_TENSOR = Graph(tensors=(Tensor("t", (2,), "INT8"),), nodes=(), inputs=(0,), outputs=(0,))


def with_node(node: Node) -> Graph:
    return replace(ONE_TENSOR, nodes=(node,))


def with_tensor(**fields: Any) -> Graph:
    return replace(ONE_TENSOR, tensors=(replace(ONE_TENSOR.tensors[0], **fields),))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (with_node(Node("CONV_2D", (), (), {"stride": 1})), "no field stride; it has padding, str"),
        (with_node(Node("CONV_2D", (), (), {"padding": "FULL"})), "'FULL', expected one of"),
        (with_node(Node("CONV_2D", (), (), {"stride_w": 2**31})), "stride_w: 2147483648 is no int"),
        (with_node(Node("SOFTMAX", (), (), {"beta": 1e60})), "beta: 1e\\+60 is no float"),
        (with_node(Node("SOFTMAX", (), (), {"beta": "1"})), "SoftmaxOptions.beta: '1', expected"),
        (with_node(Node("RESHAPE", (), (), {"new_shape": (2**40,)})), "new_shape: 1099511627776"),
        (with_node(Node("RELU", (), (), {"beta": 1.0})), "RELU has no options, but \\['beta'\\]"),
        (with_node(Node("CONV_4D", (), ())), "no operator of TFLite is called CONV_4D"),
        (with_node(Node("RELU", (2**31,), ())), "Operator.inputs: 2147483648 is no int"),
        (with_tensor(sparse=True), '"t": sparse data cannot be written'),
        (with_tensor(data=np.zeros(3, np.int8)), "shape \\[3\\], expected \\[2\\]"),
        (with_tensor(data=np.zeros(2, np.int16)), "data of type int16, expected int8"),
        (with_tensor(type="INT4", data=np.array([8, 0], np.int8)), "range from 0 to 8, expected"),
        (
            with_tensor(quantization=Quantization(np.ones(1), np.zeros(1, np.int64))),  # type: ignore[arg-type]
            "QuantizationParameters.scale: float64 numbers, expected float32",
        ),
    ],
)
def test_what_a_file_cannot_hold_is_refused(graph: Graph, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        write(graph)


def test_equal_constants_are_stored_once() -> None:
    tensor = Tensor("t", (64,), "INT8", data=np.arange(64, dtype=np.int8))
    graph = replace(ONE_TENSOR, tensors=(tensor, replace(tensor, name="u"), ONE_TENSOR.tensors[0]))
    assert len(root_table(File(write(graph)))["buffers"]) == 2


# Random graphs. Names may be any text, floats any float32 but NaN (an option that is NaN would
# not equal itself), and every operator and option of the schema occurs.

names = st.text(st.characters(codec="utf-8"), max_size=8)
int32 = st.integers(-(2**31), 2**31 - 1)


def option_values(field: Field) -> st.SearchStrategy[Any]:
    if field.type == "string":
        return names
    if field.type in ENUMS:
        values: st.SearchStrategy[Any] = st.sampled_from(ENUMS[field.type].names) | st.just(100)
    elif field.type == "bool":
        values = st.booleans()
    elif field.type == "float":
        values = st.floats(width=32, allow_nan=False)
    else:
        assert field.type in SCALARS
        values = st.integers(field.number.min_val, field.number.max_val)
    return st.lists(values, max_size=3).map(tuple) if field.is_vector else values


@st.composite
def quantizations(draw: st.DrawFn, shape: tuple[int, ...]) -> Quantization | None:
    axis = draw(st.integers(0, 3))
    counts = {1, shape[axis]} if axis < len(shape) else {1, 3}
    count = draw(st.sampled_from(sorted(counts - {0})))
    scales = draw(hnp.arrays(np.float32, count, elements=st.floats(width=32)))
    return Quantization(scales, draw(hnp.arrays(np.int64, count)), axis)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    type_ = draw(st.sampled_from(sorted(DTYPES)))
    shape = draw(st.lists(st.integers(0, 5), max_size=4).map(tuple))
    data = None
    if draw(st.booleans()) and 0 not in shape:
        dtype = DTYPES[type_]
        elements = None
        if type_ in BITS:
            lowest = 0 if type_.startswith("U") else -(2 ** (BITS[type_] - 1))
            elements = st.integers(lowest, lowest + 2 ** BITS[type_] - 1)
        in_memory = (draw(st.integers(1, 9)),) if type_ in OPAQUE_TYPES else shape
        data = draw(hnp.arrays(dtype, in_memory, elements=elements))
    return Tensor(
        name=draw(names),
        shape=shape,
        type=type_,
        quantization=draw(st.none() | quantizations(shape)),
        data=data,
        is_variable=draw(st.booleans()),
        shape_signature=draw(st.none() | st.tuples(st.just(-1), *map(st.just, shape))),
    )


@st.composite
def nodes(draw: st.DrawFn, count: int, location: int) -> Node:
    op = draw(st.sampled_from([*OPERATOR_NAMES, "BUILTIN_250"]).filter(lambda op: op != "CUSTOM"))
    op = draw(st.just(op) | names.map("CUSTOM:{}".format))
    fields = FIELDS[OPERATORS[op]] if OPERATORS.get(op) else {}
    index = st.integers(0, count - 1)
    return Node(
        op=op,
        inputs=tuple(draw(st.lists(index | st.just(-1), max_size=3))),
        outputs=tuple(draw(st.lists(index, max_size=2))),
        options={name: draw(option_values(field)) for name, field in fields.items()},
        location=location,
        version=draw(int32),
        intermediates=tuple(draw(st.lists(index | st.just(-1), max_size=2))),
        custom_options=draw(st.binary(max_size=5)),
    )


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    members = tuple(draw(st.lists(tensors(), min_size=1, max_size=4)))
    index = st.integers(0, len(members) - 1)
    return Graph(
        tensors=members,
        nodes=tuple(draw(nodes(len(members), at)) for at in range(draw(st.integers(0, 3)))),
        inputs=tuple(draw(st.lists(index, max_size=2))),
        outputs=tuple(draw(st.lists(index, max_size=2))),
        name=draw(names),
    )


@st.composite
def models(draw: st.DrawFn) -> Graph:
    main, *others = draw(st.lists(graphs(), min_size=1, max_size=3))
    tensor_maps = st.dictionaries(names, st.just(0), max_size=2)
    signature = st.builds(Signature, names, tensor_maps, tensor_maps, st.integers(0, len(others)))
    return replace(
        main,
        subgraphs=tuple(others),
        description=draw(names),
        metadata=draw(st.dictionaries(names, st.binary(max_size=20), max_size=2)),
        signatures=tuple(draw(st.lists(signature, max_size=2))),
    )


@settings(deadline=None, max_examples=100)
@given(models())
def test_random_graphs_survive_writing_and_reading(graph: Graph) -> None:
    written = write(graph)
    assert read(written) == graph
    assert write(read(written)) == written


@pytest.mark.full
@settings(deadline=None, max_examples=2000)
@given(models())
def test_many_random_graphs_survive_writing_and_reading(graph: Graph) -> None:
    assert read(write(graph)) == graph


@pytest.mark.parametrize("op", OPERATOR_NAMES)
def test_every_option_that_is_no_default_survives(op: str) -> None:
    """One node per operator, each option set to something that the file has to hold."""
    if op == "CUSTOM":
        return
    fields = FIELDS[OPERATORS[op]] if OPERATORS[op] else {}
    options = {}
    for name, field in fields.items():
        if field.type in ENUMS:
            value: Any = ENUMS[field.type].names[-1]
        elif field.type == "bool":
            value = not field.default
        elif field.type == "string":
            value = "name"
        else:
            value = field.number.py_type(field.number.max_val or 1.5)
        options[name] = (value,) if field.is_vector else value
        assert options[name] != field.default or len(ENUMS[field.type].names) == 1
    (node,) = read(write(with_node(Node(op, (), (), options)))).nodes
    assert node.op == op
    assert node.options == options
