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
    batch_matmul_scale  precision in which BATCH_MATMUL forms s_1 s_2.
    sigmoid_tanh     "fixed_point": gemmlowp's polynomials; "table": float32 function, rounded.
    relu6            "clamp": limits in the input's own quantization, no rescale; "rescale".
    """

    name: str
    runtime: str
    fully_connected: Literal["double_rounding", "float64"]
    elementwise_scales: Literal["float32", "float64"]
    batch_matmul_scale: Literal["float32", "float64"]
    sigmoid_tanh: Literal["fixed_point", "table"]
    relu6: Literal["clamp", "rescale"]

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
            batch_matmul_scale="float64",
            sigmoid_tanh="fixed_point",
            relu6="clamp",
        ),
        Numerics(
            name="litert",
            runtime="LiteRT, BUILTIN_REF kernels",
            fully_connected="float64",
            elementwise_scales="float32",
            batch_matmul_scale="float32",
            sigmoid_tanh="table",
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
