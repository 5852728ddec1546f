"""What `run --input` takes: every format, and everything that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import microinfer as mi
from command_line import (
    DIGITS,
    DIGITS_INPUTS,
    MODELS,
    NAME,
    batched,
    interpreted,
    microinfer,
    ran,
    refused,
    two_inputs,
)
from microinfer.tflite import write
from one_op import activation, one_op

SAMPLES = np.load(DIGITS_INPUTS)
REALS = np.load(MODELS / "digits_inputs_float32.npy")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_npy() -> None:
    assert ran("-i", str(DIGITS_INPUTS)) == batched(interpreted(SAMPLES))
    np.save("one.npy", SAMPLES[:1])
    np.save("leading.npy", SAMPLES[:3, None])
    assert ran("-i", "one.npy") == [interpreted(SAMPLES[:1])]
    assert ran("-i", "leading.npy") == interpreted(SAMPLES[:3, None])


def test_several_files_are_samples_one_after_the_other() -> None:
    np.save("a.npy", SAMPLES[:1])
    np.save("b.npy", SAMPLES[4:7])
    rows = batched(interpreted(SAMPLES[[0, 4, 5, 6]]))
    assert ran("-i", "a.npy", "-i", "b.npy") == rows


def test_npz() -> None:
    np.savez("one.npz", anything=SAMPLES)
    np.savez("two.npz", x=SAMPLES, y=SAMPLES[:2])
    np.savez("named.npz", x=SAMPLES, **{NAME: SAMPLES[:2]})
    outputs = batched(interpreted(SAMPLES))
    assert ran("-i", "one.npz") == outputs
    assert ran("-i", "two.npz:y") == ran("-i", "named.npz") == outputs[:2]
    assert refused("-i", "two.npz") == "two.npz: has 2 arrays: x, y; choose one with two.npz:NAME"
    assert refused("-i", "two.npz:z") == (
        "two.npz:z: there is no such array in it; there are: x, y"
    )


def test_csv_one_line_per_sample() -> None:
    np.savetxt("a.csv", SAMPLES[:3].reshape(3, -1), fmt="%d", delimiter=",")
    assert ran("-i", "a.csv") == batched(interpreted(SAMPLES[:3]))


def test_csv_several_lines_per_sample() -> None:
    np.savetxt("a.csv", SAMPLES[:3].reshape(-1, 8), fmt="%d", delimiter=", ")
    said = microinfer("run", DIGITS, "-i", "a.csv", "--json")
    assert (said.code, said.stderr) == (0, "note: a.csv: 8 lines make one sample\n")
    assert said.json["outputs"][0]["values"] == batched(interpreted(SAMPLES[:3]))


def test_csv_of_reals() -> None:
    np.savetxt("a.csv", REALS[:3].reshape(3, -1), fmt="%g", delimiter=",")  # whole numbers, too
    assert ran("-i", "a.csv", "--quantize-input") == batched(interpreted(SAMPLES[:3]))


def test_csv_header_is_skipped_and_said_so() -> None:
    numbers = "\n".join([",".join(["1"] * 8)] * 8)
    Path("a.csv").write_text(f"{','.join('abcdefgh')}\n\n{numbers}\n", encoding="utf-8-sig")
    said = microinfer("run", DIGITS, "-i", "a.csv", "--json")
    assert said.code == 0
    assert said.stderr == (
        "note: a.csv: line 1 is taken for a header\nnote: a.csv: 8 lines make one sample\n"
    )
    assert said.json["outputs"][0]["values"] == batched(interpreted(np.ones((1, 8, 8, 1), np.int8)))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "has no numbers in it"),
        ("1,2,3\n4,x,5\n", "line 2, column 2: 'x' is not a number"),
        ("1,2,3\n\n4,,5\n", "line 3, column 2: '' is not a number"),
        ("a,b\nc,d\n", "line 2, column 1: 'c' is not a number"),
        ("1;2\n", "line 1, column 1: '1;2' is not a number"),
        ("1_0\n", "line 1, column 1: '1_0' is not a number"),
        ("1,2\n3,4,5\n", "line 2 has 3 columns, those before 2"),
        (
            "1,2,3\n4,5,6\n",
            f'has 2 lines of 3 numbers; a sample of input "{NAME}" takes 64, (1, 8, 8, 1), in one'
            " line or in several whole lines",
        ),
        (
            ",".join(["200"] * 64),
            "200 is not an int8, -128 to 127; if these are real values, pass --quantize-input;"
            " if pixels, save them as a .npy of uint8 and pass --image-range",
        ),
        (
            ",".join(["0.5"] * 64),
            f'line 1, column 1: got 0.5, input "{NAME}" takes int8 (1, 8, 8, 1); if these are real'
            " values, pass --quantize-input",
        ),
    ],
)
def test_wrong_csv(text: str, error: str) -> None:
    Path("a.csv").write_text(text)
    # A first line without a number is a header, whatever follows it.
    (line,) = [
        line
        for line in microinfer("run", DIGITS, "-i", "a.csv").stderr.splitlines()
        if not line.startswith("note: ")
    ]
    assert line == f"error: a.csv: {error}"


def test_csv_that_is_not_text() -> None:
    Path("a.csv").write_bytes(b"\xff\x00\x01")
    assert refused("-i", "a.csv") == "a.csv: is not text; expected numbers separated by commas"


def test_bin() -> None:
    Path("a.bin").write_bytes(SAMPLES[:2].tobytes())
    Path("f.bin").write_bytes(REALS[:2].astype("<f4").tobytes())
    outputs = batched(interpreted(SAMPLES[:2]))
    assert ran("-i", "a.bin") == ran("-i", "f.bin", "--quantize-input") == outputs


def test_bin_of_another_size() -> None:
    Path("a.bin").write_bytes(b"x" * 100)
    assert refused("-i", "a.bin") == (
        "a.bin: has 100 bytes; a sample of int8 (1, 8, 8, 1) takes 64, and the file a multiple of"
        " that"
    )
    assert "a sample of float32 (1, 8, 8, 1) takes 256" in refused(
        "-i", "a.bin", "--quantize-input"
    )
    Path("a.bin").write_bytes(b"")
    assert "has 0 bytes" in refused("-i", "a.bin")


def test_reals_are_quantized_on_request() -> None:
    np.save("f64.npy", REALS.astype(np.float64))
    outputs = batched(interpreted(SAMPLES))
    for file in (str(MODELS / "digits_inputs_float32.npy"), "f64.npy"):
        assert ran("-i", file, "--quantize-input") == outputs


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (REALS, "float32 (100, 8, 8, 1)"),
        (np.zeros((1, 8, 8, 1)), "float64 (1, 8, 8, 1)"),
        (np.float32(1), "float32 ()"),
    ],
)
def test_wrong_dtype(values: Any, got: str) -> None:
    np.save("a.npy", values)
    assert refused("-i", "a.npy") == (
        f'a.npy: got {got}, input "{NAME}" takes int8 (1, 8, 8, 1); if these are real values, pass'
        " --quantize-input"
    )


def test_dtypes_that_are_no_numbers() -> None:
    np.save("a.npy", np.array(["text"]))
    assert refused("-i", "a.npy") == f'a.npy: got <U4 (1,); input "{NAME}" takes int8 (1, 8, 8, 1)'


@pytest.mark.parametrize("options", [[], ["--quantize-input"]])
def test_integers_of_another_dtype(options: list[str]) -> None:
    np.save("a.npy", SAMPLES.astype(np.int64))
    assert refused("-i", "a.npy", *options) == (
        f'a.npy: got int64 (100, 8, 8, 1), input "{NAME}" takes int8 (1, 8, 8, 1): save them as'
        " int8; if they are real values, as float32, and pass --quantize-input"
    )


def test_wrong_shape() -> None:
    np.save("a.npy", np.zeros((1, 28, 28, 1), np.int8))
    assert refused("-i", "a.npy").startswith(
        f'a.npy: input 0 "{NAME}": got shape (1, 28, 28, 1), expected (1, 8, 8, 1), or '
    )


def test_what_cannot_be_quantized() -> None:
    np.save("nan.npy", np.full((1, 8, 8, 1), np.nan, np.float32))
    assert refused("-i", "nan.npy", "--quantize-input") == (
        "nan.npy: nan at (0, 0, 0, 0); only finite numbers can be quantized"
    )
    assert refused("-i", str(DIGITS_INPUTS), "--quantize-input") == (
        f"{DIGITS_INPUTS}: got int8 (100, 8, 8, 1), quantized already; leave --quantize-input out"
    )


def test_no_samples() -> None:
    np.save("a.npy", SAMPLES[:0])
    assert refused("-i", "a.npy") == "a.npy: got an input with no samples in it"


class Bomb:
    """What a pickle does when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_pickles_are_not_loaded(name: str) -> None:
    save = np.save if name == "a.npy" else np.savez
    save(name, np.array([Bomb()], dtype=object))  # type: ignore[operator]
    assert "holds Python objects, not numbers, and loading them could run code" in refused(
        "-i", name
    )
    assert not Path("exploded").exists()


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_damaged_arrays(name: str) -> None:
    (np.save if name == "a.npy" else np.savez)(name, SAMPLES)  # type: ignore[operator]
    data = Path(name).read_bytes()
    for part in (b"", b"text", data[:100], data[:-100]):
        Path(name).write_bytes(part)
        assert refused("-i", name).startswith(f"{name}: is not a ")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("absent.npy", "no such file"),
        ("a.txt", "its name does not end like an input's: expected .npy, .npz, .csv, .bin or"),
        ("folder.npy", "is a folder, expected a file"),
    ],
)
def test_not_a_file_of_samples(name: str, error: str) -> None:
    Path("a.txt").write_text("1")
    Path("folder.npy").mkdir()
    assert refused("-i", name).startswith(f"{name}: {error}")


def test_random_samples_follow_their_seed() -> None:
    one, again, other = (ran("--random", "3", "--seed", seed) for seed in ("1", "1", "2"))
    assert one == again
    assert one != other


def test_a_model_with_two_inputs() -> None:
    model = two_inputs()
    x = np.arange(12, dtype=np.int8).reshape(3, 4)
    y = np.arange(12, 0, -1, dtype=np.int8).reshape(3, 4)
    (expected,) = mi.Interpreter(mi.load(model)).run(x, y)
    np.save("x.npy", x)
    np.save("y.npy", y)
    np.savez("order.npz", x, y)
    np.savez("names.npz", second=y, first=x)
    np.savez("numbers.npz", input_1=y, input_0=x)
    for files in (["x.npy", "y.npy"], ["order.npz"], ["names.npz"], ["numbers.npz"]):
        options = [word for file in files for word in ("-i", file)]
        assert ran(*options, model=model) == batched(expected.tolist()), files


def test_wrong_files_for_two_inputs() -> None:
    model = two_inputs()
    np.save("x.npy", np.zeros((3, 4), np.int8))
    np.save("y.npy", np.zeros((2, 4), np.int8))
    np.savez("odd.npz", first=np.zeros((1, 4), np.int8), z=np.zeros((1, 4), np.int8))
    assert refused("-i", "x.npy", model=model) == (
        'got 1 input file; the model takes 2, in this order: "first", "second"'
    )
    assert refused("-i", "x.npy", "-i", "y.npy", model=model) == (
        "the inputs disagree on the number of samples: 3, 2"
    )
    assert refused("-i", "odd.npz", model=model) == (
        "odd.npz: has no array for input 1: expected one called second or input_1 or arr_1;"
        " there are: first, z"
    )


def test_a_model_with_float_inputs() -> None:
    path = Path("float.tflite")
    reals = activation([1, 4], None, name="x")
    path.write_bytes(write(one_op("QUANTIZE", [reals], activation([1, 4], 0.5, 1, "y"))))
    values = np.array([[0.5, -1, 3.25, 100]])
    np.save("f32.npy", values.astype(np.float32))
    np.save("f64.npy", values)
    np.savetxt("a.csv", values, delimiter=",")
    expected = [[[2, -1, 8, 127]]]
    assert ran("-i", "f32.npy", model=path) == expected
    assert ran("-i", "a.csv", model=path) == expected
    assert ran("-i", "f32.npy", "--quantize-input", model=path) == expected
    assert ran("-i", "f64.npy", "--quantize-input", model=path) == expected
    assert "takes float32 (1, 4)" in refused("-i", "f64.npy", model=path)
    assert len(ran("--random", "2", model=path)) == 2
