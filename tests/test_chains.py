"""Graphs of several layers give TFLM's bits and LiteRT's, in NumPy and in C.

What a model of one operator cannot show: a tensor that is dropped or overwritten while a later
layer or the caller still needs it.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microinfer as mi
from chains import Model, chains
from compared import Compared
from microinfer.ops import OPS
from oracles import ORACLES, differing

EXAMPLES = 300 if os.environ.get("MICROINFER_FULL") == "1" else 30


@pytest.mark.parametrize("numerics", ORACLES)
def test_every_tensor_equals_the_runtime_and_the_c(numerics: str, compared: Compared) -> None:
    graphs = elements = wrong = 0

    @settings(max_examples=EXAMPLES)
    @given(chains(numerics))
    def check(model: Model) -> None:
        nonlocal graphs, elements, wrong
        theirs = ORACLES[numerics](model.data, *model.inputs)
        interpreter = mi.Interpreter(model.graph, numerics)
        trace = interpreter.trace(*model.inputs)
        counts = {
            f"{node.op} {index}": differing(trace.tensor(index), theirs[index])
            for node in model.graph.nodes
            for index in node.outputs
        }
        graphs, wrong = graphs + 1, wrong + sum(counts.values())
        elements += sum(array.size for array in theirs.values())
        assert not any(counts.values()), counts

        native = mi.compile(model.graph, numerics, flags=["-O1"])
        mi.diff(trace, native.trace(*model.inputs)).assert_identical()
        for outputs in (interpreter.run(*model.inputs), native.run(*model.inputs)):
            for index, output in zip(model.graph.outputs, outputs, strict=True):
                assert differing(output, trace.tensor(index)) == 0, index

    try:
        check()
    finally:
        compared("chains", numerics, f"{graphs} graphs", elements, wrong)


# Some inputs stop the runtimes or are undefined, and EXP leaves int8 at once.
LEFT_OUT = {"DIV", "EXP", "FILL", "LOG", "RSQRT", "SQRT"}
# They remember: tests/test_state.py has chains of them.
LEFT_OUT |= {"ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE"}
LEFT_OUT |= {"SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"}


def _features(model: Model) -> set[str]:
    """What a graph has of what the graphs are there for."""
    graph = model.graph
    uses = Counter(index for node in graph.nodes for index in node.inputs)
    found = {node.op for node in graph.nodes}
    found |= {"several inputs"} if len(graph.inputs) > 1 else set()
    found |= {"several outputs"} if len(graph.outputs) > 1 else set()
    found |= {"an output used further"} if any(uses[index] for index in graph.outputs) else set()
    found |= {"batch 2"} if graph.tensors[graph.inputs[0]].shape[0] == 2 else set()
    for index in (index for node in graph.nodes for index in node.outputs):
        found |= {"used twice"} if uses[index] > 1 else set()
        found |= {"a dead end"} if not uses[index] and index not in graph.outputs else set()
    for node in graph.nodes:
        if node.op in ("ADD", "SUB", "MUL", "CONCATENATION"):
            constants = [graph.tensors[index].data is not None for index in node.inputs]
            found |= {f"{node.op}, constant first"} if constants[0] else set()
            found |= {f"{node.op}, constant last"} if constants[-1] else set()
            found |= {f"{node.op} of itself"} if len({*node.inputs}) < len(constants) else set()
    return found


def test_the_graphs_are_what_they_are_meant_to_be() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=400)
    @given(st.sampled_from(("tflm", "litert")).flatmap(chains))
    def look(model: Model) -> None:
        seen.update(_features(model))
        assert len(model.graph.nodes) >= 3

    look()
    expected = {*OPS} - LEFT_OUT
    expected |= {"several inputs", "several outputs", "an output used further"}
    expected |= {"batch 2", "used twice", "a dead end"}
    for op in ("ADD", "SUB", "MUL", "CONCATENATION"):
        expected |= {f"{op}, constant first", f"{op}, constant last", f"{op} of itself"}
    assert expected <= {*seen}, expected - {*seen}
