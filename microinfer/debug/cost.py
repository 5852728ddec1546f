"""What a model costs: bytes and multiply-accumulates from the plan of its C; instructions and
cycles of an emulated core on request."""

from __future__ import annotations

from dataclasses import dataclass

from ..emit import Plan
from ..graph import Graph
from ..targets import Target
from ..targets.bench import Bench, bench
from ..targets.timing import timings


@dataclass(frozen=True)
class LayerCost:
    """constant_bytes is flash of weights, biases, tables and params; output_bytes of what the layer
    computes; scratch_bytes of what its kernel needs besides. The counts are None without a target.
    """

    macs: int
    constant_bytes: int
    output_bytes: int
    scratch_bytes: int
    instructions: int | None = None
    cycles: int | None = None


@dataclass(frozen=True)
class TargetCost:
    """Of one invoke on an emulated core, as ``microinfer bench`` measures it; flash and RAM in
    bytes. ``cycles_source`` says what the cycles are, which are None for a core without a model.
    """

    target: str
    about: str
    compiler: str
    instructions: int
    cycles: int | None
    cycles_source: str | None
    flash_bytes: int
    code_bytes: int
    ram_bytes: int
    stack_bytes: int


def layer_costs(planned: Plan, measured: Bench | None) -> list[LayerCost]:
    """The cost of each layer."""
    counts = measured.layers if measured else [None] * len(planned.layers)
    return [
        LayerCost(
            macs=layer.macs,
            constant_bytes=planned.flash_bytes(layer),
            output_bytes=sum(
                planned.tensor(index).nbytes
                for index in layer.prepared.node.outputs
                if layer.prepared.op.computes
            ),
            scratch_bytes=layer.scratch_bytes,
            instructions=count.instructions if count else None,
            cycles=count.cycles if count else None,
        )
        for layer, count in zip(planned.layers, counts, strict=True)
    ]


def measure(graph: Graph, target: Target, numerics: str) -> tuple[Bench, TargetCost]:
    """One inference on ``target``. Raises ToolchainError."""
    measured = bench(graph, target, numerics)
    timing = timings().get(target.name)
    counted = "counted by the emulator" if measured.total.cycles is not None else None
    return measured, TargetCost(
        target=target.name,
        about=target.about,
        compiler=f"{target.compiler} {target.optimize}",
        instructions=measured.total.instructions,
        cycles=measured.total.cycles,
        cycles_source=timing.source if timing else counted,
        flash_bytes=measured.flash_bytes,
        code_bytes=measured.code_bytes,
        ram_bytes=measured.ram_bytes,
        stack_bytes=measured.stack_bytes,
    )
