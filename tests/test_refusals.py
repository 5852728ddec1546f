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


def reshape_float16() -> Graph:
    tensors = [Tensor("x", (4,), "FLOAT16"), Tensor("y", (2, 2), "FLOAT16")]
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


def int16(scale: float, name: str = "x", zero_point: int = 0) -> Tensor:
    return activation((1, 4), scale, zero_point, name, "INT16")


def hard_swish_int16() -> Graph:
    return one_op("HARD_SWISH", [int16(0.5)], int16(0.5, "y"))


def prelu_int16() -> Graph:
    return one_op("PRELU", [int16(0.5), int16(0.5, "slopes")], int16(0.5, "y"))


def add_int8_and_int16() -> Graph:
    return one_op("ADD", [activation((1, 4), 0.5), int16(0.5)], activation((1, 4), 0.5, name="y"))


def int16_zero_point() -> Graph:
    return one_op("RELU", [int16(0.5, zero_point=3)], int16(0.5, "y"))


def less_int16() -> Graph:
    return one_op("LESS", [int16(0.5), int16(0.25, "x2")], Tensor("y", (1, 4), "BOOL"))


def quantize_int16_to_uint8() -> Graph:
    return one_op("QUANTIZE", [int16(0.5)], typed("UINT8", 1, 4, name="y"))


def logistic_int16_coarse() -> Graph:
    return one_op("LOGISTIC", [int16(3.0)], int16(2.0**-15, "y"))


def softmax_int16_coarse() -> Graph:
    return one_op("SOFTMAX", [int16(10.0)], int16(2.0**-15, "y"), beta=1.0)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (pad_uint8, "has type UINT8, expected INT8 or INT16 or"),
        (concatenation_uint8, "has type UINT8, expected INT8 or INT16 or"),
        (reshape_float16, "has type FLOAT16, expected INT8 or INT16 or"),
        (dilation_beyond_int32, "covers 2147483651 x 2147483651 positions, too many"),
        (pool_of_a_million_rows, "covers 1048579 x 4 positions, too many"),
        (two_gigabytes, "takes 2,147,483,647 bytes, expected at most 134,217,728"),
        (no_inputs, "the model has no inputs"),
        (hard_swish_int16, "has type INT16, expected INT8"),
        (prelu_int16, "has type INT16, expected INT8"),
        (add_int8_and_int16, 'has type INT16, but "x" has INT8'),
        (int16_zero_point, "is INT16 with zero point 3, expected 0"),
        (less_int16, 'is quantized otherwise than "x", and LESS does not rescale'),
        (quantize_int16_to_uint8, "has type UINT8, expected INT8 or INT16 or INT32"),
        (logistic_int16_coarse, "has scale 3, expected less than 8/3"),
        (softmax_int16_coarse, "has scale 10, out of proportion to beta 1"),
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


def test_litert_does_not_add_powers_of_two_as_other_scales() -> None:
    """Unless all three are equal; and TFLM does not care."""
    for scales, refused in (
        ((0.5, 0.25, 0.5), True),
        ((0.5,) * 3, False),
        ((0.5, 0.3, 0.5), False),
    ):
        first, second, output = (int16(s, n) for s, n in zip(scales, ("a", "b", "y"), strict=True))
        graph = one_op("ADD", [first, second], output, pot_scale_int16=True)
        mi.plan(graph, "tflm")
        if not refused:
            mi.plan(graph, "litert")
            continue
        with pytest.raises(mi.UnsupportedModel, match="which LiteRT adds by shifts"):
            mi.plan(graph, "litert")
