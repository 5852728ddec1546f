"""Self-contained HTML pages: styles, scripts and data are inside, so that a file opens anywhere.

A page is a template of this folder that extends ``base.html.j2``; ``file("x.css")`` there gives
the text of a file of this folder, and ``value | tojson`` data that a script can read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


def _file(name: str) -> Markup:
    """A style sheet or script of this folder, as it is."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def render(template: str, **data: Any) -> str:
    """The page that ``template``, such as "explain.html.j2", makes of ``data``; text is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    environment.globals["file"] = _file
    environment.policies["json.dumps_kwargs"] = {}  # else it sorts keys, which are in an order
    return environment.get_template(template).render(data)
