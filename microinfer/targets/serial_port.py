"""A board on a serial port, running a generated harness."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import BadInput, ToolchainError
from ..graph import Graph
from ..numerics import profile
from ..passes import runnable
from ..prepare import prepare
from .device import Device

SILENCE_SECONDS = 30.0  # the longest that a board may compute without a word, or not read one
AT_ONCE = 256  # characters that are written in that time, at any speed


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
        # Of two programs on one line each would take half of what the board says.
        line = serial.Serial(
            port, baud, timeout=SILENCE_SECONDS, write_timeout=SILENCE_SECONDS, exclusive=True
        )
    except (serial.SerialException, ValueError) as error:
        raise BadInput(f"{port}: {_why_closed(error)}") from None

    def send(text: str) -> None:
        try:
            for first in range(0, len(text), AT_ONCE):
                line.write(text[first : first + AT_ONCE].encode("ascii"))
        except serial.SerialException as error:
            raise BadInput(f"{port}: {error}") from None

    with line:
        yield Device(graph, layers, numerics, send, _lines(line, port, serial.SerialException))


def _why_closed(error: Exception) -> str:
    """Why a port could not be opened. pyserial says it with the port's name twice, and of what is
    no terminal only in the error that it had itself."""
    below = error.__context__.args if error.__context__ is not None else ()
    code = getattr(error, "errno", None) or (below[0] if below else None)
    if code == errno.ENOENT:
        from serial.tools.list_ports import comports

        there = ", ".join(sorted(port.device for port in comports()))
        return "no such serial port; " + (f"there is {there}" if there else "none was found here")
    if code in (errno.EAGAIN, errno.EBUSY):
        return "another program has it open, such as a terminal: close that first"
    if code in (errno.EACCES, errno.EPERM):
        return "no permission to open it (on Linux, be a member of its group, often dialout)"
    if code in (errno.EISDIR, errno.ENOTTY):
        return "is not a serial port"
    return str(error)


def _lines(line: Any, port: str, broken: type[Exception]) -> Iterator[str]:
    """What the board says. ``broken`` is what ``line`` raises where it was unplugged."""
    last = ""
    while True:
        try:
            text = line.read_until(b"\n")
        except broken as error:
            raise BadInput(f"{port}: {error}") from None
        if not text.endswith(b"\n"):
            said = "no whole line" if text else "nothing"
            raise BadInput(
                f"{port}: the board said {said} for {SILENCE_SECONDS:g} s"
                + (f" after {last!r}" if last else "")
                + "; does it run its harness at this speed (--baud), and does no other program read"
                " this port? Without mi_get it speaks only when it is reset."
            )
        last = text.decode("ascii", errors="replace").strip()[:60]
        yield text.decode("ascii", errors="replace")
