"""What a device printed of a run: text, as a terminal shows it and a log file keeps it.

    layer 3                     the first output of layer 3; `layer 3 1`: its second
    -12, 5 0x7f                 its values, all of them, on any number of lines
    layer 4 hex                 ... as the bytes in memory, in hexadecimal digits
    7f80 01 ff
    output 0: 1 2 3             also on the line itself, after a colon or a comma
    input 0, tensor 12, tensor "a/name"

and the lines of a generated harness (codegen/templates/harness.c.j2), `layer 3 0 512`, bytes, `crc
1234abcd`. Other lines before, between and after are passed over, unless they look as if they named
a tensor, and values follow. A tensor that comes again begins the next sample. What the last lines
leave unfinished is left out, with a note; all else that is not whole is an error.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..graph import Graph, Tensor
from ..targets import protocol
from .names import KINDS, named, numbered, traced

Array = NDArray[Any]

EXPECTED = 'expected lines "layer 3" with its values below'


@dataclass(frozen=True)
class Dump:
    """``tensors`` [samples, *shape], by index; ``numerics``: the profile of a harness, or "".

    ``known_input``: a harness that cannot listen ran its own known input.
    """

    tensors: dict[int, Array]
    numerics: str = ""
    known_input: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass
class _Section:
    """A header's tensor, and what has come of it. ``nbytes`` of the harness's, which has a CRC."""

    line: int
    title: str
    index: int
    tensor: Tensor
    hex: bool
    nbytes: int | None
    values: list[Any] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    checked: bool = False

    @property
    def wanted(self) -> int:
        return self.tensor.nbytes if self.hex else self.tensor.size

    @property
    def got(self) -> int:
        return len(self.data) if self.hex else len(self.values)

    @property
    def whole(self) -> bool:
        return self.got == self.wanted and (self.nbytes is None or self.checked)

    def __str__(self) -> str:
        unit = "bytes" if self.hex else "values"
        return f"{self.title} has {self.got:,} of {self.wanted:,} {unit}"

    def array(self) -> Array:
        if self.hex:
            little = np.frombuffer(bytes(self.data), self.tensor.dtype.newbyteorder("<"))
            return little.astype(self.tensor.dtype).reshape(self.tensor.shape)
        return np.array(self.values, self.tensor.dtype).reshape(self.tensor.shape)


_NAME = r'\d{1,9}|"[^"]*"'
_HEADER = re.compile(
    rf"(?P<kind>{'|'.join(KINDS)})\s+(?P<name>{_NAME})(?:\s+(?P<output>\d{{1,9}}))?"
    r"(?:\s+(?P<nbytes>\d{1,9}))?(?P<hex>\s+hex)?\s*(?:[:,;=]\s*(?P<rest>.*))?",
    re.IGNORECASE,
)
_ALMOST = re.compile(rf"({'|'.join(KINDS)})\s+({_NAME})\s+(?P<rest>.*)", re.IGNORECASE)
_INSIDE = re.compile(rf"\b({'|'.join(KINDS)})\s+\d{{1,9}}(\s+hex)?\s*:?$", re.IGNORECASE)
_LIKE = re.compile(rf"(?<![a-z])({'|'.join(KINDS)})", re.IGNORECASE)  # `=== Layer 3 (ADD) ===`
_NUMBER_OF = re.compile(rf"{_LIKE.pattern}s?\W*_?(\d{{1,9}})(?P<rest>.*)", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;|{}()\[\]]+")
_NUMBER = re.compile(
    r"[+-]?(\d{1,30}(\.\d*)?(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|nan|inf|0x[0-9a-f]{1,16})", re.I
)
_BYTES = re.compile(r"(0x)?([0-9a-f]{2})+", re.I)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # a terminal's colours


def read_dump(graph: Graph, text: str) -> Dump:
    """The tensors of ``graph`` in a device's ``text``.

    Raises BadInput, with the line, for values that do not fit, checksums that are wrong, another
    model's greeting, samples with different tensors, and text without any tensor.
    """
    reader = _Reader(graph)
    for number, line in enumerate(text.splitlines(), 1):
        clean = _ESCAPE.sub("", line).strip("\ufeff \t\r\n")
        reader.require_sound()
        try:
            reader.read(number, clean)
        except BadInput as error:
            raise BadInput(f"line {number}: {error}") from None
    return reader.dump()


class _Reader:
    """Takes lines, gathers samples."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._able = traced(graph)
        self._inside = 0  # the first line that names a tensor behind other text
        self._stray = 0  # the first line of numbers that belong to nothing
        self._samples: list[dict[int, Array]] = []
        self._section: _Section | None = None
        self._begin = True
        self._like: tuple[int, str] | None = None  # the last line, if it could be meant as a header
        self._broken = ""  # what is wrong with the section, unless the text ends here
        self._numerics = ""
        self._done = self._ready_after = False

    def read(self, number: int, line: str) -> None:
        words = line.split()
        if not words:
            return
        header = _HEADER.fullmatch(line)
        self._refuse_lost(number, line, header)
        if header is not None:
            self._finish(line)
            self._open(number, header)
        elif words[0] == "microinfer" and len(words) == 6 and words[5].isdecimal():
            self._finish(line)
            self._greet(line)
        elif words[0] == "done" and len(words) == 2 and self._numerics:
            self._finish(line)
            self._end(words[1])
        elif words == ["ready"]:
            self._ready_after = self._done
        elif self._section is not None:
            self._continue(self._section, number, line)
        if self._like is not None:
            if not self._inside and _INSIDE.search(line):
                self._inside = number
            self._refuse_almost(line)

    def require_sound(self) -> None:
        """Raise BadInput if the section was broken off and this is not the end of the text."""
        if self._broken:
            raise BadInput(self._broken)

    def dump(self) -> Dump:
        """All samples together."""
        notes = []
        if self._section is not None:
            if self._section.whole:
                self._keep(self._section)
            else:
                notes.append(f"{self._section} where it ends: not compared")
        if not self._samples:
            if self._inside:
                notes.append(f"line {self._inside} names one, but not at its beginning")
            raise BadInput("; ".join([f"there is no whole layer in it; {EXPECTED}", *notes]))
        if self._inside:
            notes.append(f"line {self._inside} names a tensor behind other text: passed over")
        if self._stray:
            notes.append(f"line {self._stray} has numbers that belong to no tensor: passed over")
        first = self._samples[0]
        for sample, tensors in enumerate(self._samples):
            for there, lacking in ((first, tensors), (tensors, first)):
                for index in sorted(there.keys() - lacking.keys()):
                    name = self._graph.tensors[index].name
                    one, other = (0, sample) if lacking is tensors else (sample, 0)
                    raise BadInput(
                        f'tensor {index} "{name}" is there in sample {one}, but not in sample'
                        f" {other}; every sample needs the same"
                    )
        together = {i: np.stack([tensors[i] for tensors in self._samples]) for i in first}
        known = self._done and not self._ready_after and len(self._samples) == 1
        return Dump(together, self._numerics, known, notes)

    def _open(self, number: int, header: re.Match[str]) -> None:
        index = self._index(header)
        tensor = self._graph.tensors[index]
        nbytes = int(header["nbytes"]) if header["nbytes"] else None
        title = " ".join(filter(None, (header["kind"].lower(), header["name"], header["output"])))
        section = _Section(number, title, index, tensor, bool(header["hex"] or nbytes), nbytes)
        if nbytes and nbytes != tensor.nbytes:
            raise BadInput(f"{title} has {nbytes:,} bytes, the model's takes {tensor.nbytes:,}")
        self._section = section
        if header["rest"]:
            self._continue(section, number, header["rest"])

    def _index(self, header: re.Match[str]) -> int:
        name = header["name"]
        found: int | None
        if name.startswith('"'):
            found = named(self._graph, name[1:-1]) if header["kind"].lower() == "tensor" else None
            if found is None:
                raise BadInput(f"the model has no {header['kind'].lower()} called {name}")
        else:
            found = numbered(self._graph, header["kind"], int(name), int(header["output"] or 0))
        if found not in self._able:
            raise BadInput(f"tensor {found} is no input and no layer's output")
        return found

    def _continue(self, section: _Section, number: int, line: str) -> None:
        """A line below a header: values, or the harness's checksum, or something else."""
        words = line.split()
        if section.nbytes is not None and words[0] == "crc" and section.got == section.wanted:
            crc = f"{zlib.crc32(section.data):08x}"
            if words != ["crc", crc]:
                raise BadInput(f"{section.title}: got {' '.join(words)!r}, but what came has {crc}")
            section.checked = True
            self._finish(line)
            return
        tokens = [token for token in _BETWEEN.split(line) if token]
        form = _BYTES if section.hex else _NUMBER
        if not all(form.fullmatch(token) for token in tokens):
            if section.whole:
                self._finish(line)  # nothing of ours
            else:
                self._broken = f"line {number}: {section} before {line[:60]!r}"
            return
        if section.hex:
            section.data += bytes.fromhex("".join(t.lower().removeprefix("0x") for t in tokens))
        else:
            section.values += (_value(token, section) for token in tokens)
        if section.got > section.wanted:
            signs = section.hex and "ffffff" in line.lower()
            raise BadInput(
                f"{section}: too many"
                + ("; is ffffff a sign? print (uint8_t)values, with %02x" if signs else "")
            )

    def _refuse_almost(self, line: str) -> None:
        almost = _ALMOST.fullmatch(line)
        if almost is not None:
            tokens = [token for token in _BETWEEN.split(almost["rest"]) if token]
            if tokens and all(_NUMBER.fullmatch(token) for token in tokens):
                raise BadInput(f'values on the line of "{almost[1]} {almost[2]}" need a colon')
        if self._is_whole(line):
            raise BadInput(_unlike(line))

    def _refuse_lost(self, number: int, line: str, header: re.Match[str] | None) -> None:
        """Refuse values below a line that names a tensor in another way than a header."""
        like, self._like = self._like, None
        if header is not None:
            return
        if self._section is None:
            tokens = [token for token in _BETWEEN.split(line) if token]
            form = _BYTES if like is not None and "hex" in like[1].lower() else _NUMBER
            if tokens and all(form.fullmatch(token) for token in tokens):
                if like is not None:
                    raise BadInput(f"these values belong to line {like[0]}, {_unlike(like[1])}")
                if len(tokens) > 1 and not self._stray:
                    self._stray = number
        if _LIKE.search(line):
            self._like = number, line

    def _is_whole(self, line: str) -> bool:
        """Whether a tensor is named in ``line``, and all its values stand behind."""
        named = _NUMBER_OF.search(line)
        if named is None:
            return False
        try:
            index = numbered(self._graph, named[1], int(named[2]))
        except BadInput:
            return False
        size, tokens = self._graph.tensors[index].size, _BETWEEN.split(named["rest"])
        values = [token for token in tokens if token][-size:]
        return len(values) == size > 1 and all(_NUMBER.fullmatch(token) for token in values)

    def _finish(self, line: str) -> None:
        """Keep the section, which ``line`` ends."""
        if self._section is None:
            return
        if not self._section.whole:
            lacks = ", and no checksum" if self._section.got == self._section.wanted else ""
            raise BadInput(f"{self._section}{lacks} before {line[:60]!r}")
        self._keep(self._section)
        self._section = None

    def _keep(self, section: _Section) -> None:
        if self._begin or section.index in self._samples[-1]:
            self._samples.append({})
            self._begin = False
        self._samples[-1][section.index] = section.array()

    def _end(self, status: str) -> None:
        if status != "0":
            raise BadInput(f"the device failed: 'done {status}', expected 'done 0'")
        self._begin = self._done = True

    def _greet(self, line: str) -> None:
        greeting = protocol.greeting(iter([line]))
        for what, got, expected in (
            ("the model with SHA-256", greeting.sha256, self._graph.sha256 or "-"),
            ("layers:", greeting.layers, len(self._graph.nodes)),
        ):
            if got != expected:
                raise BadInput(f"the device has {what} {got}, expected {expected}")
        self._numerics = greeting.numerics


def _unlike(line: str) -> str:
    return f"{line[:60]!r}, which is not understood: {EXPECTED}, and nothing else on that line"


def _value(token: str, section: _Section) -> int | float:
    """A number as the section's tensor has it; hexadecimal digits are its bits. Raises BadInput."""
    tensor = section.tensor
    kind = tensor.dtype.kind
    if token.lower().startswith("0x") and kind != "f":
        return _of_bits(token, section)
    if kind == "f" and not token.lower().startswith(("0x", "-0x", "+0x")):
        return float(token)
    if not token.lstrip("+-").isdecimal():
        raise BadInput(f"got {token}, {section.title} is {tensor.dtype}")
    value = int(token)
    low, high = _limits(tensor.dtype)
    if not low <= value <= high:
        hint = ""
        if low < 0 and high < value <= 2 * high + 1:
            hint = "; print it signed, or as hexadecimal, 0x.."
        own = f"{section.title} is {tensor.dtype}, {low} to {high}"
        raise BadInput(f"got {token}, {own}{hint}")
    return value


def _of_bits(token: str, section: _Section) -> int:
    """0xff as int8 is -1; so is 0xffffffff, as C prints it with %x."""
    bits, value = 8 * section.tensor.dtype.itemsize, int(token, 16)
    low, high = _limits(section.tensor.dtype)
    for width in (bits, 16, 32, 64):
        signed = value - (1 << width) if low < 0 and value >> (width - 1) == 1 else value
        if width >= bits and low <= signed <= high:
            return signed
    raise BadInput(f"{token} has more than the {bits} bits of {section.title}")


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    own = np.iinfo(dtype)
    return int(own.min), int(own.max)
