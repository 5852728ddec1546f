"""The integer primitives against formulas in big integers and fractions, made of their meaning.

gemmlowp's constants are its own literals, not computed: its source has these numbers.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from microinfer import fixedpoint as fp

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
EDGES = (
    INT32_MIN,
    INT32_MIN + 1,
    -(2**30),
    -3,
    -2,
    -1,
    0,
    1,
    2,
    3,
    2**30,
    INT32_MAX - 1,
    INT32_MAX,
)
INT32 = st.sampled_from(EDGES) | st.integers(INT32_MIN, INT32_MAX)
MULTIPLIER = st.sampled_from((2**30, 2**30 + 1, INT32_MAX)) | st.integers(2**30, INT32_MAX)


def nearest(value: Fraction, ties: str) -> int:
    """The nearest integer; ties go "up" or "away" from zero."""
    if ties == "up" or value >= 0:
        return math.floor(value + Fraction(1, 2))
    return -math.floor(-value + Fraction(1, 2))


def wrap(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def srdhm(a: int, b: int) -> int:
    return min(nearest(Fraction(a * b, 2**31), "up"), INT32_MAX)


def rdpot(x: int, exponent: int) -> int:
    return nearest(Fraction(x, 2**exponent), "away")


def saturate(x: int) -> int:
    return max(INT32_MIN, min(INT32_MAX, x))


# -- rounding primitives ----------------------------------------------------------------------


def test_high_mul_of_all_edges_at_once() -> None:
    got = fp.saturating_rounding_doubling_high_mul(np.array(EDGES)[:, None], np.array(EDGES))
    assert got.tolist() == [[srdhm(a, b) for b in EDGES] for a in EDGES]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (INT32_MIN, INT32_MIN, INT32_MAX),  # 2^31 would not fit
        (INT32_MIN, INT32_MAX, -INT32_MAX),
        (1, 2**30, 1),  # a tie: up
        (-1, 2**30, 0),  # a tie: up, not away from zero
        (-3, 2**30, -1),
        (-1, 2**30 + 1, -1),
    ],
)
def test_high_mul_by_hand(a: int, b: int, expected: int) -> None:
    assert fp.saturating_rounding_doubling_high_mul(a, b) == expected


@given(INT32, INT32)
def test_high_mul_is_the_rounded_doubled_product(a: int, b: int) -> None:
    assert fp.saturating_rounding_doubling_high_mul(a, b) == srdhm(a, b)


@pytest.mark.parametrize(
    ("x", "exponent", "expected"),
    [(1, 1, 1), (-1, 1, -1), (3, 1, 2), (-3, 1, -2), (5, 2, 1), (6, 2, 2), (-6, 2, -2), (-5, 2, -1),
     (7, 0, 7), (-7, 0, -7), (INT32_MIN, 31, -1), (INT32_MAX, 31, 1), (2**30 - 1, 31, 0)],
)  # fmt: skip
def test_divide_by_pot_by_hand(x: int, exponent: int, expected: int) -> None:
    assert fp.rounding_divide_by_pot(x, exponent) == expected


@given(INT32, st.integers(0, 31))
def test_divide_by_pot_rounds_ties_away(x: int, exponent: int) -> None:
    assert fp.rounding_divide_by_pot(x, exponent) == rdpot(x, exponent)


@given(st.integers(0, 30), st.integers(-1000, 1000))
def test_divide_by_pot_of_exact_ties(exponent: int, odd: int) -> None:
    x = wrap((2 * odd + 1) << exponent)
    assert fp.rounding_divide_by_pot(x, exponent + 1) == rdpot(x, exponent + 1)


@given(st.integers(-(2**62), 2**62))
@example(2**31)
@example(-(2**31) - 1)
def test_wrap_keeps_32_bits(x: int) -> None:
    assert fp.wrap_int32(x) == wrap(x)


@given(INT32, st.integers(0, 31))
def test_shift_left_saturates(x: int, exponent: int) -> None:
    assert fp.saturating_shift_left(x, exponent) == saturate(x << exponent)


@given(st.integers(1, 2**32 - 1))
@example(1)
@example(2**31)
@example(2**32 - 1)
def test_leading_zeros(x: int) -> None:
    assert fp.count_leading_zeros(x) == 32 - x.bit_length()


# -- multipliers ------------------------------------------------------------------------------


def quantized(real: float) -> tuple[int, int]:
    """From the exact value: real = f * 2^shift with f in [1/2, 1), f rounded to 31 bits."""
    value, shift = Fraction(real), 0
    if value == 0:
        return 0, 0
    while value >= 1:
        value, shift = value / 2, shift + 1
    while value < Fraction(1, 2):
        value, shift = value * 2, shift - 1
    multiplier = nearest(value * 2**31, "up")
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


@given(st.floats(2.0**-40, 2.0**31, exclude_max=True) | st.floats(0, 2, width=32))
@example(0.0)
@example(0.5)
@example(1.0)
@example(1 - 2.0**-53)  # rounds up to 2^31
@example(1 - 2.0**-32)  # a tie of the multiplier
@example(2.0**-32)  # the smallest that is kept
@example(2.0**-32 * (1 - 2.0**-40))  # the rounding saves it
@example(2.0**-32 * (1 - 2.0**-20))  # flushed to zero
@example(2.0**31 - 2.0**-21)  # rounds up to what has no shift
def test_quantize_multiplier_is_the_nearest_31_bits(real: float) -> None:
    expected = quantized(real)
    if expected[1] > 31:
        with pytest.raises(ValueError, match="less than"):
            fp.quantize_multiplier(real)
    else:
        assert fp.quantize_multiplier(real) == expected


@pytest.mark.parametrize("real", [-1e-9, math.nan, math.inf, 2.0**31])
def test_quantize_multiplier_refuses(real: float) -> None:
    with pytest.raises(ValueError, match="real multiplier"):
        fp.quantize_multiplier(real)


def test_quantize_multipliers_keeps_order_and_types() -> None:
    reals = [0.75, 0.0, 3.0, 1e-12]
    multipliers, shifts = fp.quantize_multipliers(reals)
    assert (multipliers.dtype, shifts.dtype) == (np.int32, np.int8)
    pairs = list(zip(multipliers.tolist(), shifts.tolist(), strict=True))
    assert pairs == [quantized(real) for real in reals]


# -- requantize -------------------------------------------------------------------------------


def requantized(acc: int, multiplier: int, shift: int) -> int:
    return rdpot(srdhm(wrap(acc << max(shift, 0)), multiplier), max(-shift, 0))


@given(INT32, MULTIPLIER, st.integers(-31, 31))
@example(6, 3 * 2**29, -1)  # 2.25 becomes 3: double rounding
@example(2**30, 2**30, 2)  # the left shift wraps
def test_requantize_rounds_twice(acc: int, multiplier: int, shift: int) -> None:
    assert fp.requantize(acc, multiplier, shift) == requantized(acc, multiplier, shift)


def test_requantize_differs_from_single_rounding() -> None:
    assert fp.requantize(6, 3 * 2**29, -1) == 3
    assert nearest(Fraction(6 * 3, 8), "up") == 2


def test_requantize_broadcasts_channels() -> None:
    rng = np.random.default_rng(3)
    acc = rng.integers(INT32_MIN, INT32_MAX, (50, 4))
    multipliers, shifts = rng.integers(2**30, INT32_MAX, 4), np.array([-20, -1, 0, 3])
    expected = [
        [requantized(*map(int, column)) for column in zip(row, multipliers, shifts, strict=True)]
        for row in acc
    ]
    assert fp.requantize(acc, multipliers, shifts).tolist() == expected


# -- rounding of floats -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_half_away_just_below_a_half(dtype: type) -> None:
    below = np.nextafter(dtype(0.5), dtype(0))
    assert np.floor(below + dtype(0.5)) == 1  # why floor(x + 0.5) will not do
    got = fp.round_half_away(np.array([below, -below, 0.5, -0.5, 2.5, -2.5], dtype))
    assert got.dtype == dtype
    assert got.tolist() == [0, 0, 1, -1, 3, -3]


@given(st.floats(-(2.0**31), 2.0**31, width=32))
@example(8388609.0)  # an odd integer, where x + 0.5 is not representable
@example(4194304.5)
@example(-0.0)
def test_round_half_away_of_float32(x: float) -> None:
    assert fp.round_half_away(np.float32(x)) == nearest(Fraction(x), "away")


# -- gemmlowp's functions ---------------------------------------------------------------------

# exp(-1/4), exp(-1/2), exp(-1), ... exp(-16) as Q0.31
FACTORS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def exp_negative(a: int, integer_bits: int) -> int:
    """NUMERICS 1.11, one value at a time."""
    fraction_bits = 31 - integer_bits
    quarter = 2 ** (fraction_bits - 2)
    folded = a % quarter - quarter
    x = (folded << integer_bits) + 2**28
    x2 = srdhm(x, x)
    x3, x4 = srdhm(x2, x), srdhm(x2, x2)
    tail = rdpot(srdhm(rdpot(x4, 2) + x3, 715827883) + x2, 1)
    result = 1895147668 + srdhm(1895147668, x + tail)
    remainder = folded - a
    for exponent, factor in zip(range(-2, 5), FACTORS, strict=True):
        if exponent < integer_bits and remainder & (1 << (fraction_bits + exponent)):
            result = srdhm(result, factor)
    if integer_bits > 5 and a < -(2 ** (fraction_bits + 5)):
        result = 0
    return INT32_MAX if a == 0 else result


def reciprocal(x: int) -> int:
    """NUMERICS 1.12: 2 / (1 + x) as Q2.29."""
    half = nearest(Fraction(x + INT32_MAX, 2), "away")
    y = 1515870810 + srdhm(half, -1010580540)
    for _ in range(3):
        y += saturate(srdhm(y, 2**29 - srdhm(half, y)) << 2)
    return y


@pytest.mark.parametrize("integer_bits", [4, 5, 6])
@given(a=st.integers(INT32_MIN, 0) | st.integers(-(2**20), 0))
@example(a=0)
@example(a=-1)
@example(a=INT32_MIN)
@example(a=-(2**24))  # multiples of a quarter
@example(a=-(2**27))
def test_exp_is_gemmlowps(a: int, integer_bits: int) -> None:
    assert fp.exp_on_negative_values(a, integer_bits) == exp_negative(a, integer_bits)


@pytest.mark.parametrize(("integer_bits", "worst"), [(4, 3e-7), (5, 3e-7)])
def test_exp_is_close(integer_bits: int, worst: float) -> None:
    a = np.linspace(INT32_MIN, 0, 100_001).astype(np.int64)
    got = fp.exp_on_negative_values(a, integer_bits) / 2**31
    assert np.abs(got - np.exp(a / 2.0 ** (31 - integer_bits))).max() < worst


UNIT = st.sampled_from((0, 1, 2**30, INT32_MAX - 1, INT32_MAX)) | st.integers(0, INT32_MAX)


@given(UNIT)
def test_reciprocals_are_gemmlowps(x: int) -> None:
    assert fp.one_over_one_plus_x(x) == saturate(reciprocal(x) << 1)
    assert fp.one_minus_x_over_one_plus_x(x) == saturate((reciprocal(x) - 2**29) << 2)


def test_reciprocals_are_close() -> None:
    x = np.linspace(0, INT32_MAX, 100_001).astype(np.int64)
    real = x / 2**31
    assert np.abs(fp.one_over_one_plus_x(x) / 2**31 - 1 / (1 + real)).max() < 1e-8
    got = fp.one_minus_x_over_one_plus_x(x) / 2**31
    assert np.abs(got - (1 - real) / (1 + real)).max() < 1e-8
