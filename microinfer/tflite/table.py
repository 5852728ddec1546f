"""Reading FlatBuffers tables from bytes that nobody has checked.

A FlatBuffers file is a graph of byte offsets. A table starts with the distance to its vtable,
which says where in the table each field lies; strings, vectors and other tables lie elsewhere
and the field holds the distance to them:

    table:   int32 distance back to the vtable | fields ...
    vtable:  uint16 its own size | uint16 size of the table | uint16 place of slot 0 | ...
    vector:  uint32 number of elements | elements ...

Every one of those numbers may be wrong. Here each is checked before it is followed, and a wrong
one raises BadFile with its place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flatbuffers.number_types import SOffsetTFlags, Uint8Flags, UOffsetTFlags, VOffsetTFlags

from ..errors import BadFile
from .enums import ENUMS
from .schema import FIELDS, FILE_IDENTIFIER, OFFSET_BYTES, UNIONS, VERSION, Field, slots

# Offsets may point anywhere, so a small file can describe one table a million times over. What a
# part of the file makes when it is first used is bounded by the file; what it makes when it is used
# again is paid for, at about the size of the Python objects, out of a purse of a few times the
# file's size (and a little more, for tiny files). Files do share parts, between tensors above all:
# a buffer, a quantization, a shape. What is of a fixed size is therefore free to each new table.
MEMORY_PER_FILE_BYTE = 6
MEMORY_AT_LEAST = 8192
TABLE_PRICE = 256
ARRAY_PRICE = 160  # a view, without the elements
OPTION_PRICE = 40  # a place in a dict
WORD = 4  # bytes; tables and vectors start at multiples of it
FEW_NUMBERS = 8  # a shape's, an operator's inputs: free to every table that has them
NUMBER_PRICE = 36  # an int of 28 bytes and its place in a tuple
TEXT_PRICE = 4  # a str takes up to four bytes per character

# Other files that are taken for models, by their first bytes.
LOOKALIKES: Mapping[bytes, str] = {
    b"version https://git-lfs": "a Git LFS pointer (`git lfs pull` fetches the file itself)",
    b"\x89HDF": "an HDF5 file, as Keras writes it (TFLiteConverter converts it)",
    b"PK\x03\x04": "a zip archive, as .keras files are (TFLiteConverter converts it)",
    b"\x89PNG": "a PNG image",
}


class Span(NamedTuple):
    """A vector's elements in the file: byte offset of the first, and how many."""

    start: int
    length: int


class File:
    """The bytes of a file, which of them were used, and what may be spent on using some again."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.used = bytearray(self.size // WORD + 1)
        self.purse = MEMORY_PER_FILE_BYTE * self.size + MEMORY_AT_LEAST

    def use(self, start: int, size: int, price: int) -> bool:
        """Make ``price`` bytes of objects from ``size`` bytes of the file, free if first used.

        Whether some were used before. BadFile when there is no memory left for them.
        """
        first, end = start // WORD, -(-(start + size) // WORD)
        used = self.used.count(1, first, end)
        if used:
            self.pay(price * used // (end - first), start)
        if used < end - first:
            self.used[first:end] = b"\1" * (end - first)
        return used > 0

    def pay(self, price: int, position: int) -> None:
        """Spend ``price`` bytes of memory; BadFile when there are none left."""
        self.purse -= price
        if self.purse < 0:
            raise BadFile(
                f"the file's parts are used over and over: reading them again takes more than "
                f"{MEMORY_PER_FILE_BYTE} times its {self.size} bytes",
                position,
            )

    def number(self, flags: Any, position: int, what: str) -> Any:
        """The number of type ``flags`` (flatbuffers' number types) at a byte offset."""
        self.check(position, flags.bytewidth, what)
        return flags.packer_type.unpack_from(self.data, position)[0]

    def check(self, position: int, size: int, what: str) -> None:
        """BadFile unless ``size`` bytes from ``position`` on lie inside the file."""
        if position < 0 or position + size > self.size:
            raise BadFile(
                f"{what}: expected {size} bytes at offset {position}, "
                f"but the file has {self.size} bytes",
                max(0, min(position, self.size)),
            )

    def follow(self, position: int, what: str) -> int:
        """Where the offset that is stored at ``position`` points to."""
        distance = self.number(UOffsetTFlags, position, what)
        if not 0 < distance < self.size - position:
            raise BadFile(
                f"{what}: an offset of {distance}, expected 1 to {self.size - position - 1}",
                position,
            )
        return int(position + distance)

    def span(self, position: int, width: int, what: str) -> Span:
        """The vector, of elements of ``width`` bytes, that the offset at ``position`` points to."""
        vector = self.follow(position, what)
        count = self.number(UOffsetTFlags, vector, what)
        start = vector + OFFSET_BYTES
        if count * width > self.size - start:
            raise BadFile(
                f"{what}: a vector of {count} elements of {width} bytes, "
                f"but only {self.size - start} bytes follow it",
                vector,
            )
        return Span(start, count)

    def text(self, position: int, what: str) -> str:
        """A string. Names are labels: what is not UTF-8 in them is shown, not refused."""
        start, count = self.span(position, 1, what)
        self.use(start, count, TEXT_PRICE * count)
        return self.data[start : start + count].decode("utf-8", "backslashreplace")


class Table:
    """The table of type ``kind`` at byte offset ``position``: ``table["field_name"]``.

    Values are as ``schema.Field`` says: an absent field has its default, a table is a Table, a
    vector of tables a Tables. Raises BadFile for anything that leaves the file.

    ``again`` is whether it, or the table it belongs to, is an element of a vector that was gone
    through before.
    """

    def __init__(self, file: File, kind: str, position: int, again: bool = False) -> None:
        vtable = position - file.number(SOffsetTFlags, position, kind)
        vtable_size = file.number(VOffsetTFlags, vtable, f"{kind}'s vtable")
        if vtable_size < 4 or vtable_size % 2:
            raise BadFile(
                f"{kind}'s vtable: a size of {vtable_size}, expected 4, 6, 8, ...", vtable
            )
        file.check(vtable, vtable_size, f"{kind}'s vtable")
        # The second number, the table's size, is not to be trusted: builders share a vtable among
        # tables of different sizes. And a newer exporter may have more fields than we know.
        known = min(vtable_size, 4 + 2 * slots(kind))
        self._places = struct.unpack_from(f"<{known // 2}H", file.data, vtable)[2:]
        self.file = file
        self.kind = kind
        self.position = position
        self.again = again

    def __getitem__(self, name: str) -> Any:
        field = FIELDS[self.kind][name]
        if field.type in UNIONS:
            return self._member(field)
        place = self._place(field.slot)
        if place is None:
            return field.default
        what = f"{self.kind}.{name}"
        if field.is_vector:
            return self._vector(field, place, what)
        if field.number is not None:
            return _named(field.type, self.file.number(field.number, place, what))
        if field.type == "string":
            return self.file.text(place, what)
        return Table(self.file, field.type, self.file.follow(place, what), self.again)

    def span(self, name: str) -> Span:
        """Where the elements of a vector of numbers lie: for reading them without a copy."""
        field = FIELDS[self.kind][name]
        place = self._place(field.slot)
        if place is None:
            return Span(self.position, 0)
        return self.file.span(place, field.number.bytewidth, f"{self.kind}.{name}")

    def index(self, name: str, count: int) -> int:
        """A field that numbers one of ``count`` things."""
        index: int = self[name]
        if not 0 <= index < count:
            raise BadFile(
                f"{self.kind}.{name}: {index}, expected 0 to {count - 1}", self.where(name)
            )
        return index

    def values(self) -> dict[str, Any]:
        """Every field by name."""
        return {name: self[name] for name in FIELDS[self.kind]}

    def where(self, name: str) -> int:
        """Byte offset of a field, or of the table if the field is absent: for error messages."""
        return self._place(FIELDS[self.kind][name].slot) or self.position

    def pay(self, price: int) -> None:
        """Pay for objects that are made once for a table, if they were made for it before."""
        if self.again:
            self.file.pay(price, self.position)

    def _place(self, slot: int) -> int | None:
        """Byte offset of what a slot holds, or None if the table has nothing there."""
        place = self._places[slot] if slot < len(self._places) else 0
        return self.position + place if place else None

    def _member(self, field: Field) -> Table | None:
        """The table in a union, or None. Of a type that is not known, only ``kind`` is of use."""
        code_place = self._place(field.slot)
        place = self._place(field.slot + 1)
        if code_place is None or place is None:
            return None
        what = f"{self.kind}.{field.name}"
        code = self.file.number(Uint8Flags, code_place, what)
        if code == 0:
            return None
        members = UNIONS[field.type]
        kind = members[code - 1] if code <= len(members) else f"{field.type} {code}"
        return Table(self.file, kind, self.file.follow(place, what), self.again)

    def _vector(self, field: Field, place: int, what: str) -> Any:
        if field.number is None:
            span = self.file.span(place, OFFSET_BYTES, what)
            return Tables(self.file, field.type, span, what)
        width = field.number.bytewidth
        start, count = self.file.span(place, width, what)
        if count > FEW_NUMBERS or self.again:
            self.file.use(start, count * width, NUMBER_PRICE * count)
        code = field.number.packer_type.format[-1]
        numbers = struct.unpack_from(f"<{count}{code}", self.file.data, start)
        if field.type in ENUMS:
            return tuple(_named(field.type, number) for number in numbers)
        return numbers


class Tables:
    """A vector of tables; each is read when it is asked for.

    Who goes through them all pays for those that were gone through before. Who picks one by its
    index does not: many tensors may share a buffer.
    """

    def __init__(self, file: File, kind: str, span: Span, what: str) -> None:
        self.file = file
        self.kind = kind
        self.span = span
        self.what = what

    def __len__(self) -> int:
        return self.span.length

    def __getitem__(self, index: int) -> Table:
        if not 0 <= index < self.span.length:
            raise IndexError(index)
        offset = self.span.start + OFFSET_BYTES * index
        return Table(self.file, self.kind, self.file.follow(offset, self.what))

    def __iter__(self) -> Iterator[Table]:
        for index in range(len(self)):
            table = self[index]
            table.again = self.file.use(table.position, SOffsetTFlags.bytewidth, TABLE_PRICE)
            yield table


def _named(type_: str, number: Any) -> Any:
    """An enumeration's code by name where it has one; other numbers as they are."""
    names = ENUMS[type_].names if type_ in ENUMS else ()
    return names[number] if 0 <= number < len(names) else number


def root_table(file: File) -> Table:
    """The Model table, of a file that shows itself to be a .tflite file."""
    if file.size < 8:
        raise BadFile(
            f"a file of {file.size} bytes; expected a .tflite file, which has "
            f"{FILE_IDENTIFIER.decode()} at bytes 4-7",
            file.size,
        )
    identifier = file.data[4:8]
    if identifier != FILE_IDENTIFIER:
        known = [name for start, name in LOOKALIKES.items() if file.data.startswith(start)]
        raise BadFile(
            f"not a .tflite file{' but ' if known else ''}{''.join(known)}: bytes 4-7 are "
            f"{identifier!r}, expected the identifier {FILE_IDENTIFIER.decode()}",
            4,
        )
    root = Table(file, "Model", file.follow(0, "root table"))
    if root["version"] != VERSION:
        raise BadFile(
            f"schema version {root['version']}, expected {VERSION}", root.where("version")
        )
    return root
