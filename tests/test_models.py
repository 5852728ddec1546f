"""models/: the files are what models.json and README.md say, and outside runtimes agree.

Nothing here runs microinfer: TensorFlow Lite Micro and LiteRT's reference kernels judge.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

MODELS = Path(__file__).resolve().parent.parent / "models"
FACTS: dict[str, dict[str, Any]] = json.loads((MODELS / "models.json").read_text("utf-8"))
NAMES = ("digits", "gesture", "vibration")
PARTS = (
    "float32.tflite",
    "inputs.npy",
    "inputs_float32.npy",
    "int8.tflite",
    "labels.npy",
    "outputs.npy",
)
MISTAKEN = {"digits": ("dim_int8.tflite",)}  # models whose calibration went wrong on purpose


def load(name: str, part: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(MODELS / f"{name}_{part}.npy")
    return array


def readme_rows(first_cell: str) -> list[list[str]]:
    """Cells of README's table rows that begin with `first_cell`, without it."""
    lines = (MODELS / "README.md").read_text("utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")][1:]
        for line in lines
        if line.startswith(f"| {first_cell} |")
    ]


def predictions(
    name: str, inputs: NDArray[np.int8], outputs: NDArray[np.int8]
) -> NDArray[np.integer]:
    """Class indices (n,) from int8 inputs and outputs, by the rule of models/README.md."""
    if name != "vibration":
        return outputs.argmax(axis=1)
    real = [
        fact["scale"] * (array.astype(np.float64) - fact["zero_point"])
        for fact, array in ((FACTS[name]["input"], inputs), (FACTS[name]["output"], outputs))
    ]
    score = np.square(real[0] - real[1]).mean(axis=1)
    return (score > FACTS[name]["measured"]["int8"]["threshold"]).astype(np.int64)


def run_tflm(name: str, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    runtime = pytest.importorskip("tflite_micro").runtime
    interpreter = runtime.Interpreter.from_file(str(MODELS / f"{name}_int8.tflite"))
    outputs = []
    for sample in inputs:
        interpreter.set_input(sample[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


def litert_reference(name: str, twin: str = "int8") -> Any:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(
        str(MODELS / f"{name}_{twin}.tflite"),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    return interpreter


def run_litert(interpreter: Any, inputs: NDArray[Any]) -> NDArray[Any]:
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for sample in inputs:
        interpreter.set_tensor(source["index"], sample[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result["index"])[0])
    return np.stack(outputs)


def test_models_json_lists_every_file() -> None:
    assert tuple(FACTS) == NAMES
    for name in NAMES:
        parts = sorted((*PARTS, *MISTAKEN.get(name, ())))
        assert tuple(FACTS[name]["files"]) == tuple(f"{name}_{part}" for part in parts)


@pytest.mark.parametrize("name", NAMES)
def test_files_match_their_recorded_size_and_sha256(name: str) -> None:
    for file, recorded in FACTS[name]["files"].items():
        content = (MODELS / file).read_bytes()
        assert len(content) == recorded["bytes"], file
        assert hashlib.sha256(content).hexdigest() == recorded["sha256"], file


@pytest.mark.parametrize("name", NAMES)
def test_both_twins_are_under_60_kb(name: str) -> None:
    for twin in ("int8", "float32"):
        assert (MODELS / f"{name}_{twin}.tflite").stat().st_size < 60_000


@pytest.mark.parametrize("name", NAMES)
def test_readme_accuracy_table_equals_models_json(name: str) -> None:
    fact = FACTS[name]
    size = {twin: fact["files"][f"{name}_{twin}.tflite"]["bytes"] for twin in ("int8", "float32")}
    accuracy = {twin: f"{100 * fact['measured'][twin]['accuracy']:.2f} %" for twin in size}
    assert [
        str(size["int8"]),
        str(size["float32"]),
        str(fact["test_samples"]),
        accuracy["float32"],
        accuracy["int8"],
    ] in readme_rows(f"`{name}`")


@pytest.mark.parametrize("twin", ["float32", "int8"])
def test_readme_threshold_table_equals_models_json(twin: str) -> None:
    measured = FACTS["vibration"]["measured"][twin]
    assert readme_rows(twin) == [
        [
            f"{measured['threshold']:.6f}",
            f"{measured['auc']:.4f}",
            f"{100 * measured['false_alarm_rate']:.2f} %",
            f"{100 * measured['detection_rate']:.2f} %",
        ]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_readme_sha256_table_equals_models_json(name: str) -> None:
    for file, recorded in FACTS[name]["files"].items():
        assert readme_rows(f"`{file}`") == [[str(recorded["bytes"]), f"`{recorded['sha256']}`"]]


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_recorded_shape_and_every_class_equally(name: str) -> None:
    fact, labels = FACTS[name], load(name, "labels")
    inputs, real, outputs = (load(name, part) for part in ("inputs", "inputs_float32", "outputs"))
    assert (inputs.dtype, real.dtype, outputs.dtype) == (np.int8, np.float32, np.int8)
    assert labels.dtype == np.int32
    assert inputs.shape == real.shape == (fact["samples"], *fact["input"]["shape"][1:])
    assert outputs.shape == (fact["samples"], *fact["output"]["shape"][1:])
    assert set(np.bincount(labels)) == {fact["samples"] // len(fact["classes"])}


@pytest.mark.parametrize("name", NAMES)
def test_int8_samples_are_the_float32_samples_quantized(name: str) -> None:
    scale, zero_point = (FACTS[name]["input"][key] for key in ("scale", "zero_point"))
    exact = load(name, "inputs_float32").astype(np.float64) / scale + zero_point
    error = np.abs(load(name, "inputs") - np.clip(exact, -128, 127))
    assert error.max() <= 0.5 + 1e-4  # half a step, and the float32 division's last bit


@pytest.mark.parametrize("name", NAMES)
def test_int8_model_is_int8_throughout_and_lists_its_operators(name: str) -> None:
    interpreter, fact = litert_reference(name), FACTS[name]
    assert [op["op_name"] for op in interpreter._get_ops_details()] == fact["operators"]
    for key, (tensor,) in (
        ("input", interpreter.get_input_details()),
        ("output", interpreter.get_output_details()),
    ):
        assert tensor["dtype"] is np.int8
        assert tensor["shape"].tolist() == fact[key]["shape"]
        assert tensor["quantization"] == (fact[key]["scale"], fact[key]["zero_point"])
    dtypes = {tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    assert dtypes == {np.int8, np.int32}


@pytest.mark.parametrize("name", NAMES)
def test_tflm_reproduces_the_recorded_int8_result_on_the_samples(name: str) -> None:
    inputs, from_litert = load(name, "inputs"), load(name, "outputs")
    from_tflm = run_tflm(name, inputs)
    # LiteRT requantizes FULLY_CONNECTED in float64, TFLM in integers; README says where it shows.
    assert np.abs(from_tflm.astype(int) - from_litert).max() <= (2 if name == "vibration" else 0)
    by_tflm = predictions(name, inputs, from_tflm)
    by_litert = predictions(name, inputs, from_litert)
    assert np.array_equal(by_tflm, by_litert)
    right = int((by_tflm == load(name, "labels")).sum())
    assert right == FACTS[name]["measured"]["int8"]["correct_of_samples"]


@pytest.mark.parametrize("name", NAMES)
def test_litert_reference_gives_the_committed_outputs(name: str) -> None:
    outputs = run_litert(litert_reference(name), load(name, "inputs"))
    assert np.array_equal(outputs, load(name, "outputs"))


@pytest.mark.parametrize("name", NAMES)
def test_litert_reproduces_the_recorded_float32_result_on_the_samples(name: str) -> None:
    inputs, measured = load(name, "inputs_float32"), FACTS[name]["measured"]["float32"]
    outputs = run_litert(litert_reference(name, "float32"), inputs)
    if name == "vibration":
        predicted = np.square(inputs - outputs).mean(axis=1) > measured["threshold"]
    else:
        predicted = outputs.argmax(axis=1)
    assert int((predicted == load(name, "labels")).sum()) == measured["correct_of_samples"]


@pytest.mark.parametrize(("twin", "right"), [("int8", 97), ("dim_int8", 67)])
def test_calibration_with_dim_pictures_costs_thirty_digits(twin: str, right: int) -> None:
    interpreter = litert_reference("digits", twin)
    (source,) = interpreter.get_input_details()
    scale, zero_point = source["quantization"]
    steps = np.rint(load("digits", "inputs_float32") / np.float32(scale)) + zero_point
    outputs = run_litert(interpreter, np.clip(steps, -128, 127).astype(np.int8))
    assert (outputs.argmax(axis=1) == load("digits", "labels")).sum() == right
