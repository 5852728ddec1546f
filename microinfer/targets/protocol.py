"""What a device says over its serial line, and what it is told: codegen/templates/harness.c.j2.

Text, so that a terminal shows it and a log file keeps it; a CRC-32 for every tensor, so that a
lost character is an error and not another number.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..graph import Graph
from ..ops import results

VERSION = "1"
GREETING_SECONDS = 30.0  # the longest that a device may say other things before it greets
GREETINGS = 1  # that answer an earlier hello; one more is a device that has started again


@dataclass(frozen=True)
class Greeting:
    """The device's first line: which model it has."""

    name: str
    sha256: str
    numerics: str
    layers: int


def run_command(arrays: Sequence[NDArray[Any]]) -> str:
    """The line that makes the device run one sample, one array per model input."""
    data = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return f"run {data.hex()} {zlib.crc32(data):08x}\n"


def greeting(lines: Iterator[str]) -> Greeting:
    """Read up to the greeting; what a boot loader says before it is passed over."""
    end = time.monotonic() + GREETING_SECONDS
    for line in lines:
        if time.monotonic() > end:
            raise BadInput(
                f"the device did not greet within {GREETING_SECONDS:g} s, but says"
                f" {line.strip()[:60]!r}: is its harness running, at this speed?"
            )
        words = line.split()
        if len(words) == 6 and words[0] == "microinfer" and words[5].isdecimal():
            if words[1] != VERSION:
                raise BadInput(
                    f"the device speaks version {words[1]}, expected {VERSION}: generate its"
                    " harness again"
                )
            return Greeting(words[2], words[3], words[4], int(words[5]))
    raise BadInput("the device did not greet: is its harness running?")


def listens(lines: Iterator[str]) -> bool:
    """Whether a device that was told hello after its greeting answers it. One without mi_get says
    that the run on its known input follows."""
    for line in lines:
        if line.startswith("microinfer "):
            return True
        if line.strip() == "known":
            return False
    raise BadInput("the device stopped after its greeting")


def read_run(lines: Iterator[str], graph: Graph) -> bytes:
    """The bytes of all layers' outputs of one run, up to its ``done``.

    Raises BadInput for anything else than the model's layers in their order, each with its
    checksum, and for what the device calls an error.
    """
    expected = [
        (layer, output, graph.tensors[index].nbytes)
        for layer, node in enumerate(graph.nodes)
        for output, index in enumerate(results(node))
    ]
    dump = bytearray()
    for layer, output, nbytes in expected:
        words = _next(lines, f"layer {layer}").split()
        if words != ["layer", str(layer), str(output), str(nbytes)]:
            raise BadInput(
                f"the device sent {' '.join(words)!r}, expected 'layer {layer} {output} {nbytes}'"
            )
        data = b""
        while len(data) < nbytes:
            digits = _next(lines, f"layer {layer}")
            try:
                data += bytes.fromhex(digits)
            except ValueError:
                raise BadInput(
                    f"layer {layer} from the device: got {digits!r}, expected pairs of hexadecimal"
                    " digits; was a character lost on the line?"
                ) from None
        words = _next(lines, f"the checksum of layer {layer}").split()
        crc = f"{zlib.crc32(data):08x}"
        if words != ["crc", crc]:
            raise BadInput(
                f"layer {layer} from the device: got '{' '.join(words)}', but what came has {crc}"
            )
        dump += data
    done(lines)
    return bytes(dump)


def done(lines: Iterator[str]) -> None:
    """Read that a command has succeeded."""
    status = _next(lines, "done").split()
    if status != ["done", "0"]:
        raise BadInput(f"the device failed: {' '.join(status)!r}, expected 'done 0'")


def _next(lines: Iterator[str], what: str) -> str:
    """The next line that is not a prompt, nor a greeting said twice."""
    greetings = 0
    for line in lines:
        text = line.strip()
        greetings += text.startswith("microinfer ")
        if greetings > GREETINGS:
            raise BadInput(f"the device started again before {what}: does it crash?")
        if text.startswith("error"):
            raise BadInput(f"the device says: {text}")
        if text and text != "ready" and not text.startswith("microinfer "):
            return text
    raise BadInput(f"the device stopped before {what}")
