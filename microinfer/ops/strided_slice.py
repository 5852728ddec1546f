"""STRIDED_SLICE: ``x[begin:end:stride, ...]`` with NumPy's rules, from begins, ends and masks.

input                any movable type, quantization unchanged
begin, end, strides  int32 [n], constant: entry i is one item of the index
begin_mask, end_mask  bit i: that side of item i is left open
ellipsis_mask         bit i: item i is "...", all axes that no other item names
new_axis_mask         bit i: item i is a new axis of extent 1
shrink_axis_mask      bit i: item i is one index, and its axis vanishes
Axes behind the last item are taken whole. With ``offset``, ends count from the begins.
[LITERT] kernels/strided_slice.cc, internal/strided_slice_logic.h.
C twin: runtime_c/mi_copy.h.
"""

from __future__ import annotations

from . import movement
from .layer import Layer, Op


def prepare(layer: Layer) -> movement.MovementParams:
    layer.count(4)
    source, output = layer.input(0), layer.output()
    begins = movement.integers(layer, 1)
    ends, strides = (movement.integers(layer, i, len(begins)) for i in (2, 3))
    movement.check(layer, source)

    def masked(mask: str, item: int) -> bool:
        return bool(layer.options[mask] >> item & 1)

    items = range(len(begins))
    new = [i for i in items if masked("new_axis_mask", i) and not masked("ellipsis_mask", i)]
    dots = [i for i in items if masked("ellipsis_mask", i)]
    left = len(source.shape) - (len(items) - len(new) - len(dots))  # axes that no item names
    layer.require(
        left >= 0 and len(dots) <= 1,
        source,
        f"has rank {len(source.shape)}, which {len(items)} items with {len(new)} new axes and"
        f" {len(dots)} ellipses do not index",
    )
    layer.settle()
    # Per axis of the input: first index, step, how many; kept: whether it is in the output.
    picked: list[tuple[int, int, int]] = []
    shape: list[int] = []

    def whole(count: int) -> None:
        for extent in source.shape[len(picked) : len(picked) + count]:
            picked.append((0, 1, extent))
            shape.append(extent)

    for i in items:
        if i in dots:
            whole(left)
        elif i in new:
            shape.append(1)
        else:
            axis, extent = len(picked), source.shape[len(picked)]
            begin, end, step = begins[i], ends[i], strides[i]
            end += begin if layer.options["offset"] else 0
            layer.require(step != 0, layer.input(3), "has a stride of 0")
            layer.settle()
            first = None if masked("begin_mask", i) else begin
            last = None if masked("end_mask", i) else end
            if masked("shrink_axis_mask", i):
                layer.require(
                    step > 0, layer.input(3), f"is {step} for one index, where only 1 has a meaning"
                )
                layer.settle()
                index = (0 if step > 0 else -1) if first is None else first
                layer.require(
                    -extent <= index < extent,
                    source,
                    f"has extent {extent} on axis {axis}, of which index {index} is taken",
                )
                layer.settle()
                picked.append((index % extent, 1, 1))
            else:
                found = range(*slice(first, last, step).indices(extent))
                picked.append((found.start, step, len(found)))
                shape.append(len(found))
    whole(len(source.shape) - len(picked))
    layer.shape_is(output, tuple(shape))
    layer.settle()
    own = movement.row_major(source.shape)
    extents = [count for _, _, count in picked]
    copy = movement.copy(
        layer,
        output,
        extents,
        [step * stride for (_, step, _), stride in zip(picked, own, strict=True)],
        movement.row_major(extents),
        input_offset=sum(first * stride for (first, _, _), stride in zip(picked, own, strict=True)),
    )
    return movement.movement(layer, copy)


OP = Op("STRIDED_SLICE", prepare, movement.eval)
