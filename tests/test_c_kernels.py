"""runtime_c: its structs are the dataclasses, its headers compile cleanly, its integers are exact.

Primitives are compared with big-integer formulas, kernels with the ``eval`` of their Python twins;
both a second time under ASan and UBSan.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from c_build import C_WARNINGS, WARNINGS, need
from c_kernels_support import cases, compute, int16, recurrent, weights
from c_kernels_support.cases import Array, int8, pick, picks
from c_kernels_support.runtime import (
    ALL_CODE,
    C_STRUCTS,
    HEADERS,
    INCLUDES,
    KERNELS,
    PRIMITIVES,
    SANITIZE,
    Runtime,
    c_fields,
    compile_c,
)
from microinfer import fixedpoint
from microinfer._resources import runtime_dir
from microinfer.ops import axes, broadcast, mean, movement

CASES = {**cases.CASES, **compute.CASES, **int16.CASES, **weights.CASES}
STRUCTS = {
    **cases.STRUCTS,
    **compute.STRUCTS,
    **int16.STRUCTS,
    **recurrent.STRUCTS,
    **weights.STRUCTS,
}

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# -- structs --------------------------------------------------------------------------------


def python_fields(params: type) -> list[tuple[str, str]]:
    """(name, C type) of a dataclass's fields, by the rules of runtime_c/README.md."""
    lengths = {mean.MeanParams: axes.PAIRS, movement.CopyParams: movement.LOOPS, **compute.LENGTHS}
    length = lengths.get(params, broadcast.MAX_RANK)
    of_annotation: dict[Any, str] = {
        int: "int32_t",
        float: "double",
        np.float32: "float",
        tuple[int, ...]: f"int32_t[{length}]",
    }
    for bits in (8, 16, 32, 64):
        array: Any = NDArray[np.dtype(f"int{bits}").type]  # type: ignore[misc]
        of_annotation[array] = of_annotation[array | None] = f"const int{bits}_t *"
    of_annotation.update(STRUCTS)
    hints = get_type_hints(params)
    return [(field.name, of_annotation[hints[field.name]]) for field in fields(params)]


@pytest.mark.parametrize("params", STRUCTS, ids=lambda params: params.__name__)
def test_struct_equals_dataclass(params: type) -> None:
    assert c_fields(STRUCTS[params]) == python_fields(params)


def test_every_params_struct_has_a_dataclass() -> None:
    of_params = {name for name in C_STRUCTS if name.endswith("_params")}
    assert of_params == {name for name in STRUCTS.values() if name.endswith("_params")}


def test_readme_lists_every_header_and_kernel() -> None:
    table = [line for line in (runtime_dir() / "README.md").read_text().splitlines() if "|" in line]
    assert {match for line in table for match in re.findall(r"^\| `(mi_\w+\.h)`", line)} == {
        header.name for header in HEADERS
    }
    for _, name, _ in KERNELS:
        base, row = re.fullmatch(r"(\w+?)(_row)?", name).groups()  # type: ignore[union-attr]
        assert any(f"`{name}`" in line or (row and base in line) for line in table), name


# -- compiling ------------------------------------------------------------------------------

LANGUAGES = {
    "C99": ["-xc", "-std=c99", *C_WARNINGS],
    "C++17": ["-xc++", "-std=c++17", *WARNINGS],
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_each_header_alone_is_clean_though_nothing_is_used(compiler: str, language: str) -> None:
    for header in HEADERS:
        source = f'#include "{header.name}"\n#include "{header.name}"\n'
        compile_c(compiler, source, *LANGUAGES[language], "-fsyntax-only")


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_all_headers_together_are_clean(
    compiler: str, language: str, level: str, tmp_path: Path
) -> None:
    addresses = ",\n".join(f"    (void (*)(void)){name}" for _, name, _ in KERNELS + PRIMITIVES)
    source = f"{INCLUDES}extern void (*const all[])(void);\n"
    source += f"void (*const all[])(void) = {{\n{addresses}\n}};\n"
    output = ["-c", "-o", str(tmp_path / "all.o")]
    for kernel in ("static inline", "static __attribute__((noinline, unused))"):
        flags = [*LANGUAGES[language], level, f"-DMI_KERNEL={kernel}", *output]
        compile_c(compiler, source, *flags)


def test_headers_use_no_libc_beyond_their_promise() -> None:
    assert set(re.findall(r"#include <(.*?)>", ALL_CODE)) == {"stddef.h", "stdint.h", "string.h"}
    assert set(re.findall(r"\bmem\w+(?=\()", ALL_CODE)) == {"memcpy", "memset"}


# -- primitives against big integers --------------------------------------------------------


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


EDGES = sorted(
    {0, INT32_MIN, INT32_MIN + 1, INT32_MAX, INT32_MAX - 1, 3 << 29, -(3 << 29)}
    | {sign * (1 << bit) + more for bit in range(31) for sign in (1, -1) for more in (-1, 0, 1)}
)


def int32s(count: int, seed: int) -> list[int]:
    """Random int32 of all magnitudes."""
    rng = np.random.default_rng(seed)
    wide = rng.integers(INT32_MIN, INT32_MAX, count, endpoint=True)
    return [int(x) for x in wide >> rng.integers(0, 31, count)]


def wrapped(x: int) -> int:
    return (x + 2**31) % 2**32 - 2**31


def saturated(x: int) -> int:
    return min(max(x, INT32_MIN), INT32_MAX)


def high_mul(a: int, b: int) -> int:
    return saturated((2 * a * b + 2**31) // 2**32)


def divide(x: int, exponent: int) -> int:
    nearest: int = (2 * abs(x) + 2**exponent) // 2 ** (exponent + 1)
    return -nearest if x < 0 else nearest


def requantized(acc: int, multiplier: int, shift: int) -> int:
    return divide(high_mul(wrapped(acc << max(shift, 0)), multiplier), max(-shift, 0))


def exponential(a: int, integer_bits: int) -> int:
    """exp(a * 2^(integer_bits - 31)) * 2^31 by gemmlowp's polynomial."""
    if a == 0:
        return INT32_MAX
    quarter = 2 ** (29 - integer_bits)
    mod = a % quarter - quarter
    x = mod * 2**integer_bits + 2**28
    x2 = high_mul(x, x)
    x3, x4 = high_mul(x2, x), high_mul(x2, x2)
    tail = divide(high_mul(divide(x4, 2) + x3, round(2**31 / 3)) + x2, 1)
    result = round(2**31 * math.exp(-1 / 8))
    result += high_mul(result, x + tail)
    for bit in range(2 + integer_bits):
        if (mod - a) // quarter >> bit & 1:
            result = high_mul(result, round(2**31 * math.exp(-(2.0 ** (bit - 2)))))
    return result


def test_high_mul(c: Runtime) -> None:
    assert c.mi_saturating_rounding_doubling_high_mul(INT32_MIN, INT32_MIN) == INT32_MAX
    assert c.mi_saturating_rounding_doubling_high_mul(1, 2**30) == 1  # a tie, up
    assert c.mi_saturating_rounding_doubling_high_mul(-1, 2**30) == 0
    pairs = [(a, b) for a in EDGES for b in EDGES]
    pairs += zip(int32s(50_000, 1), int32s(50_000, 2), strict=True)
    for a, b in pairs:
        assert c.mi_saturating_rounding_doubling_high_mul(a, b) == high_mul(a, b), (a, b)


@pytest.mark.parametrize("exponent", range(32))
def test_shifts_and_division_by_powers_of_two(c: Runtime, exponent: int) -> None:
    half = (1 << exponent) >> 1
    ties = [n * 2 * half + half + d for n in (-2, -1, 0, 1) for d in (-1, 0, 1)]
    for x in {wrapped(x) for x in ties} | {*EDGES, *int32s(1000, exponent)}:
        case = (x, exponent)
        assert c.mi_rounding_divide_by_pot(x, exponent) == divide(x, exponent), case
        assert c.mi_saturating_shift_left(x, exponent) == saturated(x << exponent), case
        assert c.mi_wrapping_shift_left(x, exponent) == wrapped(x << exponent), case


@pytest.mark.parametrize("shift", range(-31, 32))
def test_requantize(c: Runtime, shift: int) -> None:
    for multiplier in (0, 2**30, 2**30 + 1, 2**31 - 1, 1518500250, 1):
        for acc in EDGES + int32s(100, shift + 31):
            expected = requantized(acc, multiplier, shift)
            assert c.mi_requantize(acc, multiplier, shift) == expected, (acc, multiplier, shift)


def test_output_is_clamped_before_it_can_overflow(c: Runtime) -> None:
    for steps in EDGES:
        for zero_point, low, high in ((127, -128, 127), (-128, -128, 127), (5, -3, 40)):
            expected = min(max(steps + zero_point, low), high)
            assert c.mi_output_s8(steps, zero_point, low, high) == expected, (steps, zero_point)


def test_count_leading_zeros(c: Runtime) -> None:
    for x in (x for x in EDGES + int32s(1000, 3) if x > 0):
        assert c.mi_count_leading_zeros(x) == 32 - x.bit_length(), x


@pytest.mark.parametrize("integer_bits", range(6))
def test_exp_on_negative_values(c: Runtime, integer_bits: int) -> None:
    for a in {x for x in EDGES + int32s(3000, integer_bits) if x <= 0}:
        result = c.mi_exp_on_negative_values(a, integer_bits)
        assert result == exponential(a, integer_bits), a
        assert result == fixedpoint.exp_on_negative_values(a, integer_bits), a
        assert abs(result / 2**31 - math.exp(a / 2 ** (31 - integer_bits))) < 2**-21, a


def test_constants_are_what_their_comments_say() -> None:
    text = (runtime_dir() / "mi_fixedpoint.h").read_text("utf-8")
    found = re.findall(r"(-?\d{3,})[,;] +/\* (-?(?:round|trunc)\(.*\)) \*/", text)
    assert len(found) == 11
    for number, formula in found:
        names = {"round": round, "trunc": math.trunc, "exp": math.exp}
        assert int(number) == eval(formula.replace("^", "**"), names), formula


def test_one_over_one_plus_x(c: Runtime) -> None:
    for x in (x for x in EDGES + int32s(10_000, 4) if x >= 0):
        result = c.mi_one_over_one_plus_x(x)
        assert result == fixedpoint.one_over_one_plus_x(x), x
        assert abs(result / 2**31 - 1 / (1 + x / 2**31)) < 2**-28, x


def products() -> Iterator[tuple[int, int, int]]:
    """(acc, mantissa, shift): random, and where acc * mantissa * 2^-shift is about n + 1/2."""
    rng = np.random.default_rng(5)
    accs = [x for x in EDGES + int32s(20_000, 6) if x]
    for acc in accs:
        mantissa = int(rng.integers(2**52, 2**53))
        yield acc, mantissa, int(rng.integers(22, 120))
        tie = Fraction(2 * int(rng.integers(0, 200)) + 1, 2 * abs(acc))
        exponent = math.frexp(tie)[1]
        exact = tie * Fraction(2) ** (53 - exponent)
        for near in (math.floor(exact), math.ceil(exact), math.floor(exact) - 1):
            if 2**52 <= near < 2**53:
                yield acc, near, 53 - exponent
    for mantissa in (2**52, 2**52 + 1, 2**53 - 1, 3 << 51, (3 << 51) + 1):
        for shift in (-900, 0, 20, 21, 22, 23, 51, 52, 53, 54, 55, 83, 84, 85, 93, 94, 126, 1000):
            yield from ((acc, mantissa, shift) for acc in EDGES)
    yield from ((acc, 0, 0) for acc in EDGES)


def test_round_f64_product(c: Runtime) -> None:
    ties = 0
    for acc, mantissa, shift in products():
        product = abs(float(acc) * math.ldexp(mantissa, -shift))
        whole = math.floor(product)
        ties += product - whole == 0.5 and abs(acc) * mantissa % 2 ** (shift - 1) != 0
        rounded = min(whole + (product - whole >= 0.5), 2**30)
        expected = rounded if acc > 0 else -rounded
        assert c.mi_round_f64_product(acc, mantissa, shift) == expected, (acc, mantissa, shift)
    assert ties > 1000  # made by the first rounding, which the second then takes away from zero


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_window_covers_exactly_the_taps_inside(c: Runtime, dilation: int) -> None:
    for size in range(1, 6):
        for kernel in range(1, 6):
            for origin in range(-(kernel - 1) * dilation, size):
                taps = [k for k in range(kernel) if 0 <= origin + k * dilation < size]
                first, end = (
                    c.mi_first_tap(origin, dilation),
                    c.mi_end_tap(origin, dilation, kernel, size),
                )
                assert list(range(first, end)) == taps


# -- kernels against their NumPy twins ------------------------------------------------------

EXAMPLES = 50 if SANITIZE else 150
SEEDED = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize("case", CASES)
@SEEDED
@given(seed=st.integers(0, 2**32 - 1))
def test_kernel_equals_its_numpy_twin(c: Runtime, case: str, seed: int) -> None:
    kernel, evaluate, p, inputs, size, dtype, in_place = CASES[case](np.random.default_rng(seed))
    scratch = [np.empty(p.depth, np.int32)] if case.startswith("softmax") else []
    expected = evaluate(p, *(x[None] for x in inputs)).reshape(-1)
    output: Array = np.empty(size, dtype)
    c.run(kernel, STRUCTS[type(p)], p, *inputs, output, *scratch)
    assert output.tobytes() == expected.tobytes()
    for position, x in enumerate(inputs):
        if in_place and x.size == size:
            operands = [x.copy() for x in inputs]
            c.run(kernel, STRUCTS[type(p)], p, *operands, operands[position], *scratch)
            assert operands[position].tobytes() == expected.tobytes()


@pytest.mark.parametrize("case", recurrent.CASES)
@SEEDED
@given(seed=st.integers(0, 2**32 - 1))
def test_kernel_with_state_equals_its_numpy_twin(c: Runtime, case: str, seed: int) -> None:
    """Two invocations in a row, outputs and state."""
    kernel, evaluate, p, x, size, state = recurrent.CASES[case](np.random.default_rng(seed))
    x = np.stack([x, x[..., ::-1]])
    expected, *after = evaluate(p, x, *[array[None] for array in state])
    output: Array = np.empty(size, np.int8)
    for sample in range(2):
        c.run(kernel, STRUCTS[type(p)], p, np.ascontiguousarray(x[sample]), output, *state)
        assert output.tobytes() == expected[sample].tobytes()
        for ours, theirs in zip(state, after, strict=True):
            assert ours.tobytes() == theirs[sample].tobytes()


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32, np.int64])
@SEEDED
@given(seed=st.integers(0, 2**32 - 1))
def test_fill_and_copy_equal_movement(c: Runtime, dtype: type, seed: int) -> None:
    """A transposition of runs of elements, some axes of it backwards or one element repeated, into
    the middle of a filled output."""
    rng = np.random.default_rng(seed)
    extents, order = tuple(picks(rng, 1, 3, movement.LOOPS)), rng.permutation(movement.LOOPS)
    run, skipped, before = pick(rng, 1, 3), pick(rng, 0, 5), pick(rng, 0, 5)
    strides = dict(zip(order, movement.row_major([extents[i] for i in order]), strict=True))
    width = np.dtype(dtype).itemsize
    size = math.prod(extents) * run
    signs = rng.choice([-1, 0, 1, 1], movement.LOOPS)
    steps = tuple(int(strides[i] * signs[i]) * run for i in range(movement.LOOPS))
    backwards = -sum(min(s, 0) * (n - 1) for s, n in zip(steps, extents, strict=True))
    copy = movement.CopyParams(
        extents=extents,
        input_strides=steps,
        output_strides=tuple(stride * run for stride in movement.row_major(extents)),
        input_offset=skipped + backwards,
        output_offset=before,
        run=run,
        element_bytes=width,
    )
    output: Array = np.empty(before + size + pick(rng, 0, 5), dtype)
    value = int(int8(rng)) if width == 1 else 0
    fill = movement.FillParams(count=output.nbytes, value=value)
    x: Array = rng.integers(-100, 100, skipped + size).astype(dtype)
    c.run("mi_fill", "mi_fill_params", fill, output)
    c.run("mi_copy", "mi_copy_params", copy, x, output)
    moves = (movement.Move(fill, None), movement.Move(copy))
    params = movement.MovementParams((output.size,), moves)
    assert output.tobytes() == np.asarray(movement.eval(params, x[None])).tobytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="preloads a Linux library")
def test_kernels_and_primitives_under_sanitizers() -> None:
    found = [
        subprocess.run(
            [need("gcc"), f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = {
        **os.environ,
        "MICROINFER_SANITIZE": "1",
        "LD_PRELOAD": " ".join(found),
        "ASAN_OPTIONS": "detect_leaks=0",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    command += ["-k", "not sanitizers and not clean and not struct and not header"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
