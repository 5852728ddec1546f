"""Ways to round an accumulator to a step of the output, that are not the profile's."""

from __future__ import annotations

from dataclasses import replace

from . import scaled
from .replay import Evidence, Hypothesis, Replay, Variant
from .scaled import Rounding, floats

AWAY, EVEN, UP, DOWN, CUT = (
    "half away from zero",
    "half to even",
    "half up",
    "down",
    "cut off",
)


def _with(replay: Replay, *roundings: tuple[Rounding, str]) -> list[Variant]:
    """One variant per rounding, for layers that round; ADD and SUB also round their inputs so."""
    if not replay.has_output_stage:
        return []
    found = []
    for rounding, sentence in roundings:
        found.append(Variant(replace(replay, rounding=rounding), sentence))
        if replay.source.layer.node.op in ("ADD", "SUB"):
            inner = replace(replay.source, inner=rounding)
            own = replace(replay, rounding=rounding, source=inner)
            found.append(Variant(own, f"{sentence}; of the inputs as of the output"))
    return found


def _single(replay: Replay, evidence: Evidence) -> list[Variant]:
    said = "the accumulator is rounded once, where two roundings belong ({})"
    return _with(
        replay,
        (scaled.SINGLE_UP, said.format("ties up")),
        (scaled.SINGLE_AWAY, said.format("ties away from zero")),
        (scaled.HIGH_CUT, said.format("in the right shift; the high multiply cuts off")),
    )


def _double(replay: Replay, evidence: Evidence) -> list[Variant]:
    return _with(
        replay,
        (scaled.double, "the accumulator is rounded twice, in the doubling high multiply and in"
         " the right shift"),
        (scaled.narrow, "the multiplier is cut to 16 bits, with one rounding"),
    )  # fmt: skip


def _half_up(replay: Replay, evidence: Evidence) -> list[Variant]:
    return _with(
        replay,
        (scaled.SHIFT_UP, "the right shift rounds ties up, where they go away from zero"),
    )


def _half_even(replay: Replay, evidence: Evidence) -> list[Variant]:
    return _with(
        replay,
        (scaled.SHIFT_EVEN, "the right shift rounds ties to even, where they go away from zero"),
        (scaled.SINGLE_EVEN, "the accumulator is rounded once, ties to even"),
    )


def _truncation(replay: Replay, evidence: Evidence) -> list[Variant]:
    if replay.has_output_stage and replay.source.layer.node.op == "AVERAGE_POOL_2D":
        return _with(
            replay,
            (floats("float64", CUT), "the average is cut off to an integer, not rounded"),
            (floats("float64", DOWN), "the average is rounded down"),
        )
    return _with(
        replay,
        (scaled.SHIFT_DOWN, "the right shift rounds down: nothing is added before it"),
        (scaled.SINGLE_DOWN, "the product is shifted right without rounding (down)"),
        (scaled.SINGLE_TO_ZERO, "the product is cut off towards zero, not rounded"),
        (scaled.SHIFT_TO_ZERO, "the right shift cuts off towards zero"),
        (scaled.ALL_CUT, "neither the high multiply nor the right shift rounds"),
        (floats("float32", CUT), "the float product is converted to an integer without rounding"),
        (floats("float64", CUT), "the double product is converted to an integer without rounding"),
    )


def _float32(replay: Replay, evidence: Evidence) -> list[Variant]:
    said = "the accumulator is multiplied in float32 and rounded {}"
    return _with(
        replay,
        *((floats("float32 scales", tie), said.format(tie)) for tie in (EVEN, AWAY, UP)),
        *(
            (floats("float32", tie), said.format(tie) + ", by a multiplier formed in float64")
            for tie in (EVEN, AWAY, UP)
        ),
    )


def _float64(replay: Replay, evidence: Evidence) -> list[Variant]:
    said = "the accumulator is multiplied in float64 and rounded {}"
    return _with(replay, *((floats("float64", tie), said.format(tie)) for tie in (AWAY, EVEN, UP)))


ROUNDING = (
    Hypothesis(
        "single rounding",
        "rounding",
        _single,
        "build without TFLITE_SINGLE_ROUNDING and CMSIS_NN_USE_SINGLE_ROUNDING, or round as"
        " RoundingDivideByPOT(SaturatingRoundingDoublingHighMul()) does",
    ),
    Hypothesis(
        "float64 requantize",
        "rounding",
        _float64,
        "compare with --numerics litert if the other side is LiteRT; on a device use multiplier"
        " and shift with double rounding",
    ),
    Hypothesis(
        "float32 requantize",
        "rounding",
        _float32,
        "if the other side is LiteRT's default, XNNPACK, this is no error: compare with"
        " BUILTIN_REF; on a device use multiplier and shift with double rounding",
    ),
    Hypothesis(
        "round half up",
        "rounding",
        _half_up,
        "in the right shift ties of negative numbers go away from zero: RoundingDivideByPOT adds"
        " 1 to the threshold for them",
    ),
    Hypothesis(
        "round half even",
        "rounding",
        _half_even,
        "round ties away from zero in the right shift; rintf and vcvtn round to even",
    ),
    Hypothesis(
        "truncation",
        "rounding",
        _truncation,
        "add half of the divisor before shifting or dividing, as the reference does",
    ),
    Hypothesis(
        "double rounding",
        "rounding",
        _double,
        "compare with --numerics tflm: it rounds twice",
    ),
)
