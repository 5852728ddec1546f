"""Requantization of int64 accumulators, in Python and in C, against formulas in big integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from c_kernels_support.runtime import Runtime
from microinfer import fixedpoint

LIMIT = 2**47
EDGES = [0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 + 1, 2**46, LIMIT - 1]
MULTIPLIERS = [0, 2**30, 2**30 + 2**15 - 1, 2**30 + 2**15, 0x7FFEFFFF, 0x7FFF0000, 2**31 - 1]


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


def meaning(acc: int, multiplier: int, shift: int) -> int:
    """acc times the 16-bit multiplier, to the nearest integer, ties up."""
    reduced = min(math.floor(Fraction(multiplier, 2**16) + Fraction(1, 2)), 0x7FFF)
    return math.floor(acc * reduced * Fraction(2) ** (shift - 15) + Fraction(1, 2))


def samples() -> list[tuple[int, int, int]]:
    """(acc, multiplier, shift) whose results fit int32: edges, ties, and anything."""
    rng = np.random.default_rng(16)
    found = [(sign * acc, m, s) for acc in EDGES for m in MULTIPLIERS for s in range(-31, 8)
             for sign in (1, -1)]  # fmt: skip
    for _ in range(20_000):
        acc = int(rng.integers(-LIMIT + 1, LIMIT)) >> int(rng.integers(47))
        found.append((acc, int(rng.integers(2**30, 2**31)), int(rng.integers(-31, 8))))
    for steps in range(-300, 300):  # exact ties: odd multiples of one half
        for shift in range(-12, 1):
            found.append(((2 * steps + 1) << -shift, 2**30, shift))
    return [sample for sample in found if abs(meaning(*sample)) < 2**31]


def test_requantize_int64(c: Runtime) -> None:
    cases = samples()
    assert len(cases) > 20_000
    ours = fixedpoint.requantize_int64(*np.array(cases, np.int64).T)
    for case, result in zip(cases, ours, strict=True):
        assert result == meaning(*case), case
        assert c.mi_requantize_s64(*case) == meaning(*case), case


def test_one_accumulator_of_two_kinds(c: Runtime) -> None:
    quarter = fixedpoint.quantize_multiplier(0.25)
    assert [c.mi_requantize_s16(acc, *quarter, 0) for acc in (-6, -2, 1, 2)] == [-1, 0, 0, 1]
    assert [c.mi_requantize_s16(acc, *quarter, 1) for acc in (-6, -2, 1, 2)] == [-2, -1, 1, 1]


def test_round_f64_product_s64(c: Runtime) -> None:
    """What Python's own double makes of it; some where the first rounding makes a tie."""
    rng = np.random.default_rng(64)
    ties = 0
    accs = [int(rng.integers(1, LIMIT)) >> int(rng.integers(47)) for _ in range(20_000)]
    for acc in [sign * acc for acc in (*EDGES, *accs) if acc for sign in (1, -1)]:
        pairs = [(int(rng.integers(2**52, 2**53)), int(rng.integers(22, 120)))]
        tie = Fraction(2 * int(rng.integers(0, 40_000)) + 1, 2 * abs(acc))
        exponent = math.frexp(tie)[1]
        exact = tie * Fraction(2) ** (53 - exponent)
        for near in (math.floor(exact), math.ceil(exact), math.floor(exact) - 1):
            if 2**52 <= near < 2**53:
                pairs.append((near, 53 - exponent))
        for mantissa, shift in pairs:
            product = abs(float(acc) * math.ldexp(mantissa, -shift))
            whole = math.floor(product)
            ties += product - whole == 0.5 and abs(acc) * mantissa % 2 ** max(shift - 1, 0) != 0
            rounded = min(whole + (product - whole >= 0.5), 2**30)
            expected = rounded if acc > 0 else -rounded
            assert c.mi_round_f64_product_s64(acc, mantissa, shift) == expected, (acc, mantissa)
    assert ties > 1000
    for mantissa in (2**52, 2**52 + 1, 2**53 - 1):
        for shift in (-900, 0, 20, 52, 53, 54, 93, 100, 115, 116, 126, 1000):
            for acc in (1, -1, LIMIT - 1, 1 - LIMIT):
                exact = Fraction(float(abs(acc)) * float(mantissa)) * Fraction(2) ** -shift
                rounded = min(math.floor(exact + Fraction(1, 2)), 2**30)
                expected = rounded if acc > 0 else -rounded
                assert c.mi_round_f64_product_s64(acc, mantissa, shift) == expected
    assert c.mi_round_f64_product_s64(0, 2**52, 3) == c.mi_round_f64_product_s64(5, 0, 3) == 0
