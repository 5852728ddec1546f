"""Faults of bias, scales and clamps."""

from __future__ import annotations

import numpy as np

from faults import (
    CONVOLUTIONS,
    WEIGHTED,
    Fault,
    Files,
    Site,
    array,
    body,
    integer,
    replaced,
    with_array,
    with_field,
    wrong_array,
    wrong_field,
)

# -- bias and scales ------------------------------------------------------------------------


def _one_scale(files: Files, site: Site) -> Files | None:
    for name in ("multipliers", "shifts"):
        values = array(files, site, name)
        if values is None:
            return None
        files = with_array(files, site, name, np.full_like(values, values[0])) or files
    return files


def _bias_of_one_scale(files: Files, site: Site) -> Files | None:
    """Biases quantized with the first channel's scale."""
    scales = site.graph.tensors[site.graph.nodes[site.layer].inputs[1]].quantization
    bias = array(files, site, "bias")
    if scales is None or bias is None or not scales.per_channel:
        return None
    ratio = scales.scales.astype(np.float64) / float(scales.scales[0])
    return with_array(files, site, "bias", np.rint(bias * ratio))


def _narrow_accumulator(files: Files, site: Site) -> Files | None:
    own = {
        "CONV_2D": ("mi_conv_2d.h", "int32_t acc = p->bias", "int16_t acc = p->bias"),
        "DEPTHWISE_CONV_2D": (
            "mi_depthwise_conv_2d.h",
            "int32_t acc[MI_CHANNEL_BLOCK]",
            "int16_t acc[MI_CHANNEL_BLOCK]",
        ),
        "FULLY_CONNECTED": (
            "mi_fully_connected.h",
            "const int32_t acc = mi_accumulate_s8",
            "const int16_t acc = mi_accumulate_s8",
        ),
    }
    return replaced(files, *own[site.op])


SCALES = [
    Fault("bias missing", ("bias missing",), WEIGHTED,
          lambda files, site: with_field(files, site, "bias", "NULL")),
    Fault("bias subtracted", ("bias scaled wrong",), WEIGHTED,
          wrong_array("bias", lambda b: -b)),
    Fault("bias 8 times", ("bias scaled wrong",), WEIGHTED, wrong_array("bias", lambda b: 8 * b)),
    Fault("bias of 16 bits", ("overflow",), WEIGHTED,
          wrong_array("bias", lambda b: b.astype(np.int16))),
    Fault("bias of one scale", ("bias scaled wrong",), CONVOLUTIONS, _bias_of_one_scale),
    Fault("accumulator of 16 bits", ("overflow",), (*CONVOLUTIONS, "FULLY_CONNECTED"),
          _narrow_accumulator),
    Fault("one scale", ("per-tensor scale for per-channel",), WEIGHTED, _one_scale),
    Fault("one shift", ("per-tensor scale for per-channel",), WEIGHTED,
          wrong_array("shifts", lambda s: np.full_like(s, s[0]))),
]  # fmt: skip

# -- limits ---------------------------------------------------------------------------------


def _wraps(files: Files, site: Site) -> Files | None:
    for function, kind in (("mi_output_s8", "int8_t"), ("mi_output_s16", "int16_t")):
        text = f"    return ({kind})(steps + zero_point);"
        files = body(files, "mi_fixedpoint.h", function, text) or files
    return files


def _no_activation(files: Files, site: Site) -> Files | None:
    """Also where only one end of it is not the type's."""
    low = with_field(files, site, "activation_min", -128)
    return with_field(low or files, site, "activation_max", 127) or low


def _relu(files: Files, site: Site) -> Files | None:
    zero_point = integer(files, site, "output_zero_point")
    return None if zero_point is None else with_field(files, site, "activation_min", zero_point)


def _relu6(files: Files, site: Site) -> Files | None:
    node = site.graph.nodes[site.layer]
    own = site.graph.tensors[node.outputs[0]].quantization
    if own is None:
        return None
    top = own.zero_point + round(6 / own.scale)
    return None if top > 126 else with_field(files, site, "activation_max", top)


NARROW = ("activation clamp too narrow",)
LIMITS = [
    Fault("no saturation", ("saturation missing",), WEIGHTED, _wraps),
    Fault("no activation", ("activation clamp missing",), (*WEIGHTED, "ADD"), _no_activation),
    Fault("RELU of nothing", NARROW, (*WEIGHTED, "ADD", "MUL"), _relu),
    Fault("RELU6 of nothing", NARROW, (*WEIGHTED, "ADD"), _relu6),
    Fault("range -127..127", NARROW, WEIGHTED, wrong_field("activation_min", lambda low: -127)),
    Fault("RELU without zero point", NARROW, WEIGHTED,
          wrong_field("activation_min", lambda low: 0)),
]  # fmt: skip


SCALING = [*SCALES, *LIMITS]
