"""What we say of CMSIS-NN, scratch and declarations, is so in the real one: `make verify-cmsis`.

CMSIS_NN_PATH has to point to a checkout of it; without, pytest does not collect this file.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from c_build import need, run
from command_line import GESTURE
from microinfer import cmsis_nn
from microinfer.emit.cmsis_nn import params, scratch
from microinfer.emit.cmsis_nn.conv import REVERSED_ABOVE
from microinfer.emit.cmsis_nn.dense import kernel_sums
from microinfer.targets import HOST, target
from microinfer.targets.build import build
from microinfer.targets.emulator import command
from test_cmsis_nn_library import ON

# -- scratch --------------------------------------------------------------------------------


def braces(values: tuple[int, ...]) -> str:
    return f"{{{', '.join(map(str, values))}}}"


def random_conv(rng: np.random.Generator, depthwise: bool) -> params.ConvParams:
    """Shapes that take every way through the library's functions, often the narrow ones."""
    height, width = (int(rng.choice([1, 1, 3, 9])), int(rng.choice([1, 5, 8, 13])))
    channels = int(rng.choice([1, 1, 2, 3, 4, 16, 150]))
    kernel = (min(height, int(rng.choice([1, 3, 5]))), min(width, int(rng.choice([1, 2, 3, 5]))))
    outputs = channels * int(rng.choice([1, 1, 3])) if depthwise else int(rng.choice([1, 8]))
    stride = (int(rng.choice([1, 2, 4])), int(rng.choice([1, 2])))
    padding = tuple(int(rng.integers(0, extent)) for extent in reversed(kernel))
    output_width = max(1, (width + 2 * padding[0] - kernel[1]) // stride[0] + 1)
    filters = (1 if depthwise else outputs, *kernel, outputs if depthwise else channels)
    return params.ConvParams(
        input=(int(rng.choice([1, 1, 2])), height, width, channels),
        filter=filters,
        output=(1, 1, output_width, outputs),
        stride=stride,
        padding=(padding[0], padding[1]),
        dilation=(int(rng.choice([1, 1, 2])), int(rng.choice([1, 1, 2]))),
        activation=(-128, 127),
        input_offset=0,
        output_offset=0,
        weights=np.zeros(filters, np.int8),
        bias=None,
        multipliers=np.zeros(1, np.int32),
        shifts=np.zeros(1, np.int32),
    )


GETTERS: dict[str, tuple[Callable[[Any, str], int], str]] = {
    "convolve_wrapper": (
        scratch.conv,
        "arm_convolve_wrapper_s8_get_buffer_size(&conv, &input, &filter, &output)",
    ),
    "convolve": (scratch.conv_any, "arm_convolve_s8_get_buffer_size(&input, &filter)"),
    "convolve_wrapper_s4": (
        scratch.conv_s4,
        "arm_convolve_wrapper_s4_get_buffer_size(&conv, &input, &filter, &output)",
    ),
    "convolve_wrapper_s16": (
        scratch.conv_s16,
        "arm_convolve_wrapper_s16_get_buffer_size(&conv, &input, &filter, &output)",
    ),
    "depthwise_s4": (
        scratch.depthwise_s4,
        "arm_depthwise_conv_wrapper_s4_get_buffer_size(&dw, &input, &filter, &output)",
    ),
    "depthwise_s16": (
        scratch.depthwise_s16,
        "arm_depthwise_conv_wrapper_s16_get_buffer_size(&dw, &input, &filter, &output)",
    ),
    "transpose_conv": (
        scratch.transpose_conv,
        "arm_transpose_conv_s8_get_buffer_size(&transpose, &input, &filter, &output)",
    ),
    "depthwise": (
        scratch.depthwise,
        "arm_depthwise_conv_wrapper_s8_get_buffer_size(&dw, &input, &filter, &output)",
    ),
}


PLAIN_WITHOUT = ("depthwise", "depthwise_s16")  # no scratch on cores without DSP


def getter_program(getter: str, convs: list[params.ConvParams]) -> str:
    """A program that prints what the library's function returns for each."""
    lines = [
        '#include "arm_nnfunctions.h"\nvoid mi_put(char c);\nint main(void);',
        "static void put(long n) { if (n > 9) put(n / 10); mi_put((char)('0' + n % 10)); }",
        "int main(void) {",
    ]
    for conv in convs:
        of_conv = [0, 0, conv.stride, conv.padding, conv.dilation, conv.activation]
        text = ", ".join(braces(v) if isinstance(v, tuple) else str(v) for v in of_conv)
        multiplier = conv.output[3] // conv.input[3]
        lines += [
            "{",
            f"const cmsis_nn_conv_params conv = {{{text}}}; (void)conv;",
            "const cmsis_nn_transpose_conv_params transpose ="
            f" {{0, 0, {braces(conv.stride)}, {braces(conv.padding)}, {{0, 0}}, {{1, 1}},"
            " {-128, 127}}; (void)transpose;",
            f"const cmsis_nn_dw_conv_params dw = {{0, 0, {multiplier}, {text[6:]}}}; (void)dw;",
            *(
                f"const cmsis_nn_dims {dims} = {braces(getattr(conv, dims))}; (void){dims};"
                for dims in ("input", "filter", "output")
            ),
            f"put((long){GETTERS[getter][1]}); mi_put('\\n');",
            "}",
        ]
    return "\n".join([*lines, "return 0;", "}"])


def printed(source: str, name: str, folder: Path) -> list[int]:
    """The numbers that a program with the library prints."""
    if name == HOST:
        library = cmsis_nn.library(["gcc"], "ar", ["-O1"])
        putchar = "#include <stdio.h>\nvoid mi_put(char c);\nvoid mi_put(char c) { putchar(c); }\n"
        (folder / "getter.c").write_text(putchar + source)
        archive = str(library.archive)
        run([need("gcc"), *library.compile_flags, "getter.c", archive, "-o", "getter"], folder)
        arguments = [str(folder / "getter")]
    else:
        row = target(name)
        program = build(row, folder, {"getter.c": source}, kernels="cmsis-nn")
        arguments = command(row, program)
    said = subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return [int(line) for line in said.stdout.split()]


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("getter", [own for own in GETTERS if own != "transpose_conv"])
def test_scratch_is_what_the_library_asks_for(getter: str, name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    convs = [random_conv(rng, getter.startswith("depthwise")) for _ in range(400)]
    expected = [GETTERS[getter][0](conv, ON[name]) for conv in convs]
    assert printed(getter_program(getter, convs), name, tmp_path) == expected
    assert len(set(expected)) > 5 or (ON[name] == "plain" and getter in PLAIN_WITHOUT)


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
def test_scratch_of_transpose_conv(name: str, tmp_path: Path) -> None:
    """The library's function takes the stride's height for its width at one place: ours are equal
    here."""
    rng = np.random.default_rng(8)
    convs, expected = [], []
    for _ in range(200):
        conv = replace(random_conv(rng, False), dilation=(1, 1))
        conv = replace(conv, stride=(conv.stride[0], conv.stride[0]))
        conv = replace(conv, input=(*conv.input[:3], int(rng.choice([3, 16, 17]))))
        conv = replace(conv, filter=(*conv.filter[:3], conv.input[3]))
        reversed_ = conv.input[3] > REVERSED_ABOVE and conv.stride[0] <= 2
        kept = {
            field.name: getattr(conv, field.name) for field in fields(params.TransposeConvParams)
        }
        scratched = scratch.conv_any if reversed_ else scratch.transpose_conv
        expected.append(scratched(params.TransposeConvParams(**kept), ON[name]))
        convs.append(conv)
    source = getter_program("transpose_conv", convs)
    assert printed(source, name, tmp_path) == expected


@pytest.mark.parametrize("name", [HOST, "cortex-m4", "cortex-m55"])
def test_scratch_of_pools_and_sums_of_dense_layers(name: str, tmp_path: Path) -> None:
    """FULLY_CONNECTED and SVDF ask for room for sums of weights, which are constants here."""
    channels = [1, 2, 7, 64, 1001]
    pools = [
        params.PoolParams((1, 4, 4, n), (1, 2, 2, 1), (1, 2, 2, n), *[(1, 1)] * 3) for n in channels
    ]
    source = getter_program("convolve", []).replace(
        "return 0;",
        "".join(
            f"put(arm_avgpool_s8_get_buffer_size(2, {n})); mi_put('\\n');\n"
            f"put(arm_avgpool_s16_get_buffer_size(2, {n})); mi_put('\\n');\n"
            f"{{const cmsis_nn_dims filter = {{9, 1, 1, {n}}};"
            "put(arm_fully_connected_s8_get_buffer_size(&filter)); mi_put('\\n');"
            "put(arm_fully_connected_s16_get_buffer_size(&filter)); mi_put('\\n');"
            f"const cmsis_nn_dims features = {{{n}, 9, 1, 1}};"
            "put(arm_svdf_s8_get_buffer_size(&features)); mi_put('\\n');}\n"
            for n in channels
        )
        + "return 0;",
    )
    sums = 4 if ON[name] == "mve" else 0
    expected = [
        number
        for n, pool in zip(channels, pools, strict=True)
        for number in (*[scratch.average_pool(pool, ON[name])] * 2, sums * n, 0, sums * n)
    ]
    assert printed(source, name, tmp_path) == expected


def test_kernel_sums_are_the_librarys(tmp_path: Path) -> None:
    graph = mi.load(GESTURE)
    layer = next(
        layer for layer in mi.plan(graph).layers if layer.prepared.op.name == "FULLY_CONNECTED"
    )
    p = layer.prepared.params
    weights, bias = (", ".join(map(str, array.ravel())) for array in (p.weights, p.bias))
    source = getter_program("convolve", []).replace(
        "return 0;",
        f"static const int8_t weights[] = {{{weights}}};\n"
        f"static const int32_t bias[] = {{{bias}}};\n"
        f"static int32_t sums[{p.output_size}];\n"
        f"arm_vector_sum_s8(sums, {p.input_size}, {p.output_size}, weights, {-p.input_zero_point},"
        f" {-p.weights_zero_point}, bias);\n"
        f"for (int i = 0; i < {p.output_size}; i++) {{ if (sums[i] < 0) {{ mi_put('-'); }}"
        " put(sums[i] < 0 ? -(long)sums[i] : sums[i]); mi_put('\\n'); }\nreturn 0;",
    )
    for name in (HOST, "cortex-m55"):
        assert printed(source, name, tmp_path) == kernel_sums(p).tolist()


# -- the interface --------------------------------------------------------------------------

INTERFACE = Path(__file__).parent / "cmsis_nn_interface" / "arm_nnfunctions.h"
DECLARED = re.sub(r"/\*.*?\*/", "", INTERFACE.read_text(), flags=re.DOTALL)
REAL = ["-isystem", str(cmsis_nn.checkout() / "Include")]


def test_our_declarations_of_functions_are_the_librarys(tmp_path: Path) -> None:
    """A function may be declared twice if both say the same."""
    ours = re.findall(r"^(?:void|arm_cmsis_nn_status) arm_\w+\([^;]*;", DECLARED, re.MULTILINE)
    assert len(ours) == len(set(re.findall(r"\b(arm_\w+_s\d+(?:_fast|_opt)?)\(", DECLARED)))
    (tmp_path / "twice.c").write_text("\n".join(['#include "arm_nnfunctions.h"', *ours]))
    run([need("gcc"), *REAL, "-Werror", "-c", "twice.c"], tmp_path)
    wrong = ours[0].replace("const int8_t *", "const int16_t *", 1)
    (tmp_path / "wrong.c").write_text(f'#include "arm_nnfunctions.h"\n{wrong}')
    with pytest.raises(AssertionError, match="conflicting types"):
        run([need("gcc"), *REAL, "-c", "wrong.c"], tmp_path)


def test_our_declarations_of_structs_are_the_librarys(tmp_path: Path) -> None:
    """Every field lies where we say, and there is no other."""
    probes = ["#include <stddef.h>", "#include <stdio.h>", '#include "arm_nnfunctions.h"']
    probes += ["int main(void) {"]
    for body, struct in re.findall(r"typedef struct \{(.*?)\} (\w+);", DECLARED, re.DOTALL):
        probes.append(f'printf("{struct} %zu\\n", sizeof({struct}));')
        for field in re.findall(r"(\w+);", body):
            where = f"offsetof({struct}, {field}), sizeof((({struct} *)0)->{field})"
            probes.append(f'printf("{struct}.{field} %zu %zu\\n", {where});')
    (tmp_path / "probe.c").write_text("\n".join([*probes, "return 0; }"]))
    said = []
    for include in ([f"-I{INTERFACE.parent}"], REAL):
        run([need("gcc"), *include, "probe.c", "-o", "probe"], tmp_path)
        said.append(run(["./probe"], tmp_path).stdout)
    assert said[0] == said[1]
    assert said[0].count("\n") > 40
