"""UNIDIRECTIONAL_SEQUENCE_LSTM: what is remembered, the order of the axes, limits."""

from __future__ import annotations

from typing import Any

import numpy as np

import recurrent
from microinfer.graph import Graph

from .case import RECORDED, Case

# Scales with which a weight of 1 adds its input as it is to a sum of scale 2^-12.
ONE = 2.0**-6
OPEN, SHUT = 32767, -32768  # biases of gates that let all through, or nothing


def unit(biases: tuple[int, int, int, int], weights: tuple[int, ...], **options: Any) -> Graph:
    """One unit with one input. ``biases`` and ``weights`` of the input, forget, cell and output
    gate: four weights of the input, four recurrent ones."""
    scales = [ONE] * 4 + [options.pop("recurrent_scale", ONE)] * 4
    own = [([[weight]], scale) for weight, scale in zip(weights, scales, strict=True)]
    hidden = options.pop("hidden", (ONE, 0))
    power = options.pop("power", -12)
    return recurrent.lstm((ONE, 0), own, np.array(biases)[:, None], hidden, power, **options)


def mixed(time_major: bool) -> Graph:
    """Two batches of three steps, two units, nothing round."""
    rng = np.random.default_rng(8)
    shapes = [(2, 3)] * 4 + [(2, 2)] * 4
    weights = [(rng.integers(-127, 128, shape), 0.011) for shape in shapes]
    biases = rng.integers(-3000, 3000, (4, 2))
    return recurrent.lstm((0.04, -7), weights, biases, (0.0079, 5), -11, 2, 3, time_major)


WAVE = np.rint(100 * np.sin(np.arange(36) * 0.7)).astype(int).reshape(2, 2, 3, 3)

CASES = (
    Case(
        "the_cell_adds_up",
        unit((OPEN, OPEN, 0, OPEN), (0, 0, 64, 0, 0, 0, 0, 0)),
        [[10, 10, 10, -30]],
        {
            "tflm": [10, 19, 28, 2],
            "litert": [10, 19, 28, 2],
        },
        "tanh of 640 / 4096 three times, and back",
        source=RECORDED,
        invocations=4,
    ),
    Case(
        "a_shut_forget_gate_forgets",
        unit((OPEN, SHUT, 0, OPEN), (0, 0, 64, 0, 0, 0, 0, 0)),
        [[100, 0, 0]],
        {
            "tflm": [46, 0, 0],
            "litert": [46, 0, 0],
        },
        "what was there is gone at the next invocation, but for what sigmoid(-8) leaves",
        source=RECORDED,
        invocations=3,
    ),
    Case(
        "the_hidden_state_feeds_back",
        unit((OPEN, SHUT, 0, OPEN), (0, 0, 64, 0, 0, 0, 127, 0), hidden=(2.0**-7, 3)),
        [[100, 0, 0]],
        {
            "tflm": [96, 94, 94],
            "litert": [96, 94, 94],
        },
        "what was heard once goes on in the hidden state, which counts from its zero point",
        source=RECORDED,
        invocations=3,
    ),
    Case(
        "the_cell_is_clipped",
        unit((OPEN, OPEN, OPEN, OPEN), (0,) * 8, cell_clip=1.5, hidden=(2.0**-7, 0)),
        [[0, 0, 0]],
        {
            "tflm": [97, 116, 116],
            "litert": [97, 116, 116],
        },
        "1, 1.5, 1.5 instead of 1, 2, 3",
        source=RECORDED,
        invocations=3,
    ),
    Case(
        "the_recurrent_term_is_limited_before_or_after_the_sum",
        unit(
            (OPEN, SHUT, -30000, OPEN), (0, 0, 0, 0, 0, 0, -127, 0), hidden=(2.0**-7, 0),
            recurrent_scale=0.25,
        ),
        [[0, 0, 0]],
        {
            "tflm": [-97, 68, -97],
            "litert": [-97, 97, -97],
        },
        "-30000 and a recurrent term beyond int16: TFLM cuts it at 32767 first, LiteRT does not",
        source=RECORDED,
        invocations=3,
    ),
    Case(
        "batches_then_steps",
        mixed(time_major=False),
        [WAVE],
        {
            "tflm": [
                5, 4, 42, -22, 10, 4, 5, 4, 40, -23, 11, 4,
                58, 4, 46, -19, 11, 3, 57, 3, 44, -20, 11, 3,
            ],
            "litert": [
                5, 4, 41, -22, 10, 4, 5, 4, 40, -23, 11, 4,
                58, 4, 46, -19, 11, 3, 57, 3, 44, -20, 11, 3,
            ],
        },
        "each batch has its own states, and the second invocation goes on where the first ended",
        source=RECORDED,
        invocations=2,
    ),
    Case(
        "steps_then_batches",
        mixed(time_major=True),
        [WAVE.transpose(0, 2, 1, 3)],
        {
            "tflm": [
                5, 4, 5, 4, 42, -22, 40, -23, 10, 4, 11, 4,
                58, 4, 57, 3, 46, -19, 44, -20, 11, 3, 11, 3,
            ],
            "litert": [
                5, 4, 5, 4, 41, -22, 40, -23, 10, 4, 11, 4,
                58, 4, 57, 3, 46, -19, 44, -20, 11, 3, 11, 3,
            ],
        },
        "the same with both axes exchanged",
        source=RECORDED,
        invocations=2,
    ),
)  # fmt: skip
