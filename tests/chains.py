"""A strategy for graphs of several layers, to see tensors share memory and come to their end.

What one operator computes is for ``strategies.py``. Here, what matters is which tensors live at
the same time: branches, a tensor used twice, outputs that are used further, results that nothing
reads, layers that may work in place. So the scales are such that values seldom saturate: a wrong
byte should still be visible some layers later.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from microinfer.graph import Graph, Node, Tensor
from microinfer.tflite import read, write
from microinfer.tflite.operators import OPERATORS
from microinfer.tflite.schema import defaults
from one_op import ACTIVATIONS, VERSIONS, Array, Draw, Numbers, activation, constant, int32
from strategies_layers import shapes

SAMPLES = 3
LARGE = 400  # elements: of more, nothing is made that would be larger still


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
        if tensor.data is None and tensor.type == "INT8":
            self.values.append(index)
        return index

    def input(self, tensor: Tensor) -> int:
        self.inputs.append(self.add(tensor))
        return self.inputs[-1]

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
        return self.draw(st.just(indices[0]) | st.sampled_from(indices))

    def zero_point(self) -> int:
        return int(self.draw(st.sampled_from((-1, -128, 0, 127)) | st.integers(-100, 100)))

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
        return str(self.draw(st.just("NONE") | st.sampled_from(ACTIVATIONS)))


# -- layers with weights and windows --------------------------------------------------------


def _stage(c: Chain, source: int, weights: Array, axis: int, biased: bool) -> list[int | Tensor]:
    """Inputs of a layer with ``weights``, whose outputs of scale 1/8 take most of int8."""
    channels = weights.shape[axis]
    columns = np.moveaxis(weights, axis, -1).reshape(-1, channels).astype(float)
    spread = 74 * max(float(np.sqrt((columns**2).sum(axis=0)).max()), 1.0)
    base = 60 / 8 / (c.scale(source) * spread)
    per_channel = c.draw(st.booleans())
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
    padding = c.draw(st.sampled_from(("SAME", "VALID")))
    same = c.draw(st.booleans())
    kernel, stride, dilation, output = [], [], [], []
    for extent in c.shape(source)[1:3]:
        largest = extent if padding == "VALID" else 3
        kernel.append(c.draw(st.integers(1, min(3, largest))))
        stride.append(1 if same else c.draw(st.integers(1, 3)))
        fits = padding == "SAME" or 2 * (kernel[-1] - 1) < extent
        dilation.append(c.draw(st.integers(1, 2)) if dilated and fits else 1)
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
        multiplier = c.draw(st.integers(1, 2)) if channels < 8 else 1
        made = channels * multiplier
        weights = c.n.rng.integers(-128, 128, (1, *kernel, made))
        options["depth_multiplier"] = multiplier
    else:
        made = c.draw(st.just(channels) | st.integers(1, 6))
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
    flat = c.draw(st.booleans())  # one row per batch, if that is what the first extent is
    depth = size // shape[0] if flat else shape[-1]
    units = c.draw(st.just(min(depth, 16)) | st.integers(1, 8))
    keep = not flat and c.draw(st.booleans())
    weights = c.n.rng.integers(-128, 128, (units, depth))
    c.layer(
        "FULLY_CONNECTED",
        _stage(c, source, weights, 0, c.draw(st.booleans())),
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
    axes = c.draw(st.sets(st.sampled_from(range(len(shape))), min_size=1, max_size=2))
    keep = c.draw(st.booleans()) or len(axes) == len(shape)
    kept = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    output = c.tensor(kept, c.scale(source) / 2) if c.draw(st.booleans()) else c.like(source, kept)
    c.layer("MEAN", [source, int32(sorted(axes))], output, keep_dims=keep)


# -- element by element ---------------------------------------------------------------------


def binary(c: Chain, source: int, op: str) -> None:
    """With a tensor that broadcasts, itself or a constant, on either side."""
    shape = c.shape(source)
    kind = c.draw(st.sampled_from(("tensor", "tensor", "itself", "constant")))
    other: int | Tensor = source
    if kind == "constant":
        own = tuple(1 if c.draw(st.booleans()) else extent for extent in shape)
        other = constant(c.n.int8(own)[0], c.n.scale(2.0**-6, 2.0), c.zero_point(), name="c")
        other = c.add(other)
    elif kind == "tensor":

        def broadcasts(tensor: Tensor) -> bool:
            pairs = zip(tensor.shape[::-1], shape[::-1], strict=False)
            return len(tensor.shape) <= len(shape) and all(a in (1, b) for a, b in pairs)

        candidates = [index for index in c.fitting(broadcasts) if index != source]
        other = c.pick(candidates) if candidates else source
    s1, s2 = c.scale(source), c.scale(other)
    scale = s1 * s2 * 60 if op == "MUL" else 1.3 * max(s1, s2)
    operands: list[int | Tensor] = [source, other]
    if c.draw(st.booleans()):
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
    for _ in range(c.draw(st.sampled_from((1, 0, 2)))):
        c.layer("QUANTIZE", [floats], c.tensor(shape, c.scale(source)))


# -- movement -------------------------------------------------------------------------------


def reshapes(c: Chain, source: int) -> None:
    """One to three in a row, which need no work where the source is not used any more."""
    for _ in range(c.draw(st.integers(1, 3))):
        shape = c.shape(source)
        ops = ["RESHAPE"]
        ops += ["SQUEEZE"] if 1 in shape and len(shape) > 1 else []
        ops += ["EXPAND_DIMS"] if len(shape) < 4 else []
        op = c.draw(st.sampled_from(ops))
        if op == "RESHAPE":
            left, extents = c.tensors[source].size, []
            for _ in range(c.draw(st.integers(0, 3))):
                divisors = [d for d in range(1, left + 1) if left % d == 0]
                extents.append(c.draw(st.sampled_from(divisors)))
                left //= extents[-1]
            new = (*extents, left)
            source = c.layer(op, [source, int32(new)], c.like(source, new), new_shape=new)
        elif op == "SQUEEZE":
            gone = c.draw(st.sampled_from([a for a, extent in enumerate(shape) if extent == 1]))
            new = (*shape[:gone], *shape[gone + 1 :])
            source = c.layer(op, [source], c.like(source, new), squeeze_dims=(gone,))
        else:
            axis = c.draw(st.integers(0, len(shape)))
            new = (*shape[:axis], 1, *shape[axis:])
            source = c.layer(op, [source, int32(axis)], c.like(source, new))


def pad(c: Chain, source: int) -> None:
    shape = c.shape(source)
    pads = [c.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in shape]
    if len(shape) == 4:
        pads[0] = (0, 0)
    padded = tuple(a + extent + b for extent, (a, b) in zip(shape, pads, strict=True))
    c.layer("PAD", [source, int32(pads)], c.like(source, padded))


def transpose(c: Chain, source: int) -> None:
    shape = c.shape(source)
    order = c.draw(st.permutations(range(len(shape))))
    output = c.like(source, tuple(shape[axis] for axis in order))
    c.layer("TRANSPOSE", [source, int32(order)], output)


def concatenation(c: Chain, source: int) -> None:
    """Of the source, constants, and tensors as they are or rescaled to its quantization."""
    shape, own = c.shape(source), c.tensors[source].quantization
    assert own is not None
    axis = len(shape) - 1 if len(shape) == 4 else c.draw(st.integers(0, len(shape) - 1))

    def joins(tensor: Tensor) -> bool:
        return len(tensor.shape) == len(shape) and all(
            a == b for k, (a, b) in enumerate(zip(tensor.shape, shape, strict=True)) if k != axis
        )

    parts = [source]
    for kind in c.draw(st.lists(st.sampled_from(("tensor", "itself", "constant")), max_size=2)):
        if kind == "constant":
            values = c.n.int8((*shape[:axis], c.draw(st.integers(1, 3)), *shape[axis + 1 :]))[0]
            parts.append(c.add(constant(values, own.scale, own.zero_point, name="c")))
            continue
        part = c.pick(c.fitting(joins)) if kind == "tensor" else source
        if c.tensors[part].quantization != own:
            part = c.layer("QUANTIZE", [part], c.like(source, c.shape(part)))
        parts.append(part)
    parts = list(c.draw(st.permutations(parts)))
    joined = sum(c.shape(part)[axis] for part in parts)
    output = c.like(source, (*shape[:axis], joined, *shape[axis + 1 :]))
    c.layer("CONCATENATION", [*parts], output, axis=axis)


# -- graphs ---------------------------------------------------------------------------------


def _any(tensor: Tensor) -> bool:
    return len(tensor.shape) <= 4


def _image(tensor: Tensor) -> bool:
    return len(tensor.shape) == 4


def _small(tensor: Tensor) -> bool:
    return len(tensor.shape) <= 4 and tensor.size < LARGE


# What a layer can start from, and what adds it.
LAYERS: tuple[tuple[Callable[[Tensor], bool], Callable[[Chain, int], None]], ...] = (
    *((_any, partial(unary, op=op)) for op in ("RELU", "RELU6", "SOFTMAX", "LOGISTIC", "TANH")),
    (_any, partial(unary, op="QUANTIZE")),
    *((_any, partial(binary, op=op)) for op in ("ADD", "SUB", "MUL")),
    (_any, reshapes),
    (_any, real),
    (_any, mean),
    (_any, transpose),
    (_small, pad),
    (_small, concatenation),
    (_any, fully_connected),
    *((_image, partial(pool, op=op)) for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D")),
    *((_image, partial(conv, depthwise=depthwise)) for depthwise in (False, True)),
)


@st.composite
def chains(draw: Draw) -> Model:
    c = Chain(Numbers(draw))
    draw = c.draw
    for _ in range(draw(st.integers(1, 3))):
        image = (draw(st.sampled_from((1, 1, 2))), *draw(shapes(3, 6)))
        if draw(st.integers(0, 4)) == 0:
            fed = c.input(activation(image, None, name="x"))
            c.layer("QUANTIZE", [fed], c.tensor(image))
        else:
            c.input(replace(c.tensor(image), name="x"))
    wanted = draw(st.integers(3, 12))
    while len(c.nodes) < wanted:
        layers = [(fits, layer) for fits, layer in LAYERS if c.fitting(fits)]
        place = draw(st.integers(0, len(layers) - 1))
        fits, layer = layers[place]
        layer(c, c.pick(c.fitting(fits)))

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
    return Model(read(data), data, tuple(_values(c, index) for index in c.inputs))


def _values(c: Chain, index: int) -> Array:
    tensor = c.tensors[index]
    if tensor.quantization is None:
        return c.n.rng.normal(0, 20, (SAMPLES, *tensor.shape)).astype(np.float32)
    return c.n.int8(tensor.shape, tensor.quantization.zero_point)[:SAMPLES]
