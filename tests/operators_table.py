"""docs/OPERATORS.md: what each operator takes, and how much of it was compared with whom.

    make operators

runs the tests of single operators and writes the table anew, for whatever is in ``OPS`` by then.
Nothing in it is written by hand: types are those that ``prepare`` takes when the models of the case
tables are tried with others, kernels those that C is generated with, and elements what the run
has compared. tests/test_operators_table.py holds the file against all of that but the numbers.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cases import TABLES
from microinfer.emit.kernels import calls
from microinfer.errors import Problem, UnsupportedModel
from microinfer.graph import DTYPES, Graph, Quantization, Tensor
from microinfer.numerics import PROFILES, profile
from microinfer.ops import OPS, Layer, LayerRefused
from microinfer.prepare import prepare

TYPES = ("INT8", "UINT8", "INT16", "INT32", "INT64", "FLOAT32", "BOOL")
CASES = 8  # of a table that are tried

HEAD = """\
# Operators

Written by `make operators`; do not edit. One row per operator:

- **types** of its activations, and of its weights where they differ: what is accepted when the
  models of `tests/cases/` are tried with other element types.
- **C kernels** of `runtime_c/` that generated code calls for it.
- **elements** that were equal, in models of this one operator (`tests/strategies*.py`), and with
  whom. Where one runtime lacks the operator or is known to be wrong (ARITHMETIC.md), the other
  judges both profiles. C is compared with NumPy.

The numbers are of the run that wrote this file; `make test` and `make test-full` run the same tests
at other lengths. Whole models and chains of layers are compared besides.
"""

TITLES = ("operator", "types", "C kernels", "`tflm`", "`litert`", "C, `tflm`", "C, `litert`")
Row = tuple[str, ...]


def write(path: Path, counts: Sequence[Sequence[Any]], failed: bool) -> str:
    """Write the table of a run; ``counts`` as ``compared.py`` has noted them. Says what it did."""
    if failed:
        return f"{path} not written: tests failed"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text(counts), encoding="utf-8")
    missing = sorted(OPS.keys() - {count[0] for count in counts})
    return f"wrote {path}" + (f", without numbers for {', '.join(missing)}" if missing else "")


# Operators that no model has alone are compared with another.
TOGETHER = {"READ_VARIABLE": "ASSIGN_VARIABLE", "VAR_HANDLE": "ASSIGN_VARIABLE"}


def text(counts: Sequence[Sequence[Any]]) -> str:
    compared: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for op, numerics, side, runtime, elements, differing in counts:
        assert differing == 0
        compared[op, numerics, side][runtime] += elements

    def cell(op: str, numerics: str, side: str) -> str:
        found = compared[TOGETHER.get(op, op), numerics, side]
        names = {"tflm": "TFLM", "litert": "LiteRT"}
        return ", ".join(
            f"{elements:,}" + (f" {names[runtime]}" if runtime in names else "")
            for runtime, elements in sorted(found.items())
        )

    rows = [
        (*row(op), *(cell(op, n, side) for side in ("numpy", "c") for n in ("tflm", "litert")))
        for op in OPS
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (TITLES, ("---",) * len(TITLES), *rows)]
    total = sum(count[4] for count in counts)
    return f"{HEAD}\n" + "\n".join(lines) + f"\n\n{total:,} elements in all, all equal.\n"


def row(op: str) -> Row:
    """The part of an operator's row that does not depend on a run."""
    return (op, "; ".join(types(op)), ", ".join(f"`{kernel}`" for kernel in kernels(op)))


def kernels(op: str) -> list[str]:
    found = set()
    for case, numerics in itertools.product(TABLES[op], PROFILES):
        try:
            layers = prepare(case.graph, profile(numerics))
        except UnsupportedModel:
            continue
        own = [layer for layer in layers if layer.node.op == op]
        found |= {call.kernel.function for layer in own for call in calls(layer, case.graph)}
    return sorted(found)


@cache
def types(op: str) -> tuple[str, ...]:
    """What ``prepare`` takes, such as "int8", "int16 with int8 weights", "float32 to int8"."""
    found: dict[str, None] = {}
    for case in TABLES[op][:CASES]:
        for index, node in enumerate(case.graph.nodes):
            if node.op == op:
                found.update(dict.fromkeys(_accepted(case.graph, index)))
    order = {name: place for place, name in enumerate(t.lower() for t in TYPES)}
    return tuple(sorted(found, key=lambda name: (order[name.split()[0]], name)))


def _accepted(graph: Graph, index: int) -> Iterator[str]:
    node = graph.nodes[index]
    own = [graph.tensors[i] for i in (*node.inputs, *node.outputs) if i >= 0]
    if not node.outputs or any(tensor.type == "RESOURCE" for tensor in own):
        # Variables: their type is that of several nodes together, so it is the case's.
        yield from (tensor.type.lower() for tensor in own if tensor.type in TYPES)
        return
    data = [
        i
        for i in node.inputs
        if i >= 0 and graph.tensors[i].data is None and not graph.tensors[i].is_variable
    ] or list(node.inputs)
    first, last = graph.tensors[data[-1]].type, graph.tensors[node.outputs[0]].type
    moving = {i for i in data if graph.tensors[i].type == first}
    weights = {i for i in node.inputs if i >= 0 and graph.tensors[i].type == "INT8"} - moving
    biases = [i for i in node.inputs[2:] if i >= 0 and graph.tensors[i].type == "INT32"]
    for source, target in itertools.product(TYPES, TYPES):
        if first == last and _is_no_use(source, target, node.op):
            continue
        kinds = dict.fromkeys((source, "INT8", "INT4")) if weights else (source,)
        for kind, wide, fixed in itertools.product(kinds, (False, True), (False, True)):
            if (wide and not biases) or (fixed and target != "INT16"):
                continue
            changed = {i: _as(graph.tensors[i], source) for i in moving}
            changed |= {i: _as(graph.tensors[i], kind) for i in weights}
            changed |= {i: _as(graph.tensors[i], target) for i in node.outputs}
            changed |= {i: _as(graph.tensors[i], "INT64") for i in biases if wide}
            if fixed:  # as SOFTMAX and its like have it
                scale = Quantization(np.float32([2.0**-15]), np.int64([0]))
                changed |= {i: replace(changed[i], quantization=scale) for i in node.outputs}
            if _prepares(graph, index, changed):
                name = (
                    source.lower() if source == target else f"{source.lower()} to {target.lower()}"
                )
                yield name + (f" with {kind.lower()} weights" if kind != source else "")


def _is_no_use(source: str, target: str, op: str) -> bool:
    """Whether there is no point in trying an output of another type."""
    return source != target and op not in ("QUANTIZE", "DEQUANTIZE")


def _as(tensor: Tensor, type_: str) -> Tensor:
    """``tensor`` with another element type, and a quantization that goes with it."""
    if tensor.type == type_:
        return tensor
    own = tensor.quantization or Quantization(np.float32([0.5]), np.int64([0]))
    data = None if tensor.data is None else np.asarray(tensor.data).astype(DTYPES[type_])
    if data is not None and type_ == "INT4":
        data = np.clip(data, -7, 7)
    quantization = replace(own, zero_points=np.zeros_like(own.zero_points))
    real = type_ in ("FLOAT32", "BOOL") or (type_ in ("INT32", "INT64") and not tensor.quantization)
    return replace(tensor, type=type_, data=data, quantization=None if real else quantization)


def _prepares(graph: Graph, index: int, changed: dict[int, Tensor]) -> bool:
    tensors = tuple(changed.get(i, tensor) for i, tensor in enumerate(graph.tensors))
    problems: list[Problem] = []
    try:
        layer = Layer(replace(graph, tensors=tensors), index, profile("tflm"), problems)
        OPS[graph.nodes[index].op].prepare(layer)
    except LayerRefused:
        return False
    return not problems
