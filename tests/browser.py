"""A headless Chromium for the pages: the system's own, driven by playwright, without a network.

A pytest plugin with the fixture ``show``, which opens a page.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; skips the test where there is none."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium (Debian: apt install chromium-headless-shell)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, url: str, scheme: Literal["light", "dark"] = "light", width: int = 1500
) -> Iterator[Page]:
    """A page, offline, that must fetch nothing and report no error."""
    context = browser.new_context(
        offline=True, color_scheme=scheme, viewport={"width": width, "height": 1000}
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    seen: list[str] = []
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on("console", lambda message: seen.append(f"console: {message.text}"))
    page.on("request", lambda request: seen.append(f"request: {request.url}"))
    page.goto(url)
    yield page
    context.close()
    own = (f"request: {url.partition('#')[0]}", "request: data:", "request: about:")
    assert [line for line in seen if not line.startswith(own)] == []


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """show(html, place="", ...): the page, ready. A request or a complaint of it is a failure."""
    with ExitStack() as pages:

        def show(html: str, place: str = "", **options: Any) -> Page:
            file = tmp_path / "page.html"
            file.write_text(html, encoding="utf-8")
            page = pages.enter_context(opened(browser, file.as_uri() + place, **options))
            page.wait_for_selector("body[data-ready=yes]")
            return page

        yield show
