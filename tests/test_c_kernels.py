"""runtime_c: its structs are the dataclasses, its headers compile cleanly, its integers are exact.

Primitives are compared with big-integer formulas, kernels with the ``eval`` of their Python twins.
With MICROINFER_SANITIZE=1 the C is built with ASan and UBSan; one test below runs this file so.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from cffi import FFI
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from microinfer import fixedpoint
from microinfer._resources import runtime_dir
from microinfer.ops import fully_connected, movement, pool_2d, softmax
from microinfer.ops.add_sub import AddParams
from microinfer.ops.add_sub import eval as eval_add
from microinfer.ops.axes import PAIRS
from microinfer.ops.broadcast import MAX_RANK
from microinfer.ops.conv_2d import Conv2DParams
from microinfer.ops.conv_2d import eval as eval_conv
from microinfer.ops.depthwise_conv_2d import DepthwiseConv2DParams
from microinfer.ops.depthwise_conv_2d import eval as eval_depthwise
from microinfer.ops.fully_connected import FullyConnectedF64Params, FullyConnectedParams
from microinfer.ops.lookup import LookupParams
from microinfer.ops.lookup import eval as eval_lookup
from microinfer.ops.mean import MeanParams
from microinfer.ops.mean import eval as eval_mean
from microinfer.ops.movement import LOOPS, CopyParams, FillParams
from microinfer.ops.mul import MulParams
from microinfer.ops.mul import eval as eval_mul
from microinfer.ops.padding import same_or_valid
from microinfer.ops.pool_2d import Pool2DParams
from microinfer.ops.quantize import (
    DequantizeParams,
    QuantizeParams,
    eval_dequantize,
    eval_quantize,
)
from microinfer.ops.softmax import SoftmaxParams

HEADERS = sorted(runtime_dir().glob("mi_*.h"))
STRUCTS: dict[type, str] = {
    AddParams: "mi_add_params",
    Conv2DParams: "mi_conv_2d_params",
    CopyParams: "mi_copy_params",
    DepthwiseConv2DParams: "mi_depthwise_conv_2d_params",
    DequantizeParams: "mi_dequantize_params",
    FillParams: "mi_fill_params",
    FullyConnectedF64Params: "mi_fully_connected_f64_params",
    FullyConnectedParams: "mi_fully_connected_params",
    LookupParams: "mi_lookup_params",
    MeanParams: "mi_mean_params",
    MulParams: "mi_mul_params",
    Pool2DParams: "mi_pool_2d_params",
    QuantizeParams: "mi_quantize_params",
    SoftmaxParams: "mi_softmax_params",
}

Array = NDArray[Any]
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# -- the headers as text --------------------------------------------------------------------


def code(header: Path) -> str:
    """A header without its comments."""
    return re.sub(r"/\*.*?\*/", "", header.read_text("utf-8"), flags=re.DOTALL)


ALL_CODE = "\n".join(code(header) for header in HEADERS)
C_STRUCTS = dict(
    (name, body)
    for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", ALL_CODE, re.DOTALL)
)
PROTOTYPE = re.compile(r"^(MI_KERNEL|static inline) (\w+) (\w+)\((.*?)\)\n\{", re.M | re.S)
# (return type, name, arguments)
KERNELS = [match[1:] for match in PROTOTYPE.findall(ALL_CODE) if match[0] == "MI_KERNEL"]
PRIMITIVES = [match[1:] for match in PROTOTYPE.findall(ALL_CODE) if match[0] != "MI_KERNEL"]


def c_fields(struct: str) -> list[tuple[str, str]]:
    """(name, type) of each field; an array's type ends in [length]."""
    found = []
    for declaration in C_STRUCTS[struct].split(";"):
        if declaration.strip():
            match = re.fullmatch(r"\s*((?:const )?\w+ \*?)(\w+)(\[\d+\])?\s*", declaration)
            assert match, declaration
            found.append((match[2], match[1].strip() + (match[3] or "")))
    return found


def python_fields(params: type) -> list[tuple[str, str]]:
    """The same of a dataclass, by the rules of runtime_c/README.md."""
    length = {MeanParams: PAIRS, CopyParams: LOOPS}.get(params, MAX_RANK)
    of_annotation: dict[Any, str] = {
        int: "int32_t",
        float: "double",
        np.float32: "float",
        tuple[int, ...]: f"int32_t[{length}]",
    }
    for bits in (8, 16, 32, 64):
        array = NDArray[getattr(np, f"int{bits}")]  # type: ignore[misc]
        of_annotation[array] = of_annotation[array | None] = f"const int{bits}_t *"
    hints = get_type_hints(params)
    return [(field.name, of_annotation[hints[field.name]]) for field in fields(params)]


@pytest.mark.parametrize("params", STRUCTS, ids=lambda params: params.__name__)
def test_struct_equals_dataclass(params: type) -> None:
    assert c_fields(STRUCTS[params]) == python_fields(params)


def test_every_params_struct_has_a_dataclass() -> None:
    assert {name for name in C_STRUCTS if name.endswith("_params")} == set(STRUCTS.values())


def test_readme_lists_every_header_and_kernel() -> None:
    table = [line for line in (runtime_dir() / "README.md").read_text().splitlines() if "|" in line]
    assert {match for line in table for match in re.findall(r"^\| `(mi_\w+\.h)`", line)} == {
        header.name for header in HEADERS
    }
    for _, name, _ in KERNELS:
        base, row = re.fullmatch(r"(\w+?)(_row)?", name).groups()  # type: ignore[union-attr]
        assert any(f"`{name}`" in line or (row and base in line) for line in table), name


# -- compiling ------------------------------------------------------------------------------

WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror".split()
LANGUAGES = {"C99": ["-xc", "-std=c99", "-Wmissing-prototypes"], "C++17": ["-xc++", "-std=c++17"]}


def tool(name: str) -> str:
    """The path of a compiler; skips the test without it, or fails where tools are required."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("MICROINFER_REQUIRE_TOOLS") == "1":
            pytest.fail(f"{name} is not installed, and MICROINFER_REQUIRE_TOOLS=1")
        pytest.skip(f"{name} is not installed")
    return path


def compile_c(compiler: str, source: str, *flags: str) -> None:
    command = [tool(compiler), *flags, f"-I{runtime_dir()}", "-"]
    result = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stderr}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_each_header_alone_is_clean_though_nothing_is_used(compiler: str, language: str) -> None:
    for header in HEADERS:
        source = f'#include "{header.name}"\n#include "{header.name}"\n'
        compile_c(compiler, source, *LANGUAGES[language], *WARNINGS, "-fsyntax-only")


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_all_headers_together_are_clean(
    compiler: str, language: str, level: str, tmp_path: Path
) -> None:
    includes = "".join(f'#include "{header.name}"\n' for header in HEADERS)
    addresses = ",\n".join(f"    (void (*)(void)){name}" for _, name, _ in KERNELS + PRIMITIVES)
    source = f"{includes}extern void (*const all[])(void);\n"
    source += f"void (*const all[])(void) = {{\n{addresses}\n}};\n"
    output = ["-c", "-o", str(tmp_path / "all.o")]
    for kernel in ("static inline", "static __attribute__((noinline, unused))"):
        flags = [*LANGUAGES[language], *WARNINGS, level, f"-DMI_KERNEL={kernel}", *output]
        compile_c(compiler, source, *flags)


def test_headers_use_no_libc_beyond_their_promise() -> None:
    assert set(re.findall(r"#include <(.*?)>", ALL_CODE)) == {"stddef.h", "stdint.h", "string.h"}
    assert set(re.findall(r"\bmem\w+(?=\()", ALL_CODE)) == {"memcpy", "memset"}


# -- calling --------------------------------------------------------------------------------

SANITIZE = os.environ.get("MICROINFER_SANITIZE") == "1"
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


class Runtime:
    """The headers as a shared library: ``mi_x(...)`` as an attribute."""

    def __init__(self, folder: Path) -> None:
        includes = "".join(f'#include "{header.name}"\n' for header in HEADERS)
        declarations, wrappers = [], []
        for result, name, arguments in PRIMITIVES:
            flat = " ".join(arguments.split())
            names = ", ".join(re.findall(r"(\w+)(?:\[\])?(?:,|$)", flat))
            wrappers.append(f"{result} test_{name}({flat}) {{ return {name}({names}); }}\n")
            declarations.append(f"{result} test_{name}({flat});")
        declarations += [f"{result} {name}({arguments});" for result, name, arguments in KERNELS]
        structs = [f"typedef struct {{{body}}} {name};" for name, body in C_STRUCTS.items()]
        library = folder / "runtime.so"
        flags = ["-xc", "-std=c99", "-O2", "-DMI_KERNEL=", *(SANITIZERS if SANITIZE else [])]
        source = includes + "".join(wrappers)
        compile_c("gcc", source, *flags, "-shared", "-fPIC", "-o", str(library))
        self.ffi = FFI()
        text = "\n".join(["typedef int32_t mi_i32;", "typedef float mi_f32;", *structs])
        self.ffi.cdef((text + "\n".join(declarations)).replace("MI_LOOPS_MAX", str(LOOPS)))
        self._library: Any = self.ffi.dlopen(str(library))

    def __getattr__(self, name: str) -> Any:
        is_kernel = any(name == kernel for _, kernel, _ in KERNELS)
        return getattr(self._library, name if is_kernel else f"test_{name}")

    def run(self, kernel: str, params: Any, *arrays: Array | None, rows: int | None = None) -> None:
        """``kernel(&params, [rows,] arrays...)``; the arrays are changed where C writes."""
        struct = STRUCTS[type(params)]
        value, alive = self.ffi.new(f"{struct} *"), []
        for name, c_type in c_fields(struct):
            field = getattr(params, name)
            if isinstance(field, np.ndarray):
                alive.append(np.ascontiguousarray(field).copy())
                setattr(value, name, self.ffi.cast(c_type, self.ffi.from_buffer(alive[-1])))
            elif field is not None:
                setattr(value, name, field if isinstance(field, tuple) else field.__class__(field))
        pointers = [self.ffi.new("const int8_t *[]", rows)] if rows else []
        types = self.ffi.typeof(getattr(self._library, kernel)).args[1 + len(pointers) :]
        for c_type, array in zip(types, arrays, strict=True):
            assert array is not None
            assert array.flags.c_contiguous
            pointers.append(self.ffi.cast(c_type, self.ffi.from_buffer(array)))
        getattr(self._library, kernel)(value, *pointers)


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


# -- primitives against big integers --------------------------------------------------------

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
    nearest = (2 * abs(x) + 2**exponent) // 2 ** (exponent + 1)
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


def sizes(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


SEEDS = st.integers(0, 2**32 - 1).map(np.random.default_rng)
CHECKED = settings(max_examples=150, deadline=None, derandomize=True, database=None)
Window = tuple[dict[str, int], tuple[int, int]]


@st.composite
def windows(draw: st.DrawFn, dilations: int) -> dict[str, int]:
    """Sizes, strides, dilations and padding of a window that fits its image."""
    height, width = draw(sizes(1, 8))
    values: dict[str, int] = {"batches": draw(st.integers(1, 2))}
    values |= {"input_height": height, "input_width": width}
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    for axis, size, before in (("height", height, "pad_top"), ("width", width, "pad_left")):
        kernel, stride = draw(st.integers(1, 5)), draw(st.integers(1, 3))
        dilation = draw(st.integers(1, dilations))
        output, pad = same_or_valid(padding, size, kernel, stride, dilation)
        assume(output >= 1)
        values |= {f"kernel_{axis}": kernel, f"stride_{axis}": stride, before: pad}
        values |= {f"output_{axis}": output}
        if dilations > 1:
            values[f"dilation_{axis}"] = dilation
    return values


def int8(rng: np.random.Generator, *shape: int) -> Array:
    return rng.integers(-128, 128, shape, np.int8)


def output_stage(rng: np.random.Generator, channels: int, terms: int) -> dict[str, Any]:
    """Zero points, clamp, bias, multipliers and shifts that spread the outputs over int8."""
    low, high = sorted(int8(rng, 2).tolist())
    centre = -math.ceil(math.log2(terms * 64))
    return {
        "input_zero_point": int(int8(rng)),
        "output_zero_point": int(int8(rng)),
        "activation_min": low if rng.random() < 0.3 else -128,
        "activation_max": high if rng.random() < 0.3 else 127,
        "bias": rng.integers(-5000, 5000, channels, np.int32) if rng.random() < 0.7 else None,
        "multipliers": rng.integers(2**30, 2**31, channels, np.int64).astype(np.int32),
        "shifts": rng.integers(centre - 2, centre + 3, channels, np.int8),
    }


def same(output: Array, expected: Array) -> None:
    np.testing.assert_array_equal(output.reshape(-1), np.asarray(expected).reshape(-1))


@CHECKED
@given(
    window=windows(dilations=3),
    groups=st.integers(1, 3),
    group_channels=st.integers(1, 5),
    group_outputs=st.integers(1, 4),
    rng=SEEDS,
)
def test_conv_2d(
    c: Runtime,
    window: dict[str, int],
    groups: int,
    group_channels: int,
    group_outputs: int,
    rng: np.random.Generator,
) -> None:
    outputs = groups * group_outputs
    kernel = (window["kernel_height"], window["kernel_width"])
    p = Conv2DParams(
        **window,
        input_channels=groups * group_channels,
        group_channels=group_channels,
        output_channels=outputs,
        weights=int8(rng, outputs, *kernel, group_channels),
        **output_stage(rng, outputs, math.prod(kernel) * group_channels),
    )
    x = int8(rng, p.batches, p.input_height, p.input_width, p.input_channels)
    output = np.empty((p.batches, p.output_height, p.output_width, outputs), np.int8)
    c.run("mi_conv_2d_s8", p, x, output, rows=p.kernel_height)
    same(output, eval_conv(p, x[None]))


@CHECKED
@given(
    window=windows(dilations=3),
    channels=st.sampled_from([1, 2, 3, 15, 16, 17, 33]),
    multiplier=st.sampled_from([1, 1, 2, 16, 17]),
    rng=SEEDS,
)
def test_depthwise_conv_2d(
    c: Runtime, window: dict[str, int], channels: int, multiplier: int, rng: np.random.Generator
) -> None:
    outputs = channels * multiplier
    kernel = (window["kernel_height"], window["kernel_width"])
    p = DepthwiseConv2DParams(
        **window,
        input_channels=channels,
        depth_multiplier=multiplier,
        output_channels=outputs,
        weights=int8(rng, 1, *kernel, outputs),
        **output_stage(rng, outputs, math.prod(kernel)),
    )
    x = int8(rng, p.batches, p.input_height, p.input_width, channels)
    output = np.empty((p.batches, p.output_height, p.output_width, outputs), np.int8)
    c.run("mi_depthwise_conv_2d_s8", p, x, output, rows=p.kernel_height)
    same(output, eval_depthwise(p, x[None]))


@pytest.mark.parametrize("kind", ["average", "max"])
@CHECKED
@given(window=windows(dilations=1), channels=st.sampled_from([1, 2, 15, 16, 17, 33]), rng=SEEDS)
def test_pool_2d(
    c: Runtime, kind: str, window: dict[str, int], channels: int, rng: np.random.Generator
) -> None:
    low, high = sorted(int8(rng, 2).tolist())
    p = Pool2DParams(**window, channels=channels, activation_min=low, activation_max=high)
    x = int8(rng, p.batches, p.input_height, p.input_width, channels)
    output = np.empty((p.batches, p.output_height, p.output_width, channels), np.int8)
    c.run(f"mi_{kind}_pool_2d_s8", p, x, output, rows=p.kernel_height)
    same(output, {"average": pool_2d.eval_average, "max": pool_2d.eval_maximum}[kind](p, x[None]))


@pytest.mark.parametrize("float64", [False, True])
@CHECKED
@given(
    rows=st.integers(1, 3),
    size=sizes(1, 40),
    zero_point=st.integers(-128, 127),
    per_channel=st.integers(0, 1),
    rng=SEEDS,
)
def test_fully_connected(
    c: Runtime,
    float64: bool,
    rows: int,
    size: tuple[int, int],
    zero_point: int,
    per_channel: int,
    rng: np.random.Generator,
) -> None:
    inputs, outputs = size
    stage = output_stage(rng, outputs, inputs)
    scales = outputs if per_channel else 1
    multipliers, shifts = stage.pop("multipliers")[:scales], stage.pop("shifts")[:scales]
    common = dict(
        rows=rows,
        input_size=inputs,
        output_size=outputs,
        weights_zero_point=0 if per_channel else zero_point,
        per_channel=per_channel,
        weights=int8(rng, outputs, inputs),
        **stage,
    )
    p: FullyConnectedParams | FullyConnectedF64Params
    if float64:
        mantissas = multipliers * np.int64(2**22) + rng.integers(0, 2**22, scales)
        p = FullyConnectedF64Params(
            **common, mantissas=mantissas, shifts=(53 - shifts.astype(int)).astype(np.int16)
        )
    else:
        p = FullyConnectedParams(**common, multipliers=multipliers, shifts=shifts)
    x, output = int8(rng, rows, inputs), np.empty((rows, outputs), np.int8)
    c.run(f"mi_fully_connected_{'f64_' if float64 else ''}s8", p, x, output)
    same(output, fully_connected.eval(p, x[None]))


@st.composite
def broadcasts(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """Extents and strides as microinfer.ops.broadcast makes them."""
    extents = draw(st.tuples(*[st.integers(1, 4)] * MAX_RANK))
    owners = draw(st.tuples(*[st.sampled_from([(1, 1), (1, 1), (1, 0), (0, 1)])] * MAX_RANK))
    strides: list[list[int]] = [[], []]
    steps = [1, 1]
    for extent, owns in zip(reversed(extents), reversed(owners), strict=True):
        for i in range(2):
            strides[i].insert(0, steps[i] if owns[i] and extent > 1 else 0)
            steps[i] *= extent if owns[i] else 1
    return {
        "extents": extents,
        "input1_strides": tuple(strides[0]),
        "input2_strides": tuple(strides[1]),
    }


def check_binary(
    c: Runtime, kernel: str, evaluate: Callable[..., Array], p: Any, rng: np.random.Generator
) -> None:
    count = math.prod(p.extents)
    strides = (p.input1_strides, p.input2_strides)
    own = [math.prod(e if s else 1 for e, s in zip(p.extents, ss, strict=True)) for ss in strides]
    inputs = [int8(rng, size) for size in own]
    expected = evaluate(p, *(x[None] for x in inputs))
    output = np.empty(count, np.int8)
    c.run(kernel, p, *inputs, output)
    same(output, expected)
    for position in range(2):
        if own[position] == count:  # in place of an input of the output's size
            operands = [x.copy() for x in inputs]
            c.run(kernel, p, *operands, operands[position])
            same(operands[position], expected)


@CHECKED
@given(loops=broadcasts(), sign=st.sampled_from([1, -1]), shifts=st.tuples(*[st.integers(-3, 0)] * 2))
def test_add(
    c: Runtime,
    loops: dict[str, tuple[int, ...]],
    sign: int,
    shifts: tuple[int, int],
) -> None:
    rng = np.random.default_rng(sum(loops["extents"]))
    low, high = sorted(int8(rng, 2).tolist())
    multipliers = [int(m) for m in rng.integers(2**30, 2**31, 3)]
    p = AddParams(
        **loops,
        input2_sign=sign,
        input1_zero_point=int(int8(rng)),
        input1_multiplier=multipliers[0],
        input1_shift=shifts[0] - 1,
        input2_zero_point=int(int8(rng)),
        input2_multiplier=multipliers[1],
        input2_shift=shifts[1] - 1,
        output_zero_point=int(int8(rng)),
        output_multiplier=multipliers[2],
        output_shift=-18,
        activation_min=low,
        activation_max=high,
    )
    check_binary(c, "mi_add_s8", eval_add, p, rng)


@CHECKED
@given(loops=broadcasts(), shift=st.integers(-10, 3), rng=SEEDS)
def test_mul(
    c: Runtime, loops: dict[str, tuple[int, ...]], shift: int, rng: np.random.Generator
) -> None:
    low, high = sorted(int8(rng, 2).tolist())
    p = MulParams(
        **loops,
        input1_zero_point=int(int8(rng)),
        input2_zero_point=int(int8(rng)),
        output_zero_point=int(int8(rng)),
        output_multiplier=int(rng.integers(2**30, 2**31)),
        output_shift=shift,
        activation_min=low,
        activation_max=high,
    )
    check_binary(c, "mi_mul_s8", eval_mul, p, rng)


@CHECKED
@given(
    kept=st.tuples(*[st.integers(1, 4)] * PAIRS),
    reduced=st.tuples(*[st.integers(1, 4)] * PAIRS),
    shift=st.integers(-4, 3),
    rng=SEEDS,
)
def test_mean(
    c: Runtime, kept: tuple[int, ...], reduced: tuple[int, ...], shift: int, rng: np.random.Generator
) -> None:
    p = MeanParams(
        kept_extents=kept,
        reduced_extents=reduced,
        count=math.prod(reduced),
        input_zero_point=int(int8(rng)),
        output_zero_point=int(int8(rng)),
        multiplier=int(rng.integers(2**29, 2**31)),
        shift=shift - math.prod(reduced).bit_length(),
    )
    x, output = int8(rng, *p.interleaved), np.empty(kept, np.int8)
    c.run("mi_mean_s8", p, x, output)
    same(output, eval_mean(p, x[None]))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32, np.int64])
@CHECKED
@given(
    extents=st.tuples(*[st.integers(1, 3)] * LOOPS),
    order=st.permutations(range(LOOPS)),
    run=st.integers(1, 3),
    offsets=sizes(0, 5),
    rng=SEEDS,
)
def test_fill_and_copy(
    c: Runtime,
    dtype: type,
    extents: tuple[int, ...],
    order: list[int],
    run: int,
    offsets: tuple[int, int],
    rng: np.random.Generator,
) -> None:
    strides = [stride * run for stride in movement.row_major([extents[i] for i in order])]
    size = math.prod(extents) * run
    width = np.dtype(dtype).itemsize
    copy = CopyParams(
        extents=extents,
        input_strides=tuple(strides[order.index(i)] for i in range(LOOPS)),
        output_strides=tuple(stride * run for stride in movement.row_major(extents)),
        input_offset=offsets[0],
        output_offset=offsets[1],
        run=run,
        element_bytes=width,
    )
    value = int(int8(rng)) if width == 1 else 0
    fill = FillParams(count=(size + offsets[1] + 2) * width, value=value)
    x = rng.integers(-100, 100, size + offsets[0]).astype(dtype)
    output = np.empty(size + offsets[1] + 2, dtype)
    c.run("mi_fill", fill, output)
    c.run("mi_copy", copy, x, output)
    same(output, movement.eval(movement.MovementParams(output.size, fill, (copy,)), x[None]))


def check_softmax(c: Runtime, x: Array, real: float) -> None:
    multiplier, shift = fixedpoint.quantize_multiplier(min(real, 2**31 - 1.0))
    p = SoftmaxParams(*x.shape, multiplier, shift, diff_min=-((31 << 26) >> shift))
    expected, output = softmax.eval(p, x[None]), np.empty_like(x)
    c.run("mi_softmax_s8", p, x, output, np.empty(p.depth, np.int32))
    same(output, expected)
    c.run("mi_softmax_s8", p, x, x, np.empty(p.depth, np.int32))
    same(x, expected)


@CHECKED
@given(rows=st.integers(1, 3), depth=st.integers(1, 40), exponent=st.floats(0.01, 31), rng=SEEDS)
def test_softmax(
    c: Runtime, rows: int, depth: int, exponent: float, rng: np.random.Generator
) -> None:
    spread = int(rng.integers(1, 129))
    check_softmax(c, rng.integers(-spread, spread, (rows, depth), np.int8), 2**exponent)


@pytest.mark.parametrize("depth", [255, 256, 257, 511, 512, 513, 1024, 4095])
def test_softmax_of_many_equal_classes(c: Runtime, depth: int) -> None:
    check_softmax(c, np.full((1, depth), 7, np.int8), 2.0**22)


@CHECKED
@given(size=st.integers(1, 300), rng=SEEDS)
def test_lookup(c: Runtime, size: int, rng: np.random.Generator) -> None:
    p = LookupParams(size, int8(rng, 256))
    x = int8(rng, size)
    expected = eval_lookup(p, x)
    c.run("mi_lookup_s8", p, x, x)
    same(x, expected)


@pytest.mark.parametrize("scale", [1.0, 0.1, 2.0**-8, 3e-5, 1e-38, 1e36])
@pytest.mark.parametrize("zero_point", [-128, -3, 0, 127])
def test_quantize(c: Runtime, scale: float, zero_point: int) -> None:
    rng = np.random.default_rng(7)
    step = np.float32(scale)
    near = (np.arange(-300, 300, 0.5, np.float32) * step).astype(np.float32)
    special = np.array([math.nan, math.inf, -math.inf, -0.0, 3e38, -3e38, 1e-45], np.float32)
    below_half = np.float32(0.49999997) * step
    bits = rng.integers(0, 2**32, 20_000, np.uint32).view(np.float32)
    x = np.concatenate([near, *(np.nextafter(near, np.float32(d)) for d in (-np.inf, np.inf))])
    x = np.concatenate([x, special, [below_half, -below_half], bits]).astype(np.float32)
    p, output = QuantizeParams(x.size, step, zero_point), np.empty(x.size, np.int8)
    c.run("mi_quantize_f32_s8", p, x, output)
    same(output, eval_quantize(p, x))
    assert output[near.size * 3] == zero_point  # NaN


@pytest.mark.parametrize("scale", [1.0, 0.1, 2.0**-8, 3e-5, 1e-44, 1e36])
def test_dequantize(c: Runtime, scale: float) -> None:
    x = np.arange(-128, 128).astype(np.int8)
    p, output = DequantizeParams(256, float(np.float32(scale)), -77), np.empty(256, np.float32)
    c.run("mi_dequantize_s8_f32", p, x, output)
    same(output.view(np.uint32), eval_dequantize(p, x).view(np.uint32))


@pytest.mark.skipif(SANITIZE, reason="this is the run under sanitizers")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="preloads a Linux library")
def test_kernels_and_primitives_under_sanitizers() -> None:
    found = [
        subprocess.run(
            [tool("gcc"), f"-print-file-name={name}"], capture_output=True, text=True, check=True
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
    command += ["-k", "not clean and not struct and not headers"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
