"""The numeric profiles: what each runtime computes differently, as one table.

int8 TFLite has one specification and several arithmetics. Where two runtimes disagree, an op asks
the profile; nothing else in the project knows a runtime's name. A new runtime is a new row.
ARITHMETIC.md has the evidence for each entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import BadInput


@dataclass(frozen=True)
class Numerics:
    """How one runtime computes where runtimes differ.

    fully_connected  "double_rounding": multiplier and shift as in CONV_2D;
                     "float64": round(acc * s_x s_w / s_y) in double, ties away from zero.
    mul_scale        precision in which MUL forms s_1 s_2 / s_y.
    relu_scale       precision in which RELU forms s_x / s_y.
    sigmoid_tanh     "fixed_point": gemmlowp's polynomials; "table": float32 function, rounded.
    relu6            "clamp": limits in the input's own quantization, no rescale; "rescale".
    """

    name: str
    runtime: str
    fully_connected: Literal["double_rounding", "float64"]
    mul_scale: Literal["float32", "float64"]
    relu_scale: Literal["float32", "float64"]
    sigmoid_tanh: Literal["fixed_point", "table"]
    relu6: Literal["clamp", "rescale"]


PROFILES = {
    profile.name: profile
    for profile in (
        Numerics(
            name="tflm",
            runtime="TensorFlow Lite Micro, reference kernels or CMSIS-NN",
            fully_connected="double_rounding",
            mul_scale="float64",
            relu_scale="float64",
            sigmoid_tanh="fixed_point",
            relu6="clamp",
        ),
        Numerics(
            name="litert",
            runtime="LiteRT, BUILTIN_REF kernels",
            fully_connected="float64",
            mul_scale="float32",
            relu_scale="float32",
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
