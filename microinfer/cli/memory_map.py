"""Who lives where when: the arena as text, a row per buffer and a column per layer."""

from __future__ import annotations

from ..emit import Plan
from ..emit.arena import Buffer
from .failure import short_name

BAR = 40  # columns at least for the layers; the rest of a line is for names


def memory_map(planned: Plan, width: int) -> list[str]:
    """Lines of at most ``width`` columns, the lowest addresses first.

    The last line marks where the most bytes are in use: these layers make the arena that large.
    """
    moments = len(planned.layers) + 2  # before the first layer, each layer, after the last
    digits = len(f"{planned.arena_bytes:,}")
    bounds = 2 * digits + 2
    per_column = -(-moments // max(BAR, width - bounds - 32))
    columns = -(-moments // per_column)
    ordered = sorted(planned.buffers, key=lambda b: (b.offset, b.first))
    tensors = [_name(planned, buffer, width - bounds - columns - 4) for buffer in ordered]
    caption = "most bytes in use"
    names = max(len(name) for name in [*tensors, caption])

    def bar(first: int, last: int) -> str:
        """In use from layer ``first`` to ``last``; column 0 begins at layer -1."""
        start, stop = (first + 1) // per_column, (last + 1) // per_column
        return "." * start + "#" * (stop - start + 1) + "." * (columns - stop - 1)

    each = "layer" if per_column == 1 else f"{per_column} layers"
    lines = [
        f"Memory map: a row per buffer, a column per {each}, # where it is in use.",
        "i: inputs are filled, o: outputs are read, +1: another tensor in the same bytes.",
        "",
        f"{'bytes':>{bounds}}  {'tensor':<{names}}  {_ruler(moments, per_column)}",
    ]
    for buffer, name in zip(ordered, tensors, strict=True):
        span = f"{buffer.offset:>{digits},}..{buffer.end:>{digits},}"
        lines.append(f"{span}  {name:<{names}}  {bar(buffer.first, buffer.last)}")
    alive = [
        sum(b.nbytes for b in planned.buffers if b.first <= layer <= b.last)
        for layer in range(-1, moments - 1)
    ]
    peak = max(alive)
    marks = "".join(
        "^" if peak in alive[column * per_column : (column + 1) * per_column] else " "
        for column in range(columns)
    )
    lines.append(f"{f'{peak:,}':>{bounds}}  {caption:<{names}}  {marks}".rstrip())
    return lines


def _ruler(moments: int, per_column: int) -> str:
    """i, layer numbers where there is room for them, o."""
    columns = -(-moments // per_column)
    ruler = ["i", *" " * (columns - 2), "o"]
    for column in range(1, columns - 1):
        layer = column * per_column - 1
        number = str(layer)
        room = column + len(number) < columns - 1
        if (column - 1) % 5 == 0 and room:
            ruler[column : column + len(number)] = number
    return "".join(ruler)


def _name(planned: Plan, buffer: Buffer, width: int) -> str:
    if not buffer.tensors:
        return f"(scratch of layer {buffer.first})"[:width]
    others = f" +{len(buffer.tensors) - 1}" if len(buffer.tensors) > 1 else ""
    return short_name(planned.tensor(buffer.tensors[0]).name, width - len(others)) + others
