"""The memory plan: against the checker that replays it, by hand, and against published bounds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microinfer as mi
from microinfer.emit.arena import Buffer, arena_bytes, lower_bound, place
from microinfer.emit.check import PlanError, check_plan
from microinfer.graph import Graph, Node, Quantization, Tensor
from one_op import activation, int32, one_op
from shared_models import shared_model

# The most activations that live at one time without computing in place (BASELINES: peers).
LIMITS = {"mlperf_kws": 16_000, "mlperf_vww": 55_296, "mlperf_ic": 49_152, "mlperf_ad": 768}


@pytest.mark.parametrize("name", LIMITS)
def test_shared_models_stay_within_the_bound(name: str) -> None:
    plan = mi.plan(mi.load(shared_model(f"{name}_int8")))
    assert plan.arena_bytes <= LIMITS[name] + plan.scratch_bytes


def test_placement_by_hand() -> None:
    # a lives with b, b with c, never a with c: a and c share the same bytes.
    a, b, c = Buffer((0,), 100, -1, 0), Buffer((1,), 60, 0, 1), Buffer((2,), 80, 1, 2)
    offsets = {buffer.tensors: buffer.offset for buffer in place([a, b, c])}
    assert offsets == {(0,): 0, (1,): 100, (2,): 0}


def test_largest_first_is_not_always_enough() -> None:
    # Placed largest first this takes 64 512 bytes: the input pushes the others apart.
    sizes = [(27_648, -1, 0), (18_432, 0, 1), (18_432, 1, 2), (36_864, 2, 3), (9_216, 3, 4)]
    buffers = [Buffer((i,), n, first, last) for i, (n, first, last) in enumerate(sizes)]
    assert arena_bytes(place(buffers)) == lower_bound(buffers) == 55_296


@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.integers(-1, 12), st.integers(0, 6)),
        min_size=1,
        max_size=20,
    )
)
def test_buffers_that_live_together_never_overlap(drawn: list[tuple[int, int, int]]) -> None:
    placed = place(
        [Buffer((i,), n, first, first + more) for i, (n, first, more) in enumerate(drawn)]
    )
    assert len(placed) == len(drawn)
    for i, one in enumerate(placed):
        assert one.offset % 4 == 0
        for other in placed[i + 1 :]:
            together = one.first <= other.last and other.first <= one.last
            assert not together or one.end <= other.offset or other.end <= one.offset


def quantized(name: str, *shape: int) -> Tensor:
    return Tensor(name, shape, "INT8", Quantization(np.float32([0.5]), np.int64([3])))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Chains and branches of ADD, RELU and RESHAPE over tensors of a few sizes."""
    add = {"fused_activation_function": "NONE", "pot_scale_int16": True}
    tensors = [quantized("in", 1, draw(st.sampled_from([4, 7, 32])))]
    nodes: list[Node] = []
    for index in range(draw(st.integers(1, 12))):
        source = draw(st.integers(0, len(tensors) - 1))
        op = draw(st.sampled_from(["RELU", "RESHAPE", "ADD", "CONCATENATION"]))
        shape = tensors[source].shape
        inputs = (source,)
        options: dict[str, object] = {}
        if op == "ADD":
            same = [i for i, tensor in enumerate(tensors) if tensor.shape == shape]
            inputs, options = (source, draw(st.sampled_from(same))), add
        elif op == "RESHAPE":
            shape = (1, *shape) if len(shape) < 4 else (shape[-1],)
            options = {"new_shape": shape}
        elif op == "CONCATENATION":
            inputs, shape = (source, source), (*shape[:-1], 2 * shape[-1])
            options = {"axis": -1, "fused_activation_function": "NONE"}
        tensors.append(quantized(f"t{index}", *shape))
        nodes.append(Node(op, inputs, (len(tensors) - 1,), options, index))
    outputs = draw(st.sets(st.integers(1, len(tensors) - 1), min_size=1, max_size=3))
    return Graph(tuple(tensors), tuple(nodes), (0,), tuple(sorted(outputs)))


@given(graphs())
def test_every_plan_passes_the_checker(graph: Graph) -> None:
    mi.plan(graph)  # runs check_plan, which raises


def _chain() -> tuple[mi.Graph, mi.emit.Plan]:
    relu = [Node("RELU", (i,), (i + 1,), {}, i) for i in range(3)]
    graph = Graph(tuple(quantized(f"t{i}", 1, 8) for i in range(4)), tuple(relu), (0,), (3, 0))
    return graph, mi.plan(graph)


@pytest.mark.parametrize("tensor", [0, 1, 2, 3])
def test_the_checker_sees_a_buffer_moved_onto_a_live_one(tensor: int) -> None:
    graph, plan = _chain()  # the input is an output too, so it has to survive all layers
    prepared = [layer.prepared for layer in plan.layers]
    check_plan(graph, prepared, plan.offsets, {}, plan.arena_bytes)
    target = plan.offsets[1] if tensor == 0 else plan.offsets[0] + 4
    with pytest.raises(PlanError):
        check_plan(graph, prepared, {**plan.offsets, tensor: target}, {}, plan.arena_bytes)


def test_the_checker_sees_scratch_on_a_live_buffer_and_an_arena_too_small() -> None:
    graph, plan = _chain()
    prepared = [layer.prepared for layer in plan.layers]
    with pytest.raises(PlanError):
        check_plan(graph, prepared, plan.offsets, {1: (plan.offsets[0], 4)}, plan.arena_bytes)
    with pytest.raises(PlanError):
        check_plan(graph, prepared, plan.offsets, {}, plan.arena_bytes - 1)


def test_the_checker_sees_an_output_over_an_input_of_an_op_that_is_not_in_place() -> None:
    graph, plan = _chain()
    prepared = [layer.prepared for layer in plan.layers]
    strict = [
        dataclasses.replace(layer, op=dataclasses.replace(layer.op, in_place=False))
        for layer in prepared
    ]
    with pytest.raises(PlanError):
        check_plan(graph, strict, plan.offsets, {}, plan.arena_bytes)


def test_int64_lies_at_a_multiple_of_eight() -> None:
    x = activation((1, 3, 5), 0.1)
    y = Tensor("y", (1, 3), "INT64")
    graph = one_op("ARG_MAX", [x, int32(-1)], y, output_type="INT64")
    planned = mi.plan(graph)
    assert all(planned.offsets[index] % 8 == 0 for index in graph.outputs)
    assert "_ARENA_ALIGNMENT 8\n" in mi.generate(graph, "wide", arena="caller")["wide.h"]
    # Of two that live at the same time the wide one goes first, or its place is rounded up.
    wide = Buffer((1,), 12, 0, 1, alignment=8)
    for beside in (20, 24):
        placed = place([Buffer((0,), beside, 0, 1), wide])
        assert [b.offset % b.alignment for b in placed] == [0, 0]
