"""What cannot be run exactly, in NumPy and in C alike, is refused before anything runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import microinfer as mi
from microinfer.graph import Graph, Node, Tensor
from one_op import activation, constant, int32, one_op, quantization

WINDOW = {"stride_h": 1, "stride_w": 1, "padding": "SAME"}


def typed(type_: str, *shape: int, name: str = "x") -> Tensor:
    return Tensor(name, shape, type_, quantization(0.5, 0))


def pad_uint8() -> Graph:
    pads = int32([[0, 0], [1, 1]])
    return one_op("PAD", [typed("UINT8", 1, 4), pads], typed("UINT8", 1, 6, name="y"))


def concatenation_uint8() -> Graph:
    parts = [typed("UINT8", 1, 2, name=name) for name in "ab"]
    return one_op("CONCATENATION", parts, typed("UINT8", 1, 4, name="y"), axis=1)


def reshape_bool() -> Graph:
    tensors = [Tensor("x", (4,), "BOOL"), Tensor("y", (2, 2), "BOOL")]
    return one_op("RESHAPE", tensors[:1], tensors[1])


def dilation_beyond_int32() -> Graph:
    weights = constant(np.ones((1, 2, 2, 1), np.int8), 0.1)
    return one_op(
        "CONV_2D",
        [activation((1, 4, 4, 1)), weights],
        activation((1, 4, 4, 1)),
        dilation_h_factor=2**31 - 1,
        dilation_w_factor=2**31 - 1,
        **WINDOW,
    )


def pool_of_a_million_rows() -> Graph:
    images = activation((1, 4, 4, 1)), activation((1, 4, 4, 1), name="y")
    return one_op(
        "MAX_POOL_2D", images[:1], images[1], filter_height=2**20, filter_width=1, **WINDOW
    )


def two_gigabytes() -> Graph:
    return one_op("RELU", [activation((2**31 - 1,))], activation((2**31 - 1,), name="y"))


def no_inputs() -> Graph:
    return one_op("RELU", [constant([0, 0, 0, 0], 0.5)], activation((4,), 0.5))


def nan_among_constants() -> Graph:
    values = constant(np.array([[np.nan, 1.0]], np.float32))
    return one_op(
        "CONCATENATION", [activation((1, 2), None), values], activation((1, 4), None), axis=1
    )


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (pad_uint8, "has type UINT8, expected INT8 or INT16 or"),
        (concatenation_uint8, "has type UINT8, expected INT8 or INT16 or"),
        (reshape_bool, "has type BOOL, expected INT8 or INT16 or"),
        (dilation_beyond_int32, "covers 2147483651 x 2147483651 positions, too many"),
        (pool_of_a_million_rows, "covers 1048579 x 4 positions, too many"),
        (two_gigabytes, "takes 2,147,483,647 bytes, expected at most 134,217,728"),
        (no_inputs, "the model has no inputs"),
        (nan_among_constants, "is a constant with a value that is not finite"),
    ],
)
@pytest.mark.parametrize("entry", [mi.Interpreter, mi.plan, lambda graph: mi.generate(graph, "m")])
def test_refused_with_its_reason(
    model: Callable[[], Graph], reason: str, entry: Callable[[Graph], object]
) -> None:
    with pytest.raises(mi.UnsupportedModel) as refusal:
        entry(model())
    assert any(reason in problem.reason for problem in refusal.value.problems), refusal.value


def test_relu6_with_the_smallest_scale_there_is_lets_all_values_through() -> None:
    # 6 / 1e-45 overflows float32: the limit is out of reach.
    graph = one_op("RELU6", [activation((3,), 1e-45, -5)], activation((3,), 1e-45, -5, "y"))
    (output,) = mi.Interpreter(graph).run(np.array([-128, 0, 127], np.int8))
    assert output.tolist() == [-5, 0, 127]


def constants_before_data() -> Graph:
    tensors = (
        activation((1, 4), 0.5),
        constant(np.array([[-3, 0, 2, 9]]), 0.5),
        activation((1, 4), 0.5, name="relu"),
        activation((1, 4), 0.5, name="sum"),
    )
    nodes = (
        Node("RELU", (1,), (2,), {}, 0),
        Node("ADD", (2, 0), (3,), {"fused_activation_function": "NONE"}, 1),
    )
    return Graph(tensors, nodes, (0,), (3, 2))


def test_a_layer_of_constants_only_gives_its_value_for_every_sample() -> None:
    graph = constants_before_data()
    samples = np.arange(12, dtype=np.int8).reshape(3, 4)
    for engine in (mi.Interpreter(graph), mi.compile(graph)):
        total, relu = engine.run(samples)
        assert relu.tolist() == [[0, 0, 2, 9]] * 3
        assert total.tolist() == (samples + np.int8([0, 0, 2, 9])).tolist()
        assert engine.trace(samples).tensor(2).tolist() == [[0, 0, 2, 9]] * 3


@pytest.mark.parametrize("engine", [mi.Interpreter, mi.compile])
def test_traces_and_outputs_do_not_change_when_the_input_array_is_filled_again(
    engine: Callable[[Graph], mi.Interpreter],
) -> None:
    graph = one_op("RESHAPE", [activation((1, 4))], activation((2, 2), name="y"))
    sample = np.array([[1, 2, 3, 4]], np.int8)
    runner = engine(graph)
    trace, (output,) = runner.trace(sample), runner.run(sample)
    sample[:] = 0
    assert trace.tensor(0).tolist() == [[1, 2, 3, 4]]
    assert trace.tensor(1).tolist() == output.tolist() == [[1, 2], [3, 4]]
