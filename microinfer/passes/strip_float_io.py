"""Strip float I/O: the integers behind a model's float32 inputs and outputs become its own.

A model that begins with QUANTIZE and ends with DEQUANTIZE takes and gives float32. Without these
layers the caller gives integers, q = round(real / scale) + zero_point, and reads them, real =
scale * (q - zero_point), or does better: sensors seldom give floats. The graph's ``rewrites``
say what is the caller's to do, and so do the command line and the generated header.

A float32 input that something else reads too, and a float32 output that no DEQUANTIZE makes, stay.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Node, Rewrite, Tensor
from .runnable import runnable

OPTION = "--strip-float-io"


def strip_float_io(graph: Graph) -> Graph:
    """``graph`` without QUANTIZE at its inputs and DEQUANTIZE at its outputs, where it has them."""
    graph = runnable(graph)
    renamed: dict[int, int] = {}  # float tensor to the integers that take its place
    gone: list[Node] = []
    notes: list[str] = []
    for position, index in enumerate(graph.inputs):
        node = _only_reader(graph, index)
        if node is None:
            continue
        gone.append(node)
        renamed[index] = node.outputs[0]
        notes.append(_note("Input", position, graph.tensors[index], graph.tensors[renamed[index]]))
    fed = set(renamed.values())
    for position, index in enumerate(graph.outputs):
        node = _maker(graph, index)
        if node is None or node.inputs[0] in fed:  # between the two, no layer would be left
            continue
        gone.append(node)
        renamed[index] = node.inputs[0]
        notes.append(_note("Output", position, graph.tensors[index], graph.tensors[renamed[index]]))
    if not renamed:
        return graph

    def new(index: int) -> int:
        return renamed.get(index, index)

    return replace(
        graph,
        nodes=tuple(node for node in graph.nodes if not any(node is other for other in gone)),
        inputs=tuple(map(new, graph.inputs)),
        outputs=tuple(map(new, graph.outputs)),
        signatures=tuple(
            replace(
                signature,
                inputs={name: new(index) for name, index in signature.inputs.items()},
                outputs={name: new(index) for name, index in signature.outputs.items()},
            )
            if signature.subgraph == 0
            else signature
            for signature in graph.signatures
        ),
        rewrites=(*graph.rewrites, Rewrite(OPTION, tuple(notes))),
    )


def _only_reader(graph: Graph, index: int) -> Node | None:
    """The QUANTIZE that alone reads a float32 input."""
    readers = [node for node in graph.nodes if index in node.inputs]
    if graph.tensors[index].type != "FLOAT32" or index in graph.outputs or len(readers) != 1:
        return None
    (node,) = readers
    fits = node.op == "QUANTIZE" and _integers(graph, node.outputs)
    return node if fits and node.outputs[0] not in graph.outputs else None


def _maker(graph: Graph, index: int) -> Node | None:
    """The DEQUANTIZE of computed integers that makes a float32 output which nothing else reads."""
    makers = [node for node in graph.nodes if index in node.outputs]
    if graph.tensors[index].type != "FLOAT32" or len(makers) != 1:
        return None
    (node,) = makers
    fits = node.op == "DEQUANTIZE" and _integers(graph, node.inputs)
    computed = {i for other in graph.nodes for i in other.outputs}
    read = any(index in other.inputs for other in graph.nodes)
    return node if fits and node.inputs[0] in computed and not read else None


def _integers(graph: Graph, indices: tuple[int, ...]) -> bool:
    """Whether there is one tensor, of integers with one scale."""
    if len(indices) != 1:
        return False
    own = graph.tensors[indices[0]]
    return own.dtype.kind in "iu" and own.quantization is not None and own.size > 0


def _note(kind: str, position: int, real: Tensor, own: Tensor) -> str:
    assert own.quantization is not None
    scale, zero_point = own.quantization.scale, own.quantization.zero_point
    sign = "-" if zero_point >= 0 else "+"
    formula = f"real = {scale:.9g} * (q {sign} {abs(zero_point)})"
    if kind == "Input":
        sign = "-" if zero_point < 0 else "+"
        formula = f"q = round(real / {scale:.9g}) {sign} {abs(zero_point)}, saturated"
    name = real.name if len(real.name) <= 60 else f"{real.name[:57]}..."
    was = f'{kind} {position}, "{name}", was float32 and is {own.dtype} now'
    return f"{was}: {formula}"
