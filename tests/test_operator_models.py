"""models/operators/: every tensor equals both runtimes' and the C's, from invocation to invocation.

The models with state keep it here from the first sample to the last: three kinds of made-up inputs,
then the real ones.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import microinfer as mi
from compared import Compared
from oracles import ORACLES, differing

FOLDER = Path(__file__).resolve().parent.parent / "models" / "operators"
FACTS: dict[str, dict[str, Any]] = json.loads((FOLDER / "models.json").read_text("utf-8"))
README = (FOLDER / "README.md").read_text("utf-8")
MADE_UP = 12

Array = NDArray[Any]


@cache
def content(name: str) -> bytes:
    return (FOLDER / f"{name}.tflite").read_bytes()


@cache
def arrays(name: str) -> dict[str, Array]:
    with np.load(FOLDER / f"{name}.npz") as loaded:
        return dict(loaded)


def made_up(like: Array) -> Array:
    """Both ends of the type, noise, and narrow peaks; for floats what an image may be, and more."""
    rng = np.random.default_rng(3)
    shape = (MADE_UP, *like.shape[1:])
    if like.dtype.kind == "f":
        return rng.normal(
            0.5, rng.uniform(0.1, 2, (MADE_UP, *[1] * (like.ndim - 1))), shape
        ).astype(like.dtype)
    low, high = np.iinfo(like.dtype).min, np.iinfo(like.dtype).max
    result = rng.integers(low, high + 1, shape)
    result[0], result[1] = low, high
    centres = rng.integers(low, high, (MADE_UP // 2, *[1] * (like.ndim - 1)))
    peaks = rng.normal(centres, (high - low) / 50, (MADE_UP // 2, *like.shape[1:]))
    result[-len(peaks) :] = np.clip(np.rint(peaks), low, high)
    return result.astype(like.dtype)


def computed(trace: mi.Trace, index: int) -> bool:
    try:
        trace.tensor(index)
    except KeyError:
        return False
    return True


def test_every_file_is_recorded_and_as_recorded() -> None:
    recorded = {file: about for fact in FACTS.values() for file, about in fact["files"].items()}
    assert {path.name for path in FOLDER.iterdir()} == {*recorded, "models.json", "README.md"}
    for file, about in recorded.items():
        bytes_ = (FOLDER / file).read_bytes()
        assert len(bytes_) == about["bytes"] < 40_000, file
        assert hashlib.sha256(bytes_).hexdigest() == about["sha256"], file
        assert f"| `{file}` | {about['bytes']} | `{about['sha256']}` |" in README
    assert sum(about["bytes"] for about in recorded.values()) < 400_000


@pytest.mark.parametrize("name", FACTS)
def test_readme_says_what_models_json_says(name: str) -> None:
    fact = FACTS[name]
    assert f"| `{name}` | {', '.join(fact['operators'])} |" in README
    figures = f"| {100 * fact['float32']:.2f} % | {100 * fact['quantized']:.2f} % |"
    (row,) = [
        line for line in README.splitlines() if line.startswith(f"| `{name}` | {fact['what']}")
    ]
    assert row.endswith(f"| {fact['figure']} {figures}")
    assert fact["quantized"] > 0.85


@pytest.mark.parametrize("name", FACTS)
def test_litert_reference_gives_the_committed_outputs(name: str) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(
        model_content=content(name),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    assert {op["op_name"] for op in interpreter._get_ops_details()} == {*FACTS[name]["operators"]}
    (source,) = interpreter.get_input_details()
    interpreter.reset_all_variables()
    for step, sample in enumerate(arrays(name)["input"]):
        if not FACTS[name]["stream"]:
            interpreter.reset_all_variables()
        interpreter.set_tensor(source["index"], sample[None])
        interpreter.invoke()
        for position, end in enumerate(interpreter.get_output_details()):
            expected = arrays(name)[f"output_{position}"][step]
            np.testing.assert_array_equal(interpreter.get_tensor(end["index"])[0], expected)


@pytest.mark.parametrize("name", FACTS)
def test_profile_litert_gives_the_committed_outputs(name: str) -> None:
    graph = mi.load(FOLDER / f"{name}.tflite")
    inputs = arrays(name)["input"]
    for runner in (mi.Interpreter(graph, "litert"), mi.compile(graph, "litert")):
        if FACTS[name]["stream"]:
            outputs = runner.run(inputs)
        else:
            runs = []
            for sample in inputs:
                runner.reset()
                runs.append(runner.run(sample[None]))
            outputs = [np.concatenate(one) for one in zip(*runs, strict=True)]
        for position, output in enumerate(outputs):
            np.testing.assert_array_equal(output, arrays(name)[f"output_{position}"])


@pytest.mark.parametrize("numerics", ORACLES)
@pytest.mark.parametrize("name", FACTS)
def test_every_tensor_equals_the_runtime_and_the_c(
    name: str, numerics: str, compared: Compared
) -> None:
    graph = mi.load(FOLDER / f"{name}.tflite")
    real = arrays(name)["input"]
    inputs = np.concatenate([made_up(real), real])[:, None]
    theirs = ORACLES[numerics](content(name), inputs)
    trace = mi.Interpreter(graph, numerics).trace(inputs)
    # What shapes decide is computed when a model is loaded, and a handle is no array.
    ours = {index: trace.tensor(index) for index in theirs if computed(trace, index)}
    assert {*graph.outputs} <= {*ours}
    wrong = {index: n for index, array in ours.items() if (n := differing(array, theirs[index]))}
    elements = sum(array.size for array in ours.values())
    compared(name, numerics, f"{len(inputs)} inputs", elements, sum(wrong.values()))
    assert not wrong, f"tensor: elements that differ {wrong}"

    native = mi.compile(graph, numerics)
    mi.diff(trace, native.trace(inputs)).assert_identical()
