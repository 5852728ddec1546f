"""A strategy for graphs of several layers, to see tensors share memory and come to their end.

What one operator computes is for ``strategies.py``. Here, what matters is which tensors live at
the same time: branches, a tensor used twice, outputs that are used further, results that nothing
reads, layers that may work in place. So the scales are such that values seldom saturate: a wrong
byte should still be visible some layers later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Graph, Node, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import ACTIVATIONS, VERSIONS, Array, Draw, Numbers, activation, constant, int32

T = TypeVar("T")

SAMPLES = 3
LARGE = 450  # elements: of as many, nothing further is made


@dataclass(frozen=True, repr=False)
class Model:
    """A graph, its .tflite bytes, and arrays [samples, *shape] for its inputs."""

    graph: Graph
    data: bytes
    inputs: tuple[Array, ...]

    def __repr__(self) -> str:
        tensors = self.graph.tensors

        def text(index: int) -> str:
            tensor = tensors[index]
            return f"{tensor.name} {tensor.type}{list(tensor.shape)}"

        lines = [f"inputs {', '.join(map(text, self.graph.inputs))}"]
        for node in self.graph.nodes:
            operands = ", ".join(tensors[index].name for index in node.inputs if index >= 0)
            lines.append(f"{text(node.outputs[0])} = {node.op}({operands}) {dict(node.options)}")
        lines.append(f"outputs {', '.join(tensors[index].name for index in self.graph.outputs)}")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class Chain:
    """A graph that grows layer by layer; tensors are named by their index."""

    def __init__(self, numbers: Numbers) -> None:
        self.n = numbers
        self.draw = numbers.draw
        self.tensors: list[Tensor] = []
        self.nodes: list[Node] = []
        self.inputs: list[int] = []
        self.values: list[int] = []  # the int8 tensors that a layer can take

    def add(self, tensor: Tensor) -> int:
        index = len(self.tensors)
        self.tensors.append(replace(tensor, name=f"{tensor.name}{index}"))
        if tensor.data is None and tensor.type == "INT8" and tensor.size < LARGE:
            self.values.append(index)
        return index

    def layer(self, op: str, inputs: list[int | Tensor], output: Tensor, **options: Any) -> int:
        """Add a node; operands that are not yet in the graph are constants."""
        indices = tuple(self.add(t) if isinstance(t, Tensor) else t for t in inputs)
        kind = OPERATORS[op]
        known = {**(defaults(kind) if kind else {}), **options}
        made = self.add(output)
        location = len(self.nodes)
        self.nodes.append(Node(op, indices, (made,), known, location, VERSIONS.get(op, 1)))
        return made

    def fitting(self, fits: Callable[[Tensor], bool]) -> list[int]:
        """The tensors that fit, newest first."""
        return [index for index in reversed(self.values) if fits(self.tensors[index])]

    def pick(self, indices: list[int]) -> int:
        """Half of the time the newest, else any."""
        return int(self.draw(st.just(indices[0]) | st.sampled_from(indices)))

    # Details are not worth Hypothesis' attention, which would repeat many of them.

    def one_of(self, options: Sequence[T]) -> T:
        return options[int(self.n.rng.integers(len(options)))]

    def flip(self) -> bool:
        return self.one_of((False, True))

    def between(self, low: int, high: int) -> int:
        return int(self.n.rng.integers(low, high + 1))

    def zero_point(self) -> int:
        return self.one_of((-128, 0, *(self.between(-70, 40) for _ in range(6))))

    def tensor(self, shape: tuple[int, ...], scale: float | None = None) -> Tensor:
        own = self.n.scale(2.0**-6, 2.0) if scale is None else self.n.near(scale)
        return activation(shape, min(max(own, 2.0**-8), 8.0), self.zero_point(), "t")

    def like(self, index: int, shape: tuple[int, ...]) -> Tensor:
        return Tensor("t", shape, "INT8", self.tensors[index].quantization)

    def shape(self, index: int) -> tuple[int, ...]:
        return self.tensors[index].shape

    def scale(self, index: int) -> float:
        own = self.tensors[index].quantization
        assert own is not None
        return own.scale

    def fused(self) -> str:
        return self.one_of(("NONE", "NONE", "NONE", *ACTIVATIONS))


# -- layers with weights and windows --------------------------------------------------------


def _stage(c: Chain, source: int, weights: Array, axis: int, biased: bool) -> list[int | Tensor]:
    """Inputs of a layer with ``weights``, whose outputs of scale 1/8 take most of int8."""
    channels = weights.shape[axis]
    columns = np.moveaxis(weights, axis, -1).reshape(-1, channels).astype(float)
    spread = 74 * max(float(np.sqrt((columns**2).sum(axis=0)).max()), 1.0)
    base = 60 / 8 / (c.scale(source) * spread)
    per_channel = c.flip()
    scales = np.array([c.n.near(base) for _ in range(channels if per_channel else 1)])
    operands: list[int | Tensor] = [
        source,
        constant(weights.astype(np.int8), scales, axis=axis if per_channel else 0, name="w"),
    ]
    if biased:
        bias = np.rint(c.n.rng.uniform(-spread, spread, channels))
        operands.append(int32(bias, np.float32(c.scale(source)) * scales.astype(np.float32), "b"))
    return operands


def _window(c: Chain, source: int, dilated: bool) -> tuple[dict[str, Any], list[int], list[int]]:
    """Options, and kernel and output extents; half of the time the output is as large."""
    same = c.flip()
    padding = "SAME" if same else c.one_of(("SAME", "VALID"))
    kernel, stride, dilation, output = [], [], [], []
    for extent in c.shape(source)[1:3]:
        largest = extent if padding == "VALID" else 3
        kernel.append(c.between(1, min(3, largest)))
        stride.append(1 if same else c.between(1, 3))
        fits = padding == "SAME" or 2 * (kernel[-1] - 1) < extent
        dilation.append(c.between(1, 2) if dilated and fits else 1)
        window = (kernel[-1] - 1) * dilation[-1] + 1
        covered = extent - window + 1 if padding == "VALID" else extent
        output.append(math.ceil(covered / stride[-1]))
    options = dict(zip(("stride_h", "stride_w"), stride, strict=True), padding=padding)
    if dilated:
        options |= zip(("dilation_h_factor", "dilation_w_factor"), dilation, strict=True)
    return options, kernel, output


def conv(c: Chain, source: int, depthwise: bool) -> None:
    options, kernel, output = _window(c, source, dilated=True)
    batches, *_, channels = c.shape(source)
    if depthwise:
        multiplier = c.between(1, 2) if channels < 8 else 1
        made = channels * multiplier
        weights = c.n.rng.integers(-128, 128, (1, *kernel, made))
        options["depth_multiplier"] = multiplier
    else:
        made = c.one_of((channels, c.between(1, 6)))
        weights = c.n.rng.integers(-128, 128, (made, *kernel, channels))
    c.layer(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        _stage(c, source, weights, 3 if depthwise else 0, biased=True),
        c.tensor((batches, *output, made), 1 / 8),
        fused_activation_function=c.fused(),
        **options,
    )


def fully_connected(c: Chain, source: int) -> None:
    shape, size = c.shape(source), c.tensors[source].size
    flat = c.flip()  # one row per batch, if that is what the first extent is
    depth = size // shape[0] if flat else shape[-1]
    units = c.one_of((min(depth, 16), c.between(1, 8)))
    keep = not flat and c.flip()
    weights = c.n.rng.integers(-128, 128, (units, depth))
    c.layer(
        "FULLY_CONNECTED",
        _stage(c, source, weights, 0, c.flip()),
        c.tensor((*shape[:-1], units) if keep else (size // depth, units), 1 / 8),
        keep_num_dims=keep,
        fused_activation_function=c.fused(),
    )


def pool(c: Chain, source: int, op: str) -> None:
    options, kernel, output = _window(c, source, dilated=False)
    batches, *_, channels = c.shape(source)
    c.layer(
        op,
        [source],
        c.like(source, (batches, *output, channels)),
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=c.fused(),
        **options,
    )


def mean(c: Chain, source: int) -> None:
    shape = c.shape(source)
    axes = {c.between(0, len(shape) - 1) for _ in range(2)}
    keep = c.flip() or len(axes) == len(shape)
    kept = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    output = c.tensor(kept, c.scale(source) / 2) if c.flip() else c.like(source, kept)
    c.layer("MEAN", [source, int32(sorted(axes))], output, keep_dims=keep)


# -- element by element ---------------------------------------------------------------------


def binary(c: Chain, source: int, op: str) -> None:
    """With a tensor that broadcasts, itself or a constant, on either side."""
    shape = c.shape(source)
    kind = c.one_of(("tensor", "tensor", "itself", "constant"))
    other = source
    if kind == "constant":
        own = tuple(1 if c.flip() else extent for extent in shape)
        values = c.n.int8(own)[0]
        other = c.add(constant(values, c.n.scale(2.0**-6, 2.0), c.zero_point()))
    elif kind == "tensor":

        def broadcasts(tensor: Tensor) -> bool:
            pairs = zip(tensor.shape[::-1], shape[::-1], strict=False)
            return len(tensor.shape) <= len(shape) and all(a in (1, b) for a, b in pairs)

        candidates = [index for index in c.fitting(broadcasts) if index != source]
        other = c.pick(candidates) if candidates else source
    s1, s2 = c.scale(source), c.scale(other)
    scale = s1 * s2 * 60 if op == "MUL" else 1.3 * max(s1, s2)
    operands: list[int | Tensor] = [source, other]
    if c.flip():
        operands.reverse()
    c.layer(op, operands, c.tensor(shape, scale), fused_activation_function=c.fused())


def unary(c: Chain, source: int, op: str) -> None:
    shape = c.shape(source)
    if op in ("SOFTMAX", "LOGISTIC"):
        output = activation(shape, 1 / 256, -128, "t")
    elif op == "TANH":
        output = activation(shape, 1 / 128, 0, "t")
    else:
        output = c.tensor(shape, c.scale(source))
    c.layer(op, [source], output, **({"beta": 1.0} if op == "SOFTMAX" else {}))


def real(c: Chain, source: int) -> None:
    """Through float32 and, mostly, back."""
    shape = c.shape(source)
    floats = c.layer("DEQUANTIZE", [source], activation(shape, None, name="f"))
    for _ in range(c.one_of((1, 0, 2))):
        c.layer("QUANTIZE", [floats], c.tensor(shape, c.scale(source)))


# -- movement -------------------------------------------------------------------------------


def _factors(c: Chain, size: int) -> tuple[int, ...]:
    extents = []
    for _ in range(c.between(0, 3)):
        extents.append(c.one_of([d for d in range(1, size + 1) if size % d == 0]))
        size //= extents[-1]
    return (*extents, size)


def reshapes(c: Chain, source: int) -> None:
    """One to three in a row, which need no work where the source is not used any more."""
    for _ in range(c.between(1, 3)):
        shape = c.shape(source)
        ops = ["RESHAPE"]
        ops += ["SQUEEZE"] if 1 in shape and len(shape) > 1 else []
        ops += ["EXPAND_DIMS"] if len(shape) < 4 else []
        op = c.one_of(ops)
        place = c.between(0, len(shape))
        operands, options = [], dict[str, Any]()
        if op == "EXPAND_DIMS":
            operands, new = [int32(place)], (*shape[:place], 1, *shape[place:])
        elif op == "SQUEEZE":
            gone = shape.index(1)
            new, options = (*shape[:gone], *shape[gone + 1 :]), {"squeeze_dims": (gone,)}
        else:
            new = _factors(c, c.tensors[source].size)
            operands, options = [int32(new)], {"new_shape": new}
        source = c.layer(op, [source, *operands], c.like(source, new), **options)


def pad(c: Chain, source: int) -> None:
    shape = c.shape(source)
    pads = [(c.between(0, 2), c.between(0, 2)) for _ in shape]
    padded = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    c.layer("PAD", [source, int32(pads)], c.like(source, padded))


def transpose(c: Chain, source: int) -> None:
    order = c.n.rng.permutation(len(c.shape(source))).tolist()
    output = c.like(source, tuple(c.shape(source)[axis] for axis in order))
    c.layer("TRANSPOSE", [source, int32(order)], output)


def concatenation(c: Chain, source: int) -> None:
    """Of the source, constants, and tensors as they are or rescaled to its quantization."""
    shape, own = c.shape(source), c.tensors[source].quantization
    assert own is not None
    axis = c.between(0, len(shape) - 1)

    def joins(tensor: Tensor) -> bool:
        return len(tensor.shape) == len(shape) and all(
            a == b for k, (a, b) in enumerate(zip(tensor.shape, shape, strict=True)) if k != axis
        )

    parts = [source]
    for _ in range(c.between(0, 2)):
        kind = c.one_of(("tensor", "itself", "constant"))
        if kind == "constant":
            values = c.n.int8((*shape[:axis], c.between(1, 3), *shape[axis + 1 :]))[0]
            parts.append(c.add(constant(values, own.scale, own.zero_point, name="c")))
            continue
        part = c.pick(c.fitting(joins)) if kind == "tensor" else source
        if c.tensors[part].quantization != own:
            part = c.layer("QUANTIZE", [part], c.like(source, c.shape(part)))
        parts.append(part)
    parts = [int(part) for part in c.n.rng.permutation(parts)]
    joined = sum(c.shape(part)[axis] for part in parts)
    output = c.like(source, (*shape[:axis], joined, *shape[axis + 1 :]))
    c.layer("CONCATENATION", [*parts], output, axis=axis)


Layer = Callable[[Chain, int], None]

# Twice what has most ways to share tensors.
LAYERS: tuple[Layer, ...] = (
    *(partial(unary, op=op) for op in ("RELU", "SOFTMAX", "LOGISTIC", "TANH", "RELU6")),
    *(partial(binary, op=op) for op in ("ADD", "SUB", "MUL") * 2),
    *(reshapes, reshapes, concatenation, concatenation, partial(unary, op="QUANTIZE")),
    *(real, mean, transpose, pad, fully_connected),
)
IMAGE_LAYERS: tuple[Layer, ...] = (
    *(partial(pool, op=op) for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D") * 2),
    *(partial(conv, depthwise=depthwise) for depthwise in (False, True) * 2),
)


@st.composite
def chains(draw: Draw) -> Model:
    c = Chain(Numbers(draw))
    draw = c.draw
    for _ in range(draw(st.integers(1, 3))):
        image = (draw(st.sampled_from((1, 1, 2))), *(c.between(1, 6) for _ in range(3)))
        if draw(st.integers(0, 4)) == 0:
            c.inputs.append(c.add(activation(image, None)))
            c.layer("QUANTIZE", [c.inputs[-1]], c.tensor(image))
        else:
            c.inputs.append(c.add(replace(c.tensor(image), name="x")))
    wanted = draw(st.integers(3, 12))
    while len(c.nodes) < wanted:
        images = c.fitting(lambda tensor: len(tensor.shape) == 4)
        layers = (*LAYERS, *(IMAGE_LAYERS if images else ()))
        place = draw(st.integers(0, len(layers) - 1))
        layers[place](c, c.pick(images if place >= len(LAYERS) else c.fitting(lambda _: True)))

    computed = [index for node in c.nodes for index in node.outputs]
    used = {index for node in c.nodes for index in node.inputs}
    ends = [index for index in computed[:-1] if index not in used]
    shown = draw(st.sets(st.sampled_from(computed), max_size=3))
    shown |= {
        computed[-1],
        *(index for index in ends if draw(st.sampled_from((True, True, False)))),
    }
    outputs = draw(st.permutations(sorted(shown)))
    graph = Graph(tuple(c.tensors), tuple(c.nodes), tuple(c.inputs), tuple(outputs), name="chain")
    data = write(graph)
    return Model(read(data), data, tuple(_values(c.n, c.tensors[i]) for i in c.inputs))


def _values(n: Numbers, tensor: Tensor) -> Array:
    if tensor.quantization is None:
        return n.rng.normal(0, 20, (SAMPLES, *tensor.shape)).astype(np.float32)
    return n.int8(tensor.shape, tensor.quantization.zero_point)[:SAMPLES]
