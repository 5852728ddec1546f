"""The command line in this process: ``microinfer("inspect", path)`` gives code, stdout, stderr."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from microinfer.cli import main

MODELS = Path(__file__).resolve().parent.parent / "models"
DIGITS = MODELS / "digits_int8.tflite"
DIGITS_INPUTS = MODELS / "digits_inputs.npy"
GESTURE = MODELS / "gesture_int8.tflite"


@dataclass(frozen=True)
class Said:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def microinfer(*arguments: str | Path, columns: int | None = None) -> Said:
    """Run a command as in a pipe, 80 columns wide unless told otherwise."""
    result = CliRunner().invoke(
        main,
        [str(argument) for argument in arguments],
        env={"COLUMNS": str(columns) if columns else None, "NO_COLOR": None, "FORCE_COLOR": None},
        catch_exceptions=False,
    )
    return Said(result.exit_code, result.stdout, result.stderr)
