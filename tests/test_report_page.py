"""The report as a page: whole in itself, well formed, safe, small; and how it behaves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

import microinfer as mi
from browser import opened
from command_line import DIGITS, DIGITS_INPUTS, MODELS, microinfer
from microinfer.debug.accuracy import accuracy
from microinfer.debug.report import report
from microinfer.pages.report import report_page
from microinfer.tflite import write
from one_op import activation, constant, one_op
from shared_models import INT8_MODELS, shared_model

pytestmark = pytest.mark.xdist_group("browser")  # one worker, one browser

OPERATORS = sorted((MODELS / "operators").glob("*.tflite"))
LARGEST = 5_000_000  # bytes
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Checked(HTMLParser):
    """Tags that close what is open, nothing that loads, no id twice."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        assert len(known) == len(attrs), (tag, attrs)
        assert not any(name.startswith("on") for name in known), attrs
        assert "src" not in known
        if "href" in known:
            self.links.append(known["href"] or "")
        if "id" in known:
            self.ids.append(known["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


def checked(page: str) -> Checked:
    """``page``, found to be whole."""
    found = Checked(page)
    assert len(found.ids) == len(set(found.ids))
    for link in found.links:
        assert link == "data:," or link.removeprefix("#") in found.ids, link
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"<!--.*?-->|(?m:^\s*//.*$)", "", page))
    assert "@import" not in page
    assert "url(" not in page
    return found


def inputs_of(graph: mi.Graph, samples: int = 2) -> list[np.ndarray]:
    """Random samples, without words that no table has."""
    rng = np.random.default_rng(5)
    shapes = [(samples, *graph.tensors[index].shape) for index in graph.inputs]
    types = [graph.tensors[index].dtype for index in graph.inputs]
    return [
        rng.integers(0, 3, shape).astype(dtype)
        if dtype.itemsize > 2
        else rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape).astype(dtype)
        for shape, dtype in zip(shapes, types, strict=True)
    ]


def page_of(graph: mi.Graph, file: str = "model.tflite") -> str:
    return report_page(report(graph, *inputs_of(graph), file=file))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of digits, with a comparison that differs."""
    path = tmp_path_factory.mktemp("report") / "digits.html"
    said = microinfer(
        "report", DIGITS, "--inputs", DIGITS_INPUTS, "--against", _other_weights(path.parent),
        "-o", path,
    )  # fmt: skip
    assert (said.code, said.stdout) == (1, "")
    assert said.stderr == f"{path}: {path.stat().st_size:,} bytes\n"
    return path


def _other_weights(folder: Path) -> Path:
    """A saved run of digits in which layer 5 gave one step more everywhere."""
    trace = mi.Interpreter(mi.load(DIGITS)).trace(np.load(DIGITS_INPUTS))
    more = np.minimum(trace[5].outputs[0].astype(np.int16) + 1, 127).astype(np.int8)
    trace.layers[5] = replace(trace[5], outputs=[more])
    path = folder / "board.npz"
    mi.Trace(trace.layers, trace.inputs, trace.numerics).save(path)
    return path


@pytest.mark.parametrize("path", OPERATORS, ids=lambda path: path.stem)
def test_pages_of_all_kinds_of_models_are_whole(path: Path) -> None:
    graph = mi.load(path)
    page = page_of(graph, path.name)
    found = checked(page)
    assert len(page.encode()) < LARGEST // 5
    for layer in range(len(mi.plan(graph).layers)):
        assert f"layer-{layer}" in found.ids


@pytest.mark.parametrize("name", INT8_MODELS)
def test_pages_of_public_models_are_small(name: str) -> None:
    page = page_of(mi.load(shared_model(name)), name)
    checked(page)
    assert len(page.encode()) < LARGEST


NASTY = "</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}</title><!--"


def test_names_are_text_and_nothing_else(browser: Browser, tmp_path: Path) -> None:
    x, y = activation((1, 2), name=NASTY), activation((1, 2), name=NASTY + "2")
    graph = one_op("FULLY_CONNECTED", [x, constant([[1, 2], [3, 4]], 0.5, name=NASTY), None], y)
    model, samples, page = (tmp_path / name for name in ("m.tflite", "x.npy", "page.html"))
    model.write_bytes(write(graph))
    np.save(samples, np.ones((3, 1, 2), np.int8))
    assert microinfer("report", model, "-i", samples, "-o", page).code == 0
    found = checked(page.read_text("utf-8"))
    assert any(NASTY[:20] in text for text in found.text)
    with opened(browser, page.as_uri()) as shown:
        assert shown.locator("img").count() == 0
        assert "49" not in shown.locator("#layer-table").inner_text()


def test_the_page_says_what_the_report_says(digits: Path) -> None:
    found = checked(digits.read_text("utf-8"))
    text = " ".join(" ".join(found.text).split())
    assert "100 samples ran in the arithmetic of tflm" in text
    assert "Different from board.npz: " in text
    assert "It begins in layer 5 CONV_2D, sample 0" in text
    assert "4,608 bytes of RAM (arena), 8,738 bytes of constants in flash" in text
    assert "digits_int8.tflite - report of microinfer" in text
    # In layer 2 its input, its output and the residual are there, each 8 x 8 x 24 bytes.
    assert "The most is in use in layer 2, 4,608 bytes." in text


def test_gains_are_not_shown_as_if_they_added_up(digits: Path) -> None:
    """Those from the second layer on are on top of the others; what all bring is said, too."""
    found = accuracy(mi.load(DIGITS), np.load(DIGITS_INPUTS))
    assert found.together is not None
    assert len(found.advice) > 1
    text = " ".join(" ".join(checked(digits.read_text("utf-8")).text).split())
    for place, advice in enumerate(found.advice):
        own = f"{advice.gain_db:+.1f} dB without its error" + ", the above without too" * (
            place > 0
        )
        assert f": {own}. {advice.sentence[:1].upper()}" in text
    gain = f"{found.together.sqnr_gain_db:+.1f} dB by {found.together.sentence}."
    assert f"Together: {gain}" in text
    assert f"What can be had of that together: {gain}" in text
    assert text.count("once the layers above are without error") == len(found.advice) - 1


def test_that_nothing_was_tried_is_not_told_as_a_finding() -> None:
    path = MODELS / "operators" / "streaming_int8.tflite"
    text = " ".join(checked(page_of(mi.load(path))).text)
    assert "no remedies were tried" in text
    assert "No layer stands out" not in text


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        microinfer("report", DIGITS, "-i", DIGITS_INPUTS, "-o", tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


# -- files ---------------------------------------------------------------------------------------


def test_a_report_replaces_a_report_and_nothing_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<title>my page</title>")
    arguments = ["report", DIGITS, "-i", DIGITS_INPUTS, "-o", mine]
    said = microinfer(*arguments)
    assert (said.code, said.stdout) == (2, "")
    assert "it exists and is no report of microinfer" in said.stderr
    assert mine.read_text() == "<title>my page</title>"
    assert microinfer(*arguments, "--force").code == 0
    first = mine.read_bytes()
    assert microinfer(*arguments, "--numerics", "litert").code == 0
    assert mine.read_bytes() != first
    assert os.listdir(tmp_path) == ["mine.html"]


def test_a_name_that_no_browser_opens(tmp_path: Path) -> None:
    said = microinfer("report", DIGITS, "-i", DIGITS_INPUTS, "-o", tmp_path / "page.txt")
    assert said.code == 2
    assert "page.txt: its name has to end in .html" in said.stderr
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_where_the_run_fails(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.npy"
    np.save(wrong, np.zeros((3, 5), np.int8))
    for arguments in (["-i", wrong], ["-i", DIGITS_INPUTS, "--against", tmp_path / "no.npz"]):
        said = microinfer("report", DIGITS, *arguments, "-o", tmp_path / "page.html")
        assert said.code == 2
        assert said.stderr.startswith("error: ")
        assert os.listdir(tmp_path) == ["wrong.npy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "choose one of -o FILE, for a page, and --json"),
        (["-o", "x.html", "--json"], "choose one of -o FILE, for a page, and --json"),
        (["-o", "."], "cannot write .: it is a folder, expected a file name"),
        (["-o", "no/x.html"], "cannot write no/x.html: there is no folder no"),
        (["--json", "--float", "no.tflite"], "no.tflite: no such file"),
        (["--json", "--labels", "no.npy"], "no.npy: no such file"),
        (["--json", "--against", "tfml"], "tfml: no such file or folder; expected"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], message: str) -> None:
    said = microinfer("report", DIGITS, "-i", DIGITS_INPUTS, *arguments)
    assert (said.code, said.stdout) == (2, "")
    assert message in said.stderr


def test_an_identical_run_is_exit_code_0(tmp_path: Path) -> None:
    said = microinfer(
        "report", DIGITS, "-i", DIGITS_INPUTS, "--against", "c", "-o", tmp_path / "c.html"
    )
    assert said.code == 0
    text = (tmp_path / "c.html").read_text("utf-8")
    assert "Identical to the generated C on this machine: 890,000 values in 11 layers." in text
    assert 'id="difference"' not in text


# -- in a browser --------------------------------------------------------------------------------


@pytest.fixture
def page(browser: Browser, digits: Path) -> Iterator[Page]:
    with opened(browser, digits.as_uri()) as found:
        yield found


def column(page: Page, number: int) -> list[str]:
    return page.locator(f"#layer-table tbody tr td:nth-child({number})").all_inner_texts()


def test_a_click_on_a_title_sorts(page: Page) -> None:
    titles = page.locator("#layer-table thead th").all_inner_texts()
    place = titles.index("SQNR, dB") + 1
    before = [float(text) for text in column(page, place)]
    assert len(set(before)) > 5
    assert before not in (sorted(before), sorted(before, reverse=True))
    head = page.locator(f"#layer-table thead th:nth-child({place})")
    for order, name in ((True, "descending"), (False, "ascending"), (True, "descending")):
        head.locator("button").click()
        assert [float(text) for text in column(page, place)] == sorted(before, reverse=order)
        assert head.get_attribute("aria-sort") == name
    by_name = page.locator("#layer-table thead th:nth-child(2)")
    by_name.locator("button").click()
    assert column(page, 2) == sorted(column(page, 2))
    assert head.get_attribute("aria-sort") is None


def test_a_click_on_the_map_leads_to_the_row_and_the_row_to_the_values(page: Page) -> None:
    page.locator(".map a[href='#layer-7']").click()
    row = page.locator("#layer-7")
    colour = "e => getComputedStyle(e.cells[0]).backgroundColor"
    assert row.evaluate(colour) != page.locator("#layer-6").evaluate(colour)
    assert row.evaluate("e => e.getBoundingClientRect().top < innerHeight")
    details = page.locator("details#values-7")
    details.evaluate("e => { e.open = false }")
    row.locator("a").click()
    page.locator("details#values-7[open]").wait_for()


def test_colours_can_be_chosen(page: Page) -> None:
    fill = "e => getComputedStyle(e).fill"
    stop = page.locator(".map a[href='#layer-5'] rect")
    seen = set()
    for look, text in (("difference", " %"), ("accumulated", "."), ("isolated", ".")):
        page.locator("#look").select_option(look)
        shown = page.locator(".map a[href='#layer-5'] .figure:visible")
        assert shown.count() == 1
        assert text in (shown.text_content() or "")
        seen.add(stop.evaluate(fill))
    assert len(seen) > 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1400])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, digits: Path, width: int, scheme: str
) -> None:
    with opened(browser, digits.as_uri(), scheme, width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        light = page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
        )
        assert (light > 128) == (scheme == "light")


def test_no_figure_of_the_layers_is_cut_off(browser: Browser, digits: Path) -> None:
    with opened(browser, digits.as_uri(), width=1300) as page:
        beyond = "e => e.scrollWidth - e.parentElement.clientWidth"
        assert page.locator("#layer-table").evaluate(beyond) <= 0


def test_paper_has_what_is_folded_on_the_screen(page: Page) -> None:
    page.locator("details.layer").evaluate_all("all => all.forEach(e => { e.open = false })")
    svg = page.locator("#values-3 svg").first
    assert not svg.is_visible()
    page.emulate_media(media="print")
    assert svg.is_visible()
    assert page.locator("#look").is_hidden()
    assert page.locator("#look-title").inner_text() == "difference"
    assert page.pdf(format="A4").count(b"/Type /Page\n") >= 3


def test_a_report_does_not_replace_what_it_reads(tmp_path: Path) -> None:
    model = tmp_path / "model.html"  # as strange as it is
    model.write_bytes(DIGITS.read_bytes())
    said = microinfer("report", model, "--inputs", DIGITS_INPUTS, "-o", model, "--force")
    assert (said.code, said.stdout) == (2, "")
    assert "it is read; choose another name" in said.stderr
    assert model.read_bytes() == DIGITS.read_bytes()
