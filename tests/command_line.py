"""The command line in this process: ``microinfer("inspect", path)`` gives code, stdout, stderr."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import microinfer as mi
from microinfer.cli import main
from microinfer.tflite import write
from one_op import activation, one_op

MODELS = Path(__file__).resolve().parent.parent / "models"
DIGITS = MODELS / "digits_int8.tflite"
DIGITS_INPUTS = MODELS / "digits_inputs.npy"
GESTURE = MODELS / "gesture_int8.tflite"
NAME = "serving_default_image:0"  # of the input of DIGITS


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


def interpreted(samples: Any, model: Path = DIGITS) -> list[Any]:
    """The interpreter's outputs, [samples, *shape], as lists."""
    (outputs,) = mi.Interpreter(mi.load(model)).run(samples)
    return outputs.tolist()


def ran(*arguments: str, model: Path = DIGITS) -> list[Any]:
    """Outputs of a run that has to work in silence."""
    said = microinfer("run", model, *arguments, "--json")
    assert (said.code, said.stderr) == (0, "")
    return said.json["outputs"][0]["values"]


def refused(*arguments: str, model: Path = DIGITS) -> str:
    """The one-line error of a run that has to fail."""
    said = microinfer("run", model, *arguments)
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith("error: ")
    assert said.stderr.count("\n") == 1
    return said.stderr.removeprefix("error: ").rstrip("\n")


def batched(values: list[Any]) -> list[Any]:
    """[samples, 10] as [samples, 1, 10]."""
    return [[value] for value in values]


def two_inputs() -> Path:
    """A model that subtracts its second input from its first, written into the current folder."""
    first, second = activation([1, 4], 0.5, 3, "first"), activation([1, 4], 0.25, -5, "second")
    path = Path("two.tflite")
    path.write_bytes(write(one_op("SUB", [first, second], activation([1, 4], 1.0, 0, "y"))))
    return path
