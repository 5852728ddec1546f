"""``microinfer bench``: what one inference costs on an emulated core, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..emit import OWN
from ..targets import targets
from ..targets.bench import Bench, Cost, bench
from ..targets.timing import timings
from .failure import about
from .inputs import (
    kernels_option,
    load_model,
    model_argument,
    numerics_option,
    rewrite_options,
)
from .output import line, print_json, progress, table
from .verb import Verb


@click.command(
    "bench",
    cls=Verb,
    epilog="""\b
Examples:
  microinfer bench kws.tflite --target cortex-m4
  microinfer bench kws.tflite --target cortex-m4 --wait-states 4
  microinfer bench kws.tflite --target cortex-m4 --kernels cmsis-nn
  microinfer bench kws.tflite --target riscv32 --json""",
)
@model_argument
@click.option(
    "--target",
    "name",
    type=click.Choice(list(targets())),
    metavar="NAME",
    required=True,
    help=f"The core: {', '.join(targets())}. Its cross compiler and its emulator have to be"
    " installed.",
)
@numerics_option
@rewrite_options
@click.option(
    "--optimize",
    type=click.Choice(["-O2", "-O3", "-Os", "-O1"]),
    help="The compiler's flag.  [default: the target's]",
)
@click.option(
    "--wait-states",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    metavar="N",
    help="Cycles that the modelled core waits for flash at every taken branch.",
)
@kernels_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(
    model: Path,
    name: str,
    numerics: str,
    optimize: str | None,
    wait_states: int,
    batch: int | None,
    strip_float_io: bool,
    kernels: str,
    as_json: bool,
) -> None:
    """Count what one inference costs on a core, without a board.

    Generates the model's C, cross-compiles it, runs it once on the core's emulator and prints
    instructions (the emulator's own count: exact, the same in every run), modelled cycles, flash,
    RAM and stack. The input is a formula; no timing depends on it but that of saturation.

    What emulation does not show: caches, DMA, and flash that is slower than the core, but for
    --wait-states.

    With --kernels cmsis-nn the C is measured twice, with our kernels and with the library's.
    """
    if wait_states and name not in timings():
        raise click.UsageError(
            f"--wait-states says nothing of {name}, whose cycles are not modelled"
        )
    graph = load_model(model, batch, strip_float_io)
    target = targets()[name]
    with about(model), progress(f"running on {name}"):
        sides = {
            side: bench(
                graph,
                target,
                numerics,
                optimize=optimize or "",
                wait_states=wait_states,
                kernels=side,
            )
            for side in dict.fromkeys((kernels, OWN))  # first the one that a tool may lack
        }
    flag = optimize or target.optimize
    if as_json:
        facts = {
            side: _facts(model, name, numerics, flag, wait_states, measured, side)
            for side, measured in sides.items()
        }
        print_json({**facts[kernels], **({OWN: facts[OWN]} if kernels != OWN else {})})
        return
    line(f"{model.name} on {name}, {target.compiler} {flag}, profile {numerics}")
    line(target.about)
    line()
    if kernels != OWN:
        _print_sides(sides, name, wait_states)
        return
    _print_layers(sides[OWN])
    line()
    _print_totals(sides[OWN], name, wait_states)


def _print_sides(sides: dict[str, Bench], name: str, wait_states: int) -> None:
    """Both measurements beside each other: instructions and cycles per layer, and the totals."""
    library, own = sides.values()
    timed = own.total.cycles is not None
    rows = []
    for layer, ours, theirs in zip(library.plan.layers, own.layers, library.layers, strict=True):
        row = [
            str(layer.prepared.index),
            layer.prepared.node.op,
            f"{layer.macs:,}" if layer.macs else "",
            *_beside(ours.instructions, theirs.instructions),
        ]
        if ours.cycles is not None and theirs.cycles is not None:
            row += _beside(ours.cycles, theirs.cycles)
        rows.append([*row, layer.library or "our kernel"])
    titles = ["layer", "operator", "MACs", "instructions", "CMSIS-NN", "ratio"]
    titles += ["cycles", "CMSIS-NN", "ratio"] if timed else []
    table(f"> < > > > > {'> > > ' if timed else ''}<", [*titles, "function"], rows)
    line()
    totals: list[tuple[str, Callable[[Bench], int | None]]] = [
        ("instructions", lambda side: side.total.instructions),
        ("cycles", lambda side: side.total.cycles),
        ("bytes of flash", lambda side: side.flash_bytes),
        ("  code", lambda side: side.code_bytes),
        ("  constants", lambda side: side.constant_bytes),
        ("bytes of RAM", lambda side: side.ram_bytes),
        ("  arena", lambda side: side.plan.arena_bytes),
        ("  static", lambda side: side.static_bytes),
        ("  stack", lambda side: side.stack_bytes),
    ]
    rows = []
    for what, of in totals:
        ours_, theirs_ = of(own), of(library)
        if ours_ is not None and theirs_ is not None:
            rows.append([what, *_beside(ours_, theirs_)])
    table("< > > >", ["", "ours", "CMSIS-NN", "ratio"], rows)
    _print_timing(name, wait_states)


def _beside(ours: int, theirs: int) -> list[str]:
    return [f"{ours:,}", f"{theirs:,}", _ratio(ours, theirs)]


def _ratio(ours: int, theirs: int) -> str:
    """How many times as much ours is."""
    return f"{ours / theirs:.2f}" if theirs else ""


def _per_mac(cost: Cost, macs: int) -> str:
    return f"{cost.instructions / macs:.2f}" if macs else ""


def _print_layers(measured: Bench) -> None:
    rows = []
    for layer, cost in zip(measured.plan.layers, measured.layers, strict=True):
        node = layer.prepared.node
        rows.append(
            [
                str(layer.prepared.index),
                node.op,
                measured.plan.tensor(node.outputs[0]).name if node.outputs else "",
                f"{layer.macs:,}" if layer.macs else "",
                f"{cost.instructions:,}",
                _per_mac(cost, layer.macs),
                "" if cost.cycles is None else f"{cost.cycles:,}",
            ]
        )
    titles = ["layer", "operator", "output", "MACs", "instructions", "per MAC", "cycles"]
    table("> < ~ > > > >", titles, rows)


def _print_totals(measured: Bench, name: str, wait_states: int) -> None:
    total, macs = measured.total, measured.plan.macs
    each = f", {_per_mac(total, macs)} per MAC" if macs else ""
    rows = [["instructions", f"{total.instructions:,}", f"of one invoke{each}"]]
    if total.cycles is not None:
        how = "modelled" if name in timings() else "counted by the emulator"
        rows.append(["cycles", f"{total.cycles:,}", how])
    rows += [
        [
            "flash",
            f"{measured.flash_bytes:,}",
            f"bytes: {measured.code_bytes:,} code, {measured.constant_bytes:,} constants;"
            f" start-up {measured.start_bytes:,} more",
        ],
        [
            "RAM",
            f"{measured.ram_bytes:,}",
            f"bytes: {measured.plan.arena_bytes:,} arena"
            f" ({measured.plan.scratch_bytes:,} scratch), {measured.static_bytes:,} static,"
            f" {measured.stack_bytes:,} stack",
        ],
    ]
    table("< > <", ["", "", ""], rows)
    _print_timing(name, wait_states)


def _print_timing(name: str, wait_states: int) -> None:
    """What the modelled cycles assume."""
    if name in timings():
        line()
        waits = f"{wait_states} wait states at taken branches" if wait_states else "no wait states"
        line(f"cycles: {timings()[name].source};")
        line(f"        {waits}, no caches, no DMA")


def _facts(
    model: Path,
    name: str,
    numerics: str,
    flag: str,
    wait_states: int,
    measured: Bench,
    kernels: str,
) -> dict[str, Any]:
    return {
        "file": model.name,
        "sha256": measured.plan.graph.sha256,
        "numerics": numerics,
        "target": name,
        "optimize": flag,
        "kernels": kernels,
        "wait_states": wait_states,
        "instructions": measured.total.instructions,
        "cycles": measured.total.cycles,
        "cycles_source": timings()[name].source if name in timings() else None,
        "macs": measured.plan.macs,
        "flash_bytes": measured.flash_bytes,
        "code_bytes": measured.code_bytes,
        "constant_bytes": measured.constant_bytes,
        "start_bytes": measured.start_bytes,
        "ram_bytes": measured.ram_bytes,
        "arena_bytes": measured.plan.arena_bytes,
        "scratch_bytes": measured.plan.scratch_bytes,
        "static_bytes": measured.static_bytes,
        "stack_bytes": measured.stack_bytes,
        "layers": [
            {
                "index": layer.prepared.index,
                "op": layer.prepared.node.op,
                "macs": layer.macs,
                "function": layer.library or None,
                "instructions": cost.instructions,
                "cycles": cost.cycles,
            }
            for layer, cost in zip(measured.plan.layers, measured.layers, strict=True)
        ],
    }
