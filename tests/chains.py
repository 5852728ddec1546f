"""A strategy for graphs of several layers, to see tensors share memory and come to their end.

What one operator computes is for ``strategies.py``. Here, what matters is which tensors live at
the same time: branches, a tensor used twice, outputs that are used further, results that nothing
reads, layers that may work in place. So the scales are such that values seldom saturate: a wrong
byte should still be visible some layers later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from hypothesis import strategies as st

from chain import Chain, Model
from chain_layers import (
    binary,
    concatenation,
    conv,
    fully_connected,
    mean,
    pad,
    pool,
    real,
    reshapes,
    transpose,
    unary,
)
from chain_layers_further import FURTHER, FURTHER_IMAGES, ONLY
from microinfer.graph import Graph, Tensor
from microinfer.tflite import read, write
from one_op import Array, Draw, Numbers, activation

SAMPLES = 3

Layer = Callable[[Chain, int], None]

# Twice what has most ways to share tensors.
LAYERS: tuple[Layer, ...] = (
    *(partial(unary, op=op) for op in ("RELU", "SOFTMAX", "LOGISTIC", "TANH", "RELU6")),
    *(partial(binary, op=op) for op in ("ADD", "SUB", "MUL") * 2),
    *(reshapes, reshapes, concatenation, concatenation, partial(unary, op="QUANTIZE")),
    *(real, mean, transpose, pad, fully_connected),
    *FURTHER,
)
IMAGE_LAYERS: tuple[Layer, ...] = (
    *(partial(pool, op=op) for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D") * 2),
    *(partial(conv, depthwise=depthwise) for depthwise in (False, True) * 2),
    *FURTHER_IMAGES,
)


@st.composite
def chains(draw: Draw, runtime: str) -> Model:
    """Graphs that ``runtime`` ("tflm", "litert") takes."""
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
    draw(st.integers(0, 2**32 - 1))  # which layers
    while len(c.nodes) < wanted:
        images = c.fitting(lambda tensor: len(tensor.shape) == 4)
        anywhere = (*LAYERS, *ONLY[runtime])
        layers = (*anywhere, *(IMAGE_LAYERS if images else ()))
        place = c.between(0, len(layers) - 1)  # of so many, Hypothesis would miss some for long
        layers[place](c, c.pick(images if place >= len(anywhere) else c.fitting(lambda _: True)))

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
    return n.values(tensor.shape, tensor.quantization.zero_point)[:SAMPLES]
