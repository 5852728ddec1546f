"""What a model's answer is: classes or values, and the tensor at which to measure its error."""

from __future__ import annotations

from ..graph import Graph

_LAST = ("SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "ARG_MAX", "ARG_MIN")
_BEHIND = ("DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE")


def is_classes(graph: Graph) -> bool:
    """Whether the first output is one value per class: a vector of at least two values, and not
    of the input's shape, as an autoencoder's is."""
    output, source = (graph.tensors[own[0]] for own in (graph.outputs, graph.inputs))
    vector = bool(output.shape) and output.size == output.shape[-1]
    return vector and output.size > 1 and output.shape != source.shape


def judged_tensor(graph: Graph) -> int:
    """The first output; where it is a SOFTMAX's, a LOGISTIC's or an ARG_MAX's, what that reads.

    Behind the first two, a large error of a clear answer is a small one, and their own rounding,
    which nothing can help, hides the rest.
    """
    makers = {output: node for node in graph.nodes for output in node.outputs}
    index = graph.outputs[0]
    while index in makers and makers[index].op in _BEHIND:
        index = makers[index].inputs[0]
    if index in makers and makers[index].op in _LAST:
        source = makers[index].inputs[0]
        if source in makers:
            return source
    return graph.outputs[0]
