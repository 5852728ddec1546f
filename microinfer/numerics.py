"""The numeric profiles: what each runtime computes differently, as one table.

int8 TFLite has one specification and several arithmetics. Where two runtimes disagree, an op asks
the profile; nothing else in the project knows a runtime's name. A new runtime is a new row.
ARITHMETIC.md has the evidence for each entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .errors import BadInput


@dataclass(frozen=True)
class Numerics:
    """How one runtime computes where runtimes differ.

    fully_connected  "double_rounding": multiplier and shift as in CONV_2D;
                     "float64": round(acc * s_x s_w / s_y) in double, ties away from zero.
    elementwise_scales  precision in which MUL, DIV, RELU, LEAKY_RELU, PRELU, ABS, HARD_SWISH and
                     RSQRT combine scales into a multiplier.
    add_int16        of int16 ADD and SUB with pot_scale_int16 and scales that are powers of two:
                     "general": as with other scales; "shifts": one input is shifted, by another
                     rounding. The second is refused, as only old converters ask for it.
    batch_matmul_scale  precision in which BATCH_MATMUL forms s_1 s_2.
    recurrent_scales  precision in which SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM combine scales.
    rsqrt_int16      "fixed_point": as on int8; "table": linear between 513 values.
    sigmoid_tanh     "fixed_point": gemmlowp's polynomials; "table": float32 function, rounded.
    lstm             "table": sigmoid and tanh on int16 by table; "polynomial": gemmlowp's. Each
                     with its runtime's other roundings and limits (ops/lstm.py).
    softmax_int16    precision in which SOFTMAX's table of reciprocals on int16 is filled.
    transpose_conv_without_bias  of int16: "int64", the rounding of an int64 bias; "stated", that of
                     the type which the option quantized_bias_type names.
    relu6            "clamp": limits in the input's own quantization, no rescale; "rescale".
    """

    name: str
    runtime: str
    fully_connected: Literal["double_rounding", "float64"]
    elementwise_scales: Literal["float32", "float64"]
    add_int16: Literal["general", "shifts"]
    batch_matmul_scale: Literal["float32", "float64"]
    recurrent_scales: Literal["float32", "float64"]
    rsqrt_int16: Literal["fixed_point", "table"]
    sigmoid_tanh: Literal["fixed_point", "table"]
    lstm: Literal["table", "polynomial"]
    softmax_int16: Literal["float32", "float64"]
    transpose_conv_without_bias: Literal["int64", "stated"]
    relu6: Literal["clamp", "rescale"]

    @property
    def recurrent_float(self) -> type[np.float32] | type[np.float64]:
        """The type of ``recurrent_scales``."""
        return np.float32 if self.recurrent_scales == "float32" else np.float64

    @property
    def softmax_int16_float(self) -> type[np.float32] | type[np.float64]:
        """The type of ``softmax_int16``."""
        return np.float32 if self.softmax_int16 == "float32" else np.float64

    @property
    def elementwise_float(self) -> type[np.float32] | type[np.float64]:
        """The type of ``elementwise_scales``."""
        return np.float32 if self.elementwise_scales == "float32" else np.float64


PROFILES = {
    profile.name: profile
    for profile in (
        Numerics(
            name="tflm",
            runtime="TensorFlow Lite Micro, reference kernels or CMSIS-NN",
            fully_connected="double_rounding",
            elementwise_scales="float64",
            add_int16="general",
            batch_matmul_scale="float64",
            recurrent_scales="float64",
            rsqrt_int16="fixed_point",
            sigmoid_tanh="fixed_point",
            lstm="table",
            softmax_int16="float32",
            transpose_conv_without_bias="int64",
            relu6="clamp",
        ),
        Numerics(
            name="litert",
            runtime="LiteRT, BUILTIN_REF kernels",
            fully_connected="float64",
            elementwise_scales="float32",
            add_int16="shifts",
            batch_matmul_scale="float32",
            recurrent_scales="float32",
            rsqrt_int16="table",
            sigmoid_tanh="table",
            lstm="polynomial",
            softmax_int16="float64",
            transpose_conv_without_bias="stated",
            relu6="rescale",
        ),
    )
}


def profile(name: str) -> Numerics:
    """The profile called ``name``. Raises BadInput with the names that exist."""
    try:
        return PROFILES[name]
    except KeyError:
        names = ", ".join(repr(known) for known in PROFILES)
        raise BadInput(f"there is no numeric profile {name!r}; there are {names}") from None
