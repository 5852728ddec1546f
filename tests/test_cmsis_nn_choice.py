"""Which layers go to CMSIS-NN, by which of its functions, and which stay ours."""

from __future__ import annotations

import numpy as np
import pytest

import microinfer as mi
from cases import TABLES
from command_line import GESTURE
from microinfer.emit.cmsis_nn import ANY
from one_op import activation, constant, int4, one_op


def functions(graph: mi.Graph, core: str = ANY, numerics: str = "tflm") -> list[str]:
    return [
        layer.library for layer in mi.plan(graph, numerics, kernels="cmsis-nn", core=core).layers
    ]


def test_default_kernels_are_ours() -> None:
    assert not any(layer.library for layer in mi.plan(mi.load(GESTURE)).layers)
    assert "CMSIS-NN " not in "".join(
        text.replace("kernels or CMSIS-NN", "")
        for text in mi.generate(mi.load(GESTURE), "net").values()
    )


def test_litert_keeps_what_it_computes_as_tflm_does() -> None:
    """FULLY_CONNECTED rounds otherwise there: it falls back."""
    graph = mi.load(GESTURE)
    ours = [layer.prepared.op.name for layer in mi.plan(graph).layers]
    chosen = dict(zip(ours, functions(graph, numerics="litert"), strict=True))
    assert chosen["FULLY_CONNECTED"] == ""
    assert chosen["CONV_2D"].startswith("arm_convolve_")


def add(sign: str, *shapes: tuple[int, ...]) -> mi.Graph:
    sources = [activation(shape, 0.5, name=f"x{i}") for i, shape in enumerate(shapes)]
    shape = np.broadcast_shapes(*shapes)
    return one_op(sign, sources, activation(shape, 0.5, name="y"))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (add("ADD", (1, 4, 3), (1, 4, 3)), "arm_elementwise_add_s8"),
        (add("ADD", (1, 4, 3), (3,)), ""),
        (add("ADD", (1, 4, 3), (1, 1, 1)), ""),
        (add("SUB", (1, 4, 3), (1, 4, 3)), ""),
        (add("MUL", (1, 4, 3), (1, 4, 3)), "arm_elementwise_mul_s8"),
        (add("MUL", (1, 4, 3), (1, 4, 1)), ""),
    ],
)
def test_elementwise_needs_equal_shapes(graph: mi.Graph, expected: str) -> None:
    assert functions(graph) == [expected]


@pytest.mark.parametrize(("depth", "expected"), [(255, "arm_softmax_s8"), (256, "")])
def test_softmax_of_many_classes_is_ours(depth: int, expected: str) -> None:
    """From 512 equal inputs on the library shifts by 32 bits and more."""
    graph = one_op(
        "SOFTMAX", [activation((1, depth), 0.1)], activation((1, depth), 1 / 256, -128), beta=1.0
    )
    assert functions(graph) == [expected]


def one_row(width: int, kernel: int, stride: int, padding: str) -> mi.Graph:
    output = -(-width // stride) if padding == "SAME" else (width - kernel) // stride + 1
    return one_op(
        "CONV_2D",
        [
            activation((1, 1, width, 4), 0.5),
            constant(np.ones((2, 1, kernel, 4), np.int8), 0.5, name="w"),
        ],
        activation((1, 1, output, 2), 4.0, name="y"),
        padding=padding,
        stride_h=stride,
        stride_w=stride,
    )


@pytest.mark.parametrize(
    ("graph", "short_cut"),
    [
        (one_row(9, 3, 1, "SAME"), True),
        (one_row(9, 4, 1, "SAME"), True),
        (one_row(9, 3, 1, "VALID"), True),
        (one_row(9, 3, 2, "SAME"), True),
        # One element at the end that no window covers: it takes the last window for padded.
        (one_row(10, 3, 2, "VALID"), False),
        # Padding of two elements on the right, of which it sees one.
        (one_row(10, 6, 2, "SAME"), False),
        (one_row(9, 3, 2, "VALID"), False),  # it reads beyond the input
        (one_row(2, 5, 1, "SAME"), True),  # too short to have a middle: it does without
    ],
)
def test_the_short_cut_for_one_row_only_where_it_is_right(graph: mi.Graph, short_cut: bool) -> None:
    name = "arm_convolve_1_x_n_s8" if short_cut else "arm_convolve_s8"
    assert functions(graph, "mve") == functions(graph, ANY) == [name]
    assert functions(graph, "dsp") == functions(graph, "plain") == ["arm_convolve_s8"]


def depthwise(channels: int) -> mi.Graph:
    """Without bias."""
    weights = np.arange(9 * channels).reshape(1, 3, 3, channels) % 255 - 127
    return one_op(
        "DEPTHWISE_CONV_2D",
        [activation((1, 6, 5, channels), 0.5, 3), constant(weights, 0.01, name="w")],
        activation((1, 6, 5, channels), 1.0, name="y"),
        padding="SAME",
        stride_h=1,
        stride_w=1,
        depth_multiplier=1,
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_groups_always_have_a_bias(groups: int) -> None:
    """From group to group the library moves the bias on, be it NULL."""
    weights = constant(np.ones((2, 1, 1, 4 // groups), np.int8), 0.5, name="w")
    graph = one_op(
        "CONV_2D",
        [activation((1, 2, 2, 4), 0.5), weights],
        activation((1, 2, 2, 2), 4.0, name="y"),
        padding="VALID",
        stride_h=1,
        stride_w=1,
    )
    (layer,) = mi.plan(graph, kernels="cmsis-nn").layers
    bias = layer.calls[0].params.bias
    assert (bias is None) if groups == 1 else (bias.tolist() == [0, 0])


@pytest.mark.parametrize(
    ("channels", "core", "added"), [(124, ANY, False), (125, ANY, True), (125, "dsp", False)]
)
def test_many_depthwise_channels_have_a_bias_with_mve(
    channels: int, core: str, added: bool
) -> None:
    (layer,) = mi.plan(depthwise(channels), kernels="cmsis-nn", core=core).layers
    assert (layer.calls[0].params.bias is not None) is added


@pytest.mark.parametrize(
    ("core", "expected"),
    [
        (ANY, "arm_depthwise_conv_wrapper_s8"),
        ("plain", "arm_depthwise_conv_3x3_s8"),
        ("dsp", "arm_depthwise_conv_3x3_s8"),
        ("mve", "arm_depthwise_conv_s8_opt"),
    ],
)
def test_the_function_that_the_wrapper_would_call(core: str, expected: str) -> None:
    assert functions(depthwise(8), core) == [expected]


@pytest.mark.parametrize(("bias", "expected"), [(2**30, True), (2**31 - 2**8, False)])
def test_sums_that_the_library_might_wrap_are_ours(bias: int, expected: bool) -> None:
    graph = one_op(
        "FULLY_CONNECTED",
        [
            activation((1, 1), 1.0),
            constant(np.ones((1, 1), np.int8), 1.0, name="w"),
            constant(np.array([bias], np.int32), 1.0, name="b"),
        ],
        activation((1, 1), 2.0**24, name="y"),
    )
    assert (functions(graph) != [""]) is expected


def test_no_operator_is_chosen_in_vain() -> None:
    """Every case of every operator: a call takes the operands and outputs that ours takes."""
    for table in TABLES.values():
        for case in table:
            try:
                own = mi.plan(case.graph)
            except mi.UnsupportedModel:
                continue
            library = mi.plan(case.graph, kernels="cmsis-nn")
            for ours, theirs in zip(own.layers, library.layers, strict=True):
                if theirs.library:
                    inputs = sorted({i for call in ours.calls for i in call.inputs})
                    assert list(theirs.calls[0].inputs) == inputs
                    assert theirs.calls[0].outputs == ours.calls[0].outputs


def wide_depthwise(channels: int) -> mi.Graph:
    weights = np.ones((1, 3, 3, channels), np.int8)
    return one_op(
        "DEPTHWISE_CONV_2D",
        [activation((1, 4, 4, channels), 0.5, type="INT16"), constant(weights, 0.01, name="w")],
        activation((1, 4, 4, channels), 1.0, name="y", type="INT16"),
        padding="SAME",
        stride_h=1,
        stride_w=1,
        depth_multiplier=1,
    )


@pytest.mark.parametrize(
    ("channels", "core", "chosen"),
    [(8, ANY, True), (7, "dsp", True), (7, "mve", False), (7, ANY, False)],
)
def test_mve_takes_four_int16_channels_at_once(channels: int, core: str, chosen: bool) -> None:
    """Of others it reads biases, multipliers and shifts beyond the last one's."""
    assert (functions(wide_depthwise(channels), core) != [""]) is chosen


def packed_depthwise(channels: int, images: int = 1) -> mi.Graph:
    weights = np.arange(9 * channels).reshape(1, 3, 3, channels) % 16 - 8
    return one_op(
        "DEPTHWISE_CONV_2D",
        [activation((images, 4, 4, channels), 0.5, 3), int4(weights, 0.01)],
        activation((images, 4, 4, channels), 0.1, name="y"),
        padding="SAME",
        stride_h=1,
        stride_w=1,
        depth_multiplier=1,
    )


@pytest.mark.parametrize(("channels", "expected"), [(8, True), (7, False)])
def test_int4_taps_begin_with_a_byte(channels: int, expected: bool) -> None:
    assert (functions(packed_depthwise(channels)) != [""]) is expected


def wide_softmax(depth: int) -> mi.Graph:
    source = activation((1, depth), 2e-4, type="INT16")
    return one_op("SOFTMAX", [source], activation((1, depth), 2**-15, type="INT16"), beta=1.0)


@pytest.mark.parametrize(("depth", "expected"), [(1, False), (2, True), (8, True), (9, False)])
def test_softmax_of_int16_has_two_to_eight_classes(depth: int, expected: bool) -> None:
    assert (functions(wide_softmax(depth)) != [""]) is expected


def wide_convolution(taps: int, outputs: int, weight: int = 1) -> mi.Graph:
    """With an int64 bias, or rather none."""
    weights = np.full((outputs, 1, 1, taps), weight, np.int8)
    return one_op(
        "CONV_2D",
        [activation((1, 1, 3, taps), 0.5, type="INT16"), constant(weights, 0.01, name="w")],
        activation((1, 1, 3, outputs), 1.0, name="y", type="INT16"),
        padding="VALID",
        stride_h=1,
        stride_w=1,
    )


@pytest.mark.parametrize(
    ("taps", "outputs", "weight", "core", "chosen"),
    [
        (514, 2, 1, "dsp", True),
        (516, 3, 1, "dsp", True),
        (514, 3, 1, "dsp", False),
        (514, 3, 1, "mve", True),
        (512, 2, 127, "dsp", True),
        (520, 2, 127, "dsp", False),  # the sum of products may leave int32
    ],
)
def test_many_int16_taps(taps: int, outputs: int, weight: int, core: str, chosen: bool) -> None:
    assert (functions(wide_convolution(taps, outputs, weight), core) != [""]) is chosen
