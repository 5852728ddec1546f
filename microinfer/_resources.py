"""Where the templates and the C kernels lie: in the wheel, or in a checkout beside the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_DATA = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent


def template_dir() -> Path:
    return _DATA / "codegen" / "templates"


def runtime_dir() -> Path:
    return _DATA / "runtime_c"


def kernel_header(name: str) -> Path:
    """A header of the runtime; those that call CMSIS-NN have a folder of their own."""
    folder = "cmsis_nn" if name.startswith("mi_cmsis_nn") else ""
    return runtime_dir() / folder / name


def target_dir() -> Path:
    return _DATA / "codegen" / "targets"
