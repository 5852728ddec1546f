"""What `run --input` takes of images and of arrays of uint8, with --image-range."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from command_line import DIGITS_INPUTS, GESTURE, MODELS, NAME, interpreted, ran, refused, two_inputs

SAMPLES = np.load(DIGITS_INPUTS)
REALS = np.load(MODELS / "digits_inputs_float32.npy")
PIXELS = np.arange(128, dtype=np.uint8).reshape(2, 8, 8, 1) * 2


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_images() -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    image.fromarray(pixels).save("grey.png")
    image.fromarray(np.stack([pixels] * 3, axis=-1)).save("grey_rgb.png")
    image.fromarray(pixels).convert("P").save("palette.gif")
    scale, zero_point = 0.062745101749897, -128
    real = (16 * pixels.astype(np.float64) / 255).astype(np.float32)
    steps = np.floor(real / np.float32(scale) + np.float32(0.5)).astype(int) + zero_point
    expected = interpreted(np.clip(steps, -128, 127).astype(np.int8).reshape(1, 8, 8, 1))
    for name in ("grey.png", "grey_rgb.png", "palette.gif"):
        assert ran("-i", name, "--image-range", "0,16") == [expected], name


def test_images_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    Path("a.png").write_bytes(b"")
    assert refused("-i", "a.png", "--image-range", "0,1") == (
        "a.png: reading images needs Pillow: pip install pillow"
    )


def test_images_that_do_not_fit() -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("L", (8, 8)).save("grey.png")
    image.new("L", (9, 8)).save("wide.png")
    image.new("RGB", (8, 8), "red").save("red.png")
    image.new("RGBA", (8, 8), (0, 0, 0, 9)).save("clear.png")
    image.new("I;16", (8, 8)).save("deep.png")
    Path("text.png").write_text("text")
    assert refused("-i", "grey.png") == (
        "grey.png: is an image: say which real values pixels 0 and 255 stand for, as in training:"
        " --image-range 0,1 or -1,1 or 0,255 (the model's input covers 0 to 16)"
    )
    for name, error in (
        ("wide.png", f'is 9 wide and 8 high; input "{NAME}" takes 8 wide and 8 high: resize it'),
        ("red.png", f'is in colour; input "{NAME}" takes greyscale: convert it'),
        ("clear.png", "has transparent pixels"),
        ("deep.png", "is a I;16 image; expected 8-bit greyscale or RGB"),
        ("text.png", "is not an image that Pillow can read"),
    ):
        assert refused("-i", name, "--image-range", "0,1").startswith(f"{name}: {error}")
    assert "takes (1, 50, 6), expected (1, HEIGHT, WIDTH, 1) or" in refused(
        "-i", "grey.png", "--image-range", "0,1", model=GESTURE
    )


@pytest.mark.parametrize("options", [[], ["--quantize-input"]])
def test_pixels_need_a_range(options: list[str]) -> None:
    np.save("a.npy", PIXELS)
    np.savez("a.npz", PIXELS)
    for name in ("a.npy", "a.npz"):
        assert refused("-i", name, *options) == (
            f'{name}: got uint8 (2, 8, 8, 1), input "{NAME}" takes int8 (1, 8, 8, 1); if these are'
            " pixels, say which real values pixels 0 and 255 stand for, as in training:"
            " --image-range 0,1 or -1,1 or 0,255 (the model's input covers 0 to 16)"
        )


def test_pixels_in_arrays() -> None:
    np.save("a.npy", PIXELS)
    np.savez("a.npz", x=PIXELS)
    np.save("reals.npy", PIXELS * (16 / 255))
    expected = ran("-i", "reals.npy", "--quantize-input")
    assert ran("-i", "a.npy", "--image-range", "0,16") == expected
    assert ran("-i", "a.npz:x", "--image-range", "0,16") == expected
    assert ran("-i", "a.npy", "--image-range", "0,16", "--quantize-input") == expected


def test_a_range_without_pixels() -> None:
    np.save("a.npy", SAMPLES)
    np.save("reals.npy", REALS)
    text = "--image-range is for images and uint8 arrays; {} holds neither"
    assert refused("-i", "a.npy", "--image-range", "0,1") == text.format("a.npy")
    assert refused("-i", "reals.npy", "--quantize-input", "--image-range", "0,1") == text.format(
        "reals.npy"
    )


def test_pixels_for_one_of_two_inputs() -> None:
    model = two_inputs()
    np.save("x.npy", np.array([[0, 51, 102, 255]], np.uint8))
    np.save("y.npy", np.zeros((1, 4), np.int8))
    np.save("q.npy", np.array([[3, 5, 7, 13]], np.int8))  # 0, 1, 2, 5 in steps of 0.5 from 3
    expected = ran("-i", "q.npy", "-i", "y.npy", model=model)
    options = ["-i", "x.npy", "-i", "y.npy", "--image-range", "0,5"]
    assert ran(*options, model=model) == expected
