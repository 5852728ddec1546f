"""Models with their runs for explain's page, and how a test reads and clicks it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

import microinfer as mi
from microinfer.debug.page import explain_page
from shared_models import shared_model

OWN = ("digits", "gesture", "vibration")
OPERATORS = ("mobilenet_int8", "unet_int8", "unet_int16", "posture_int8", "separable_int4",
             "detector_int8", "transformer_int8", "attention_int16")  # fmt: skip
STATEFUL = ("lstm_int8", "streaming_int8")
SHARED = ("mlperf_kws_int8", "tflm_micro_speech_int8")

Array = NDArray[Any]


class Case:
    """A model, an interpreter, inputs [samples, *shape] and their trace."""

    def __init__(self, name: str, numerics: str = "tflm", samples: int = 3) -> None:
        inputs: list[Array]
        if name in OWN:
            path = Path(f"models/{name}_int8.tflite")
            inputs = [np.load(f"models/{name}_inputs.npy")]
        elif name in SHARED:
            path = shared_model(name)
            rng = np.random.default_rng(3)
            shape = mi.load(path).tensors[mi.load(path).inputs[0]].shape
            inputs = [rng.integers(-128, 128, (samples, *shape)).astype(np.int8)]
        else:
            path = Path(f"models/operators/{name}.tflite")
            with np.load(path.with_suffix(".npz")) as file:
                inputs = [file[key] for key in file.files if key.startswith("input")]
        self.interpreter = mi.Interpreter(mi.load(path), numerics)
        graph = self.interpreter.graph
        self.inputs = [
            values[:samples].reshape(samples, *graph.tensors[index].shape)
            for values, index in zip(inputs, graph.inputs, strict=True)
        ]
        self.interpreter.reset()
        self.trace = self.interpreter.trace(*self.inputs)
        self.interpreter.reset()
        self.title = path.name


@cache
def case(name: str, numerics: str = "tflm") -> Case:
    return Case(name, numerics)


@cache
def html(name: str, numerics: str = "tflm", computes: Literal["auto", "yes", "no"] = "auto") -> str:
    found = case(name, numerics)
    return explain_page(found.interpreter, *found.inputs, title=found.title, computes=computes)


def number(text: str) -> float:
    """A number as the page prints it."""
    return float(text.replace("\N{MINUS SIGN}", "-").replace("\u202f", ""))


def step(page: Page, name: str) -> float:
    return number(page.inner_text(f'[data-step="{name}"]'))


def examined(page: Page) -> str:
    """What the page found when it computed the layer again: "equal", "different" or "none"."""
    page.wait_for_selector("#check:not([data-state=busy])")
    return page.get_attribute("#check", "data-state") or ""


def click(page: Page, canvas: str, row: int, column: int) -> None:
    target = page.locator(canvas)
    rows, columns = (int(target.get_attribute(f"data-{what}") or 0) for what in ("rows", "columns"))
    box = target.bounding_box()
    assert box is not None
    x, y = (column + 0.5) * box["width"] / columns, (row + 0.5) * box["height"] / rows
    target.click(position={"x": x, "y": y})
