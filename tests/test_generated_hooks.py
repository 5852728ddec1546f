"""What generated C offers beside the model: self-test, profile, float converters, two in one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from c_build import C_WARNINGS, need, run, write


def own(name: str) -> mi.Graph:
    return mi.load(f"models/{name}_int8.tflite")


TWO_MODELS = """
#include "digits.h"
#include "gesture.h"
#include <stdio.h>

int main(void)
{
    int layer = -1;

    if (digits_selftest(&layer) != DIGITS_OK || gesture_selftest(&layer) != GESTURE_OK) {
        return 1;
    }
    puts("both");
    return 0;
}
"""


def test_two_models_link_into_one_program_and_pass_their_self_tests(tmp_path: Path) -> None:
    need("gcc")
    files = {"main.c": TWO_MODELS}
    for name in ("digits", "gesture"):
        files.update(mi.generate(own(name), name))
    folder = write(tmp_path, files)
    defines = ["-DDIGITS_SELFTEST", "-DGESTURE_SELFTEST"]
    run(["gcc", "-std=c99", *C_WARNINGS, *defines, "main.c", "digits.c", "gesture.c"], folder)
    assert run(["./a.out"], folder).stdout == "both\n"


SELFTEST = """
#include "m.h"
#include <stdio.h>

int main(void)
{
    int layer = 99;
    const int status = m_selftest(&layer);

    printf("%d %d\\n", status, layer);
    return 0;
}
"""


@pytest.mark.parametrize("stored", [False, True])
def test_self_test_names_the_first_wrong_layer(stored: bool, tmp_path: Path) -> None:
    need("gcc")
    graph = own("gesture")
    sample = [np.load("models/gesture_inputs.npy")[:1]] if stored else None
    files = mi.generate(graph, "m", selftest_input=sample)
    folder = write(tmp_path, {**files, "main.c": SELFTEST})
    build = ["gcc", "-std=c99", *C_WARNINGS, "-DM_SELFTEST", "main.c", "m.c"]
    run(build, folder)
    assert run(["./a.out"], folder).stdout == "0 -1\n"

    # One wrong bias in layer 3, the second convolution.
    damaged = re.sub(
        r"(m_layer_3_bias\[\d+\] = \{\s+)(-?\d+)",
        lambda m: m[1] + str(int(m[2]) + 5000),
        files["m.c"],
    )
    assert damaged != files["m.c"]
    (folder / "m.c").write_text(damaged)
    run(build, folder)
    assert run(["./a.out"], folder).stdout == "-3 3\n"


PROFILE = """
#include "m.h"
#include <stdio.h>

static uint32_t now;
static uint32_t step;

uint32_t m_clock(void)
{
    now += step++;
    return now;
}

int main(void)
{
    m_invoke();
    for (int i = 0; i < M_LAYERS; i++) {
        printf("%u ", (unsigned)m_profile[i]);
    }
    return 0;
}
"""


def test_profile_hook_reads_the_users_clock_around_each_layer(tmp_path: Path) -> None:
    need("gcc")
    folder = write(tmp_path, {**mi.generate(own("gesture"), "m"), "main.c": PROFILE})
    run(["gcc", "-std=c99", *C_WARNINGS, "-DM_PROFILE", "main.c", "m.c"], folder)
    # The n-th reading of this clock is n more than the one before; layer i is between the
    # readings 2i and 2i + 1.
    layers = len(own("gesture").nodes)
    expected = "".join(f"{2 * i + 1} " for i in range(layers))
    assert run(["./a.out"], folder).stdout == expected


CONVERTERS = """
#include "m.h"
#include <stdio.h>

/* Reads M_INPUT_SIZE floats, writes the input as int8, then the output as floats. */
int main(void)
{
    float real[M_INPUT_SIZE > M_OUTPUT_SIZE ? M_INPUT_SIZE : M_OUTPUT_SIZE];

    if (fread(real, sizeof(float), M_INPUT_SIZE, stdin) != M_INPUT_SIZE) {
        return 1;
    }
    if (m_quantize_input(0, real) != M_OK || m_quantize_input(1, real) != M_ERROR_INDEX) {
        return 2;
    }
    fwrite(m_input(0), 1, M_INPUT_SIZE, stdout);
    if (m_invoke() != M_OK || m_dequantize_output(0, real) != M_OK ||
        m_dequantize_output(-1, real) != M_ERROR_INDEX || m_input(1) != NULL) {
        return 3;
    }
    fwrite(real, sizeof(float), M_OUTPUT_SIZE, stdout);
    return 0;
}
"""


def test_float_converters_equal_quantize_and_dequantize(tmp_path: Path) -> None:
    need("gcc")
    graph = own("gesture")
    folder = write(tmp_path, {**mi.generate(graph, "m"), "main.c": CONVERTERS})
    run(["gcc", "-std=c99", *C_WARNINGS, "main.c", "m.c"], folder)
    tensor = graph.tensors[graph.inputs[0]]
    assert tensor.quantization is not None
    scale = np.float32(tensor.quantization.scale)
    rng = np.random.default_rng(1)
    real = (rng.uniform(-200, 200, tensor.size) * scale).astype(np.float32)
    real[:8] = [0.5 * scale, -0.5 * scale, np.nan, np.inf, -np.inf, 3e38, 0, 0.49999997 * scale]
    result = subprocess.run(
        ["./a.out"], cwd=folder, input=real.tobytes(), capture_output=True, check=True
    )
    quantized = np.frombuffer(result.stdout[: tensor.size], np.int8)
    # By hand: round half away in exact arithmetic of the float32 quotient; NaN is 0; saturates.
    with np.errstate(over="ignore"):
        quotient = (real / scale).astype(np.float64)
    quotient = np.nan_to_num(quotient, nan=0, posinf=1e6, neginf=-1e6)
    steps = np.sign(quotient) * np.floor(np.abs(quotient) + 0.5) + tensor.quantization.zero_point
    np.testing.assert_array_equal(quantized, np.clip(steps, -128, 127))

    (raw,) = mi.Interpreter(graph).run(quantized.reshape(tensor.shape))
    output = graph.tensors[graph.outputs[0]].quantization
    assert output is not None
    expected = (output.scale * (raw.astype(np.float64) - output.zero_point)).astype(np.float32)
    got = np.frombuffer(result.stdout[tensor.size :], np.float32)
    np.testing.assert_array_equal(got, expected.ravel())
