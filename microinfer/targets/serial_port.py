"""A board on a serial port, running a generated harness."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import BadInput, ToolchainError
from ..graph import Graph
from ..numerics import profile
from ..passes import runnable
from ..prepare import prepare
from .device import Device

SILENCE_SECONDS = 30.0  # the longest that a board may compute without a word


@contextmanager
def on_serial_port(
    graph: Graph, port: str, numerics: str = "tflm", *, baud: int = 115200
) -> Iterator[Device]:
    """The model on the board behind ``port``, such as /dev/ttyACM0 or COM3.

    Raises UnsupportedModel, ToolchainError without pyserial, and BadInput if the port cannot be
    opened, or what answers is not ``graph`` in this profile.
    """
    graph = runnable(graph)
    layers = prepare(graph, profile(numerics))
    try:
        import serial
    except ImportError:
        raise ToolchainError(
            "serial ports need pyserial: pip install 'microinfer[serial]'"
        ) from None
    try:
        line = serial.Serial(port, baud, timeout=SILENCE_SECONDS)
    except (serial.SerialException, ValueError) as error:
        raise BadInput(f"{port}: {error}") from None

    def send(text: str) -> None:
        line.write(text.encode("ascii"))

    with line:
        send("\nhello\n")  # the empty line ends what may be half said
        yield Device(graph, layers, numerics, send, _lines(line, port))


def _lines(line: Any, port: str) -> Iterator[str]:
    while True:
        text = line.readline()
        if not text.endswith(b"\n"):
            raise BadInput(
                f"{port}: the board said nothing for {SILENCE_SECONDS:g} s; does it run its"
                " harness, with mi_get, at this speed (--baud)?"
            )
        yield text.decode("ascii", errors="replace")
