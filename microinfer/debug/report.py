"""All that there is to say about a model on a set of samples, in one piece of plain data.

``microinfer report`` prints it as JSON or as a page; both show this and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike, NDArray

from ..batch import Batch, split_batch
from ..emit import Plan, plan
from ..graph import Graph, Node
from ..interpreter import Interpreter
from ..ops import results
from ..prepare import PreparedLayer
from ..targets import Target
from .accuracy import LayerAccuracy, accuracy
from .compare import Side, compare, first_difference, likely_causes
from .cost import LayerCost, layer_costs, measure
from .diff import LayerDiff
from .given import whole_batch
from .histogram import Histogram, of_output, of_weights
from .report_facts import BufferReport, Difference, LayerReport, ModelReport, OutputValues, Port
from .summary import sentences

Array = NDArray[Any]

# A stage of the work, in words, and the samples that it goes through, if it does; gives a function
# that is told how many are done.
Stage = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]

AT_ONCE = 1 << 22  # elements of all layers that are held at one time


def _silent(what: str, samples: int | None) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda done: None)


def report(
    graph: Graph,
    *inputs: Array,
    numerics: str = "tflm",
    file: str = "",
    float_model: Graph | None = None,
    labels: ArrayLike | None = None,
    against: tuple[str, Side] | None = None,
    target: Target | None = None,
    stage: Stage = _silent,
) -> ModelReport:
    """Run ``graph`` on samples and gather everything.

    ``inputs`` are as of ``Interpreter.run``, or real numbers as of ``accuracy``; samples of a model
    with state follow each other. ``float_model`` and ``labels`` are as of ``accuracy``;
    ``file`` is the model's name for people; ``against`` what to compare it with, after its name;
    ``stage`` is told what is done for how many samples. Traces of all samples are never held at a
    time. Raises UnsupportedModel, BadInput, and of ``target`` ToolchainError.
    """
    interpreter = Interpreter(graph, numerics)
    planned = plan(graph, numerics)
    given = split_batch(graph, inputs, reals=True)
    batch = whole_batch(graph, given)
    values = _run(interpreter, batch, stage)
    with stage("comparing with floats", batch.samples) as advance:
        error = accuracy(
            graph, given.arrays, float_model, labels, numerics=numerics, advance=advance
        )
    errors = {layer.index: layer for layer in error.layers}
    difference: Difference | None = None
    differences: dict[int, LayerDiff] = {}
    if against:
        difference, differences = _compared(Interpreter(graph, numerics), batch, *against, stage)
    measured, cost = None, None
    if target:
        with stage(f"running on {target.name}", None):
            measured, cost = measure(graph, target, numerics)
    costs = layer_costs(planned, measured)
    found = ModelReport(
        file=file,
        sha256=graph.sha256,
        numerics=planned.numerics.name,
        runtime=planned.numerics.runtime,
        samples=batch.samples,
        inputs=tuple(
            replace(_port(planned.graph, index), histogram=_counted(planned.graph, index, array))
            for index, array in zip(planned.graph.inputs, batch.arrays, strict=True)
        ),
        outputs=tuple(_port(planned.graph, index) for index in planned.graph.outputs),
        layers=tuple(
            _layer(
                planned,
                index,
                costs[index],
                values[index],
                errors.get(index),
                differences.get(index),
            )
            for index in range(len(planned.layers))
        ),
        accuracy=error,
        difference=difference,
        arena_bytes=planned.arena_bytes,
        state_bytes=planned.state_bytes,
        scratch_bytes=planned.scratch_bytes,
        constant_bytes=planned.constant_bytes,
        macs=planned.macs,
        buffers=tuple(_buffers(planned)),
        target=cost,
    )
    return replace(found, summary=tuple(sentences(found)))


def _run(interpreter: Interpreter, batch: Batch, stage: Stage) -> list[list[OutputValues]]:
    """The histograms of each layer's outputs."""
    values = [_values(interpreter.graph, layer) for layer in interpreter.layers]
    with stage("counting values", batch.samples) as advance:
        for arrays in _groups(interpreter.graph, batch):
            trace = interpreter.trace(*arrays)
            for output in (output for own in values for output in own):
                output.histogram.count(trace.tensor(output.tensor))
            advance(len(arrays[0]))
    return values


def _compared(
    interpreter: Interpreter, batch: Batch, name: str, side: Side, stage: Stage
) -> tuple[Difference, dict[int, LayerDiff]]:
    """The comparison with another side and its diagnosis; and each layer's part."""
    with stage(f"comparing with {name}", batch.samples) as advance:
        comparison = compare(interpreter, side, batch, advance)
    with stage("looking for the cause", None):
        first = first_difference(interpreter, comparison)
        causes = likely_causes(interpreter, comparison)
    report = comparison.report
    found = Difference(
        against=name,
        identical=report.identical,
        elements=report.elements,
        differing=report.differing,
        missing=tuple(layer.index for layer in report.missing),
        first=first,
        causes=tuple(causes),
    )
    return found, {layer.index: layer for layer in report.layers}


def _layer(
    planned: Plan,
    index: int,
    cost: LayerCost,
    values: list[OutputValues],
    error: LayerAccuracy | None,
    difference: LayerDiff | None,
) -> LayerReport:
    layer = planned.layers[index]
    node = layer.prepared.node
    output = planned.tensor(node.outputs[0]) if node.outputs else None
    return LayerReport(
        index=index,
        location=node.location,
        op=node.op,
        kernels=tuple(call.kernel.function for call in layer.calls),
        inputs=node.inputs,
        outputs=node.outputs,
        name=output.name if output else "",
        type=output.type if output else "",
        shape=output.shape if output else (),
        cost=cost,
        values=tuple(values),
        weights=tuple(of_weights(layer.prepared, planned.graph.tensors)),
        accuracy=error,
        difference=difference,
    )


def _groups(graph: Graph, batch: Batch) -> Iterator[list[Array]]:
    """The samples in groups whose traces fit into memory."""
    elements = sum(graph.tensors[index].size for node in graph.nodes for index in results(node))
    size = max(1, AT_ONCE // max(1, elements))
    for first in range(0, batch.samples, size):
        yield [array[first : first + size] for array in batch.arrays]


def _values(graph: Graph, layer: PreparedLayer) -> list[OutputValues]:
    """An empty histogram for each quantized output of a layer."""
    found = []
    for index in layer.node.outputs if layer.op.computes else ():
        tensor = graph.tensors[index]
        own, histogram = tensor.quantization, of_output(layer, tensor)
        if own is None or histogram is None:
            continue
        low, high = _ends(layer.node, histogram, own.zero_point)
        found.append(
            OutputValues(
                index, tensor.name, tensor.type, own.scale, own.zero_point, low, high, histogram
            )
        )
    return found


BOUNDED_ABOVE = ("RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "SOFTMAX", "LOGISTIC", "TANH")
BOUNDED_BELOW = ("RELU_N1_TO_1", "TANH", "LOGISTIC", "SOFTMAX")


def _ends(node: Node, histogram: Histogram, zero_point: int) -> tuple[str, str]:
    """What the ends of a layer's output are, as in OutputValues."""
    function = node.options.get("fused_activation_function", "NONE")
    functions = (node.op, function)
    low = "function" if any(name in BOUNDED_BELOW for name in functions) else "range"
    high = "function" if any(name in BOUNDED_ABOVE for name in functions) else "range"
    return "zero" if histogram.low == zero_point else low, high


def _counted(graph: Graph, index: int, array: Array) -> Histogram | None:
    """The histogram of a model input."""
    tensor = graph.tensors[index]
    if tensor.port_quantization is None:
        return None
    histogram = Histogram.of(tensor)
    for sample in array:
        histogram.count(sample)
    return histogram


def _port(graph: Graph, index: int) -> Port:
    tensor = graph.tensors[index]
    own = tensor.port_quantization
    return Port(
        index,
        tensor.name,
        tensor.type,
        tensor.shape,
        own.scale if own else None,
        own.zero_point if own else None,
    )


def _buffers(planned: Plan) -> Iterator[BufferReport]:
    """The arena's buffers, the lowest addresses first."""
    graph = planned.graph
    states = {state.index: state.tensor.name for state in planned.states}
    for buffer in sorted(planned.buffers, key=lambda own: (own.offset, own.first)):
        kind = "activation" if buffer.tensors else "scratch"
        for name, tensors in (
            ("output", graph.outputs),
            ("input", graph.inputs),
            ("state", states),
        ):
            if set(buffer.tensors) & set(tensors):
                kind = name
        yield BufferReport(
            kind,
            buffer.offset,
            buffer.nbytes,
            buffer.first,
            buffer.last,
            buffer.tensors,
            tuple(states.get(i) or planned.tensor(i).name for i in buffer.tensors),
        )
