"""explain's page as a file: its size, what names can do to it, how it looks on which screen."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import microinfer as mi
from browser import Open
from microinfer.debug import wasm
from microinfer.debug.page import SAMPLES, explain_page, samples_that_fit
from microinfer.graph import Tensor
from one_op import activation, one_op
from page_cases import case, html, number
from shared_models import shared_model

pytestmark = pytest.mark.xdist_group("browser")  # one worker, one browser


@pytest.mark.parametrize("name", ["digits", "gesture", "mlperf_kws_int8"])
def test_pages_are_small(name: str) -> None:
    assert len(html(name)) < 1_000_000


def test_too_many_samples_are_refused() -> None:
    found = case("digits")
    many = np.zeros((SAMPLES + 1, 8, 8, 1), np.int8)
    with pytest.raises(
        mi.BadInput,
        match=f"got {SAMPLES + 1} samples; a page of this model takes at most {SAMPLES}",
    ):
        explain_page(found.interpreter, many)


def test_pages_of_large_models_take_fewer_samples() -> None:
    graph = mi.Interpreter(mi.load(shared_model("mlperf_vww_int8"))).graph
    outputs = sum(graph.tensors[i].size for node in graph.nodes for i in node.outputs)
    assert samples_that_fit(graph) == 2_000_000 // outputs < SAMPLES


def test_names_cannot_become_markup(show: Open) -> None:
    found = case("gesture")
    title = "</script><script>document.title = 'taken'</script><b id=b>"
    page = show(explain_page(found.interpreter, *found.inputs, title=title, computes="no"))
    assert title in page.inner_text("h1")
    assert page.locator("#b").count() == 0
    assert page.title() != "taken"


def test_columns_of_recorded_terms_are_in_the_order_of_the_explanation(show: Open) -> None:
    """value, less zero point, then what each gate gets of it; "largest first" goes by the last."""
    page = show(html("lstm_int8", computes="no"), "#layer=0")
    terms = page.locator("#terms thead th").all_inner_texts()
    assert terms == ["reads", "value", "less zero point", "input", "forget", "cell", "output"]
    page.select_option("[aria-label='Order of the terms']", "size")
    shown = page.locator("#terms tbody tr td:last-child").all_inner_texts()
    sizes = [abs(number(text)) for text in shown]
    assert sizes == sorted(sizes, reverse=True)


def test_names_of_tensors_cannot_become_markup_and_long_vectors_fit(show: Open) -> None:
    """More elements than a function can have arguments."""
    name = "</script><script>document.title = 'taken'</script><b id=b>"
    shape = (1, 200_000)
    graph = one_op("RELU", [activation(shape, name=name)], activation(shape, name=name + "2"))
    x = np.full((1, *shape), -5, np.int8)
    x[0, 0, 150_000] = 100
    page = show(explain_page(mi.Interpreter(graph), x, computes="no"))
    assert page.locator("#b").count() == 0
    assert page.title() != "taken"
    assert "output[0, 150000]" in page.inner_text("#element").replace("\u202f", "")


@pytest.mark.skipif(bool(wasm.missing_tool()), reason="needs clang and wasm-ld")
def test_an_input_that_the_model_refuses_is_not_shown_as_if_it_ran(show: Open) -> None:
    x, places = activation((5, 4)), Tensor("places", (3,), "INT32")
    graph = one_op("GATHER", [x, places], activation((3, 4)), axis=0, batch_dims=0)
    values = np.arange(20, dtype=np.int8).reshape(1, 5, 4)
    page = show(explain_page(mi.Interpreter(graph), values, np.array([[0, 1, 2]], np.int32)))
    port, output = graph.inputs[1], graph.outputs[0]
    for value, refused, row in ((4, False, 4), (9, True, 4), (3, False, 3)):
        page.fill("#value", str(value))
        page.evaluate(f"paint({port}, portViews[1].made, 0)")
        assert page.is_visible("#refused") == refused
        assert page.evaluate(f"inputsOf(0)[{port}][0]") == row
        first = page.evaluate(f"Array.from(values[{output}]).slice(0, 4)")
        assert first == values[0, row].tolist()


def test_the_address_is_that_of_a_layer_without_outputs(show: Open) -> None:
    page = show(html("streaming_int8", computes="no"), "#layer=3")
    while page.evaluate("view.layer") > 0:
        page.keyboard.press("p")
        assert f"#layer={page.evaluate('view.layer')}" in page.url
    assert "at=" not in page.url
    assert "computes nothing" in page.inner_text("#arithmetic")


def test_the_arena_has_every_buffer_and_the_layer_of_a_click(show: Open) -> None:
    planned = mi.plan(case("digits").interpreter.graph)
    page = show(html("digits"), "#layer=2")
    assert page.locator("#arena rect.buffer").count() == len(planned.buffers)
    titles = page.locator("#arena rect.buffer title").all_text_contents()
    expected = [
        f"{b.nbytes} bytes at {b.offset}, layers {b.first} to {b.last}" for b in planned.buffers
    ]
    assert [t.partition(": ")[2].replace("\N{MINUS SIGN}", "-") for t in titles] == expected
    live = sum(b.nbytes for b in planned.buffers if b.first <= 2 <= b.last)
    assert f"{live} bytes are in use" in page.inner_text("#arena-about").replace("\u202f", "")
    page.locator("#arena rect.hit").nth(6).click()
    assert page.evaluate("view.layer") == 6


@pytest.mark.parametrize("width", [390, 820, 1500])
def test_nothing_is_wider_than_the_screen(width: int, show: Open) -> None:
    page = show(html("digits"), width=width)
    for layer in (1, 3, 9, 10):
        page.select_option("#layer", str(layer))
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_that_can_be_used_has_a_name(show: Open) -> None:
    page = show(html("digits"))
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, select, input, canvas")].filter((control) =>
             !(control.ariaLabel || control.labels?.length || control.textContent.trim()))
           .map((control) => control.outerHTML)"""
    )
    assert nameless == []


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """By WCAG, 1 to 21; text needs 4.5 (AA)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def themes() -> list[dict[str, str]]:
    """The colours in light, dark and print."""
    style = Path("microinfer/pages/style.css").read_text("utf-8")
    found = [dict(re.findall(r"--([\w-]+): (#\w{6});", part)) for part in style.split(":root")[1:]]
    assert len(found) == 3
    return found


@pytest.mark.parametrize("text", ["ink", "muted", "accent", "good", "warn", "bad"])
@pytest.mark.parametrize("ground", ["ground", "panel"])
def test_texts_have_contrast(text: str, ground: str) -> None:
    for theme in themes():
        assert contrast(theme[text], theme[ground]) >= 4.5, theme


@pytest.mark.parametrize("value", ["low", "high"])
def test_texts_on_values_have_contrast(value: str) -> None:
    for theme in themes():
        assert contrast(theme["on-value"], theme[value]) >= 4.5, theme
