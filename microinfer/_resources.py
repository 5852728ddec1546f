"""Where the templates and the C kernels lie: in the wheel, or in a checkout beside the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_DATA = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent


def template_dir() -> Path:
    return _DATA / "codegen" / "templates"


def runtime_dir() -> Path:
    return _DATA / "runtime_c"
