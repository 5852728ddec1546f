"""``microinfer inspect``: what a model is, what it costs, and who lives where in memory when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..emit import Plan, plan
from ..emit.plan import PlannedLayer
from ..graph import Graph
from ..ops.multipliers import real_multipliers
from .failure import about, counted
from .inputs import load_model, model_argument, numerics_option, rewrite_options
from .memory_map import memory_map
from .output import line, print_json, shape_text, table, width
from .verb import Verb


@click.command(
    "inspect",
    cls=Verb,
    epilog="""\b
Examples:
  microinfer inspect kws.tflite
  microinfer inspect kws.tflite --json | jq .arena_bytes""",
)
@model_argument
@rewrite_options
@numerics_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(
    model: Path, batch: int | None, strip_float_io: bool, numerics: str, as_json: bool
) -> None:
    """Show a model's layers, cost and memory map.

    Everything is known without running or compiling it: RAM (the arena), constants in flash,
    multiply-accumulates, and which tensor occupies which bytes of the arena during which layers.
    A model that cannot be run exactly is refused with all the reasons.
    """
    graph = load_model(model, batch, strip_float_io)
    with about(model):
        planned = plan(graph, numerics)
    if as_json:
        print_json(_facts(model, planned))
        return
    _print_head(model, planned)
    line()
    _print_layers(planned)
    line()
    _print_totals(planned)
    line()
    for text in memory_map(planned, width()):
        line(text)


def _print_head(model: Path, planned: Plan) -> None:
    graph, numerics = planned.graph, planned.numerics
    line(f"{model.name}: {counted(len(graph.nodes), 'layer')}, SHA-256 {graph.sha256[:16]}...")
    line(f"arithmetic: {numerics.name} ({numerics.runtime})")
    line()
    rows = []
    for kind, indices in (("input", graph.inputs), ("output", graph.outputs)):
        for position, index in enumerate(indices):
            tensor = graph.tensors[index]
            quantization = tensor.port_quantization
            rows.append(
                [
                    f"{kind} {position}",
                    tensor.name,
                    str(tensor.dtype),
                    shape_text(tensor.shape),
                    f"{quantization.scale:.7g}" if quantization else "",
                    str(quantization.zero_point) if quantization else "",
                ]
            )
    table("< ~ < < > >", ["", "tensor", "dtype", "shape", "scale", "zero point"], rows)


def _print_layers(planned: Plan) -> None:
    rows = [
        [
            str(layer.prepared.index),
            layer.prepared.node.op,
            _output_text(planned, layer),
            f"{layer.macs:,}" if layer.macs else "",
            f"{planned.flash_bytes(layer):,}" if planned.flash_bytes(layer) else "",
            _multiplier_text(layer),
        ]
        for layer in planned.layers
    ]
    titles = ["layer", "operator", "output", "MACs", "const bytes", "multiplier"]
    table("> < < > > <", titles, rows)


def _output_text(planned: Plan, layer: PlannedLayer) -> str:
    """The shape of a layer's first output, if it computes one."""
    outputs = layer.prepared.node.outputs if layer.prepared.op.computes else ()
    return shape_text(planned.tensor(outputs[0]).shape) if outputs else ""


def _multiplier_text(layer: PlannedLayer) -> str:
    if not layer.calls:
        return "(same bytes)" if layer.prepared.op.computes else ""
    reals = real_multipliers(layer.calls[0].params)
    if reals is None:
        return ""
    low, high = f"{reals.min():.3g}", f"{reals.max():.3g}"
    return low if low == high else f"{low}..{high}"


def _print_totals(planned: Plan) -> None:
    scratch = f", {planned.scratch_bytes:,} of them scratch of kernels"
    state = f", {planned.state_bytes:,} of them state"
    rows = [
        [
            "RAM",
            f"{planned.arena_bytes:,}",
            f"bytes of arena{state if planned.states else ''}"
            f"{scratch if planned.scratch_bytes else ''}",
        ],
        ["flash", f"{planned.constant_bytes:,}", "bytes of constants; the code comes on top"],
        ["work", f"{planned.macs:,}", "multiply-accumulates (MACs)"],
    ]
    table("< > <", ["", "", ""], rows)


def _facts(model: Path, planned: Plan) -> dict[str, Any]:
    graph = planned.graph
    return {
        "file": model.name,
        "sha256": graph.sha256,
        "numerics": planned.numerics.name,
        "inputs": [_port(graph, index) for index in graph.inputs],
        "outputs": [_port(graph, index) for index in graph.outputs],
        "arena_bytes": planned.arena_bytes,
        "state_bytes": planned.state_bytes,
        "scratch_bytes": planned.scratch_bytes,
        "constant_bytes": planned.constant_bytes,
        "macs": planned.macs,
        "layers": [
            {
                "index": layer.prepared.index,
                "location": layer.prepared.node.location,
                "op": layer.prepared.node.op,
                "kernels": [call.kernel.function for call in layer.calls],
                "inputs": list(layer.prepared.node.inputs),
                "outputs": list(layer.prepared.node.outputs),
                "output_shapes": [
                    list(planned.tensor(index).shape) for index in layer.prepared.node.outputs
                ],
                "macs": layer.macs,
                "constant_bytes": planned.flash_bytes(layer),
                "scratch_bytes": layer.scratch_bytes,
                "multipliers": _multipliers(layer),
            }
            for layer in planned.layers
        ],
        "buffers": [
            {
                "offset": buffer.offset,
                "bytes": buffer.nbytes,
                "first_layer": buffer.first,
                "last_layer": buffer.last,
                "tensors": list(buffer.tensors),
            }
            for buffer in planned.buffers
        ],
        "tensors": {
            index: {"name": tensor.name, "shape": list(tensor.shape), "dtype": str(tensor.dtype)}
            for index in sorted(planned.offsets)
            for tensor in [planned.tensor(index)]
        },
    }


def _multipliers(layer: PlannedLayer) -> Any:
    reals = real_multipliers(layer.calls[0].params) if layer.calls else None
    return [] if reals is None else reals


def _port(graph: Graph, index: int) -> dict[str, Any]:
    tensor = graph.tensors[index]
    quantization = tensor.port_quantization
    return {
        "tensor": index,
        "name": tensor.name,
        "dtype": str(tensor.dtype),
        "shape": list(tensor.shape),
        "scale": quantization.scale if quantization else None,
        "zero_point": quantization.zero_point if quantization else None,
    }
