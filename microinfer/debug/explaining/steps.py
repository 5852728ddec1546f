"""What an explanation is made of: operands, terms and steps; and the arithmetic that makes steps.

All arithmetic here is of Python's own integers, one element at a time, and independent of the
interpreter's: every explanation has to end in the value that the interpreter has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ...fixedpoint import INT32_MAX, INT32_MIN
from ...graph import Tensor

At = tuple[int, ...]
Number = int | float


@dataclass(frozen=True)
class Operand:
    """A tensor that the element was made from.

    ``role`` is what the operator calls it; ``at`` and ``value`` are the one element that was read,
    ``at`` None where there were several (the terms). ``scale`` is None for what is not quantized.
    """

    role: str
    tensor: int
    name: str
    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int
    at: At | None = None
    value: Number | None = None


@dataclass(frozen=True)
class Term:
    """One element of the receptive field, and what it adds.

    ``at`` is its place in operand ``operand`` of the explanation: beyond its edges where
    ``padded``, that is where the input counts as real zero. ``weight_at`` is the place of what it
    is multiplied with. ``values`` are the numbers by their titles; the last ``adds`` of them are
    the term's own, one for each sum that it is a term of.
    """

    at: At
    values: Mapping[str, Number]
    weight_at: At | None = None
    padded: bool = False
    operand: int = 0
    adds: int = 1

    @property
    def value(self) -> Number:
        """What it adds to its sum; of several, to the last."""
        return list(self.values.values())[-1]


@dataclass(frozen=True)
class Step:
    """One step: what is computed, from what, and the result.

    ``formula`` has the numbers, and may be empty; one with a "=" in it goes on to ``value`` by a
    rounding. ``note`` says in words what it is. ``detail`` are further lines, such as the bits of a
    rounding. ``c`` is the text by which the step is found in the C kernel, such as the function
    that does it.
    """

    title: str
    formula: str
    value: Number | bool
    note: str = ""
    detail: tuple[str, ...] = ()
    c: str = ""


@dataclass
class Working:
    """The notes of one explanation, in order."""

    operands: list[Operand] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    coarse: str = ""  # what is not shown step by step, if anything

    def operand(
        self,
        role: str,
        index: int,
        tensor: Tensor,
        at: At | None = None,
        value: Number | None = None,
        channel: int = 0,
    ) -> Operand:
        """Note a tensor; ``channel`` chooses among its scales."""
        own = tensor.quantization
        scale = zero_point = None
        if own is not None and tensor.type not in ("INT32", "INT64", "BOOL", "FLOAT32"):
            place = min(channel, len(own.scales) - 1)
            scale, zero_point = float(own.scales[place]), int(own.zero_points[place])
        noted = Operand(
            role,
            index,
            tensor.name,
            tensor.type,
            tensor.shape,
            scale,
            zero_point or 0,
            None if at is None else tuple(int(i) for i in at),
            value,
        )
        self.operands.append(noted)
        return noted

    def step(self, title: str, formula: str, value: Number, *detail: str, c: str = "") -> None:
        """Note a step; ``formula`` is numbers, words, or numbers; words."""
        numbers, _, words = formula.partition("; ")
        self.steps.append(Step(title, numbers, value, words, tuple(detail), c))

    # -- integers that every quantized kernel is built from -----------------------------------

    def high_multiply(self, title: str, a: int, b: int, c: str = "high_mul(") -> int:
        """The saturating rounding doubling high multiply."""
        if a == b == INT32_MIN:
            self.step(title, f"{a} * {b} / 2^31 = {2**31}", INT32_MAX, "saturates", c=c)
            return INT32_MAX
        product = a * b
        high = (product + (1 << 30)) >> 31
        self.step(
            title,
            f"({a} * {b} + 2^30) >> 31",
            high,
            f"{product} / 2^31 = {_decimal(product, 31)}; the nudge 2^30 rounds, ties up",
            c=c,
        )
        return high

    def shift_right(self, title: str, x: int, exponent: int, c: str = "divide_by_pot(") -> int:
        """The rounding division by a power of two, ties away from zero."""
        if exponent == 0:
            return x
        remainder = x & ((1 << exponent) - 1)
        threshold = (((1 << exponent) - 1) >> 1) + (x < 0)
        up = int(remainder > threshold)
        value = (x >> exponent) + up
        verdict = "is more: one up" if up else "is not more: stays"
        self.step(
            title,
            f"{x} / 2^{exponent} = {_decimal(x, exponent)}",
            value,
            *binary(x, exponent),
            f"{x} >> {exponent} = {x >> exponent}, remainder {remainder}, threshold {threshold}:"
            f" {verdict}",
            c=c,
        )
        return value

    def requantize(self, acc: int, multiplier: int, shift: int, what: str = "") -> int:
        """acc * multiplier * 2^(shift - 31) by double rounding."""
        c = "mi_requantize"
        name = f"{what}: " if what else ""
        shifted = acc
        if shift > 0:
            shifted = self.wrapped(f"{name}shift left", f"{acc} * 2^{shift}", acc << shift, c)
        high = self.high_multiply(f"{name}high multiply", shifted, multiplier, c)
        steps = self.shift_right(f"{name}shift right", high, max(-shift, 0), c)
        once = single_rounding(acc, multiplier, shift)
        exact = _decimal(acc * multiplier, 31 - shift)
        if shift < 0 and once != steps:
            self.step(
                f"{name}rounded once",
                f"{acc} * {multiplier} / 2^{31 - shift} = {exact}",
                once,
                f"two roundings made {steps} of it, a single one gives {once}: runtimes that"
                " round once differ here",
            )
        elif shift < 0:
            text = f"{acc} * {multiplier} / 2^{31 - shift} = {exact}"
            self.step(f"{name}rounded once", text, once, "the same as by two roundings")
        return steps

    def requantize_int64(self, acc: int, multiplier: int, shift: int) -> int:
        """acc * multiplier * 2^(shift - 31), by a multiplier of 16 bits and one rounding."""
        reduced = min((multiplier + (1 << 15)) >> 16, 0x7FFF)
        right = 15 - shift
        c = "mi_requantize"
        self.step(
            "multiplier of 16 bits",
            f"({multiplier} + 2^15) >> 16",
            reduced,
            f"so that its product with an accumulator of 48 bits fits 64: {reduced} * 2^-{right}"
            f" = {reduced / 2**right:.9g}",
            c=c,
        )
        product = acc * reduced
        value = (product + (1 << (right - 1))) >> right
        self.step(
            "multiply and round",
            f"({acc} * {reduced} + 2^{right - 1}) >> {right}",
            value,
            f"{product} / 2^{right} = {_decimal(product, right)}; one rounding, ties up",
            c=c,
        )
        return value

    def wrapped(self, title: str, formula: str, wide: int, c: str = "") -> int:
        """What 32 bits keep of a result."""
        value = wrap(wide)
        if value == wide:
            self.step(title, formula, value, c=c)
        else:
            self.step(title, f"{formula} = {wide}; has no room in 32 bits: it wraps", value, c=c)
        return value

    def output(self, steps: int, zero_point: int, clamp: tuple[int, int], c: str = "") -> int:
        """Add the output's zero point and limit the sum."""
        c = c or "mi_output"
        value = steps + zero_point
        if zero_point:
            self.step("zero point", f"{steps} {signed(zero_point)}", value, c=c)
        return self.clamp(value, clamp, c)

    def clamp(self, value: int, clamp: tuple[int, int], c: str = "") -> int:
        low, high = clamp
        limited = min(max(value, low), high)
        note = () if limited == value else (f"{value} is outside: the value is cut",)
        self.step("clamp", f"min(max({value}, {low}), {high})", limited, *note, c=c)
        return limited


def wrap(x: int) -> int:
    """What 32 bits keep of x."""
    return (x + 2**31) % 2**32 - 2**31


def single_rounding(acc: int, multiplier: int, shift: int) -> int:
    """acc * multiplier * 2^(shift - 31), rounded once, ties up: as runtimes do that round once."""
    right = 31 - shift
    product = acc * multiplier
    return product << -right if right <= 0 else (product + (1 << (right - 1))) >> right


def signed(x: Number) -> str:
    """A number as the second one of a sum: "+ 3" or "- 3"."""
    return f"- {-x}" if x < 0 else f"+ {x}"


def minus(x: Number, zero_point: int) -> str:
    """x less a zero point, as one writes it."""
    return f"({x} {signed(-zero_point)})" if zero_point else f"{x}"


def _decimal(x: int, exponent: int) -> str:
    """x / 2^exponent to six places; to more where these would look like an integer or a tie."""
    if exponent <= 0:
        return str(x << -exponent)
    whole, rest = divmod(abs(x), 1 << exponent)
    for places in (6, 9, 12):
        part = round(Fraction(rest, 1 << exponent), places)
        if part not in (0, Fraction(1, 2), 1) or part == Fraction(rest, 1 << exponent):
            break
    text = f"{float(part):.{places}f}".rstrip("0").rstrip(".")
    sign = "-" if x < 0 else ""
    return f"{sign}{whole}{text[1:]}" if text[0] == "0" else f"{sign}{whole + 1}"


def binary(x: int, exponent: int) -> tuple[str, ...]:
    """The bits of x, cut where a shift by ``exponent`` cuts: one line, or none if it is long."""
    if exponent > 24:
        return ()
    low = format(x & ((1 << exponent) - 1), f"0{exponent}b")
    high = x >> exponent
    width = max((high if high >= 0 else ~high).bit_length() + 1, 4)
    top = format(high & ((1 << width) - 1), f"0{width}b")
    dots = "..." if x < 0 else ""
    half = format(1 << (exponent - 1), f"0{exponent}b")
    return (f"binary {dots}{top}|{low}, half is {half}",)
