"""Weights and images in another order, and bytes of another type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fixedpoint import Int64Array
from .replay import Evidence, Hypothesis, Replay, Variant, changed, fed

Array = NDArray[Any]


def _weights(replay: Replay) -> Array | None:
    """The layer's weights as the file has them, or None."""
    if not replay.has_output_stage:
        return None
    found: Array | None = getattr(replay.source.params, "weights", None)
    return found


def _differs(array: Array, other: Array) -> bool:
    return not np.array_equal(array, other)


def _variants(replay: Replay, candidates: Iterator[tuple[Array, str]]) -> list[Variant]:
    weights = _weights(replay)
    if weights is None:
        return []
    return [
        Variant(changed(replay, weights=np.ascontiguousarray(wrong)), sentence)
        for wrong, sentence in candidates
        if _differs(wrong, weights)
    ]


def reordered(array: Array, order: tuple[int, ...]) -> tuple[Array, Array]:
    """What a reader finds that takes ``array``'s memory to be transposed by ``order``, and what one
    finds that takes memory so transposed as it is."""
    inverse = tuple(int(i) for i in np.argsort(order))
    shape = tuple(array.shape[i] for i in order)
    return (
        array.reshape(shape).transpose(inverse),
        np.ascontiguousarray(array.transpose(order)).reshape(array.shape),
    )


def _transposed(replay: Replay, evidence: Evidence) -> list[Variant]:
    weights = _weights(replay)
    if weights is None:
        return []

    def candidates() -> Iterator[tuple[Array, str]]:
        if weights.ndim == 2:
            read, stored = reordered(weights, (1, 0))
            yield stored, "the weights lie transposed, as [inputs, outputs]"
            yield read, "the weights are read transposed, as [inputs, outputs]"
            return
        height, width = weights.shape[1:3]
        if height == width:
            yield weights.transpose(0, 2, 1, 3), "height and width of the kernel are exchanged"
        else:
            read, stored = reordered(weights, (0, 2, 1, 3))
            yield read, "the kernel is read with height and width exchanged"
            yield stored, "the kernel lies with height and width exchanged"

    return _variants(replay, candidates())


# Orders of weights [O, H, W, I], of depthwise [1, H, W, O].
ORDERS = {
    "OIHW": (0, 3, 1, 2),
    "HWIO": (1, 2, 3, 0),
    "HWOI": (1, 2, 0, 3),
    "IHWO": (3, 1, 2, 0),
    "IOHW": (3, 0, 1, 2),
}
DEPTHWISE_ORDERS = {"OHW": (0, 3, 1, 2), "OWH": (0, 3, 2, 1), "WHO": (0, 2, 1, 3)}


def _oihw(replay: Replay, evidence: Evidence) -> list[Variant]:
    weights = _weights(replay)
    if weights is None or weights.ndim != 4:
        return []
    depthwise = replay.source.layer.node.op == "DEPTHWISE_CONV_2D"
    orders, own = (DEPTHWISE_ORDERS, "HWO") if depthwise else (ORDERS, "OHWI")

    def candidates() -> Iterator[tuple[Array, str]]:
        for name, order in orders.items():
            read, stored = reordered(weights, order)
            yield stored, f"the weights lie as {name}, and are read as {own}"
            yield read, f"the weights are read as {name}, and lie as {own}"

    return _variants(replay, candidates())


def _flipped(replay: Replay, evidence: Evidence) -> list[Variant]:
    weights = _weights(replay)
    if weights is None or weights.ndim != 4:
        return []

    def candidates() -> Iterator[tuple[Array, str]]:
        yield weights[:, ::-1, ::-1], "the kernel is flipped in height and width"
        yield weights[:, ::-1], "the kernel is flipped in height"
        yield weights[:, :, ::-1], "the kernel is flipped in width"

    return _variants(replay, candidates())


def _permuted(replay: Replay, evidence: Evidence) -> list[Variant]:
    found = _output_order(replay, evidence)
    weights = _weights(replay)
    if weights is None:
        return found
    output_axis = 3 if replay.source.layer.node.op == "DEPTHWISE_CONV_2D" else 0
    axes = {output_axis: "output"}
    if output_axis == 0:
        axes[weights.ndim - 1] = "input"

    def candidates() -> Iterator[tuple[Array, str]]:
        for axis, which in axes.items():
            yield np.flip(weights, axis), f"the weights' {which} channels are in reversed order"
            for step in (1, -1):
                yield np.roll(weights, step, axis), f"the weights' {which} channels are off by one"
            extent = weights.shape[axis]
            for groups in range(2, min(extent, 33)):
                if extent % groups:
                    continue
                order = np.arange(extent).reshape(groups, -1).T.reshape(-1)
                sentence = f"the weights' {which} channels are interleaved in {groups} groups"
                yield np.take(weights, order, axis), sentence

    found += _variants(replay, candidates())
    x = replay.source.operands[0]
    if x.ndim == 5 and 1 < x.shape[-1] <= 4:
        found.append(Variant(fed(replay, x[..., ::-1]), "the input's channels are reversed (BGR)"))
    return found


def _output_order(replay: Replay, evidence: Evidence) -> list[Variant]:
    """The one order of output channels, if there is one, that makes them what they should be."""
    if len(evidence.shape) < 2 or replay.after is not None:
        return []
    channels = evidence.shape[-1]
    observed = evidence.observed.reshape(-1, channels).T
    correct = evidence.correct.reshape(-1, channels).T
    places: dict[bytes, list[int]] = {}
    for channel in range(channels):
        places.setdefault(correct[channel].tobytes(), []).append(channel)
    order = []
    for channel in range(channels):
        own = places.get(observed[channel].tobytes())
        if not own:
            return []
        order.append(own.pop(0) if len(own) > 1 else own[0])
    if len({tuple(row) for row in correct.tolist()}) < 3 or len(set(order)) < channels:
        return []

    def after(values: Array) -> Array:
        rows = values.reshape(len(values), -1, channels)
        return rows[:, :, order].reshape(values.shape)

    moved = sum(i != own for i, own in enumerate(order))
    some = ", ".join(str(own) for own in order[:8]) + (", ..." if channels > 8 else "")
    sentence = f"{moved} of {channels} output channels are in another order: {some}"
    return [Variant(replace(replay, after=after), sentence)]


def _nchw(replay: Replay, evidence: Evidence) -> list[Variant]:
    found = []
    operands = replay.source.operands
    for place, x in enumerate(operands):
        if x.ndim != 5 or len(replay.source.state):
            continue
        which = "input" if len(operands) == 1 else f"input {place + 1}"
        for name, order in (("NCHW", (0, 1, 4, 2, 3)), ("NWHC", (0, 1, 3, 2, 4))):
            read, stored = reordered(x, order)
            for wrong, sentence in (
                (stored, f"the {which} lies as {name}, and is read as NHWC"),
                (read, f"the {which} is read as {name}, and lies as NHWC"),
            ):
                if _differs(wrong, x):
                    inputs = (
                        *operands[:place],
                        np.ascontiguousarray(wrong),
                        *operands[place + 1 :],
                    )
                    found.append(Variant(fed(replay, *inputs), sentence))
    return found + _flattened(replay)


def _flattened(replay: Replay) -> list[Variant]:
    """An image that was flattened before FULLY_CONNECTED, channels first."""
    source = replay.source
    graph, node = source.graph, source.layer.node
    if node.op != "FULLY_CONNECTED":
        return []
    makers = {index: maker for maker in graph.nodes for index in maker.outputs}
    maker = makers.get(node.inputs[0])
    shape = graph.tensors[node.inputs[0]].shape
    if maker is not None and maker.op in ("RESHAPE", "SQUEEZE"):
        shape = graph.tensors[maker.inputs[0]].shape
    x = source.operands[0]
    if len(shape) != 4 or int(np.prod(shape)) != x[0].size:
        return []
    image = x.reshape(len(x), *shape)
    read, stored = reordered(image, (0, 1, 4, 2, 3))
    return [
        Variant(fed(replay, np.ascontiguousarray(wrong).reshape(x.shape)), sentence)
        for wrong, sentence in (
            (stored, "the image was flattened as NCHW, and the weights expect NHWC"),
            (read, "the image was flattened as NHWC, and the weights are read as for NCHW"),
        )
        if _differs(wrong, image)
    ]


def _nchw_output(replay: Replay, evidence: Evidence) -> list[Variant]:
    shape = evidence.shape
    if len(shape) != 4 or replay.after is not None:
        return []
    found = []
    for name, order in (("NCHW", (0, 1, 4, 2, 3)), ("NWHC", (0, 1, 3, 2, 4))):
        for place, sentence in (
            (1, f"the output is written as {name}, and read as NHWC"),
            (0, f"the output is read as {name}"),
        ):

            def after(values: Array, place: int = place, order: Any = order) -> Array:
                image = values.reshape(len(values), *shape)
                return np.ascontiguousarray(reordered(image, order)[place]).reshape(values.shape)

            if _differs(after(evidence.correct), evidence.correct):
                found.append(Variant(replace(replay, after=after), sentence))
    return found


SIGN_BIT = np.int8(-128)


def _top_bit_flipped(values: Int64Array) -> Int64Array:
    """int8 values with their top bit flipped."""
    return (values ^ 128).astype(np.int8).astype(np.int64)


def _sign(replay: Replay, evidence: Evidence) -> list[Variant]:
    found = []
    operands = replay.source.operands
    for place, x in enumerate(operands):
        which = "input" if len(operands) == 1 else f"input {place + 1}"

        def others(wrong: Array, place: int = place) -> Replay:
            return fed(replay, *operands[:place], wrong, *operands[place + 1 :])

        if x.dtype == np.int8:
            found.append(
                Variant(
                    others(x ^ SIGN_BIT),
                    f"the {which} is uint8 and read as int8: every byte is off by 128",
                )
            )
        if x.dtype == np.int8 and replay.has_output_stage:
            wide = x.astype(np.int16) & 255
            found.append(
                Variant(others(wide), f"the {which}'s int8 bytes are read as 0..255, without sign")
            )
    weights = _weights(replay)
    if weights is not None and weights.dtype == np.int8:
        found.append(
            Variant(
                changed(replay, weights=weights ^ SIGN_BIT),
                "the weights are uint8 and read as int8: every byte is off by 128",
            )
        )
        found.append(
            Variant(
                changed(replay, weights=weights.astype(np.int16) & 255),
                "the weights' int8 bytes are read as 0..255, without sign",
            )
        )
    output = replay.source.graph.tensors[replay.source.layer.node.outputs[0]]
    alone = len(replay.source.layer.node.outputs) == 1 and not replay.source.state
    if output.type == "INT8" and alone and replay.after is None:
        sentence = "the output is written as uint8: every byte is off by 128"
        found.append(Variant(replace(replay, after=_top_bit_flipped), sentence))
    return found


WEIGHTS = (
    Hypothesis(
        "weights transposed",
        "weights",
        _transposed,
        "store weights as the file has them: [outputs, inputs], [outputs, height, width, inputs]",
    ),
    Hypothesis(
        "OIHW for OHWI",
        "weights",
        _oihw,
        "TFLite's weights are [outputs, height, width, inputs], of depthwise [1, height, width,"
        " outputs]; PyTorch's are [outputs, inputs, height, width]",
    ),
    Hypothesis(
        "kernel flipped",
        "weights",
        _flipped,
        "TFLite's convolution is a correlation: weight [0, 0] goes with the top left input",
    ),
    Hypothesis(
        "channels permuted",
        "weights",
        _permuted,
        "keep weights, biases, multipliers and outputs in one order of channels",
    ),
)
IMAGES = (
    Hypothesis(
        "NCHW for NHWC",
        "input",
        _nchw,
        "TFLite's images are [batches, height, width, channels]",
    ),
    Hypothesis(
        "NCHW output for NHWC",
        "output",
        _nchw_output,
        "TFLite's images are [batches, height, width, channels]",
    ),
    Hypothesis(
        "uint8 read as int8",
        "input",
        _sign,
        "flip the top bit (x ^ 0x80) where uint8 data meets int8, and declare int8_t, not char",
    ),
)
