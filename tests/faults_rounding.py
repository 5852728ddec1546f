"""Faults of rounding, zero points and signedness."""

from __future__ import annotations

from faults import (
    CONVOLUTIONS,
    ROUNDS,
    WEIGHTED,
    Edit,
    Fault,
    Files,
    Site,
    around_call,
    body,
    data_of,
    on_copy,
    replaced,
    wrong_field,
)

# -- rounding -------------------------------------------------------------------------------

FIXEDPOINT = "mi_fixedpoint.h"


def requantize_body(text: str) -> Edit:
    return lambda files, site: body(files, FIXEDPOINT, "mi_requantize", text)


def shift_body(text: str) -> Edit:
    return lambda files, site: body(files, FIXEDPOINT, "mi_rounding_divide_by_pot", text)


def _float(kind: str, rounding: str) -> Edit:
    """Requantize in floats; ``rounding`` takes x. Of one scale the multiplier is the quotient of
    the file's scales; of many, mi_requantize knows no channel: what multiplier and shift are."""

    def edit(files: Files, site: Site) -> Files | None:
        node = site.graph.nodes[site.layer]
        places = (data_of(site), node.inputs[1], node.outputs[0])
        source, weights, output = (site.graph.tensors[i].quantization for i in places)
        assert source is not None
        assert weights is not None
        assert output is not None
        real = "__builtin_ldexp((double)multiplier, shift - 31)"
        if not weights.per_channel:
            real = (source.scale * weights.scale / output.scale).hex()
        text = f"    volatile {kind} x = ({kind})acc * ({kind}){real};\n"
        text += f"    return (int32_t)({rounding});"
        return requantize_body(text)(files, site)

    return edit


ROUNDINGS = [
    Fault(
        "single rounding",
        ("single rounding",),
        WEIGHTED,
        requantize_body(
            "    const int64_t product = (int64_t)acc * multiplier;\n"
            "    const int32_t right = 31 - shift;\n"
            "    return (int32_t)((product + (INT64_C(1) << (right - 1))) >> right);"
        ),
    ),
    Fault(
        "half up",
        ("round half up",),
        ROUNDS,
        shift_body(
            "    return exponent == 0 ? x"
            " : (int32_t)(((int64_t)x + (INT64_C(1) << (exponent - 1))) >> exponent);"
        ),
    ),
    Fault(
        "half even",
        ("round half even",),
        ROUNDS,
        shift_body(
            "    const double quotient = (double)x / (double)(INT64_C(1) << exponent);\n"
            "    return (int32_t)__builtin_rint(quotient);"
        ),
    ),
    Fault("truncation", ("truncation",), ROUNDS, shift_body("    return x >> exponent;")),
    Fault(
        "truncation to zero",
        ("truncation",),
        ROUNDS,
        shift_body("    return (int32_t)(x / (INT64_C(1) << exponent));"),
    ),
    Fault(
        "truncation of the product",
        ("truncation",),
        WEIGHTED,
        requantize_body("    return (int32_t)(((int64_t)acc * multiplier) >> (31 - shift));"),
    ),
    Fault(
        "float32, rintf",
        ("float32 requantize",),
        WEIGHTED,
        _float("float", "__builtin_rintf(x)"),
    ),
    Fault(
        "float32, roundf",
        ("float32 requantize",),
        WEIGHTED,
        _float("float", "__builtin_roundf(x)"),
    ),
    Fault(
        "float64, round",
        ("float64 requantize",),
        WEIGHTED,
        _float("double", "__builtin_round(x)"),
    ),
    Fault(
        "float32, cast",
        ("truncation",),
        WEIGHTED,
        _float("float", "x"),
    ),
    Fault(
        "average cut off",
        ("truncation",),
        ("AVERAGE_POOL_2D",),
        lambda files, site: replaced(
            files, "mi_pool_2d.h", "(sums[c] + half) / count", "sums[c] / count"
        ),
    ),
]

# -- zero points ----------------------------------------------------------------------------


def padded_with(pad: str) -> Edit:
    """Outside of the image ``pad`` is read, and the zero point subtracted from it."""

    def edit(files: Files, site: Site) -> Files | None:
        files2 = body(files, "mi_conv_2d.h", "mi_conv_2d_row", _PADDED_CONV.replace("PAD", pad))
        files3 = body(
            files2 or files,
            "mi_depthwise_conv_2d.h",
            "mi_depthwise_conv_2d_row",
            _PADDED_DEPTHWISE.replace("PAD", pad),
        )
        return files3 or files2

    return edit


_PADDED_CONV = """
    for (int32_t x = 0; x < p->output_width; x++) {
        for (int32_t o = 0; o < p->output_channels; o++) {
            int32_t acc = p->bias != NULL ? p->bias[o] : 0;
            const int32_t taps = p->kernel_height * p->kernel_width * p->group_channels;
            const int8_t *w = p->weights + o * taps;
            for (int32_t ky = 0; ky < p->kernel_height; ky++) {
                for (int32_t kx = 0; kx < p->kernel_width; kx++) {
                    const int32_t at = x * p->stride_width - p->pad_left + kx * p->dilation_width;
                    for (int32_t i = 0; i < p->group_channels; i++) {
                        const int outside = rows[ky] == NULL || at < 0 || at >= p->input_width;
                        const int32_t value =
                            outside ? (PAD) : rows[ky][at * p->input_channels + i];
                        acc += *w++ * (value - p->input_zero_point);
                    }
                }
            }
            *output++ = mi_output_s8(mi_requantize(acc, p->multipliers[o], p->shifts[o]),
                p->output_zero_point, p->activation_min, p->activation_max);
        }
    }
"""

_PADDED_DEPTHWISE = """
    for (int32_t x = 0; x < p->output_width; x++) {
        for (int32_t o = 0; o < p->output_channels; o++) {
            int32_t acc = p->bias != NULL ? p->bias[o] : 0;
            for (int32_t ky = 0; ky < p->kernel_height; ky++) {
                for (int32_t kx = 0; kx < p->kernel_width; kx++) {
                    const int32_t at = x * p->stride_width - p->pad_left + kx * p->dilation_width;
                    const int outside = rows[ky] == NULL || at < 0 || at >= p->input_width;
                    const int32_t channel = o / p->depth_multiplier;
                    const int32_t value =
                        outside ? (PAD) : rows[ky][at * p->input_channels + channel];
                    acc += p->weights[(ky * p->kernel_width + kx) * p->output_channels + o] *
                           (value - p->input_zero_point);
                }
            }
            *output++ = mi_output_s8(mi_requantize(acc, p->multipliers[o], p->shifts[o]),
                p->output_zero_point, p->activation_min, p->activation_max);
        }
    }
"""

BINARY = ("ADD", "SUB", "MUL")
INPUT = ("zero point of the input",)
ZERO_POINTS = [
    Fault("input zero point ignored", INPUT, (*WEIGHTED, "MEAN"),
          wrong_field("input_zero_point", lambda z: 0)),
    Fault("input zero point negated", INPUT, (*WEIGHTED, "MEAN"),
          wrong_field("input_zero_point", lambda z: -z)),
    Fault("zero point of input 1 ignored", INPUT, BINARY,
          wrong_field("input1_zero_point", lambda z: 0)),
    Fault("zero point of input 2 negated", INPUT, BINARY,
          wrong_field("input2_zero_point", lambda z: -z)),
    Fault("output zero point ignored", ("zero point of the output",), (*ROUNDS,),
          wrong_field("output_zero_point", lambda z: 0)),
    Fault("output zero point negated", ("zero point of the output",), (*ROUNDS,),
          wrong_field("output_zero_point", lambda z: -z)),
    Fault("weights zero point ignored", ("zero point of the weights",), ("FULLY_CONNECTED",),
          wrong_field("weights_zero_point", lambda z: 0)),
    Fault("input zero point of uint8", ("zero point of uint8",), WEIGHTED,
          wrong_field("input_zero_point", lambda z: z + 128)),
    Fault("output zero point of uint8", ("output zero point of uint8",), WEIGHTED,
          wrong_field("output_zero_point", lambda z: z + 128)),
    Fault("padding of 0", ("zero point of the padding",), CONVOLUTIONS, padded_with("0")),
    Fault("padding negated", ("zero point of the padding",), CONVOLUTIONS,
          padded_with("-p->input_zero_point")),
]  # fmt: skip

# -- bytes of another type ------------------------------------------------------------------


def _unsigned_input(files: Files, site: Site) -> Files | None:
    own = {
        "CONV_2D": ("mi_weights.h", "(input[i] - zero_point)", "((input[i] & 255) - zero_point)"),
        "FULLY_CONNECTED": (
            "mi_fully_connected.h",
            "(input[i] - input_zero_point)",
            "((input[i] & 255) - input_zero_point)",
        ),
        "DEPTHWISE_CONV_2D": (
            "mi_depthwise_conv_2d.h",
            "(*in - zero_point)",
            "((*in & 255) - zero_point)",
        ),
    }
    return replaced(files, *own[site.op])


UINT8 = ("uint8 read as int8",)
BYTES = [
    Fault("input xor 0x80", UINT8, (*WEIGHTED, "ADD", "MUL", "MEAN", "AVERAGE_POOL_2D", "SOFTMAX",
          "MAX_POOL_2D", "LOGISTIC", "HARD_SWISH"),
          on_copy("for (int i = 0; i < IN_BYTES; i++) { copy[i] = (int8_t)(IN[i] ^ 0x80); }")),
    Fault("output xor 0x80", UINT8, (*WEIGHTED, "ADD", "SOFTMAX", "AVERAGE_POOL_2D", "RESHAPE"),
          lambda files, site: around_call(
              files, site,
              after="for (int i = 0; i < OUT_BYTES; i++) { OUT[i] = (int8_t)(OUT[i] ^ 0x80); }")),
    Fault("input as unsigned bytes", UINT8, ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"),
          _unsigned_input),
]  # fmt: skip


ARITHMETIC = [*ROUNDINGS, *ZERO_POINTS, *BYTES]
