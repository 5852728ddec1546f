"""Strategies of what remembers: a model's samples are consecutive invocations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st

import recurrent
from one_op import Draw, Numbers, OneOp

SMALL = st.integers(1, 5)


def _f32(value: float) -> float:
    return float(np.float32(value))


def _samples(n: Numbers, graph_input: tuple[int, ...], zero_point: int) -> np.ndarray:
    """Eight invocations: each kind of ``Numbers.values`` twice, in any order."""
    twice = np.concatenate([n.values(graph_input, zero_point) for _ in range(2)])
    return twice[n.rng.permutation(len(twice))]


def _weights(n: Numbers, *shape: int) -> np.ndarray:
    """int8 weights: any, few different, or one value everywhere."""
    kind = n.rng.integers(3)
    if kind == 0:
        return n.rng.integers(-127, 128, shape)
    if kind == 1:
        return n.rng.choice([-127, 0, 1, 127], shape)
    return np.full(shape, n.rng.integers(-127, 128))


@st.composite
def svdf(draw: Draw, type: str) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    rank, units, size, memory, batches = (draw(SMALL) for _ in range(5))
    filters, batches = rank * units, min(batches, 2)
    limit = 127 if type == "INT8" else 32767
    zero_point = n.zero_point() if type == "INT8" else 0
    x = (n.scale(2.0**-8, 1.0), n.zero_point())
    feature = (_weights(n, filters, size), n.scale(2.0**-10, 2.0**-4))
    # The state's scale so that a typical feature uses a part of its range, or too much of it.
    part = float(draw(st.sampled_from((0.05, 0.3, 1.0, 5.0))))
    state = _f32(x[0] * feature[1] * 127 * 60 * np.sqrt(size) / (limit * part))
    time = (n.rng.integers(-limit, limit + 1, (filters, memory)), n.scale(2.0**-14, 2.0**-4))
    output = _f32(state * limit * part * time[1] * limit / (200 * n.rng.uniform(0.3, 3)))
    bias = None
    if type == "INT8" or draw(st.booleans()):
        bias = n.rng.integers(-(limit**2), limit**2 + 1, units)
    # TFLM compares the bias's scale with an absolute 1e-5: they are equal.
    graph = recurrent.svdf(
        x, feature, time, (state, zero_point), (output, n.zero_point()),
        bias if bias is not None else np.zeros(units, np.int32), rank, batches, type,
    )  # fmt: skip
    return OneOp(graph, (_samples(n, (batches, size), x[1]),))


@st.composite
def svdf_without_bias(draw: Draw) -> OneOp:
    n = Numbers(draw)
    size, memory = n.draw(SMALL), n.draw(SMALL)
    weights = (_weights(n, 2, size), n.scale(2.0**-10, 2.0**-4))
    time = (n.rng.integers(-99, 100, (2, memory)), n.scale(2.0**-14, 2.0**-4))
    graph = recurrent.svdf((0.1, n.zero_point()), weights, time, (0.001, 0), (0.01, 3))
    return OneOp(graph, (_samples(n, (1, size), 0),))


@st.composite
def lstm(draw: Draw) -> OneOp:
    n = Numbers(draw)
    draw = n.draw
    size, units, steps, batches = (draw(SMALL) for _ in range(4))
    batches, time_major = min(batches, 3), draw(st.booleans())
    x = (n.scale(2.0**-8, 2.0**-2), n.zero_point())
    hidden = (_f32(n.rng.uniform(0.2, 1.5) / 128), n.zero_point())
    # From sums of a few steps of 2^-12 to sums far beyond int16.
    wide = draw(st.sampled_from((2.0**-12, 2.0**-8, 2.0**-5, 2.0**-2)))
    shapes = [(units, size)] * 4 + [(units, units)] * 4
    weights = [(_weights(n, *shape), _f32(wide * n.rng.uniform(0.5, 2))) for shape in shapes]
    reach = draw(st.sampled_from((10, 1000, 100_000)))
    biases = n.rng.integers(-reach, reach + 1, (4, units))
    power = draw(st.integers(-15, -9))
    clip = draw(st.sampled_from((0.0, 0.0, 0.25, 1.3, 10.0, 100.0)))
    graph = recurrent.lstm(
        x, weights, biases, hidden, power, batches, steps, time_major, cell_clip=clip
    )
    rows = (steps, batches) if time_major else (batches, steps)
    return OneOp(graph, (_samples(n, (*rows, size), x[1]),))


@st.composite
def queue(draw: Draw, begun: bool) -> OneOp:
    type = draw(st.sampled_from(("INT8", "INT16")))
    n = Numbers(draw, type)
    length, news = n.draw(SMALL), n.draw(SMALL)
    own = (n.scale(), n.zero_point())
    first = n.values((length,), own[1])[0] if begun else None
    graph = recurrent.queue(length, news, own, type, first, n.draw(st.integers(1, 2)))
    return OneOp(graph, (_samples(n, (1, news), own[1]),))


STATE: Mapping[str, st.SearchStrategy[OneOp]] = {
    "ASSIGN_VARIABLE": queue(begun=False),
    "CALL_ONCE": queue(begun=True),
    "SVDF": svdf("INT16"),
    "SVDF with an int8 state": svdf("INT8"),
    "SVDF without bias": svdf_without_bias(),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm(),
}
