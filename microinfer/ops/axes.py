"""Shapes of reductions: which axes an output element sums over.

Neighbouring axes of one kind are merged, so that every reduction becomes kept and reduced extents
in turn: kept, reduced, kept, reduced, kept, reduced (1 where there is none).
"""

from __future__ import annotations

from dataclasses import dataclass

from .layer import Array, Layer

PAIRS = 3  # of a kept and a reduced extent; enough for rank 6


@dataclass(frozen=True)
class Reduction:
    """``kept_extents[i]`` lies just outside ``reduced_extents[i]`` in memory order."""

    kept_extents: tuple[int, ...]
    reduced_extents: tuple[int, ...]

    @property
    def interleaved(self) -> tuple[int, ...]:
        """The input's shape as kept, reduced, kept, reduced, ..."""
        pairs = zip(self.kept_extents, self.reduced_extents, strict=True)
        return tuple(extent for pair in pairs for extent in pair)

    @property
    def reduced_axes(self) -> tuple[int, ...]:
        """Axes of ``interleaved`` to reduce over, behind a leading batch axis."""
        return tuple(range(2, 2 * PAIRS + 1, 2))


def constant_axes(layer: Layer, position: int, rank: int) -> tuple[int, ...]:
    """The axes in the constant input at ``position``, made non-negative, without repeats."""
    tensor = layer.input(position)
    values: Array = layer.constant(tensor, ["INT32", "INT64"]).reshape(-1)
    bad = [int(axis) for axis in values if not -rank <= axis < rank]
    layer.require(not bad, tensor, f"has axes {bad}, expected {-rank}..{rank - 1}")
    layer.settle()
    return tuple(sorted({int(axis) % rank for axis in values}))


def reduction(layer: Layer) -> Reduction:
    """The loops of a reduction over the axes in input 1; checks the output's shape."""
    source, output = layer.input(0), layer.output()
    axes = constant_axes(layer, 1, len(source.shape))
    kept = tuple(extent for axis, extent in enumerate(source.shape) if axis not in axes)
    if layer.options["keep_dims"]:
        kept = tuple(1 if axis in axes else extent for axis, extent in enumerate(source.shape))
    layer.shape_is(output, kept)
    layer.require(source.size > 0, source, "is empty")
    layer.settle()

    pairs: list[tuple[int, int]] = [(1, 1)]
    for axis, extent in enumerate(source.shape):
        outer, inner = pairs[-1]
        if extent == 1:
            continue
        if axis in axes:
            pairs[-1] = (outer, inner * extent)
        elif inner == 1:
            pairs[-1] = (outer * extent, 1)
        else:
            pairs.append((extent, 1))
    layer.require(
        len(pairs) <= PAIRS, source, f"alternates kept and reduced axes {len(pairs)} times"
    )
    layer.settle()
    pairs = [(1, 1)] * (PAIRS - len(pairs)) + pairs
    return Reduction(tuple(k for k, _ in pairs), tuple(r for _, r in pairs))
