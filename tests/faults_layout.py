"""Faults of weights, images, windows and memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from faults import (
    CONVOLUTIONS,
    WEIGHTED,
    Array,
    Edit,
    Fault,
    Files,
    Site,
    around_call,
    array,
    data_of,
    field,
    integer,
    on_copy,
    with_array,
    with_field,
)

# -- weights and images ---------------------------------------------------------------------


def wrong_weights(wrong: Callable[[Array], Array]) -> Edit:
    """``wrong`` gets the weights in the file's shape, and gives what then lies in memory."""

    def edit(files: Files, site: Site) -> Files | None:
        values = array(files, site, "weights")
        if values is None or values.size != np.prod(site.shape(1)):
            return None
        shaped = values.reshape(site.shape(1))
        changed = wrong(shaped)
        return with_array(files, site, "weights", np.ascontiguousarray(changed).reshape(-1))

    return edit


def _square_transposed(weights: Array) -> Array:
    return weights.transpose(0, 2, 1, 3)


_NCHW = (
    "for (int c = 0; c < {c}; c++) for (int i = 0; i < {hw}; i++) {{"
    " copy[c * {hw} + i] = IN[i * {c} + c]; }}"
)


def _nchw_input(files: Files, site: Site) -> Files | None:
    shape = site.graph.tensors[data_of(site)].shape
    if len(shape) != 4 or shape[3] == 1 or shape[1] * shape[2] == 1:
        return None
    loop = _NCHW.format(c=shape[3], hw=shape[1] * shape[2])
    return on_copy(loop)(files, site)


def _flattened(files: Files, site: Site) -> Files | None:
    """A FULLY_CONNECTED on an image whose channels come first."""
    makers = {index: node for node in site.graph.nodes for index in node.outputs}
    maker = makers.get(site.graph.nodes[site.layer].inputs[0])
    if maker is None or maker.op != "RESHAPE":
        return None
    shape = site.graph.tensors[maker.inputs[0]].shape
    if len(shape) != 4 or shape[3] == 1 or shape[1] * shape[2] == 1:
        return None
    return on_copy(_NCHW.format(c=shape[3], hw=shape[1] * shape[2]))(files, site)


def _nchw_output(files: Files, site: Site) -> Files | None:
    shape = site.shape(None)
    if len(shape) != 4 or shape[3] == 1 or shape[1] * shape[2] == 1:
        return None
    loop = (
        "static int8_t turned[OUT_BYTES];"
        f" for (int c = 0; c < {shape[3]}; c++) for (int i = 0; i < {shape[1] * shape[2]}; i++) {{"
        f" turned[c * {shape[1] * shape[2]} + i] = OUT[i * {shape[3]} + c]; }}"
        " memcpy(OUT, turned, OUT_BYTES);"
    )
    return around_call(files, site, after=loop)


PERMUTED = ("channels permuted",)
LAYOUT = [
    Fault("weights transposed", ("weights transposed",), ("FULLY_CONNECTED",),
          wrong_weights(lambda w: w.T)),
    Fault("kernel transposed", ("weights transposed",), ("CONV_2D", "DEPTHWISE_CONV_2D"),
          wrong_weights(_square_transposed)),
    Fault("OIHW", ("OIHW for OHWI",), ("CONV_2D",),
          wrong_weights(lambda w: w.transpose(0, 3, 1, 2))),
    Fault("depthwise CHW", ("OIHW for OHWI",), ("DEPTHWISE_CONV_2D",),
          wrong_weights(lambda w: w.transpose(0, 3, 1, 2))),
    Fault("HWIO", ("OIHW for OHWI",), ("CONV_2D",),
          wrong_weights(lambda w: w.transpose(1, 2, 3, 0))),
    Fault("kernel flipped", ("kernel flipped",), CONVOLUTIONS,
          wrong_weights(lambda w: w[:, ::-1, ::-1])),
    Fault("input channels reversed", PERMUTED, ("CONV_2D", "FULLY_CONNECTED"),
          wrong_weights(lambda w: w[..., ::-1])),
    Fault("output channels rolled", PERMUTED, ("CONV_2D", "FULLY_CONNECTED"),
          wrong_weights(lambda w: np.roll(w, 1, 0))),
    Fault("NCHW", ("NCHW for NHWC",), (*CONVOLUTIONS, "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN"),
          _nchw_input),
    Fault("NCHW flattened", ("NCHW for NHWC",), ("FULLY_CONNECTED",), _flattened),
    Fault("NCHW written", ("NCHW output for NHWC",), (*CONVOLUTIONS, "ADD"), _nchw_output),
]  # fmt: skip

# -- geometry -------------------------------------------------------------------------------


def _swapped(prefix: str) -> Edit:
    def edit(files: Files, site: Site) -> Files | None:
        names = (f"{prefix}_height", f"{prefix}_width")
        height, width = (field(files, site, name) for name in names)
        if height is None or height == width:
            return None
        changed = with_field(files, site, names[0], width)
        return with_field(changed, site, names[1], height) if changed else None

    return edit


def _no_dilation(files: Files, site: Site) -> Files | None:
    height = with_field(files, site, "dilation_height", 1)
    return with_field(height or files, site, "dilation_width", 1) or height


def _odd_padding_first(files: Files, site: Site) -> Files | None:
    """One more row and column before the image, if the padding's sum is odd."""
    node = site.graph.nodes[site.layer]
    if node.options.get("padding") != "SAME":
        return None
    changed = False
    for axis, name in (("height", "pad_top"), ("width", "pad_left")):
        numbers = [
            integer(files, site, f"{what}_{axis}")
            for what in ("input", "output", "stride", "kernel")
        ]
        if None in numbers:
            return None
        size, output, stride, kernel = (int(n) for n in numbers if n is not None)
        reach = (kernel - 1) * (integer(files, site, f"dilation_{axis}") or 1) + 1
        total = max((output - 1) * stride + reach - size, 0)
        if total % 2:
            files = with_field(files, site, name, total // 2 + 1) or files
            changed = True
    return files if changed else None


WINDOWS = (*CONVOLUTIONS, "AVERAGE_POOL_2D", "MAX_POOL_2D")
GEOMETRY = [
    Fault("padding first", ("padding on the wrong side",), WINDOWS, _odd_padding_first),
    Fault("stride swapped", ("stride swapped",), WINDOWS, _swapped("stride")),
    Fault("dilation swapped", ("dilation swapped",), CONVOLUTIONS, _swapped("dilation")),
    Fault("dilation ignored", ("dilation swapped",), CONVOLUTIONS,
          _no_dilation),
]  # fmt: skip

# -- memory ---------------------------------------------------------------------------------


def _overlapped(files: Files, site: Site) -> Files | None:
    """Part of the input lies over the output, once it is computed."""
    if min(site.graph.tensors[data_of(site)].nbytes, np.prod(site.shape(None))) < 48:
        return None
    return around_call(files, site, after="memmove(OUT + 9, IN + 5, 30);")


def _not_run(files: Files, site: Site) -> Files | None:
    """The output's memory holds what was there: here, the input, copied there before."""
    if site.graph.tensors[data_of(site)].nbytes < np.prod(site.shape(None)):
        return None
    return around_call(files, site, call="    memmove(OUT, IN, OUT_BYTES);")


MEMORY = [
    Fault("overlap", ("buffer overlap",), (*WEIGHTED, "MAX_POOL_2D", "SOFTMAX"), _overlapped),
    Fault("cleared", ("output of one value",), (*WEIGHTED, "ADD"),
          lambda files, site: around_call(files, site, after="memset(OUT, 7, OUT_BYTES);")),
    Fault("not run", ("stale buffer",), (*WEIGHTED, "ADD", "MAX_POOL_2D", "SOFTMAX"), _not_run),
]  # fmt: skip


PLACEMENT = [*LAYOUT, *GEOMETRY, *MEMORY]
